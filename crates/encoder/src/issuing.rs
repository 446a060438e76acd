//! Encoders that belong to a lock server, which makes the card itself: they issue and read a credential, nothing else.

use std::fmt;
use std::time::Instant;

use card::Uid;

use crate::listing::Facts;
use crate::{Error, Stop};

/// An open encoder whose lock server makes the cards.
///
/// All calls block and none promises to return, as with a [`BlockEncoder`](crate::BlockEncoder).
pub trait IssuingEncoder: Send {
    /// Has the server issue a card, which includes the wait for somebody to put one on.
    ///
    /// # Errors
    /// [`ErrorKind::NoCard`](crate::ErrorKind::NoCard) when none came by the deadline,
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) when `stop` was raised before the request was sent, else
    /// what the server or the way to it reports; each with what is certain of the card.
    fn issue(
        &mut self,
        order: &Order,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Issued, IssueError>;

    /// Has the server read a card, which includes the wait for somebody to put one on.
    ///
    /// # Errors
    /// As [`issue`](Self::issue); nothing is ever written.
    fn read(&mut self, deadline: Instant, stop: &Stop) -> Result<ServerCard, Error>;

    /// What became known of the server and the encoder by opening it.
    fn facts(&self) -> Facts {
        Facts::default()
    }
}

/// What a card is to open, in the words of a lock server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Whether earlier cards of the room lose their right.
    pub kind: OrderKind,
    /// The rooms by the names that the server knows them by, the main room first; 1 to 4.
    pub rooms: Vec<String>,
    /// Authorisations that are granted beside the rooms, by their numbers on the server, from 1.
    pub granted: Vec<u8>,
    /// Authorisations that are denied, by their numbers on the server, from 1.
    pub denied: Vec<u8>,
    /// From when it opens; `None` lets the server begin at once.
    pub starts_at: Option<LocalTime>,
    /// Until when it opens.
    pub ends_at: LocalTime,
    /// Who ordered it, for the server's own log.
    pub operator: Option<String>,
}

/// Whether a card takes the place of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKind {
    /// A new guest's: earlier cards of the room lose their right.
    New,
    /// Opens beside the cards that were issued before.
    Copy,
}

/// A minute on the clock at the site: what lock servers speak, which know no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    /// 2000 to 2099: servers write two digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// A card that a lock server made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The card, where the server tells.
    pub uid: Option<Uid>,
}

/// A lock server made no card, or nobody knows whether it did.
#[derive(Debug, thiserror::Error)]
#[error("{certainty}")]
pub struct IssueError {
    /// What is certain of the card.
    pub certainty: Certainty,
    /// What happened.
    #[source]
    pub error: Error,
}

/// What is certain of a card after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// No card was made: the request never left, or the server says so.
    Unwritten,
    /// The request left and its answer did not come: a card may have been made.
    Unknown,
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unwritten => "no card was made",
            Self::Unknown => "a card may have been made",
        })
    }
}

/// What a lock server reads on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCard {
    /// The card, where the server tells.
    pub uid: Option<Uid>,
    /// What it is to the server.
    pub content: ServerCardContent,
}

/// What a card is to a lock server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerCardContent {
    /// A guest's card.
    Guest(Box<ServerGuestCard>),
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

/// A guest's card as a lock server reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub starts_at: Option<LocalTime>,
    /// Until when it opens, where the server tells.
    pub ends_at: Option<LocalTime>,
    /// Who ordered it.
    pub operator: Option<String>,
}
