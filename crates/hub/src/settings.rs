//! What a hub is told when it is opened.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a hub. [`HubSettings::new`] has the values of the documents; tests shorten them.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// The database file; made when missing, readable for its owner only.
    pub database: PathBuf,
    /// Under which address clients reach the hub, `https://hub.example`. Without one the hub answers only to
    /// `localhost` and to IP addresses.
    pub public_url: Option<String>,
    /// How long a card is waited for once a job's turn has come.
    pub card_wait: Duration,
    /// How long writing and reading back one card may take.
    pub write_bound: Duration,
    /// What is added to every deadline for the way there and back.
    pub deadline_margin: Duration,
    /// How long a bridge may be gone before its ungranted attempts end.
    pub bridge_grace: Duration,
    /// How long a client may take for the head of a request, and be silent between two.
    pub head_limit: Duration,
    /// How often a link is pinged.
    pub ping_every: Duration,
    /// After how much silence a link counts as dead.
    pub silence_limit: Duration,
    /// How many pending attempts one encoder may have.
    pub queue_limit: u32,
    /// The number of a site's first credential.
    pub first_credential_number: u32,
    /// Whether a request from an encoder PC may name rooms that do not exist yet; they are made then.
    pub create_missing_doors: bool,
}

impl HubSettings {
    /// A hub on that database, with the waits of DESIGN §6 and §7.
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self {
            database: database.into(),
            public_url: None,
            card_wait: Duration::from_secs(30),
            write_bound: Duration::from_secs(10),
            deadline_margin: Duration::from_secs(10),
            bridge_grace: Duration::from_secs(5),
            head_limit: Duration::from_secs(10),
            ping_every: Duration::from_secs(10),
            silence_limit: Duration::from_secs(25),
            queue_limit: 8,
            first_credential_number: 1,
            create_missing_doors: false,
        }
    }

    /// The decider of a PC without a hub: its credential numbers never meet a hub's (DESIGN §5), and rooms are made as
    /// they are named.
    pub fn standalone(database: impl Into<PathBuf>) -> Self {
        Self {
            first_credential_number: 0x8000_0000,
            create_missing_doors: true,
            ..Self::new(database)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The waits that docs/link.md and docs/api.md promise.
    #[test]
    fn a_hub_waits_as_long_as_the_documents_say() {
        let settings = HubSettings::new("hub.sqlite");
        let seconds = Duration::from_secs;
        assert_eq!(settings.card_wait, seconds(30));
        assert_eq!(settings.write_bound, seconds(10));
        assert_eq!(settings.deadline_margin, seconds(10));
        assert_eq!(settings.bridge_grace, seconds(5));
        assert_eq!(settings.head_limit, seconds(10));
        assert_eq!(settings.ping_every, seconds(10));
        assert_eq!(settings.silence_limit, seconds(25));
        assert_eq!(settings.queue_limit, 8);
    }
}
