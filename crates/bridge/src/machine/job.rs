//! One job: an attempt on its way through this bridge, or a question asked at the PC.

use std::time::Duration;

use encoder::{CardWait, Makes, Order};
use jiff::Timestamp;
use protocol::link::{Action, Offer, Outcome, OutcomeReport, ScannedCredential};
use uuid::Uuid;

use super::BootTime;
use crate::convert::{self, InvalidCredential};

/// One job of an encoder.
#[derive(Debug, Clone)]
pub struct Job {
    /// The attempt's id, or the one that a local request chose.
    pub id: Uuid,
    /// The fence it came with; `None` for local jobs, which the hub does not know.
    pub fence: Option<u64>,
    /// What to do.
    pub work: Work,
    /// How long a card is waited for once its turn has come.
    pub card_wait: Duration,
    /// Until when it may begin to write.
    pub expires_at: Option<BootTime>,
    /// Whether it waited behind another job.
    pub waited: bool,
}

/// What to do with the card.
#[derive(Debug, Clone)]
pub enum Work {
    /// Write this credential.
    Encode(Box<card::Credential>),
    /// Have the lock server make a card.
    Issue(Box<Order>),
    /// Say what writing this credential would change, and write nothing.
    Preview(Box<card::Credential>),
    /// Say what is on it.
    Scan,
}

impl Job {
    /// The job that an offer asks for.
    pub(super) fn offered(now: BootTime, offer: &Offer) -> Result<Self, InvalidCredential> {
        let work = match &offer.action {
            Action::Encode(credential) => {
                credential.check()?;
                Work::Encode(Box::new(convert::credential(credential)?))
            }
            Action::Issue(order) => Work::Issue(Box::new(convert::order(order)?)),
            Action::Scan => Work::Scan,
        };
        Ok(Self {
            id: offer.attempt_id,
            fence: Some(offer.fence),
            work,
            card_wait: Duration::from_millis(offer.card_wait_ms),
            expires_at: Some(now.after(Duration::from_millis(offer.expires_in_ms))),
            waited: false,
        })
    }

    /// A question asked at the PC, which the hub does not know.
    pub(super) fn local(id: Uuid, work: Work, card_wait: Duration) -> Self {
        Self {
            id,
            fence: None,
            work,
            card_wait,
            expires_at: None,
            waited: false,
        }
    }

    /// On an idle encoder the resting card serves. An encode that waited behind another job needs a card of its own,
    /// or guest A's job takes guest B's card (DESIGN §5.8).
    pub(super) fn card_wait_kind(&self) -> CardWait {
        match self.work {
            Work::Encode(_) if self.waited => CardWait::Fresh,
            _ => CardWait::Resting,
        }
    }

    /// Whether that is work for an encoder whose cards are made like this.
    pub(super) fn suits(&self, makes: Makes) -> bool {
        match self.work {
            Work::Encode(_) | Work::Preview(_) => makes == Makes::Host,
            Work::Issue(_) => makes == Makes::Server,
            Work::Scan => true,
        }
    }

    pub(super) fn is_scan(&self) -> bool {
        matches!(self.work, Work::Scan)
    }

    /// The credential that is on the card after that outcome, if this job put it there.
    pub(super) fn written(&self, outcome: &Outcome) -> Option<ScannedCredential> {
        match (&self.work, outcome) {
            (Work::Encode(credential), Outcome::Written { .. }) => {
                Some(convert::scanned(credential))
            }
            _ => None,
        }
    }

    /// What the hub is told at the end; `None` for a local job, which the hub does not know.
    pub(super) fn report(&self, ended_at: Timestamp, outcome: &Outcome) -> Option<OutcomeReport> {
        Some(OutcomeReport {
            attempt_id: self.id,
            fence: self.fence?,
            ended_at,
            outcome: outcome.clone(),
        })
    }
}
