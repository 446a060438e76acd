//! An NXP PN532 with a host at the other end of a serial line, on a pseudo-terminal.

mod chip;
mod exchange;
mod frame;
mod inside;
mod line;
mod radio;
mod registers;
mod search;
mod status;

pub(crate) use self::inside::Inside;
pub use self::line::LinePace;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

use self::chip::Chip;
use self::line::{Controls, Line, Running};
use crate::bell::Bell;
use crate::faults::Faults;
use crate::slot::Slot;

/// Why an emulated encoder could not be started or plugged in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// No pseudo-terminal could be had.
    #[error("no pseudo-terminal could be opened; is /dev/pts mounted?")]
    Terminal(#[source] io::Error),
    /// The link to the terminal could not be made.
    #[error(
        "the link {path} to the encoder's terminal could not be made; choose a path in a folder you may write, where nothing else lies"
    )]
    Link {
        /// Where it should have been.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The thread could not be started.
    #[error("the encoder's thread could not be started")]
    Thread(#[source] io::Error),
}

/// An encoder with a PN532 (IC 0x32, firmware 1.6) on a serial line, running in a thread of its own.
/// Hosts open the symbolic link as they would open `/dev/ttyUSB0`. Stops on drop.
#[derive(Debug)]
pub struct Pn532Encoder {
    controls: Controls,
    link: PathBuf,
    running: Mutex<Option<Running>>,
}

impl Pn532Encoder {
    /// Starts an encoder over this slot and plugs it in: `link` becomes a symbolic link to its
    /// terminal. A stale symbolic link at that path is replaced; anything else there is an error.
    ///
    /// # Errors
    /// No pseudo-terminal, no thread, or the link could not be made.
    pub fn start(slot: Slot, link: impl AsRef<Path>) -> Result<Pn532Encoder, EncoderError> {
        let encoder = Pn532Encoder {
            controls: Controls::over(slot),
            link: link.as_ref().to_owned(),
            running: Mutex::new(None),
        };
        encoder.plug()?;
        Ok(encoder)
    }

    /// Where cards are placed.
    #[must_use]
    pub fn slot(&self) -> &Slot {
        &self.controls.slot
    }

    /// What goes wrong on its line.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.controls.faults
    }

    /// Says how fast its line passes bytes from now on. The cards' own pace is their slot's:
    /// [`Slot::set_pace`].
    pub fn set_line_pace(&self, pace: LinePace) {
        self.controls.set_pace(pace);
    }

    /// How fast its line passes bytes.
    #[must_use]
    pub fn line_pace(&self) -> LinePace {
        self.controls.pace()
    }

    /// The path that hosts open.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.link
    }

    /// Pulls the cable: the link goes away, then a host that has it open sees a hang-up, and the
    /// chip loses its supply. Does nothing when it is unplugged already.
    pub fn unplug(&self) {
        if let Some(running) = self.lock().take() {
            running.stop();
            self.slot().set_field(false);
        }
    }

    /// Plugs it in again, on a new terminal behind the same link, as after power-on. Does nothing
    /// when it is plugged in.
    ///
    /// # Errors
    /// As for [`start`](Pn532Encoder::start).
    pub fn plug(&self) -> Result<(), EncoderError> {
        let mut running = self.lock();
        if running.is_some() {
            return Ok(());
        }
        let mut line = Line::open(self.controls.clone()).map_err(EncoderError::Terminal)?;
        line.link(&self.link).map_err(|source| EncoderError::Link {
            path: self.link.clone(),
            source,
        })?;
        self.controls.faults.power_cycled();
        let bell = Arc::new(Bell::new().map_err(EncoderError::Thread)?);
        self.slot().subscribe(&bell);
        let started = Running::start(line, Chip::new(self.slot().clone()), bell)
            .map_err(EncoderError::Thread)?;
        *running = Some(started);
        Ok(())
    }

    /// Whether the cable is in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pn532Encoder {
    fn drop(&mut self) {
        self.unplug();
    }
}

#[cfg(test)]
mod tests;
