//! What an encoder's thread is asked. Every question is answered by [`News`](super::News) exactly once, whatever happens.

use std::time::{Duration, Instant};

use card::Command;
use encoder::{
    CardWait, Certainty, EncoderThread, Error, ErrorKind, IssueError, Order, Signal, Stop,
};

use super::{Answer, Connection, EXCHANGE_PATIENCE, Question, State};
use crate::machine::WRITE_BOUND;

/// How much later than the card wait's own deadline a driver may come back.
const SELECT_PATIENCE: Duration = Duration::from_secs(3);

impl Connection {
    /// Asks for a card.
    pub(in crate::encoder_task) fn select(&mut self, wait: CardWait, within: Duration) {
        let deadline = Instant::now() + within;
        let stop = Stop::default();
        let answer = self.answering(Answer::Selected);
        match self.ask(deadline + SELECT_PATIENCE, Some(stop.clone())) {
            Some(thread) => thread.select(wait, deadline, stop, answer),
            None => answer(Err(Error::new(ErrorKind::Absent))),
        }
    }

    /// Sends a command to the card.
    pub(in crate::encoder_task) fn exchange(&mut self, command: Command) {
        let answer = self.answering(Answer::Exchanged);
        match self.ask(Instant::now() + EXCHANGE_PATIENCE, None) {
            Some(thread) => thread.exchange(command, answer),
            None => answer(Err(Error::new(ErrorKind::Absent))),
        }
    }

    /// Has the lock server make a card, for which it waits that long.
    pub(in crate::encoder_task) fn issue(&mut self, order: Order, within: Duration) {
        let deadline = Instant::now() + within;
        let stop = Stop::default();
        let answer = self.answering(Answer::Issued);
        // The card that came last is still to be made.
        match self.ask(deadline + WRITE_BOUND, Some(stop.clone())) {
            Some(thread) => thread.issue(order, deadline, stop, answer),
            None => answer(Err(IssueError {
                certainty: Certainty::Unwritten,
                error: Error::new(ErrorKind::Absent),
            })),
        }
    }

    /// Has the lock server read a card, for which it waits that long.
    pub(in crate::encoder_task) fn read(&mut self, within: Duration) {
        let deadline = Instant::now() + within;
        let stop = Stop::default();
        let answer = self.answering(Answer::Read);
        match self.ask(deadline + WRITE_BOUND, Some(stop.clone())) {
            Some(thread) => thread.read(deadline, stop, answer),
            None => answer(Err(Error::new(ErrorKind::Absent))),
        }
    }

    /// Lets the card go.
    pub(in crate::encoder_task) fn release(&self) {
        if let State::Open { thread, .. } = &self.state {
            thread.release();
        }
    }

    /// Shows the person at the desk how a job ended.
    pub(in crate::encoder_task) fn signal(&self, signal: Signal) {
        if let State::Open { thread, .. } = &self.state {
            thread.signal(signal);
        }
    }

    /// Cuts a wait for a card short, or takes an order back that was not sent; it is answered as cancelled then.
    pub(in crate::encoder_task) fn stop_waiting(&self) {
        if let State::Open {
            question: Some(Question {
                stop: Some(stop), ..
            }),
            ..
        } = &self.state
        {
            stop.raise();
        }
    }

    /// The thread, if there is one to ask; notes that it owes an answer.
    fn ask(&mut self, until: Instant, stop: Option<Stop>) -> Option<&EncoderThread> {
        match &mut self.state {
            State::Open { thread, question } => {
                *question = Some(Question { until, stop });
                Some(thread)
            }
            _ => None,
        }
    }

    pub(super) fn answering<T: 'static, E: 'static>(
        &self,
        kind: fn(Result<T, E>) -> Answer,
    ) -> impl FnOnce(Result<T, E>) + Send + use<T, E> {
        let (opening, answer) = (self.opening, self.answer.clone());
        // Nobody listens any more once the bridge has stopped.
        move |result| drop(answer.send((opening, kind(result))))
    }
}
