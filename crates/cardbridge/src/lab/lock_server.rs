//! Lock servers of a lab: each has encoders that belong to it and makes the cards there itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use emulator::{Dialect, LockServer, LockServerSettings, LockServerWire, Slot};

use super::station::Device;
use super::{LabError, Name};

/// The rooms that every lock server of a lab knows.
const ROOMS: std::ops::RangeInclusive<u32> = 101..=199;

/// A lock server that a lab is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabLockServer {
    /// Whose.
    pub dialect: Dialect,
    /// Where its clients find it.
    pub line: LockServerLine,
    /// Its encoders. SALTO's clients ask for them by these names, Onity's by their numbers in this order, from 1.
    pub encoders: Vec<Name>,
}

/// Where clients find a lock server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockServerLine {
    /// A port of 127.0.0.1; 0 for a free one.
    Loopback(u16),
    /// A serial line in the lab's folder, called like its first encoder with `-lock-server` behind.
    Serial,
}

/// What can be seen of the lock server that an encoder belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockServerView {
    /// Whose.
    pub dialect: Dialect,
    /// What its clients call the encoder.
    pub encoder: String,
    /// Where its clients connect, if it is reached by TCP.
    pub address: Option<SocketAddr>,
    /// The serial port that its clients open, if it is not.
    pub port: Option<PathBuf>,
}

impl LabLockServer {
    /// Starts the server; its encoders, each of which keeps it running.
    pub(super) fn start(&self, directory: &Path) -> Result<Vec<(&Name, Device)>, LabError> {
        let called = self
            .encoders
            .iter()
            .zip(1..)
            .map(|(name, number): (_, u32)| {
                let encoder = match self.dialect {
                    Dialect::Salto => name.to_string(),
                    Dialect::Onity => number.to_string(),
                };
                (name, encoder, Slot::new())
            });
        let called: Vec<_> = called.collect();
        let rooms = ROOMS.map(|room| room.to_string());
        let settings = called.iter().fold(
            LockServerSettings::new(self.dialect).with_rooms(rooms),
            |settings, (_, encoder, slot)| settings.with_encoder(encoder, slot.clone()),
        );
        let wire = match self.line {
            LockServerLine::Loopback(port) => LockServerWire::Loopback(port),
            LockServerLine::Serial => {
                let first = self.encoders.first().map_or("no", Name::as_str);
                LockServerWire::Terminal(directory.join(format!("{first}-lock-server")))
            }
        };
        let server = Arc::new(LockServer::start(&settings, wire)?);
        let device = |(name, encoder, slot)| {
            let server = server.clone();
            (
                name,
                Device::LockServer {
                    server,
                    encoder,
                    slot,
                },
            )
        };
        Ok(called.into_iter().map(device).collect())
    }
}

/// An encoder's view of its server.
pub(super) fn view(server: &LockServer, encoder: &str) -> LockServerView {
    LockServerView {
        dialect: server.dialect(),
        encoder: encoder.to_owned(),
        address: server.address(),
        port: match server.wire() {
            LockServerWire::Terminal(path) => Some(path),
            _ => None,
        },
    }
}
