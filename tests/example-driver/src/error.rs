//! What can go wrong with a box, and what kind of failure each is.

use std::io;

use encoder::ErrorKind;

/// A failure of the box or the way to it, never of the card.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TextboxError {
    #[error("the socket cannot be reached")]
    Unreachable(#[source] io::Error),
    #[error("the box serves another program")]
    Held,
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    #[error("the box did not answer in time")]
    Silent,
    #[error("the box answered `{0}`, which its document does not have here")]
    Unexpected(String),
}

impl TextboxError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                ErrorKind::NotPermitted
            }
            Self::Unreachable(_) | Self::Broken(_) => ErrorKind::Absent,
            Self::Held => ErrorKind::Held,
            Self::Silent => ErrorKind::Unresponsive,
            Self::Unexpected(_) => ErrorKind::Protocol,
        }
    }
}

impl From<TextboxError> for encoder::Error {
    fn from(error: TextboxError) -> Self {
        Self::with_source(error.kind(), error)
    }
}
