//! One task per encoder: carries out what its job machine wants, and tells the machine what came of it.

mod connection;
mod device;

use std::collections::VecDeque;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use encoder::{Abandoned, Error, Listing, Makes};
use jiff::Timestamp;
use protocol::link::{EncoderState, FromBridge, GrantAnswer, Offer, Outcome, Phase};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::clock::boot_time;
use crate::convert;
use crate::error_text::{chain, told};
use crate::journal::{Journal, outcome_name};
use crate::link::Uplink;
use crate::machine::{BootTime, Effect, Entry, Event, Machine, NotIssued, Work};
use crate::watchers::Watchers;
use connection::{Connection, News};
pub(crate) use device::Device;

/// The reason of an encoder that nothing is known of yet.
const NOT_OPENED_YET: &str = "The encoder is being opened.";

/// What others ask of an encoder.
#[derive(Debug)]
pub(crate) enum Request {
    /// The hub offers work.
    Offer(Offer),
    /// The hub withdraws work.
    Cancel(Uuid),
    /// The hub answers an ask.
    Grant(GrantAnswer),
    /// A person at the PC wants to know something of a card.
    Ask {
        /// Under which the answer is announced.
        id: Uuid,
        /// What.
        work: Work,
        /// How long to wait for a card.
        card_wait: Duration,
    },
    /// The hub changed: the highest fence accepted from the one that is linked now.
    AcceptedFence(u64),
    /// It is plugged in elsewhere now.
    Moved(Box<Listing>),
    /// Finish the card that is being written, free the device and end.
    Shutdown,
}

/// What is known of an encoder from outside its task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncoderStatus {
    /// Its name and state, as the hub is told.
    pub state: EncoderState,
    /// The job that runs on it and how far it is.
    pub running: Option<(Uuid, Phase)>,
}

impl EncoderStatus {
    /// Whether it is known how the encoder is, as opposed to its just being opened for the first time.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state.reason.as_deref() != Some(NOT_OPENED_YET)
    }
}

/// What an encoder's task shares with the rest of the bridge.
#[derive(Clone)]
pub(crate) struct Shared {
    pub journal: Journal,
    pub uplink: Uplink,
    pub watchers: Watchers,
    pub abandoned: Abandoned,
    /// One journal, one bridge: held until the last encoder's task has ended, so that nobody else takes a card that is
    /// still being written for an interrupted one.
    pub _lock: Arc<std::fs::File>,
}

/// The task of one encoder.
pub(crate) struct EncoderTask {
    connection: Connection,
    machine: Machine,
    shared: Shared,
    status: watch::Sender<EncoderStatus>,
    requests: mpsc::Receiver<Request>,
    /// Devices of any kind came or went.
    changes: watch::Receiver<u64>,
    effects: VecDeque<Effect>,
    stopping: bool,
}

impl EncoderTask {
    pub(crate) fn new(
        device: Device,
        machine: Machine,
        shared: Shared,
        requests: mpsc::Receiver<Request>,
        changes: watch::Receiver<u64>,
    ) -> (Self, watch::Receiver<EncoderStatus>) {
        let (status, seen) = watch::channel(EncoderStatus {
            state: EncoderState {
                identity: device.identity.text.clone(),
                identity_scope: convert::identity_scope(device.identity.scope),
                display_name: device.display_name.clone(),
                driver: device.driver.name().to_owned(),
                is_online: false,
                is_issuing: false,
                reason: Some(NOT_OPENED_YET.to_owned()),
            },
            running: None,
        });
        let task = Self {
            connection: Connection::open(device, shared.abandoned.clone()),
            machine,
            shared,
            status,
            requests,
            changes,
            effects: VecDeque::new(),
            stopping: false,
        };
        (task, seen)
    }

    /// Serves until it is told to shut down.
    pub(crate) async fn run(mut self) {
        // A card that is being written is finished first; whatever else is under way ends with the next start.
        while !self.stopping || self.machine.is_writing() {
            let tick = until(self.machine.deadline());
            tokio::select! {
                request = self.requests.recv(), if !self.stopping => match request {
                    None => self.stopping = true,
                    Some(request) => self.requested(request).await,
                },
                Ok(()) = self.changes.changed() => self.connection.look(),
                news = self.connection.next() => self.happened(news).await,
                () = tick => self.feed(Event::Tick).await,
            }
            self.publish();
        }
        self.connection.shut_down().await;
    }

    async fn requested(&mut self, request: Request) {
        match request {
            Request::Offer(offer) => self.offered(offer).await,
            Request::Cancel(attempt_id) => self.feed(Event::Cancelled(attempt_id)).await,
            Request::Grant(answer) => {
                self.feed(Event::GrantAnswered(answer.attempt_id, answer.decision))
                    .await;
            }
            Request::Ask {
                id,
                work,
                card_wait,
            } => {
                self.feed(Event::Asked {
                    id,
                    work,
                    card_wait,
                })
                .await;
            }
            Request::AcceptedFence(fence) => self.machine.set_accepted_fence(fence),
            Request::Moved(listing) => {
                if let Some(news) = self.connection.moved(&listing) {
                    self.happened(news).await;
                }
            }
            Request::Shutdown => self.shut_down(),
        }
    }

    /// Begins nothing any more. An order that has not left yet is taken back; one that has is waited for.
    fn shut_down(&mut self) {
        self.stopping = true;
        if self.machine.is_issuing() {
            self.connection.stop_waiting();
        }
    }

    async fn offered(&mut self, offer: Offer) {
        if self.stopping {
            return;
        }
        match self.shared.journal.known(offer.attempt_id).await {
            Ok(known) => {
                let (offer, known) = (Box::new(offer), known.map(Box::new));
                self.feed(Event::Offered { offer, known }).await;
            }
            Err(error) => {
                tracing::error!(attempt_id = %offer.attempt_id, error = chain(&error), "the journal cannot be read; an offer is refused");
                self.shared.uplink.refuse(offer.attempt_id);
            }
        }
    }

    async fn happened(&mut self, news: News) {
        match news {
            News::Opened(opened) => {
                tracing::info!(encoder = self.name(), "the encoder is ready");
                let is_issuing = opened.makes == Makes::Server;
                self.status
                    .send_modify(|status| status.state.is_issuing = is_issuing);
                self.set_state(None);
                self.feed(Event::EncoderOnline(opened.makes)).await;
            }
            News::Selected(selected) => {
                match self.shared.journal.suspects(selected.card.uid).await {
                    Ok(suspects) => self.feed(Event::Selected { selected, suspects }).await,
                    Err(error) => {
                        tracing::error!(
                            error = chain(&error),
                            "the journal cannot be read; the job ends"
                        );
                        self.feed(Event::JournalUnreadable).await;
                    }
                }
            }
            News::Exchanged(reply) => self.feed(Event::Answered(reply)).await,
            News::Failed(error) => {
                self.connection.device().notes.failed(&error);
                tracing::debug!(
                    encoder = self.name(),
                    error = chain(&error),
                    "a command failed"
                );
                self.feed(Event::EncoderFailed(error.kind())).await;
            }
            News::Issued(issued) => self.feed(Event::Issued(issued.uid)).await,
            News::NotIssued { failure, is_lost } => {
                if is_lost {
                    self.lost(&failure.error).await;
                }
                self.feed(Event::NotIssued(NotIssued {
                    certainty: failure.certainty,
                    kind: failure.error.kind(),
                    cause: failure.error.source().map(chain),
                }))
                .await;
            }
            News::Read(card) => self.feed(Event::ServerRead(Box::new(card))).await,
            News::Lost(error) => {
                self.lost(&error).await;
                self.feed(Event::EncoderFailed(error.kind())).await;
            }
        }
    }

    /// The encoder cannot be used. Told before what was asked of it is answered, so that what waits does not begin on an
    /// encoder that is gone.
    async fn lost(&mut self, error: &Error) {
        self.connection.device().notes.failed(error);
        let reason = told(error);
        if self.set_state(Some(reason.clone())) {
            tracing::warn!(encoder = self.name(), reason, "the encoder cannot be used");
        }
        self.feed(Event::EncoderLost(error.kind())).await;
    }

    /// Feeds the machine and carries out what it wants, until it wants nothing more.
    async fn feed(&mut self, event: Event) {
        self.handle(event);
        while let Some(effect) = self.effects.pop_front() {
            match effect {
                Effect::Journal(entry) => {
                    let event = self.commit(entry).await;
                    self.handle(event);
                }
                Effect::Send(message) => self.shared.uplink.send(message),
                Effect::Finish(id, outcome, written) => {
                    let error = match &outcome {
                        Outcome::Unwritten { error } | Outcome::Unknown { error, .. } => {
                            Some(error.message.as_str())
                        }
                        Outcome::Written { .. }
                        | Outcome::Issued { .. }
                        | Outcome::Scanned(_)
                        | Outcome::Read(_) => None,
                    };
                    let name = outcome_name(&outcome);
                    tracing::info!(attempt_id = %id, encoder = self.name(), outcome = name, error, "a job ended");
                    self.shared.watchers.finish(id, outcome, written);
                }
                Effect::Previewed(id, preview) => self.shared.watchers.previewed(id, preview),
                Effect::Progress(id, phase) => self.shared.watchers.progress(id, phase),
                Effect::Select(wait, within) => self.connection.select(wait, within),
                Effect::Issue(order, within) => self.connection.issue(*order, within),
                Effect::Read(within) => self.connection.read(within),
                Effect::StopWaiting => self.connection.stop_waiting(),
                Effect::Exchange(command) => self.connection.exchange(command),
                Effect::Release => self.connection.release(),
                Effect::Signal(signal) => self.connection.signal(signal),
            }
        }
    }

    async fn commit(&self, entry: Entry) -> Event {
        let (attempt_id, stage) = entry.stage();
        let identity = &self.connection.device().identity.text;
        match self.shared.journal.commit(identity, &entry).await {
            Ok(()) => Event::Journalled(attempt_id, stage),
            Err(error) => {
                tracing::error!(%attempt_id, ?stage, error = chain(&error), "the journal could not be written");
                Event::JournalFailed(attempt_id, stage)
            }
        }
    }

    fn handle(&mut self, event: Event) {
        self.effects
            .extend(self.machine.handle(boot_time(), Timestamp::now(), event));
    }

    fn name(&self) -> &str {
        &self.connection.device().display_name
    }

    /// Sets online with `None`, offline with a reason; tells the hub when that is news.
    fn set_state(&self, reason: Option<String>) -> bool {
        self.status.send_if_modified(|status| {
            let is_online = reason.is_none();
            let changed = status.state.is_online != is_online || status.state.reason != reason;
            status.state.is_online = is_online;
            status.state.reason = reason;
            if changed {
                // In here, so that whoever sees the news and then asks the hub finds that the hub was told first, and a
                // snapshot cannot fall between the two.
                let state = status.state.clone();
                self.shared.uplink.send(FromBridge::Encoder(state));
            }
            changed
        })
    }

    fn publish(&self) {
        let running = self.machine.phase();
        self.status.send_if_modified(|status| {
            let changed = status.running != running;
            status.running = running;
            changed
        });
    }
}

/// Ends when that time has come, by the clock that counts from boot.
async fn until(deadline: Option<BootTime>) {
    match deadline {
        Some(at) => tokio::time::sleep(at.since(boot_time())).await,
        None => std::future::pending().await,
    }
}
