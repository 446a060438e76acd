//! One thread per open encoder, so that hardware which hangs takes nothing else with it.
//!
//! Questions go in over a bounded channel, each gets exactly one answer through its callback: from the encoder, or an
//! error when the driver panicked, the queue is full, or the thread was given up. Nothing here waits for the thread:
//! no call blocks, and the thread is never joined.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use card::{Command, CommandKind, PresentedCard, Reply};

use crate::answer::{Answer, NoAnswer, Owed};
use crate::serve::{Question, run};
use crate::{CardWait, Encoder, Error, Facts, IssueError, Issued, Order, ServerCard, Signal, Stop};

/// Questions that may wait. One is asked at a time; the rest is room for a release and a close beside it.
const QUEUE: usize = 4;

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
    /// Through `answer`: those of [`BlockEncoder::select`](crate::BlockEncoder::select), or
    /// [`ErrorKind::Unresponsive`](crate::ErrorKind::Unresponsive) when the thread cannot be asked.
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
    /// Through `answer`: those of [`CardSession::exchange`](crate::CardSession::exchange); [`ErrorKind::CardGone`](crate::ErrorKind::CardGone) when no session is open;
    /// [`ErrorKind::Unresponsive`](crate::ErrorKind::Unresponsive) when the thread cannot be asked.
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
    /// Through `answer`: those of [`IssuingEncoder::issue`](crate::IssuingEncoder::issue); [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the host makes the cards
    /// of this encoder; [`ErrorKind::Unresponsive`](crate::ErrorKind::Unresponsive) when the thread cannot be asked.
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
    /// Through `answer`: those of [`IssuingEncoder::read`](crate::IssuingEncoder::read); [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the host reads the cards of
    /// this encoder; [`ErrorKind::Unresponsive`](crate::ErrorKind::Unresponsive) when the thread cannot be asked.
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
    /// Through `closed`: [`ErrorKind::Unresponsive`](crate::ErrorKind::Unresponsive) when the thread had ended before or cannot be asked.
    pub fn close(&self, closed: impl FnOnce(Result<(), Error>) + Send + 'static) {
        self.stop_waiting();
        let answer = self.owe(closed);
        self.ask(Question::Close { answer });
    }

    /// Gives the thread up: it missed its deadline. Every answer that it owes is given now, as
    /// [`ErrorKind::Unresponsive`](crate::ErrorKind::Unresponsive); what it says later is dropped. It counts as abandoned until it returns, and frees
    /// the device then. Until then it is left alone.
    pub fn abandon(self) {
        self.abandon_until(|| ());
    }

    /// The same, and says when the thread has come back after all and the device is free. `returned` runs on that
    /// thread, or here if it has ended already.
    pub fn abandon_until(self, returned: impl FnOnce() + Send + 'static) {
        // A nudge would reach into what it is stuck in.
        self.set_waiting(&Stop::default());
        self.life.abandon(Box::new(returned));
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

/// Whether a thread lives, ended or was given up; the counter follows.
struct Life {
    stage: Mutex<Stage>,
    abandoned: Abandoned,
}

/// What is to be done when a thread comes back that was given up.
type Returned = Box<dyn FnOnce() + Send>;

enum Stage {
    Alive,
    Abandoned(Returned),
    Ended,
}

impl Life {
    fn new(abandoned: Abandoned) -> Self {
        Self {
            stage: Mutex::new(Stage::Alive),
            abandoned,
        }
    }

    fn abandon(&self, returned: Returned) {
        let mut stage = self.lock();
        if matches!(*stage, Stage::Alive) {
            *stage = Stage::Abandoned(returned);
            self.abandoned.0.fetch_add(1, Ordering::AcqRel);
        } else {
            drop(stage);
            returned();
        }
    }

    fn end(&self) {
        let before = std::mem::replace(&mut *self.lock(), Stage::Ended);
        if let Stage::Abandoned(returned) = before {
            self.abandoned.0.fetch_sub(1, Ordering::AcqRel);
            returned();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct EndsWithThread(Arc<Life>);

impl Drop for EndsWithThread {
    fn drop(&mut self) {
        self.0.end();
    }
}
