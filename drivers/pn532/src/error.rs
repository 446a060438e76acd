//! What can go wrong between this computer and the chip.

use std::path::PathBuf;
use std::time::Duration;

use encoder::serial::NotFound;
use encoder::{ErrorKind, SettingsError};

/// A failure of the line or the chip, never of the card.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Pn532Error {
    #[error(transparent)]
    NotFound(NotFound),
    #[error(transparent)]
    Setting(SettingsError),
    #[error("{path} does not exist")]
    NoPort { path: PathBuf },
    #[error("{path} is no serial port")]
    NotSerial { path: PathBuf },
    #[error("{path} is in use{}", .holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default())]
    Held {
        path: PathBuf,
        holder: Option<String>,
    },
    #[error("{path} may be opened only by {who}")]
    NotPermitted { path: PathBuf, who: String },
    #[error("{path} cannot be set up as a serial port")]
    SetUp {
        path: PathBuf,
        #[source]
        source: serialport::Error,
    },
    #[error("the serial port is gone")]
    Gone(#[source] std::io::Error),
    #[error("the serial port takes no bytes")]
    Stuck,
    #[error(
        "the chip is silent since the line was raised to {baud} baud; once it was plugged in again the line will be slower, \
         and `speed = {slower}` in its entry keeps it so"
    )]
    LostAtSpeed { baud: u32, slower: u32 },
    #[error("the serial port does not take {baud} baud")]
    SpeedRefused { baud: u32 },
    #[error("command {command:02X}h was not acknowledged")]
    NotAcknowledged { command: u8 },
    #[error("the chip does not answer any more")]
    Silent,
    #[error("command {command:02X}h was not answered within {} ms", .within.as_millis())]
    NoAnswer { command: u8, within: Duration },
    #[error("the chip does not know command {command:02X}h")]
    SyntaxError { command: u8 },
    #[error("the answer to command {command:02X}h is malformed")]
    Malformed { command: u8 },
    #[error("the command has {length} bytes, more than the chip passes on at once")]
    TooLong { length: usize },
    #[error("this is chip {found:02X}h, not a PN532")]
    WrongChip { found: u8 },
    #[error("the chip reports: {text}")]
    CardGone { text: &'static str },
    #[error("the chip reports: {text} ({code:02X}h)")]
    Status {
        code: u8,
        text: &'static str,
        kind: ErrorKind,
    },
}

impl Pn532Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) | Self::NoPort { .. } | Self::Gone(_) => ErrorKind::Absent,
            Self::Held { .. } => ErrorKind::Held,
            Self::CardGone { .. } => ErrorKind::CardGone,
            Self::NotPermitted { .. } => ErrorKind::NotPermitted,
            Self::NotAcknowledged { .. }
            | Self::NoAnswer { .. }
            | Self::Silent
            | Self::LostAtSpeed { .. }
            | Self::Stuck => ErrorKind::Unresponsive,
            Self::NotSerial { .. }
            | Self::Setting(_)
            | Self::SetUp { .. }
            | Self::SyntaxError { .. }
            | Self::Malformed { .. }
            | Self::TooLong { .. }
            | Self::SpeedRefused { .. }
            | Self::WrongChip { .. } => ErrorKind::Protocol,
            Self::Status { kind, .. } => *kind,
        }
    }
}

impl From<Pn532Error> for encoder::Error {
    fn from(error: Pn532Error) -> Self {
        Self::with_source(error.kind(), error)
    }
}
