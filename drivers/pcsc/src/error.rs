//! What can go wrong between this program, the PC/SC service and a reader.

use encoder::ErrorKind;
use pcsc::Error as Pcsc;

use crate::holder::Suspects;

/// A failure of the service or the reader, never of the card.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PcscError {
    #[error("PC/SC reports an error")]
    Service(#[source] Pcsc),
    #[error("the reader answered without a status word")]
    Malformed,
    #[error("the reader reports: {text} ({word:04X}h)")]
    Status {
        word: u16,
        text: &'static str,
        kind: ErrorKind,
    },
    #[error("the reader gave no UID of a contactless card")]
    NoUid,
    #[error("the reader takes no keys, neither in volatile nor in persistent memory")]
    TakesNoKeys,
    #[error("the reader has neither a transparent session nor a direct transmit")]
    NoRawFrames,
    #[error("no card came in time")]
    NoCard,
    #[error("the wait was stopped")]
    Stopped,
    #[error("another program has this reader for itself; close it")]
    Held,
    #[error("another program has this reader for itself; {0}")]
    HeldBy(Suspects),
    #[error("connecting to the card takes the reader too long")]
    ConnectsTooSlowly,
    #[error("the system gives no more threads")]
    NoThread(#[source] std::io::Error),
    #[error("no reader of this name is plugged in")]
    NoSuchReader,
    #[error(
        "several readers of this name are plugged in; write the name that `cardbridge encoders` shows for the one that is meant"
    )]
    SeveralReaders,
    #[error("a reader's name cannot hold a zero byte")]
    ImpossibleName,
}

impl PcscError {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Service(error) => kind_of(*error),
            Self::Malformed => ErrorKind::Protocol,
            Self::Status { kind, .. } => *kind,
            Self::NoUid | Self::TakesNoKeys => ErrorKind::Unsupported,
            Self::NoRawFrames => ErrorKind::NoRawFrames,
            Self::NoCard => ErrorKind::NoCard,
            Self::Stopped => ErrorKind::Cancelled,
            Self::Held | Self::HeldBy(_) => ErrorKind::Held,
            Self::ConnectsTooSlowly | Self::NoThread(_) => ErrorKind::Unresponsive,
            Self::NoSuchReader | Self::SeveralReaders | Self::ImpossibleName => ErrorKind::Absent,
        }
    }

    /// Whether it is worth looking at the reader again: the card only brushed past, is about to be noticed gone, or was
    /// reset by the program that had it before.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Service(Pcsc::ResetCard)) || self.kind() == ErrorKind::CardGone
    }

    /// Whether an exchange failed in a way that leaves open what became of the card: it was lost on the way, or the card
    /// was reset under it. Selecting it again will tell.
    pub(crate) fn is_doubtful(&self) -> bool {
        matches!(
            self,
            Self::Service(Pcsc::NotTransacted | Pcsc::CommDataLost | Pcsc::ResetCard)
        )
    }

    /// Whether the context is of no more use: the service went away, and a new one knows nothing of old contexts.
    pub(crate) fn ends_context(&self) -> bool {
        match self {
            Self::Service(error) => ends_context(*error),
            _ => false,
        }
    }
}

impl From<Pcsc> for PcscError {
    fn from(error: Pcsc) -> Self {
        Self::Service(error)
    }
}

impl From<PcscError> for encoder::Error {
    fn from(error: PcscError) -> Self {
        match error {
            // Their kind says it all.
            PcscError::NoCard | PcscError::Stopped => Self::new(error.kind()),
            _ => Self::with_source(error.kind(), error),
        }
    }
}

/// What an error of the service means to a program (pcsc-lite's winscard API).
pub(crate) fn kind_of(error: Pcsc) -> ErrorKind {
    match error {
        Pcsc::NoSmartcard | Pcsc::RemovedCard | Pcsc::UnresponsiveCard | Pcsc::UnpoweredCard => {
            ErrorKind::CardGone
        }
        Pcsc::SharingViolation => ErrorKind::Held,
        // What polkit denied.
        Pcsc::SecurityViolation | Pcsc::NoAccess => ErrorKind::NotPermitted,
        Pcsc::UnknownReader | Pcsc::ReaderUnavailable | Pcsc::NoReadersAvailable => {
            ErrorKind::Absent
        }
        _ if ends_context(error) => ErrorKind::Absent,
        Pcsc::ProtoMismatch | Pcsc::UnsupportedCard | Pcsc::CardUnsupported => {
            ErrorKind::Unsupported
        }
        _ => ErrorKind::Unresponsive,
    }
}

pub(crate) fn ends_context(error: Pcsc) -> bool {
    matches!(
        error,
        Pcsc::NoService
            | Pcsc::ServiceStopped
            | Pcsc::InvalidHandle
            // The connection to the service broke, not the one to the card (pcsc-lite, winscard_msg.c).
            | Pcsc::CommError
            | Pcsc::Shutdown
            | Pcsc::ServerTooBusy
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pcscd_forbids_is_told_apart_from_what_is_gone_or_broken() {
        for (error, kind) in [
            (Pcsc::SecurityViolation, ErrorKind::NotPermitted),
            (Pcsc::NoAccess, ErrorKind::NotPermitted),
            (Pcsc::SharingViolation, ErrorKind::Held),
            (Pcsc::NoService, ErrorKind::Absent),
            (Pcsc::UnknownReader, ErrorKind::Absent),
            (Pcsc::RemovedCard, ErrorKind::CardGone),
            (Pcsc::NotTransacted, ErrorKind::Unresponsive),
        ] {
            assert_eq!(kind_of(error), kind, "{error:?}");
        }
    }
}
