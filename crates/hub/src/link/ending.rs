//! How a link ends, and what the bridge is told.

use axum::extract::ws::close_code;

use crate::transactions::connect::LinkError;

/// Why a link ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ending {
    #[error("the bridge closed it")]
    Closed,
    #[error("the connection broke")]
    Broken,
    #[error("the bridge was silent for too long")]
    Silent,
    #[error("the hub closes it, or a newer connection of this bridge is open")]
    Dismissed,
    #[error(transparent)]
    Refused(#[from] LinkError),
}

impl Ending {
    pub(super) fn code(&self) -> u16 {
        match self {
            Self::Closed | Self::Broken => close_code::NORMAL,
            Self::Silent | Self::Dismissed | Self::Refused(LinkError::Replaced) => close_code::AWAY,
            Self::Refused(LinkError::Protocol(_)) => close_code::PROTOCOL,
            Self::Refused(LinkError::Database(_)) => close_code::ERROR,
        }
    }
}
