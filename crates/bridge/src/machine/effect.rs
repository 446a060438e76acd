//! What the job machine wants done, and what of it must be durable.

use std::time::Duration;

use card::{Command, CopyIndex};
use encoder::{CardWait, Order, Signal};
use protocol::link::{FromBridge, Offer, Outcome, OutcomeReport, Phase, ScannedCredential};
use uuid::Uuid;

use crate::Preview;

/// What the machine wants done, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Make this durable, then say [`Event::Journalled`](super::Event::Journalled) or [`Event::JournalFailed`](super::Event::JournalFailed).
    Journal(Entry),
    /// Tell the hub. May be lost with the link: what matters is in the journal and is sent again from there.
    Send(FromBridge),
    /// A job is over; tell whoever waits for it on this PC. With the credential that is on the card now, if one was
    /// written.
    Finish(Uuid, Outcome, Option<ScannedCredential>),
    /// A question what an encode would change is answered; tell whoever asked it on this PC.
    Previewed(Uuid, Box<Preview>),
    /// Tell whoever watches.
    Progress(Uuid, Phase),
    /// Wait for a card.
    Select(CardWait, Duration),
    /// Have the lock server make a card, for which it waits that long by itself. Answered exactly once, by
    /// [`Event::Issued`](super::Event::Issued), [`Event::NotIssued`](super::Event::NotIssued) or
    /// [`Event::EncoderFailed`](super::Event::EncoderFailed).
    Issue(Box<Order>, Duration),
    /// Have the lock server read a card, for which it waits that long by itself.
    Read(Duration),
    /// Stop waiting for a card, or take back an order that has not been sent. Where that came in time, the answer says
    /// `Cancelled`.
    StopWaiting,
    /// Send this to the card.
    Exchange(Command),
    /// Let the card go.
    Release,
    /// Show how it ended, where the encoder has light or sound for it.
    Signal(Signal),
}

/// The stages of a job that must be durable before its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Taken in.
    Accepted,
    /// Granted, and about to write or to order.
    Intent,
    /// Ended.
    Outcome,
}

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A job was taken in; its fence becomes the highest accepted one of this encoder.
    Accepted(Offer),
    /// Writing is about to begin.
    Intent(Intent),
    /// A job ended.
    Outcome(OutcomeReport),
}

impl Entry {
    /// The job, and the stage that this brings it to.
    #[must_use]
    pub fn stage(&self) -> (Uuid, Stage) {
        match self {
            Self::Accepted(offer) => (offer.attempt_id, Stage::Accepted),
            Self::Intent(intent) => (intent.attempt_id, Stage::Intent),
            Self::Outcome(report) => (report.attempt_id, Stage::Outcome),
        }
    }
}

/// What must be known after a power cut in the middle of writing.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Which attempt.
    pub attempt_id: Uuid,
    /// The hub's leave.
    pub grant_id: Uuid,
    /// HMAC over the credential image, or over the order to a lock server.
    pub digest: [u8; 32],
    /// The card; `None` when a lock server is to make one.
    pub card: Option<IntendedCard>,
}

/// Where on which card is about to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntendedCard {
    /// The card.
    pub uid: card::Uid,
    /// The copy that is being written.
    pub copy: CopyIndex,
}
