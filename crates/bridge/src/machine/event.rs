//! What the job machine is told.

use std::time::Duration;

use card::{Reply, Suspects};
use encoder::{ErrorKind, Selected};
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
    /// The wait for a card, or a command, ended in an error of the encoder. Every [`Effect::Select`](super::Effect::Select) and
    /// [`Effect::Exchange`](super::Effect::Exchange) is answered exactly once, by this or by what was hoped for.
    EncoderFailed(ErrorKind),
    /// The encoder can take jobs.
    EncoderOnline,
    /// The encoder cannot take jobs any more. If it still owes an answer, [`Event::EncoderFailed`] follows.
    EncoderLost(ErrorKind),
    /// The time of [`Machine::deadline`](super::Machine::deadline) has come.
    Tick,
}

/// What the journal has of an attempt that is offered again.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// It was taken in and has not ended.
    Open,
    /// It has ended, with this report.
    Ended(OutcomeReport),
}
