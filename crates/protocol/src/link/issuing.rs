//! What an encoder of a lock server is offered and what it tells. The server makes the card by itself: there is no
//! image of it, and no UID before it is made.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a lock server is to make a card for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The credential on the hub, for the audit log.
    pub acs_credential_id: Uuid,
    /// Whether earlier cards of the room lose their right.
    pub kind: OrderKind,
    /// The rooms by the names of their entrances, which are those that the lock server knows; the main room first.
    pub rooms: Vec<String>,
    /// From when it opens, cut to the minute.
    pub starts_at: Timestamp,
    /// Until when it opens, cut to the minute.
    pub ends_at: Timestamp,
    /// The site's IANA time zone: lock servers know only the clock on their wall.
    pub time_zone: String,
    /// Who ordered it, for the server's own log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// Whether a card takes the place of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// An override: earlier cards of the room lose their right.
    New,
    /// A joiner: opens beside the cards that were made before.
    Copy,
}

/// What a lock server reads on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerCard {
    /// The card, upper-case hex, where the server tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// What it is to the server.
    #[serde(flatten)]
    pub content: ServerCardContent,
}

/// What a card is to a lock server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "card", rename_all = "snake_case")]
pub enum ServerCardContent {
    /// A guest's card.
    Guest(ServerGuestCard),
    /// A member of staff's, or a master.
    Staff,
    /// Prepared for a room that has no guest yet.
    Spare,
    /// A guest's card of this server that is no good any more.
    Invalid,
    /// Of another site or another system, or of this one and unreadable.
    Unidentified,
    /// For looking after locks.
    Diagnostic,
}

impl ServerCardContent {
    /// As it is written.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Guest(_) => "guest",
            Self::Staff => "staff",
            Self::Spare => "spare",
            Self::Invalid => "invalid",
            Self::Unidentified => "unidentified",
            Self::Diagnostic => "diagnostic",
        }
    }
}

/// A guest's card as a lock server reads it. Times are those of the clock on its wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerGuestCard {
    /// The rooms, the main room first.
    pub rooms: Vec<String>,
    /// Whether it still opens its main room, as opposed to its guest having checked out.
    pub is_checked_in: bool,
    /// 0 for the original, then 1, 2…; `None` for a copy whose number is not known.
    pub copy: Option<u8>,
    /// Whether it opens once only.
    pub is_one_shot: bool,
    /// Authorisations beside the rooms, by their numbers on the server.
    pub granted: Vec<u8>,
    /// From when it opens, where the server tells.
    pub starts_at: Option<DateTime>,
    /// Until when it opens, where the server tells.
    pub ends_at: Option<DateTime>,
    /// Who ordered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}
