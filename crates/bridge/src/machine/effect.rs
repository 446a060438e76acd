//! What the job machine wants done, and what of it must be durable.

use std::time::Duration;

use card::{Command, CopyIndex};
use encoder::CardWait;
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
    /// Stop waiting for a card; [`Event::EncoderFailed`](super::Event::EncoderFailed) with `Cancelled` follows.
    StopSelecting,
    /// Send this to the card.
    Exchange(Command),
    /// Let the card go.
    Release,
}

/// The stages of a job that must be durable before its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Taken in.
    Accepted,
    /// Granted, and about to write.
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
    /// The card.
    pub uid: card::Uid,
    /// HMAC over the credential image.
    pub digest: [u8; 32],
    /// The copy that is being written.
    pub copy: CopyIndex,
}
