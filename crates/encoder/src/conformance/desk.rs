//! An open encoder that is asked the way the bridge asks it: on a thread of its own, with an end to all patience.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use card::{Command, Reply};

use super::Verdict;
use super::outcome::failed;
use crate::{
    Abandoned, CardWait, Driver, EncoderThread, Error, IssueError, Issued, Makes, Opened, Opening,
    Order, Selected, Selector, ServerCard, Stop,
};

/// An open encoder.
pub(super) struct Desk {
    thread: EncoderThread,
    opened: Opened,
    patience: Duration,
}

/// An answer that is to come.
pub(super) struct Pending<T, E = Error> {
    answer: Receiver<Result<T, E>>,
    patience: Duration,
    /// What was asked, as a gerund.
    doing: &'static str,
}

impl<T, E> Pending<T, E> {
    /// The answer; a case fails without one.
    pub(super) fn get(self) -> Verdict<Result<T, E>> {
        match self.answer.recv_timeout(self.patience) {
            Ok(answer) => Ok(answer),
            Err(RecvTimeoutError::Timeout) => failed(format!(
                "{} did not come to an end within {} s",
                self.doing,
                self.patience.as_secs_f32()
            )),
            Err(RecvTimeoutError::Disconnected) => {
                failed(format!("{} was never answered", self.doing))
            }
        }
    }

    /// The answer, if it comes within this time.
    pub(super) fn within(&self, time: Duration) -> Option<Result<T, E>> {
        self.answer.recv_timeout(time).ok()
    }
}

impl Desk {
    /// Opens a device.
    pub(super) fn open(
        driver: &Arc<dyn Driver>,
        selector: &Selector,
        opening: Opening,
        abandoned: &Abandoned,
        patience: Duration,
    ) -> Verdict<Result<Self, Error>> {
        let (opened, answer) = channel();
        let (driver, selector) = (Arc::clone(driver), selector.clone());
        let thread = EncoderThread::start(
            "conformance",
            abandoned,
            move || driver.open(&selector, &opening),
            move |result| opened.send(result).unwrap_or_default(),
        );
        let answer = Pending {
            answer,
            patience,
            doing: "opening the encoder",
        };
        Ok(match answer.get()? {
            Ok(opened) => Ok(Self {
                thread,
                opened,
                patience,
            }),
            Err(error) => Err(error),
        })
    }

    /// Who makes the card.
    pub(super) fn makes(&self) -> Makes {
        self.opened.makes
    }

    fn pending<T: Send + 'static, E: Send + 'static>(
        &self,
        doing: &'static str,
        ask: impl FnOnce(Box<dyn FnOnce(Result<T, E>) + Send>),
    ) -> Pending<T, E> {
        let (answered, answer) = channel();
        ask(Box::new(move |result| {
            answered.send(result).unwrap_or_default();
        }));
        Pending {
            answer,
            patience: self.patience,
            doing,
        }
    }

    /// Asks for a card within a time.
    pub(super) fn select(
        &self,
        wait: CardWait,
        within: Duration,
        stop: &Stop,
    ) -> Pending<Selected> {
        self.pending("the wait for a card", |answer| {
            self.thread
                .select(wait, Instant::now() + within, stop.clone(), answer);
        })
    }

    /// Asks for the card that lies there.
    pub(super) fn select_resting(&self) -> Verdict<Result<Selected, Error>> {
        self.select(CardWait::Resting, self.patience / 2, &Stop::default())
            .get()
    }

    /// One command to the card.
    pub(super) fn exchange(&self, command: Command) -> Pending<Reply> {
        self.pending("an exchange", |answer| {
            self.thread.exchange(command, answer);
        })
    }

    /// Has a card issued within a time.
    pub(super) fn issue(
        &self,
        order: Order,
        within: Duration,
        stop: &Stop,
    ) -> Pending<Issued, IssueError> {
        self.pending("the issue of a card", |answer| {
            self.thread
                .issue(order, Instant::now() + within, stop.clone(), answer);
        })
    }

    /// Has a card read within a time.
    pub(super) fn read(&self, within: Duration, stop: &Stop) -> Pending<ServerCard> {
        self.pending("the reading of a card", |answer| {
            self.thread
                .read(Instant::now() + within, stop.clone(), answer);
        })
    }

    /// Lets the card go.
    pub(super) fn release(&self) {
        self.thread.release();
    }

    /// How long an answer may take.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Closes the device and waits until it is free.
    pub(super) fn close(self) -> Verdict {
        let closed = self.pending("closing the encoder", |answer| self.thread.close(answer));
        match closed.get()? {
            Ok(()) => Ok(()),
            Err(error) => failed(format!("the encoder could not be closed: {error}")),
        }
    }

    /// Gives the thread up.
    pub(super) fn abandon(self) {
        self.thread.abandon();
    }
}
