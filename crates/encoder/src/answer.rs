//! One answer to one question, called exactly once whatever happens to the thread that owes it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::{Error, ErrorKind};

type Callback<T> = Box<dyn FnOnce(Result<T, Error>) + Send>;

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

/// The obligation to answer. Whoever lets it fall without an answer has thereby answered with an error.
pub(crate) struct Answer<T>(Arc<Slot<T>>);

impl<T: Send + 'static> Answer<T> {
    pub(crate) fn new(callback: impl FnOnce(Result<T, Error>) + Send + 'static) -> Self {
        Self(Arc::new(Slot(Mutex::new(Some(Box::new(callback))))))
    }

    /// Answers; a late answer, after somebody else gave up on it, is dropped.
    pub(crate) fn give(self, result: Result<T, Error>) {
        self.0.settle(result);
    }

    fn watched(&self) -> Weak<dyn GiveUp + Send + Sync> {
        let slot: Arc<dyn GiveUp + Send + Sync> = Arc::<Slot<T>>::clone(&self.0);
        Arc::downgrade(&slot)
    }
}

struct Slot<T>(Mutex<Option<Callback<T>>>);

impl<T> Slot<T> {
    fn settle(&self, result: Result<T, Error>) {
        // The lock is released before the callback runs: it may ask the next question.
        let callback = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(callback) = callback {
            callback(result);
        }
    }
}

impl<T> Drop for Slot<T> {
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

impl<T> GiveUp for Slot<T> {
    fn give_up(&self, reason: NoAnswer) {
        self.settle(Err(reason.into()));
    }
}

/// The answers that are still owed, to settle them all when nobody believes in the thread any more.
#[derive(Default)]
pub(crate) struct Owed(Mutex<Vec<Weak<dyn GiveUp + Send + Sync>>>);

impl Owed {
    pub(crate) fn add<T: Send + 'static>(&self, answer: &Answer<T>) {
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
