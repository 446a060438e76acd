//! The link to the hub: dials out, says who it is, replays what the hub has not acknowledged, and passes messages on.
//!
//! Nothing here is needed for correctness: whatever is lost with a connection is in the journal and said again.

mod backoff;
mod dial;
mod roll;
mod session;

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::link::{FromBridge, OfferRefusal, RequestAnswer, RequestEncode, SiteKeyCheck};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::encoders::Encoders;
use crate::journal::Journal;
use backoff::Backoff;
pub(crate) use dial::Dial;
pub use dial::DialConfigError;
use session::Session;

/// How long after it was established a link counts as stable, so that the next break is retried at once.
const STABLE: Duration = Duration::from_secs(60);

/// What the encoders' tasks say to the hub. While the link is down it goes nowhere.
#[derive(Debug, Clone)]
pub(crate) struct Uplink(mpsc::UnboundedSender<Outgoing>);

/// A message for the hub.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Said once; lost with the link.
    Message(FromBridge),
    /// Asked from this PC, with whoever waits for the answer.
    Request(Wish, RequestEncode, oneshot::Sender<RequestAnswer>),
}

/// What a request from this PC is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wish {
    /// A card.
    Card,
    /// To know what the card would carry.
    Preview,
}

impl Uplink {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Outgoing>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(crate) fn send(&self, message: FromBridge) {
        // A bridge without a hub has no receiver, and nobody to tell.
        let _ = self.0.send(Outgoing::Message(message));
    }

    pub(crate) fn refuse(&self, attempt_id: Uuid) {
        self.send(FromBridge::Refused {
            attempt_id,
            reason: OfferRefusal::JournalFailed,
        });
    }

    /// Asks the hub; the receiver ends without an answer when the link is down or breaks.
    pub(crate) fn request(
        &self,
        wish: Wish,
        request: RequestEncode,
    ) -> oneshot::Receiver<RequestAnswer> {
        let (answer, receiver) = oneshot::channel();
        let _ = self.0.send(Outgoing::Request(wish, request, answer));
        receiver
    }
}

/// How the link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkStatus {
    /// No hub is configured.
    None,
    /// Not connected, with the reason as a sentence for a person.
    Down(String),
    /// Connected, snapshots exchanged.
    Up {
        /// The hub.
        hub_id: Uuid,
        /// The site that this bridge serves.
        acs_system_id: Uuid,
        /// Why the hub lets this bridge encode nothing, and what to do.
        site_key_problem: Option<String>,
        /// The encoders that the hub holds for online, by identity, with the ids that the API knows them by.
        online: BTreeMap<String, Uuid>,
    },
}

/// Keeps the link up until it is dropped.
pub(crate) struct LinkTask {
    pub dial: Dial,
    pub name: String,
    pub site_keys: Vec<SiteKeyCheck>,
    pub journal: Journal,
    pub encoders: Encoders,
    pub outgoing: mpsc::UnboundedReceiver<Outgoing>,
    pub status: watch::Sender<LinkStatus>,
}

impl LinkTask {
    /// Connects, serves the connection, and connects again, for ever.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::new();
        loop {
            let started = tokio::time::Instant::now();
            let reason = match while_draining(&mut self.outgoing, self.dial.connect()).await {
                Err(error) => crate::error_text::chain(&error),
                Ok(socket) => {
                    let error = Session::new(&mut self, socket).run().await;
                    crate::error_text::chain(&error)
                }
            };
            tracing::warn!(reason, "no link to the hub");
            self.status.send_replace(LinkStatus::Down(reason));
            if started.elapsed() > STABLE {
                backoff = Backoff::new();
            }
            while_draining(&mut self.outgoing, tokio::time::sleep(backoff.next())).await;
        }
    }
}

/// Waits for `future`; what is said meanwhile is dropped, and who asks learns at once that nobody listens.
async fn while_draining<T>(
    outgoing: &mut mpsc::UnboundedReceiver<Outgoing>,
    future: impl Future<Output = T>,
) -> T {
    tokio::pin!(future);
    loop {
        tokio::select! {
            result = &mut future => return result,
            Some(dropped) = outgoing.recv() => drop(dropped),
        }
    }
}
