//! One device as the configuration or its driver names it: how to look it up and how to open it.

use std::sync::Arc;

use encoder::{
    Abandoned, Driver, EncoderThread, Error, ErrorKind, Identity, Listing, Opened, Opening,
    Selector, Settings,
};
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::about::Notes;
use crate::discovery::off_thread;

/// Which device, by whom.
pub(crate) struct Device {
    pub driver: Arc<dyn Driver>,
    pub selector: Selector,
    pub settings: Settings,
    pub identity: Identity,
    pub display_name: String,
    pub notes: Notes,
}

impl Device {
    /// Looks how the device is now, off the async threads; the receiver ends without an answer after a while.
    pub(super) fn look_up(&self) -> oneshot::Receiver<Listing> {
        let (driver, selector) = (Arc::clone(&self.driver), self.selector.clone());
        off_thread(move || driver.look_up(&selector))
    }

    /// Opens the device on a thread of its own.
    pub(super) fn open(
        &self,
        abandoned: &Abandoned,
        opened: impl FnOnce(Result<Opened, Error>) + Send + 'static,
    ) -> EncoderThread {
        let (driver, selector, settings) = (
            Arc::clone(&self.driver),
            self.selector.clone(),
            self.settings.clone(),
        );
        let recordings = self.notes.recordings.clone();
        let open = move || {
            let recorder = recordings.and_then(|recordings| recordings.begin(Timestamp::now()));
            driver.open(&selector, &Opening { settings, recorder })
        };
        let notes = self.notes.clone();
        let opened = move |result: Result<Opened, Error>| {
            notes.opened(&result);
            opened(result);
        };
        EncoderThread::start(&self.display_name, abandoned, open, opened)
    }
}

/// Errors after which the device must be opened again.
pub(super) fn concerns_device(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Absent
        | ErrorKind::Held
        | ErrorKind::NotPermitted
        | ErrorKind::Unresponsive
        | ErrorKind::Protocol
        | ErrorKind::ServerFailed => true,
        ErrorKind::NoCard
        | ErrorKind::CardGone
        | ErrorKind::SeveralCards
        | ErrorKind::Cancelled
        | ErrorKind::Unsupported
        | ErrorKind::NoRawFrames
        | ErrorKind::Busy
        | ErrorKind::UnusableCard
        | ErrorKind::Refused => false,
    }
}
