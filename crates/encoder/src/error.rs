//! What can go wrong with an encoder: a kind for programs, a chain of causes for people.

use std::fmt;

/// The error of the driver underneath.
pub type BoxedSource = Box<dyn std::error::Error + Send + Sync + 'static>;

/// An encoder could not do what it was asked. What a card answered is never one of these.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    #[source]
    source: Option<BoxedSource>,
}

impl Error {
    /// An error of a kind that says everything.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error with the driver's own one as its cause.
    #[must_use]
    pub fn with_source(kind: ErrorKind, source: impl Into<BoxedSource>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// The kind, to decide by.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// The kinds of failure that a program tells apart. One match in the bridge turns them into what the API reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No card by the deadline.
    NoCard,
    /// The card left in the middle.
    CardGone,
    /// More than one card in the field.
    SeveralCards,
    /// The wait was stopped on request.
    Cancelled,
    /// The device is not there: unplugged, or the service that drives it is not running.
    Absent,
    /// Another program holds the device.
    Held,
    /// This user may not open the device.
    NotPermitted,
    /// The device did not answer in time.
    Unresponsive,
    /// The device answered something that its protocol does not have.
    Protocol,
    /// The encoder cannot carry out this command on this card.
    Unsupported,
    /// The encoder sends a card no commands but its own, and this kind of card needs others.
    NoRawFrames,
    /// The encoder, or the lock server behind it, is at work for somebody else.
    Busy,
    /// The card is damaged, of another system, or put on wrongly.
    UnusableCard,
    /// The lock server does not do what was asked: an unknown room, say. The cause tells which.
    Refused,
    /// The lock server itself is not well.
    ServerFailed,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCard => "no card was put on the encoder in time; put one on and try again",
            Self::CardGone => "the card was taken off too early; leave it on until it is done",
            Self::SeveralCards => "more than one card lies on the encoder; leave only one",
            Self::Cancelled => "the wait for a card was cancelled",
            Self::Absent => "the encoder is not there; check its cable and its power",
            Self::Held => "another program holds the encoder; close it",
            Self::NotPermitted => "this user may not open the encoder; see `cardbridge encoders` for the remedy",
            Self::Unresponsive => "the encoder does not answer; unplug it and plug it in again",
            Self::Protocol => "the encoder answered something it should not; check that the right driver is configured",
            Self::Unsupported => "this encoder cannot work with this kind of card; use another encoder, or a card that it can write",
            Self::NoRawFrames => "this encoder cannot ask an Ultralight or NTAG card which one it is, as it sends cards no commands but its own; use another card, or an encoder that can, such as a PN532, an ACR122U or an ACR1252U",
            Self::Busy => "the encoder is busy with another card; try again in a moment",
            Self::UnusableCard => "the encoder cannot use this card; put it on again, or take another one",
            Self::Refused => "the lock server refuses this; correct what it says and try again",
            Self::ServerFailed => "the lock server reports a fault of its own; ask whoever looks after it",
        })
    }
}
