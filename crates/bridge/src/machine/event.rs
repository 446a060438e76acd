//! What the job machine is told.

use std::time::Duration;

use card::{Reply, Suspects, Uid};
use encoder::{Certainty, ErrorKind, Makes, Selected, ServerCard};
use protocol::link::{GrantDecision, Offer, OutcomeReport};
use uuid::Uuid;

use super::{Stage, Work};

/// What the machine is told.
#[derive(Debug)]
pub enum Event {
    /// The hub offers work.
    Offered {
        /// The offer.
        offer: Box<Offer>,
        /// What the journal has of that attempt already.
        known: Option<Box<Known>>,
    },
    /// A person at the PC wants to know what is on a card, or what an encode would change. Not journalled, for nothing is
    /// written.
    Asked {
        /// Chosen by who asks.
        id: Uuid,
        /// What; never an encode, which needs the hub's leave.
        work: Work,
        /// How long to wait for a card.
        card_wait: Duration,
    },
    /// The attempt has ended elsewhere; do not begin to write.
    Cancelled(Uuid),
    /// The hub answered an ask.
    GrantAnswered(Uuid, GrantDecision),
    /// That entry is durable.
    Journalled(Uuid, Stage),
    /// That entry could not be made durable.
    JournalFailed(Uuid, Stage),
    /// A card is there.
    Selected {
        /// The card.
        selected: Selected,
        /// The copies of this very card that earlier jobs left in doubt.
        suspects: Suspects,
    },
    /// A card is there, but the journal does not say whether it is in doubt.
    JournalUnreadable,
    /// The card answered a command.
    Answered(Reply),
    /// The lock server says that it made the card; with its UID, where it tells.
    Issued(Option<Uid>),
    /// The lock server made no card, or nobody knows whether it did.
    NotIssued(NotIssued),
    /// The lock server read a card.
    ServerRead(Box<ServerCard>),
    /// The wait for a card, or a command, ended in an error of the encoder. Every [`Effect::Select`](super::Effect::Select),
    /// [`Effect::Exchange`](super::Effect::Exchange), [`Effect::Issue`](super::Effect::Issue) and
    /// [`Effect::Read`](super::Effect::Read) is answered exactly once, by this or by an event of its own.
    EncoderFailed(ErrorKind),
    /// The encoder can take jobs, and this is who makes its cards.
    EncoderOnline(Makes),
    /// The encoder cannot take jobs any more. If it still owes an answer, [`Event::EncoderFailed`] follows.
    EncoderLost(ErrorKind),
    /// The time of [`Machine::deadline`](super::Machine::deadline) has come.
    Tick,
}

/// Why a lock server made no card, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotIssued {
    /// Whether a card may have been made all the same.
    pub certainty: Certainty,
    /// What happened.
    pub kind: ErrorKind,
    /// What the server said, for people.
    pub cause: Option<String>,
}

/// What the journal has of an attempt that is offered again.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// It was taken in and has not ended.
    Open,
    /// It has ended, with this report.
    Ended(OutcomeReport),
}
