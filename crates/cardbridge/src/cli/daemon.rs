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

impl From<RequestError> for Failure {
    fn from(RequestError { kind, message }: RequestError) -> Self {
        Self::new(kind, message)
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
    use super::*;

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
