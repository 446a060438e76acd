//! Tells when readers come and go, and when the service does.

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use encoder::{Changed, Error, ErrorKind, PathWatch};
use pcsc::{Context, Error as Pcsc, PNP_NOTIFICATION, ReaderState, State};

use crate::context::{cancel, establish, readers};
use crate::error::PcscError;

/// The service's socket, unless its client library is told otherwise (pcsc-lite, README).
const SOCKET: &str = "/run/pcscd/pcscd.comm";
const SOCKET_VARIABLE: &str = "PCSCLITE_CSOCK_NAME";

/// The longest wait for an event: a `cancel` that comes just before the wait begins is lost.
const SLICE: Duration = Duration::from_secs(30);
/// The longest wait for a service that is not there, should its socket tell nothing.
const SERVICE_SLICE: Duration = Duration::from_secs(30);

/// Watches until it is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    wake: Sender<()>,
}

#[derive(Default)]
struct Shared {
    ended: AtomicBool,
    /// The context in which the thread waits now.
    waiting: Mutex<Option<Context>>,
}

impl Watch {
    pub(crate) fn start(changed: Changed) -> Result<Self, Error> {
        let (wake, woken) = channel();
        let socket = std::env::var_os(SOCKET_VARIABLE).map_or(PathBuf::from(SOCKET), PathBuf::from);
        let socket_watch = PathWatch::start([socket], {
            let wake = wake.clone();
            Arc::new(move || wake.send(()).unwrap_or_default())
        })?;
        let shared = Arc::new(Shared::default());
        let thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("pcsc watch".to_owned())
            .spawn(move || {
                let _socket_watch = socket_watch;
                thread.run(&woken, &changed);
            })
            .map_err(|error| Error::with_source(ErrorKind::Unresponsive, error))?;
        Ok(Self { shared, wake })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        // The thread may have ended, or wait for the one or the other.
        let _ = self.wake.send(());
        if let Some(context) = self.shared.waiting().take() {
            cancel(context);
        }
    }
}

impl Shared {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Context>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn run(&self, woken: &Receiver<()>, changed: &Changed) {
        while !self.is_ended() {
            if let Err(error) = self.follow(changed) {
                tracing::debug!(%error, "the PC/SC service is not there");
            }
            let was_there = self.waiting().take().is_some();
            if was_there && !self.is_ended() {
                changed();
            }
            if self.is_ended() {
                return;
            }
            // Its socket appears when it starts.
            if woken.recv_timeout(SERVICE_SLICE) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            while woken.try_recv().is_ok() {}
        }
    }

    /// Tells of changes for as long as the service lives and nobody ends it.
    fn follow(&self, changed: &Changed) -> Result<(), PcscError> {
        let context = establish()?;
        *self.waiting() = Some(context.clone());
        let mut known: Option<Vec<CString>> = None;
        // Cards that come and go are nobody's business here.
        let mut states = [ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE)];
        // The first answer comes at once and holds the number of readers: one that comes before they are listed is
        // listed, one that comes later changes the number.
        let mut limit = Duration::ZERO;
        while !self.is_ended() {
            match context.get_status_change(limit, &mut states) {
                Ok(()) | Err(Pcsc::Timeout | Pcsc::Cancelled) => states[0].sync_current_state(),
                Err(error) => return Err(error.into()),
            }
            limit = SLICE;
            let names = readers(&context)?;
            if known.as_ref() != Some(&names) {
                known = Some(names);
                changed();
            }
        }
        Ok(())
    }
}
