//! Tells the person at the desk how it ended, by the reader's own light and sound. Untested on metal.
//!
//! Off unless an entry wants it. Never an error, and never long: what a reader does not answer at once is left to a thread
//! of its own, of which there is one at a time. It takes no transaction, so a session keeps it out.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use encoder::Signal;
use pcsc::{Disposition, Protocols, ShareMode, ctl_code};

use crate::context::establish;
use crate::error::PcscError;
use crate::quirks::{Feedback, FeedbackWay};

/// How long a signal keeps the encoder's thread. The longest takes half a second.
const PATIENCE: Duration = Duration::from_millis(700);
/// The escape's control code on Linux (libccid, ccid_ifdhandler.h; IOCTL_SMARTCARD_VENDOR_IFD_EXCHANGE).
const ESCAPE: u32 = 1;
/// What a reader answers at most to such a command.
const ANSWER: usize = 16;

/// The lights and sounds of one reader.
#[derive(Debug)]
pub(crate) struct Lights {
    reader: CString,
    feedback: &'static Feedback,
    is_busy: Arc<AtomicBool>,
}

impl Lights {
    pub(crate) fn new(reader: CString, feedback: &'static Feedback) -> Self {
        Self {
            reader,
            feedback,
            is_busy: Arc::default(),
        }
    }

    /// Shows a signal, unless the last one has not come to its end.
    pub(crate) fn show(&self, signal: Signal) {
        if self.is_busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let (shown, is_shown) = channel();
        let (reader, feedback) = (self.reader.clone(), self.feedback);
        let is_busy = Arc::clone(&self.is_busy);
        let spawned = std::thread::Builder::new()
            .name("pcsc signal".to_owned())
            .spawn(move || {
                if let Err(error) = send(&reader, feedback, signal) {
                    tracing::debug!(%error, "the reader shows nothing");
                }
                is_busy.store(false, Ordering::Release);
                // Nobody waits any more when it took long.
                let _ = shown.send(());
            });
        match spawned {
            // However it ended.
            Ok(_) => drop(is_shown.recv_timeout(PATIENCE)),
            Err(_) => self.is_busy.store(false, Ordering::Release),
        }
    }
}

fn send(reader: &CString, feedback: &Feedback, signal: Signal) -> Result<(), PcscError> {
    let (context, mut answer) = (establish()?, [0; ANSWER]);
    let command = feedback.command(signal);
    let connection = match feedback.way {
        FeedbackWay::Transmit => {
            let connection = context.connect(reader, ShareMode::Shared, Protocols::ANY)?;
            connection.transmit(command, &mut answer)?;
            connection
        }
        FeedbackWay::Escape => {
            let connection = context.connect(reader, ShareMode::Direct, Protocols::UNDEFINED)?;
            connection.control(ctl_code(ESCAPE.into()), command, &mut answer)?;
            connection
        }
    };
    // The card that lies there is none of its business.
    let _ = connection.disconnect(Disposition::LeaveCard);
    Ok(())
}
