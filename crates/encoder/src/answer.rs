//! One answer to one question, called exactly once whatever happens to the thread that owes it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::{Certainty, Error, ErrorKind, IssueError};

type Callback<T, E> = Box<dyn FnOnce(Result<T, E>) + Send>;

/// Why an encoder's thread gave no answer of the encoder's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("the encoder's thread has ended")]
    Ended,
    #[error("the driver failed in a way that its author did not foresee; the log has the details")]
    Panicked,
    #[error("it has not come back from an earlier command")]
    Abandoned,
    #[error("too many commands wait for it already")]
    QueueFull,
}

impl From<NoAnswer> for Error {
    fn from(reason: NoAnswer) -> Self {
        Self::with_source(ErrorKind::Unresponsive, reason)
    }
}

impl From<NoAnswer> for IssueError {
    fn from(reason: NoAnswer) -> Self {
        let certainty = match reason {
            // The order was never begun.
            NoAnswer::Ended | NoAnswer::QueueFull => Certainty::Unwritten,
            NoAnswer::Panicked | NoAnswer::Abandoned => Certainty::Unknown,
        };
        let error = reason.into();
        Self { certainty, error }
    }
}

/// The obligation to answer. Whoever lets it fall without an answer has thereby answered with an error.
pub(crate) struct Answer<T, E: From<NoAnswer> = Error>(Arc<Slot<T, E>>);

impl<T: Send + 'static, E: From<NoAnswer> + 'static> Answer<T, E> {
    pub(crate) fn new(callback: impl FnOnce(Result<T, E>) + Send + 'static) -> Self {
        Self(Arc::new(Slot(Mutex::new(Some(Box::new(callback))))))
    }

    /// Answers; a late answer, after somebody else gave up on it, is dropped.
    pub(crate) fn give(self, result: Result<T, E>) {
        self.0.settle(result);
    }

    fn watched(&self) -> Weak<dyn GiveUp + Send + Sync> {
        let slot: Arc<dyn GiveUp + Send + Sync> = Arc::<Slot<T, E>>::clone(&self.0);
        Arc::downgrade(&slot)
    }
}

struct Slot<T, E: From<NoAnswer>>(Mutex<Option<Callback<T, E>>>);

impl<T, E: From<NoAnswer>> Slot<T, E> {
    fn settle(&self, result: Result<T, E>) {
        // The lock is released before the callback runs: it may ask the next question.
        let callback = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(callback) = callback {
            callback(result);
        }
    }
}

impl<T, E: From<NoAnswer>> Drop for Slot<T, E> {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() {
            NoAnswer::Panicked
        } else {
            NoAnswer::Ended
        };
        self.settle(Err(reason.into()));
    }
}

trait GiveUp {
    fn give_up(&self, reason: NoAnswer);
}

impl<T, E: From<NoAnswer>> GiveUp for Slot<T, E> {
    fn give_up(&self, reason: NoAnswer) {
        self.settle(Err(reason.into()));
    }
}

/// The answers that are still owed, to settle them all when nobody believes in the thread any more.
#[derive(Default)]
pub(crate) struct Owed(Mutex<Vec<Weak<dyn GiveUp + Send + Sync>>>);

impl Owed {
    pub(crate) fn add<T: Send + 'static, E: From<NoAnswer> + 'static>(
        &self,
        answer: &Answer<T, E>,
    ) {
        let mut owed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owed.retain(|slot| slot.strong_count() > 0);
        owed.push(answer.watched());
    }

    pub(crate) fn give_up(&self, reason: NoAnswer) {
        let owed = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for slot in owed.iter().filter_map(Weak::upgrade) {
            slot.give_up(reason);
        }
    }
}
