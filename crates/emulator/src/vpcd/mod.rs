//! A contactless PC/SC reader as the client of `vpcd`, the virtual reader driver of a real `pcscd`.

mod atr;
mod faulty;
mod firmware;
mod pcscd;
mod session;
mod status;
mod wire;

pub use pcscd::{PcscdError, PrivatePcscd};

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use self::firmware::Firmware;
use self::session::{Controls, Session};
use crate::bell::{Bell, Thread};
use crate::faults::Faults;
use crate::slot::Slot;

/// Which key structures the reader takes in `FF 82` (load key). Readers differ, and a host must probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum KeyStructures {
    /// 0x00 only, as the ACR122U.
    #[default]
    Volatile,
    /// 0x20 only, as readers of the OMNIKEY kind.
    Persistent,
    /// Both.
    Both,
    /// By the type of the key: P2 of load key is 60h or 61h, and authentication names key 01h, as the Identiv uTrust
    /// 3700 F (Reference Manual for uTrust 3720F, 1.00, §6.2.3 and §6.2.4, of the same family).
    ByKeyType,
}

/// How a host sends frames of its own to a card, which most commands of Type 2 cards need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RawFrames {
    /// Not at all.
    None,
    /// Through the PN532 within the reader, `FF 00 00 00 Lc D4 …`, as the ACR122U.
    #[default]
    DirectTransmit,
    /// In a transparent session of PC/SC 2.02, `FF C2 00 …`, as the ACR1252U.
    TransparentSession,
}

/// How a reader behaves where readers differ.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ReaderSettings {
    /// Structures taken by load key.
    pub key_structures: KeyStructures,
    /// How frames of the host's own are sent.
    pub raw_frames: RawFrames,
}

impl ReaderSettings {
    /// The same with other key structures.
    #[must_use]
    pub fn with_key_structures(mut self, key_structures: KeyStructures) -> ReaderSettings {
        self.key_structures = key_structures;
        self
    }

    /// The same with another way to send frames.
    #[must_use]
    pub fn with_raw_frames(mut self, raw_frames: RawFrames) -> ReaderSettings {
        self.raw_frames = raw_frames;
        self
    }
}

/// Why an emulated reader could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReaderError {
    /// The thread or its wake-up could not be made.
    #[error("the reader's thread could not be started")]
    Thread(#[source] io::Error),
}

/// A contactless reader behind `vpcd`, running in a thread of its own. It keeps trying to reach
/// `vpcd` until it is dropped, so it may be started before `pcscd` and outlive its restart.
///
/// To `vpcd` a card is a TCP connection: placing a card connects, removing it disconnects. The reader
/// itself belongs to `pcscd` and stays listed; see [`unplug`](PcscReader::unplug).
#[derive(Debug)]
pub struct PcscReader {
    slot: Slot,
    faults: Faults,
    controls: Arc<Controls>,
    thread: Option<Thread>,
}

impl PcscReader {
    /// Starts a reader over this slot, at the `vpcd` that listens on this loopback port.
    ///
    /// # Errors
    /// No thread could be started. That nobody listens is not an error.
    pub fn start(
        slot: Slot,
        port: u16,
        settings: ReaderSettings,
    ) -> Result<PcscReader, ReaderError> {
        let bell = Arc::new(Bell::new().map_err(ReaderError::Thread)?);
        slot.subscribe(&bell);
        let faults = Faults::over(vec![slot.clone()]);
        faults.subscribe(&bell);
        let controls = Arc::new(Controls {
            bell,
            is_plugged: AtomicBool::new(true),
            stop: AtomicBool::new(false),
        });
        let firmware = Firmware::new(slot.clone(), settings);
        let session = Session::new(slot.clone(), port, firmware, faults.clone());
        let thread = Thread::spawn("pcsc emulator", {
            let controls = controls.clone();
            move || session.run(&controls)
        })
        .map_err(ReaderError::Thread)?;
        Ok(PcscReader {
            slot,
            faults,
            controls,
            thread: Some(thread),
        })
    }

    /// Where cards are placed.
    #[must_use]
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// What goes wrong on its wire.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Pulls the cable as far as `vpcd` can show it: the reader stays listed and no card is seen.
    pub fn unplug(&self) {
        self.set_plugged(false);
    }

    /// Plugs it in again.
    pub fn plug(&self) {
        if !self.is_plugged() {
            self.faults.power_cycled();
        }
        self.set_plugged(true);
    }

    /// Whether the cable is in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.controls.is_plugged.load(Ordering::Acquire)
    }

    fn set_plugged(&self, plugged: bool) {
        self.controls.is_plugged.store(plugged, Ordering::Release);
        self.controls.bell.ring();
    }
}

impl Drop for PcscReader {
    fn drop(&mut self) {
        self.controls.stop.store(true, Ordering::Release);
        self.controls.bell.ring();
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
