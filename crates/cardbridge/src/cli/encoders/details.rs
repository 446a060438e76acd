//! All that is known of one encoder, for `--verbose`. Never a secret.

use bridge::socket::ServedJob;
use bridge::{About, CardsMadeBy, Fact};
use protocol::link::{IdentityScope, Phase};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Details {
    pub(super) identity: String,
    pub(super) identity_scope: IdentityScope,
    pub(super) about: About,
    pub(super) job: Option<ServedJob>,
    pub(super) held_elsewhere: Option<String>,
}

impl Details {
    /// One line for each thing that is known, its names in a column of their own.
    pub(super) fn in_words(&self) -> Vec<String> {
        let scope = match self.identity_scope {
            IdentityScope::Site => "on every PC of the site",
            IdentityScope::Computer => "on this PC",
        };
        let mut known = vec![(
            "identity".to_owned(),
            format!("{} ({scope})", self.identity),
        )];
        let mut add = |name: &str, value: Option<String>| {
            known.extend(value.map(|value| (name.to_owned(), value)));
        };
        let about = &self.about;
        add(
            "cards made by",
            about.cards_made_by.map(|who| match who {
                CardsMadeBy::Bridge => "this PC".to_owned(),
                CardsMadeBy::LockServer => "its lock server".to_owned(),
            }),
        );
        let all = |kind: &str, facts: &[Fact]| -> Vec<(String, Option<String>)> {
            facts
                .iter()
                .map(|fact| (format!("{kind}{}", fact.name), Some(fact.value.clone())))
                .collect()
        };
        let facts = [
            all("setting ", &about.settings),
            all("", &about.listing),
            all("", &about.device),
        ];
        for (name, value) in facts.concat() {
            add(&name, value);
        }
        add(
            "job",
            self.job
                .as_ref()
                .map(|job| format!("{} ({})", doing(job.phase), job.id)),
        );
        add("elsewhere", self.held_elsewhere.clone());
        let last = about.last_error.as_ref();
        add(
            "last error",
            last.map(|error| format!("{} ({})", error.message, error.at)),
        );
        let recording = about.recording.as_ref();
        add(
            "recording",
            recording.map(|path| path.display().to_string()),
        );
        let width = known
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or_default();
        known
            .iter()
            .map(|(name, value)| format!("    {name:<width$}  {value}"))
            .collect()
    }
}

/// What an encoder does for a job, for whoever asks from elsewhere.
fn doing(phase: Phase) -> String {
    match phase {
        Phase::Queued { place } => format!("waits behind {place} other job(s)"),
        Phase::WaitingForCard => "waits for a card".to_owned(),
        Phase::Reading => "reads the card".to_owned(),
        Phase::Writing { done, of } => format!("writes the card, {done} of {of} steps done"),
        Phase::Verifying => "reads the card back".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_of_a_job_is_told_in_words() {
        for (phase, told) in [
            (Phase::Queued { place: 2 }, "waits behind 2 other job(s)"),
            (Phase::WaitingForCard, "waits for a card"),
            (Phase::Reading, "reads the card"),
            (
                Phase::Writing { done: 2, of: 5 },
                "writes the card, 2 of 5 steps done",
            ),
            (Phase::Verifying, "reads the card back"),
        ] {
            assert_eq!(doing(phase), told);
        }
    }

    #[test]
    fn what_is_known_stands_in_two_columns() {
        let fact = |name: &str, value: &str| Fact {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let details = Details {
            identity: "pn532:serial:A1".to_owned(),
            identity_scope: IdentityScope::Site,
            about: About {
                settings: vec![fact("port", "/dev/ttyUSB0")],
                device: vec![fact("firmware", "1.6")],
                ..About::default()
            },
            job: None,
            held_elsewhere: None,
        };
        assert_eq!(
            details.in_words(),
            [
                "    identity      pn532:serial:A1 (on every PC of the site)",
                "    setting port  /dev/ttyUSB0",
                "    firmware      1.6",
            ]
        );
    }
}
