//! The device at one place of the lab, whichever wire it speaks.

use std::path::Path;
use std::sync::Arc;

use emulator::{Faults, LinePace, LockServer, PcscReader, Pn532Encoder, ReaderSettings, Slot};

use super::LabError;
use super::disturb::WireKind;
use super::lock_server::{self, LockServerView};

/// An emulated device with its slot.
#[derive(Debug)]
pub(super) enum Device {
    /// A PN532 on a pseudo-terminal.
    Serial(Pn532Encoder),
    /// A PC/SC reader behind a `vpcd`.
    Reader {
        reader: PcscReader,
        slot: Slot,
        vpcd_port: u16,
    },
    /// An encoder of a lock server, which others may belong to as well.
    LockServer {
        server: Arc<LockServer>,
        /// What the server calls it.
        encoder: String,
        slot: Slot,
    },
}

impl Device {
    pub(super) fn serial(link: &Path) -> Result<Self, LabError> {
        Ok(Self::Serial(Pn532Encoder::start(Slot::new(), link)?))
    }

    pub(super) fn reader(vpcd_port: u16) -> Result<Self, LabError> {
        let slot = Slot::new();
        let reader = PcscReader::start(slot.clone(), vpcd_port, ReaderSettings::default())?;
        Ok(Self::Reader {
            reader,
            slot,
            vpcd_port,
        })
    }

    pub(super) fn slot(&self) -> &Slot {
        match self {
            Self::Serial(encoder) => encoder.slot(),
            Self::Reader { slot, .. } | Self::LockServer { slot, .. } => slot,
        }
    }

    pub(super) fn wire(&self) -> WireKind {
        match self {
            Self::Serial(_) => WireKind::Serial,
            Self::Reader { .. } => WireKind::Reader,
            Self::LockServer { .. } => WireKind::LockServer,
        }
    }

    /// Of its wire: a lock server has one for all its encoders.
    pub(super) fn faults(&self) -> &Faults {
        match self {
            Self::Serial(encoder) => encoder.faults(),
            Self::Reader { reader, .. } => reader.faults(),
            Self::LockServer { server, .. } => server.faults(),
        }
    }

    /// Where there is a line.
    pub(super) fn set_line_pace(&self, pace: LinePace) {
        match self {
            Self::Serial(encoder) => encoder.set_line_pace(pace),
            Self::Reader { .. } | Self::LockServer { .. } => {}
        }
    }

    pub(super) fn port(&self) -> Option<&Path> {
        match self {
            Self::Serial(encoder) => Some(encoder.path()),
            Self::Reader { .. } | Self::LockServer { .. } => None,
        }
    }

    pub(super) fn vpcd_port(&self) -> Option<u16> {
        match self {
            Self::Serial(_) | Self::LockServer { .. } => None,
            Self::Reader { vpcd_port, .. } => Some(*vpcd_port),
        }
    }

    pub(super) fn lock_server(&self) -> Option<LockServerView> {
        match self {
            Self::Serial(_) | Self::Reader { .. } => None,
            Self::LockServer {
                server, encoder, ..
            } => Some(lock_server::view(server, encoder)),
        }
    }

    pub(super) fn is_plugged(&self) -> bool {
        match self {
            Self::Serial(encoder) => encoder.is_plugged(),
            Self::Reader { reader, .. } => reader.is_plugged(),
            Self::LockServer {
                server, encoder, ..
            } => server.is_encoder_plugged(encoder),
        }
    }

    pub(super) fn unplug(&self) {
        match self {
            Self::Serial(encoder) => encoder.unplug(),
            Self::Reader { reader, .. } => reader.unplug(),
            Self::LockServer {
                server, encoder, ..
            } => server.set_encoder_plugged(encoder, false),
        }
    }

    pub(super) fn plug(&self) -> Result<(), LabError> {
        match self {
            Self::Serial(encoder) => encoder.plug().map_err(LabError::from),
            Self::Reader { reader, .. } => {
                reader.plug();
                Ok(())
            }
            Self::LockServer {
                server, encoder, ..
            } => {
                server.set_encoder_plugged(encoder, true);
                Ok(())
            }
        }
    }
}
