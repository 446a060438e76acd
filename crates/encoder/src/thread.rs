//! One thread per open encoder, so that hardware which hangs takes nothing else with it.
//!
//! Questions go in over a bounded channel, each gets exactly one answer through its callback: from the encoder, or an
//! error when the driver panicked, the queue is full, or the thread was given up. Nothing here waits for the thread:
//! no call blocks, and the thread is never joined.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use card::{Command, CommandKind, PresentedCard, Reply};

use crate::answer::{Answer, NoAnswer, Owed};
use crate::{
    BlockEncoder, CardSession, CardWait, Certainty, Encoder, Error, ErrorKind, Facts, IssueError,
    Issued, IssuingEncoder, Order, ServerCard, Signal, Stop,
};

/// Questions that may wait. One is asked at a time; the rest is room for a release and a close beside it.
const QUEUE: usize = 4;

/// Why an encoder is not asked what the other kind of encoder is asked.
const WRONG_KIND: &str = "the cards of this encoder are made by somebody else";

/// An open encoder on a thread of its own.
///
/// Callbacks run on the encoder's thread, or on the caller's when the question could not be put; they must return at
/// once (send into a channel). Dropping the handle ends the session and the thread as soon as the driver returns; a
/// wait for a card is cut short by raising the [`Stop`] that it was given.
pub struct EncoderThread {
    questions: SyncSender<Question>,
    owed: Owed,
    waiting: Mutex<Stop>,
    life: Arc<Life>,
}

/// What an encoder turned out to be when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Who makes the card.
    pub makes: Makes,
    /// What became known of it.
    pub facts: Facts,
}

/// Who makes the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Makes {
    /// The host, with selecting and exchanges.
    Host,
    /// A lock server, which issues and reads.
    Server,
}

/// What is known of a card that was just selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// What the card said of itself.
    pub card: PresentedCard,
    /// The families of commands that the encoder can translate for it.
    pub supports: Vec<CommandKind>,
}

/// How many threads were abandoned and have not come back. One value per program, handed to every thread.
#[derive(Debug, Clone, Default)]
pub struct Abandoned(Arc<AtomicUsize>);

impl Abandoned {
    /// Threads that are stuck in a driver now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

enum Question {
    Select {
        wait: CardWait,
        deadline: Instant,
        stop: Stop,
        answer: Answer<Selected>,
    },
    Exchange {
        command: Command,
        answer: Answer<Reply>,
    },
    Issue {
        order: Box<Order>,
        deadline: Instant,
        stop: Stop,
        answer: Answer<Issued, IssueError>,
    },
    Read {
        deadline: Instant,
        stop: Stop,
        answer: Answer<ServerCard>,
    },
    Signal(Signal),
    Release,
    Close {
        answer: Answer<()>,
    },
}

impl EncoderThread {
    /// Starts a thread of that name (Linux shows its first 15 bytes) and opens the encoder on it.
    ///
    /// `opened` is called once: when `open` returned or panicked, or with an error when the system gave no thread or
    /// the thread was abandoned first. After an error the thread ends; drop the handle.
    pub fn start(
        name: &str,
        abandoned: &Abandoned,
        open: impl FnOnce() -> Result<Encoder, Error> + Send + 'static,
        opened: impl FnOnce(Result<Opened, Error>) + Send + 'static,
    ) -> Self {
        let (questions, asked) = sync_channel(QUEUE);
        let owed = Owed::default();
        let opened = Answer::new(opened);
        owed.add(&opened);
        let life = Arc::new(Life::new(abandoned.clone()));
        let ends = EndsWithThread(Arc::clone(&life));
        let spawned = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _ends = ends;
                run(open, opened, &asked);
            });
        if let Err(error) = spawned {
            // The closure is gone, and with it `opened`, which thereby answered.
            tracing::error!(%error, name, "no thread for an encoder");
        }
        Self {
            questions,
            owed,
            waiting: Mutex::default(),
            life,
        }
    }

    /// Waits for a card and begins a session with it, which lasts until [`release`](Self::release), the next
    /// `select`, or the end of the thread.
    ///
    /// # Errors
    /// Through `answer`: those of [`BlockEncoder::select`], or
    /// [`ErrorKind::Unresponsive`] when the thread cannot be asked.
    pub fn select(
        &self,
        wait: CardWait,
        deadline: Instant,
        stop: Stop,
        answer: impl FnOnce(Result<Selected, Error>) + Send + 'static,
    ) {
        self.set_waiting(&stop);
        let answer = self.owe(answer);
        self.ask(Question::Select {
            wait,
            deadline,
            stop,
            answer,
        });
    }

    /// Sends one command to the selected card.
    ///
    /// # Errors
    /// Through `answer`: those of [`CardSession::exchange`]; [`ErrorKind::CardGone`] when no session is open;
    /// [`ErrorKind::Unresponsive`] when the thread cannot be asked.
    pub fn exchange(
        &self,
        command: Command,
        answer: impl FnOnce(Result<Reply, Error>) + Send + 'static,
    ) {
        let answer = self.owe(answer);
        self.ask(Question::Exchange { command, answer });
    }

    /// Has the lock server issue a card.
    ///
    /// # Errors
    /// Through `answer`: those of [`IssuingEncoder::issue`]; [`ErrorKind::Unsupported`] when the host makes the cards
    /// of this encoder; [`ErrorKind::Unresponsive`] when the thread cannot be asked.
    pub fn issue(
        &self,
        order: Order,
        deadline: Instant,
        stop: Stop,
        answer: impl FnOnce(Result<Issued, IssueError>) + Send + 'static,
    ) {
        self.set_waiting(&stop);
        let answer = self.owe(answer);
        let order = Box::new(order);
        self.ask(Question::Issue {
            order,
            deadline,
            stop,
            answer,
        });
    }

    /// Has the lock server read a card.
    ///
    /// # Errors
    /// Through `answer`: those of [`IssuingEncoder::read`]; [`ErrorKind::Unsupported`] when the host reads the cards of
    /// this encoder; [`ErrorKind::Unresponsive`] when the thread cannot be asked.
    pub fn read(
        &self,
        deadline: Instant,
        stop: Stop,
        answer: impl FnOnce(Result<ServerCard, Error>) + Send + 'static,
    ) {
        self.set_waiting(&stop);
        let answer = self.owe(answer);
        self.ask(Question::Read {
            deadline,
            stop,
            answer,
        });
    }

    /// Tells the person at the desk how a job ended, which ends the session too, if there is one.
    pub fn signal(&self, signal: Signal) {
        self.ask(Question::Signal(signal));
    }

    /// Ends the session, if there is one: lets the card go.
    pub fn release(&self) {
        self.ask(Question::Release);
    }

    /// Ends session and thread, a wait for a card included, and says when the device is free again. Whoever loses
    /// patience with it may still [`abandon`](Self::abandon).
    ///
    /// # Errors
    /// Through `closed`: [`ErrorKind::Unresponsive`] when the thread had ended before or cannot be asked.
    pub fn close(&self, closed: impl FnOnce(Result<(), Error>) + Send + 'static) {
        self.stop_waiting();
        let answer = self.owe(closed);
        self.ask(Question::Close { answer });
    }

    /// Gives the thread up: it missed its deadline. Every answer that it owes is given now, as
    /// [`ErrorKind::Unresponsive`]; what it says later is dropped. It counts as abandoned until it returns, and frees
    /// the device then.
    pub fn abandon(self) {
        self.life.abandon();
        self.owed.give_up(NoAnswer::Abandoned);
    }

    fn set_waiting(&self, stop: &Stop) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
    }

    fn stop_waiting(&self) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .raise();
    }

    fn owe<T: Send + 'static, E: From<NoAnswer> + 'static>(
        &self,
        answer: impl FnOnce(Result<T, E>) + Send + 'static,
    ) -> Answer<T, E> {
        let answer = Answer::new(answer);
        self.owed.add(&answer);
        answer
    }

    fn ask(&self, question: Question) {
        match self.questions.try_send(question) {
            Ok(()) => {}
            Err(TrySendError::Full(question)) => question.refuse(NoAnswer::QueueFull),
            Err(TrySendError::Disconnected(question)) => question.refuse(NoAnswer::Ended),
        }
    }
}

impl Drop for EncoderThread {
    fn drop(&mut self) {
        self.stop_waiting();
    }
}

impl Question {
    fn refuse(self, reason: NoAnswer) {
        match self {
            Self::Select { answer, .. } => answer.give(Err(reason.into())),
            Self::Exchange { answer, .. } => answer.give(Err(reason.into())),
            Self::Issue { answer, .. } => answer.give(Err(reason.into())),
            Self::Read { answer, .. } => answer.give(Err(reason.into())),
            Self::Close { answer } => answer.give(Err(reason.into())),
            // Only a stuck thread has a full queue; a session ends with the next select at the latest.
            Self::Release | Self::Signal(_) => {
                tracing::debug!(%reason, "a release or a signal was not taken");
            }
        }
    }
}

impl Question {
    /// Answers what cannot be asked now, or not of this kind of encoder.
    fn refuse_as_out_of_place(self) {
        let unsupported = || Error::with_source(ErrorKind::Unsupported, WRONG_KIND);
        match self {
            Self::Exchange { answer, .. } => answer.give(Err(Error::with_source(
                ErrorKind::CardGone,
                "no card is selected",
            ))),
            Self::Select { answer, .. } => answer.give(Err(unsupported())),
            Self::Read { answer, .. } => answer.give(Err(unsupported())),
            Self::Issue { answer, .. } => answer.give(Err(IssueError {
                certainty: Certainty::Unwritten,
                error: unsupported(),
            })),
            Self::Close { answer } => answer.give(Ok(())),
            Self::Release | Self::Signal(_) => {}
        }
    }
}

fn run(
    open: impl FnOnce() -> Result<Encoder, Error>,
    opened: Answer<Opened>,
    asked: &Receiver<Question>,
) {
    let closed = match open() {
        Ok(Encoder::Block(mut encoder)) => {
            opened.give(Ok(Opened {
                makes: Makes::Host,
                facts: encoder.facts(),
            }));
            serve_block(encoder.as_mut(), asked)
        }
        Ok(Encoder::Issuing(mut encoder)) => {
            opened.give(Ok(Opened {
                makes: Makes::Server,
                facts: encoder.facts(),
            }));
            serve_issuing(encoder.as_mut(), asked)
        }
        Err(error) => return opened.give(Err(error)),
    };
    // The encoder was dropped, and with it the device is free.
    if let Some(closed) = closed {
        closed.give(Ok(()));
    }
}

/// Answers questions until there is nobody left to ask any, or one asks to close.
fn serve_block(encoder: &mut dyn BlockEncoder, asked: &Receiver<Question>) -> Option<Answer<()>> {
    let mut next = asked.recv().ok();
    while let Some(question) = next {
        next = match question {
            Question::Close { answer } => return Some(answer),
            Question::Select {
                wait,
                deadline,
                stop,
                answer,
            } => match encoder.select(wait, deadline, &stop) {
                Ok(session) => hold(session, answer, asked),
                Err(error) => {
                    answer.give(Err(error));
                    asked.recv().ok()
                }
            },
            Question::Signal(signal) => {
                encoder.signal(signal);
                asked.recv().ok()
            }
            other => {
                other.refuse_as_out_of_place();
                asked.recv().ok()
            }
        };
    }
    None
}

/// The same for an encoder whose lock server makes the cards.
fn serve_issuing(
    encoder: &mut dyn IssuingEncoder,
    asked: &Receiver<Question>,
) -> Option<Answer<()>> {
    while let Ok(question) = asked.recv() {
        match question {
            Question::Close { answer } => return Some(answer),
            Question::Issue {
                order,
                deadline,
                stop,
                answer,
            } => answer.give(encoder.issue(&order, deadline, &stop)),
            Question::Read {
                deadline,
                stop,
                answer,
            } => answer.give(encoder.read(deadline, &stop)),
            other => other.refuse_as_out_of_place(),
        }
    }
    None
}

/// Keeps a session open for exchanges and returns the question that ended it.
fn hold(
    mut session: Box<dyn CardSession + '_>,
    answer: Answer<Selected>,
    asked: &Receiver<Question>,
) -> Option<Question> {
    answer.give(Ok(Selected {
        card: session.card().clone(),
        supports: CommandKind::ALL
            .into_iter()
            .filter(|&kind| session.supports(kind))
            .collect(),
    }));
    loop {
        match asked.recv().ok()? {
            Question::Exchange { command, answer } => answer.give(session.exchange(&command)),
            other => return Some(other),
        }
    }
}

/// Whether a thread lives, ended or was given up; the counter follows.
struct Life {
    stage: Mutex<Stage>,
    abandoned: Abandoned,
}

enum Stage {
    Alive,
    Abandoned,
    Ended,
}

impl Life {
    fn new(abandoned: Abandoned) -> Self {
        Self {
            stage: Mutex::new(Stage::Alive),
            abandoned,
        }
    }

    fn abandon(&self) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*stage, Stage::Alive) {
            *stage = Stage::Abandoned;
            self.abandoned.0.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn end(&self) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*stage, Stage::Abandoned) {
            self.abandoned.0.fetch_sub(1, Ordering::AcqRel);
        }
        *stage = Stage::Ended;
    }
}

struct EndsWithThread(Arc<Life>);

impl Drop for EndsWithThread {
    fn drop(&mut self) {
        self.0.end();
    }
}
