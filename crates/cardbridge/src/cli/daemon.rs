//! Reaching the bridge of this PC: the daemon where one runs, else one in this process for as long as a verb takes.

use bridge::socket::Daemon;
use bridge::{Config, RequestError};
use protocol::link::Phase;

use super::failure::Failure;
use super::output::Output;

/// The daemon that serves this configuration, if it runs.
pub(super) async fn connect(config: &Config) -> Result<Option<Daemon>, Failure> {
    Daemon::connect(&config.socket)
        .await
        .map_err(|error| Failure::from_error("socket_unavailable", &error))
}

/// What bridge and hub say of a command line that is wrong, and that only they could see to be.
const WRONG_INPUT: [&str; 3] = [
    "invalid_input",
    "acs_encoder_not_found",
    "encoder_ambiguous",
];

impl From<RequestError> for Failure {
    fn from(RequestError { kind, message }: RequestError) -> Self {
        let is_wrong_input = WRONG_INPUT.contains(&kind.as_str());
        let failure = Self::new(kind, message);
        if is_wrong_input {
            failure.into_wrong_input()
        } else {
            failure
        }
    }
}

/// Tells a person at the encoder how far a job is, each phase once.
pub(super) fn tell(output: Output, encoder: Option<&str>) -> impl FnMut(Phase) + Send {
    let encoder = encoder.unwrap_or("the encoder").to_owned();
    let mut last = None;
    move |phase| {
        if last.replace(phase) != Some(phase) {
            output.progress(&sentence(phase, &encoder));
        }
    }
}

fn sentence(phase: Phase, encoder: &str) -> String {
    match phase {
        Phase::Queued { place } => format!("Waiting for {place} other card(s)…"),
        Phase::WaitingForCard => format!("Put a card on {encoder}…"),
        Phase::Reading => "Reading; leave the card where it is…".to_owned(),
        Phase::Writing { done, of } => format!("Writing {done}/{of}…"),
        Phase::Verifying => "Reading back…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use super::*;

    #[test]
    fn what_is_wrong_with_the_command_line_ends_with_2_whoever_found_it() {
        for (kind, code) in [
            ("invalid_input", 2),
            ("acs_encoder_not_found", 2),
            ("encoder_ambiguous", 2),
            ("no_card_on_encoder", 1),
            ("encoder_not_online", 1),
        ] {
            let failure = Failure::from(RequestError {
                kind: kind.to_owned(),
                message: String::new(),
            });
            assert_eq!(failure.exit_code(), ExitCode::from(code), "{kind}");
        }
    }

    #[test]
    fn each_phase_is_a_sentence_for_the_person_at_the_encoder() {
        for (phase, told) in [
            (Phase::WaitingForCard, "Put a card on Front Desk…"),
            (Phase::Writing { done: 2, of: 5 }, "Writing 2/5…"),
            (Phase::Queued { place: 1 }, "Waiting for 1 other card(s)…"),
        ] {
            assert_eq!(sentence(phase, "Front Desk"), told);
        }
    }
}
