//! The encoders of this bridge by identity: who serves them and how they are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::link::EncoderState;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::about::Notes;
use crate::encoder_task::{EncoderStatus, Request};

/// Requests that may wait for an encoder's task before more are refused.
pub(crate) const REQUESTS: usize = 64;

/// The way to one encoder's task.
#[derive(Clone)]
pub(crate) struct EncoderHandle {
    pub requests: mpsc::Sender<Request>,
    pub status: watch::Receiver<EncoderStatus>,
    pub notes: Notes,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl EncoderHandle {
    pub(crate) fn new(
        requests: mpsc::Sender<Request>,
        status: watch::Receiver<EncoderStatus>,
        notes: Notes,
        task: JoinHandle<()>,
    ) -> Self {
        let task = Arc::new(Mutex::new(Some(task)));
        Self {
            requests,
            status,
            notes,
            task,
        }
    }

    /// The task itself, for the one who waits for its end.
    pub(crate) fn task(&self) -> Option<JoinHandle<()>> {
        self.task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// All encoders that this bridge has met since it started. Absent ones stay: they come back.
#[derive(Clone, Default)]
pub(crate) struct Encoders(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    handles: BTreeMap<String, EncoderHandle>,
    /// Why the hub has an encoder at another bridge of the site, by identity.
    held: BTreeMap<String, String>,
}

impl Encoders {
    pub(crate) fn insert(&self, identity: String, handle: EncoderHandle) {
        self.lock().handles.insert(identity, handle);
    }

    pub(crate) fn get(&self, identity: &str) -> Option<EncoderHandle> {
        self.lock().handles.get(identity).cloned()
    }

    pub(crate) fn all(&self) -> Vec<EncoderHandle> {
        self.lock().handles.values().cloned().collect()
    }

    pub(crate) fn states(&self) -> Vec<EncoderState> {
        self.all()
            .iter()
            .map(|handle| handle.status.borrow().state.clone())
            .collect()
    }

    /// Hands a request to one encoder; gives it back when there is no such encoder or too much waits for it.
    pub(crate) fn send(&self, identity: &str, request: Request) -> Result<(), Undelivered> {
        let handle = self.get(identity).ok_or(Undelivered::NoSuchEncoder)?;
        handle
            .requests
            .try_send(request)
            .map_err(|_| Undelivered::Busy)
    }

    /// Hands a request to whichever encoder it concerns; the others do not know the attempt.
    pub(crate) fn send_to_all(&self, mut request: impl FnMut() -> Request) {
        for handle in self.all() {
            if handle.requests.try_send(request()).is_err() {
                tracing::warn!(
                    encoder = handle.status.borrow().state.display_name,
                    "an encoder's task does not keep up"
                );
            }
        }
    }

    /// Keeps why the hub has an encoder at another bridge of the site; `None` when it is this one's.
    pub(crate) fn set_held(&self, identity: &str, reason: Option<String>) {
        let held = &mut self.lock().held;
        match reason {
            Some(reason) => drop(held.insert(identity.to_owned(), reason)),
            None => drop(held.remove(identity)),
        }
    }

    /// What the hub said of encoders at other bridges does not count any more.
    pub(crate) fn forget_held(&self) {
        self.lock().held.clear();
    }

    /// Why the hub has an encoder at another bridge of the site, when it has.
    pub(crate) fn held(&self, identity: &str) -> Option<String> {
        self.lock().held.get(identity).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a request did not reach an encoder's task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undelivered {
    NoSuchEncoder,
    Busy,
}
