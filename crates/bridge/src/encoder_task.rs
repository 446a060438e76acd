//! One task per encoder: carries out what its job machine wants, and tells the machine what came of it.
//!
//! The encoder itself lives on a thread that may hang. Each question to it has a deadline here; a thread that misses
//! it is abandoned and its late answer dropped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use encoder::{
    Abandoned, CardWait, Driver, EncoderThread, ErrorKind, Selected, Selector, Settings, Stop,
};
use jiff::Timestamp;
use protocol::link::{EncoderState, Offer, Outcome, Phase, ScannedCredential};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::clock::boot_time;
use crate::journal::{self, Journal};
use crate::link::Uplink;
use crate::machine::{Effect, Event, Machine};
use crate::watchers::Watchers;

/// How long one command may take before its thread is given up. Drivers promise a second; a slow PC gets some more.
const EXCHANGE_PATIENCE: Duration = Duration::from_secs(3);
/// How much later than the card wait's own deadline a driver may come back.
const SELECT_PATIENCE: Duration = Duration::from_secs(3);
/// How long opening may take.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);
/// When an encoder that is there but cannot be opened is tried again; doubles up to the cap.
const REOPEN_FIRST: Duration = Duration::from_secs(1);
const REOPEN_CAP: Duration = Duration::from_secs(30);

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
    Grant(protocol::link::GrantAnswer),
    /// A person at the PC wants a scan.
    Scan {
        /// Under which the outcome is announced.
        id: Uuid,
        /// How long to wait for a card.
        card_wait: Duration,
    },
    /// The hub changed: the highest fence accepted from the one that is linked now.
    AcceptedFence(u64),
    /// Devices came or went; look whether this one did.
    Look,
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

/// Which device, by whom.
pub(crate) struct Device {
    pub driver: Arc<dyn Driver>,
    pub selector: Selector,
    pub settings: Settings,
    pub identity: String,
    pub display_name: String,
}

/// What an encoder's task shares with the rest of the bridge.
#[derive(Clone)]
pub(crate) struct Shared {
    pub journal: Journal,
    pub uplink: Uplink,
    pub watchers: Watchers,
    pub abandoned: Abandoned,
}

/// The task's own messages to itself: answers of the thread, with the opening they belong to.
enum Answer {
    Opened(Result<(), encoder::Error>),
    Selected(Result<Selected, encoder::Error>),
    Exchanged(Result<card::Reply, encoder::Error>),
    Closed,
}

/// The encoder as the task has it.
enum Connection {
    /// Not there, or not openable; tried again when devices change, or at that time.
    Closed {
        retry: Option<Instant>,
        wait: Duration,
    },
    Opening {
        thread: EncoderThread,
        until: Instant,
    },
    Open {
        thread: EncoderThread,
        question: Option<Question>,
    },
}

/// What the thread was asked and has not answered.
struct Question {
    until: Instant,
    stop: Option<Stop>,
}

pub(crate) struct EncoderTask {
    device: Device,
    machine: Machine,
    shared: Shared,
    status: watch::Sender<EncoderStatus>,
    requests: mpsc::Receiver<Request>,
    answers: mpsc::UnboundedReceiver<(u64, Answer)>,
    answer: mpsc::UnboundedSender<(u64, Answer)>,
    connection: Connection,
    /// Counts openings, so that a late answer of an earlier one is told apart.
    opening: u64,
    effects: VecDeque<Effect>,
    stopping: bool,
}

impl EncoderTask {
    pub(crate) fn new(
        device: Device,
        machine: Machine,
        shared: Shared,
        requests: mpsc::Receiver<Request>,
    ) -> (Self, watch::Receiver<EncoderStatus>) {
        let (status, seen) = watch::channel(EncoderStatus {
            state: EncoderState {
                identity: device.identity.clone(),
                display_name: device.display_name.clone(),
                driver: device.driver.name().to_owned(),
                is_online: false,
                reason: Some(NOT_OPENED_YET.to_owned()),
            },
            running: None,
        });
        let (answer, answers) = mpsc::unbounded_channel();
        let task = Self {
            device,
            machine,
            shared,
            status,
            requests,
            answers,
            answer,
            connection: Connection::Closed {
                retry: None,
                wait: REOPEN_FIRST,
            },
            opening: 0,
            effects: VecDeque::new(),
            stopping: false,
        };
        (task, seen)
    }

    /// Serves until it is told to shut down.
    pub(crate) async fn run(mut self) {
        self.open();
        loop {
            let wake = self.wake();
            tokio::select! {
                request = self.requests.recv() => match request {
                    None => break,
                    Some(request) => self.requested(request).await,
                },
                Some((opening, answer)) = self.answers.recv() => self.answered(opening, answer).await,
                () = wake => self.woken().await,
            }
            self.publish();
            // A card that is being written is finished first; whatever else is under way ends with the next start.
            if self.stopping && !self.machine.is_writing() {
                break;
            }
        }
        self.shut_down().await;
    }

    /// Ends when the next deadline has come: the machine's, the thread's, or that of the next try to open.
    fn wake(&self) -> impl Future<Output = ()> + use<> {
        let machine = self
            .machine
            .deadline()
            .map(|at| Instant::now() + at.since(boot_time()));
        let thread = match &self.connection {
            Connection::Closed { retry, .. } => *retry,
            Connection::Opening { until, .. } => Some(*until),
            Connection::Open { question, .. } => question.as_ref().map(|question| question.until),
        };
        let next = machine.into_iter().chain(thread).min();
        async move {
            match next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        }
    }

    async fn requested(&mut self, request: Request) {
        match request {
            Request::Offer(offer) => match self.shared.journal.known(offer.attempt_id).await {
                Ok(known) => {
                    self.feed(Event::Offered {
                        offer: Box::new(offer),
                        known: known.map(Box::new),
                    })
                    .await
                }
                Err(error) => {
                    tracing::error!(attempt_id = %offer.attempt_id, %error, "the journal cannot be read; an offer is refused");
                    self.shared.uplink.refuse(offer.attempt_id);
                }
            },
            Request::Cancel(attempt_id) => self.feed(Event::Cancelled(attempt_id)).await,
            Request::Grant(answer) => {
                self.feed(Event::GrantAnswered(answer.attempt_id, answer.decision))
                    .await
            }
            Request::Scan { id, card_wait } => self.feed(Event::LocalScan { id, card_wait }).await,
            Request::AcceptedFence(fence) => self.machine.set_accepted_fence(fence),
            Request::Look => self.look().await,
            Request::Shutdown => self.stopping = true,
        }
    }

    async fn answered(&mut self, opening: u64, answer: Answer) {
        if opening != self.opening {
            return;
        }
        if let Connection::Open { question, .. } = &mut self.connection {
            *question = None;
        }
        match answer {
            Answer::Opened(Ok(())) => self.opened().await,
            Answer::Opened(Err(error)) => self.closed(&error, REOPEN_FIRST).await,
            Answer::Selected(Ok(selected)) => {
                let suspect = match self.shared.journal.suspect(selected.card.uid).await {
                    Ok(suspect) => suspect,
                    Err(error) => {
                        tracing::error!(%error, "the journal cannot be read; the job ends");
                        return self.feed(Event::EncoderFailed(ErrorKind::Cancelled)).await;
                    }
                };
                self.feed(Event::Selected { selected, suspect }).await;
            }
            Answer::Exchanged(Ok(reply)) => self.feed(Event::Answered(reply)).await,
            Answer::Selected(Err(error)) | Answer::Exchanged(Err(error)) => {
                self.failed(&error).await
            }
            Answer::Closed => {}
        }
    }

    /// A question ended in an error. Errors of the device itself close it; it is opened again when it is back.
    async fn failed(&mut self, error: &encoder::Error) {
        let kind = error.kind();
        if concerns_device(kind) {
            self.closed(error, REOPEN_FIRST).await;
        } else {
            self.feed(Event::EncoderFailed(kind)).await;
        }
    }

    async fn opened(&mut self) {
        let connection = std::mem::replace(
            &mut self.connection,
            Connection::Closed {
                retry: None,
                wait: REOPEN_FIRST,
            },
        );
        if let Connection::Opening { thread, .. } = connection {
            self.connection = Connection::Open {
                thread,
                question: None,
            };
        }
        tracing::info!(encoder = self.device.display_name, "the encoder is ready");
        self.set_state(None);
        self.feed(Event::EncoderOnline).await;
    }

    /// The device is closed because of an error; it is tried again when devices change, and, unless it is just not
    /// there, after a while.
    async fn closed(&mut self, error: &encoder::Error, first: Duration) {
        let wait = match &self.connection {
            Connection::Closed { wait, .. } => *wait,
            _ => first,
        };
        let retry = (error.kind() != ErrorKind::Absent).then(|| Instant::now() + wait);
        self.opening += 1;
        self.connection = Connection::Closed { retry, wait };
        let reason = chain(error);
        if self.set_state(Some(reason.clone())) {
            tracing::warn!(
                encoder = self.device.display_name,
                reason,
                "the encoder cannot be used"
            );
        }
        // Lost first, so that what waits does not begin on an encoder that is gone.
        self.feed(Event::EncoderLost(error.kind())).await;
        self.feed(Event::EncoderFailed(error.kind())).await;
    }

    async fn woken(&mut self) {
        let now = Instant::now();
        match &mut self.connection {
            Connection::Closed { retry, wait } if retry.is_some_and(|at| now >= at) => {
                *retry = None;
                *wait = (*wait * 2).min(REOPEN_CAP);
                self.open();
            }
            Connection::Opening { until, .. } if now >= *until => self.give_up().await,
            Connection::Open {
                question: Some(question),
                ..
            } if now >= question.until => self.give_up().await,
            _ => {}
        }
        self.feed(Event::Tick).await;
    }

    /// The thread missed its deadline.
    async fn give_up(&mut self) {
        let wait = REOPEN_CAP;
        let connection = std::mem::replace(
            &mut self.connection,
            Connection::Closed { retry: None, wait },
        );
        if let Connection::Opening { thread, .. } | Connection::Open { thread, .. } = connection {
            tracing::error!(
                encoder = self.device.display_name,
                "the encoder's driver does not come back; its thread is given up"
            );
            thread.abandon();
        }
        self.closed(&encoder::Error::new(ErrorKind::Unresponsive), REOPEN_CAP)
            .await;
    }

    /// Looks whether the device came or went.
    async fn look(&mut self) {
        let listing = self.device.driver.look_up(&self.device.selector);
        let absent = matches!(listing.access, encoder::Access::Absent { .. });
        match &self.connection {
            Connection::Closed { .. } if !absent => {
                self.connection = Connection::Closed {
                    retry: None,
                    wait: REOPEN_FIRST,
                };
                self.open();
            }
            Connection::Open { question: None, .. } if absent => {
                self.closed(&encoder::Error::new(ErrorKind::Absent), REOPEN_FIRST)
                    .await;
            }
            // Whatever is under way notices by itself.
            _ => {}
        }
    }

    fn open(&mut self) {
        self.opening += 1;
        let opening = self.opening;
        let sender = self.answer.clone();
        let (driver, selector, settings) = (
            Arc::clone(&self.device.driver),
            self.device.selector.clone(),
            self.device.settings.clone(),
        );
        let thread = EncoderThread::start(
            &self.device.display_name,
            &self.shared.abandoned,
            move || driver.open(&selector, &settings),
            move |result| drop(sender.send((opening, Answer::Opened(result)))),
        );
        self.connection = Connection::Opening {
            thread,
            until: Instant::now() + OPEN_PATIENCE,
        };
    }

    /// Feeds the machine and carries out what it wants, until it wants nothing more.
    async fn feed(&mut self, event: Event) {
        self.handle(event);
        while let Some(effect) = self.effects.pop_front() {
            match effect {
                Effect::Journal(entry) => {
                    let (attempt_id, stage) = journal::stage(&entry);
                    let event = match self
                        .shared
                        .journal
                        .commit(&self.device.identity, &entry)
                        .await
                    {
                        Ok(()) => Event::Journalled(attempt_id, stage),
                        Err(error) => {
                            tracing::error!(%attempt_id, ?stage, error = chain(&error), "the journal could not be written");
                            Event::JournalFailed(attempt_id, stage)
                        }
                    };
                    self.handle(event);
                }
                Effect::Send(message) => self.shared.uplink.send(message),
                Effect::Finish(id, outcome, written) => self.finish(id, outcome, written),
                Effect::Progress(id, phase) => self.shared.watchers.progress(id, phase),
                Effect::Select(wait, within) => self.select(wait, within),
                Effect::StopSelecting => self.stop_selecting(),
                Effect::Exchange(command) => self.exchange(command),
                Effect::Release => {
                    if let Connection::Open { thread, .. } = &self.connection {
                        thread.release();
                    }
                }
            }
        }
    }

    fn handle(&mut self, event: Event) {
        self.effects
            .extend(self.machine.handle(boot_time(), Timestamp::now(), event));
    }

    fn finish(&self, id: Uuid, outcome: Outcome, written: Option<ScannedCredential>) {
        tracing::info!(attempt_id = %id, encoder = self.device.display_name, ?outcome, "a job ended");
        self.shared.watchers.finish(id, outcome, written);
    }

    fn select(&mut self, wait: CardWait, within: Duration) {
        let (opening, sender) = (self.opening, self.answer.clone());
        let answer = move |result| drop(sender.send((opening, Answer::Selected(result))));
        let deadline = Instant::now() + within;
        let stop = Stop::default();
        if self.ask(deadline + SELECT_PATIENCE, Some(stop.clone()))
            && let Connection::Open { thread, .. } = &self.connection
        {
            thread.select(wait, deadline, stop, answer);
        } else {
            answer(Err(encoder::Error::new(ErrorKind::Absent)));
        }
    }

    fn exchange(&mut self, command: card::Command) {
        let (opening, sender) = (self.opening, self.answer.clone());
        let answer = move |result| drop(sender.send((opening, Answer::Exchanged(result))));
        if self.ask(Instant::now() + EXCHANGE_PATIENCE, None)
            && let Connection::Open { thread, .. } = &self.connection
        {
            thread.exchange(command, answer);
        } else {
            answer(Err(encoder::Error::new(ErrorKind::Absent)));
        }
    }

    /// Notes that the thread owes an answer; false when there is no thread to ask.
    fn ask(&mut self, until: Instant, stop: Option<Stop>) -> bool {
        match &mut self.connection {
            Connection::Open { question, .. } => {
                *question = Some(Question { until, stop });
                true
            }
            _ => false,
        }
    }

    fn stop_selecting(&self) {
        if let Connection::Open {
            question: Some(Question {
                stop: Some(stop), ..
            }),
            ..
        } = &self.connection
        {
            stop.raise();
        }
    }

    /// Sets online with `None`, offline with a reason; tells the hub when that is news.
    fn set_state(&self, reason: Option<String>) -> bool {
        let changed = self.status.send_if_modified(|status| {
            let is_online = reason.is_none();
            let changed = status.state.is_online != is_online || status.state.reason != reason;
            status.state.is_online = is_online;
            status.state.reason = reason;
            changed
        });
        if changed {
            self.shared.uplink.send(protocol::link::FromBridge::Encoder(
                self.status.borrow().state.clone(),
            ));
        }
        changed
    }

    fn publish(&self) {
        let running = self.machine.phase();
        self.status.send_if_modified(|status| {
            let changed = status.running != running;
            status.running = running;
            changed
        });
    }

    /// Lets the command under way finish, then frees the device. The journal's entries say what a restart must know.
    async fn shut_down(mut self) {
        self.stop_selecting();
        let Connection::Open { thread, question } = std::mem::replace(
            &mut self.connection,
            Connection::Closed {
                retry: None,
                wait: REOPEN_FIRST,
            },
        ) else {
            return;
        };
        let (opening, sender) = (self.opening, self.answer.clone());
        let until = question.map_or_else(
            || Instant::now() + EXCHANGE_PATIENCE,
            |question| question.until.min(Instant::now() + EXCHANGE_PATIENCE),
        );
        thread.close(move |_| drop(sender.send((opening, Answer::Closed))));
        let closed = async {
            while let Some((_, answer)) = self.answers.recv().await {
                if matches!(answer, Answer::Closed) {
                    break;
                }
            }
        };
        if tokio::time::timeout_at(until.into(), closed).await.is_err() {
            thread.abandon();
        }
    }
}

/// Errors after which the device must be opened again.
fn concerns_device(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Absent
        | ErrorKind::Held
        | ErrorKind::NotPermitted
        | ErrorKind::Unresponsive
        | ErrorKind::Protocol => true,
        ErrorKind::NoCard
        | ErrorKind::CardGone
        | ErrorKind::SeveralCards
        | ErrorKind::Cancelled
        | ErrorKind::Unsupported => false,
    }
}

/// An error with its causes, for a person.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
