//! What somebody at this PC asks for, and what comes of it.

use jiff::Timestamp;
use protocol::link::{CardFormat, CardFunction, Scanned, ScannedCredential, ServerCard};
use uuid::Uuid;

/// A card that somebody at this PC wants.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct LocalEncode {
    /// Which encoder; may be left out when there is only one.
    pub encoder: Option<String>,
    /// Doors by name.
    pub doors: Vec<String>,
    /// Further doors by name, which must be common ones.
    pub common_doors: Vec<String>,
    /// In which format; `None` takes the first that holds the doors.
    pub format: Option<CardFormat>,
    /// For whom.
    pub function: CardFunction,
    /// From when; `None` is now.
    pub starts_at: Option<Timestamp>,
    /// Until when; `None` has no end.
    pub ends_at: Option<Timestamp>,
    /// Whether it overrides earlier cards; `None` lets the hub pick.
    pub overrides: Option<bool>,
}

/// What is on a card, as it was read here or by a lock server.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Found {
    /// Read here.
    Card(Scanned),
    /// Read by the lock server that the encoder belongs to.
    ServerCard(ServerCard),
}

/// A card that was encoded. Of one that a lock server made is known what the server tells.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Encoded {
    /// The card; a lock server may not tell.
    pub uid: Option<String>,
    /// Its technology; a lock server does not tell.
    pub technology: Option<String>,
    /// The credential on the hub.
    pub acs_credential_id: Uuid,
    /// The attempt on the hub.
    pub action_attempt_id: Uuid,
    /// What was read back from the card; `None` where a lock server vouches for it.
    pub credential: Option<ScannedCredential>,
}
