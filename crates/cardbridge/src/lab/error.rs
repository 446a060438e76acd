//! Why the lab did not do what it was asked, as a sentence for people and a type for programs.

use emulator::{
    CardsError, EncoderError, LockServerError, MemoryError, ReaderError, Technology, Uid,
};

use super::{Name, Undisturbed};

/// What the lab was asked cannot be done; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A lab without encoders is of no use.
    #[error("a lab needs at least one encoder; name one")]
    NoEncoders,
    /// Two encoders with one name.
    #[error("two encoders are called {name}; give each a name of its own")]
    TwoOfOneName {
        /// The name.
        name: Name,
    },
    /// An emulated serial encoder could not be started or plugged in.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// An emulated PC/SC reader could not be started.
    #[error(transparent)]
    Reader(#[from] ReaderError),
    /// An emulated lock server could not be started.
    #[error(transparent)]
    LockServer(#[from] LockServerError),
    /// No encoder of that name.
    #[error("there is no encoder of that name; this lab has {}", known.join(", "))]
    UnknownEncoder {
        /// The names there are.
        known: Vec<String>,
    },
    /// No card of that UID.
    #[error("no card with the UID {uid} was ever placed; put it on an encoder first")]
    UnknownCard {
        /// The UID asked for.
        uid: Uid,
    },
    /// Neither a technology nor a known card.
    #[error("say which technology the new card has: {}", technologies())]
    TechnologyMissing,
    /// The emulator has no such technology.
    #[error("this lab has no cards of that technology; it has {}", technologies())]
    UnsupportedTechnology,
    /// There is no card on the encoder that could be taken off later.
    #[error("no card lies on {encoder}; put one on first")]
    NoCard {
        /// The encoder.
        encoder: String,
    },
    /// The UID is taken, or cannot be one of this technology.
    #[error(transparent)]
    Card(#[from] CardsError),
    /// The image does not fit the card.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The encoder cannot be disturbed or timed so.
    #[error(transparent)]
    Undisturbed(#[from] Undisturbed),
    /// The operating system has no random numbers.
    #[error("no UID could be made up; give one")]
    Randomness(#[source] getrandom::Error),
}

/// The technologies there are, for a sentence.
fn technologies() -> String {
    Technology::ALL.map(Technology::name).join(", ")
}

impl LabError {
    /// A name for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoEncoders => "no_encoders",
            Self::TwoOfOneName { .. } => "two_of_one_name",
            Self::Encoder(_) | Self::Reader(_) | Self::LockServer(_) => "device_failed",
            Self::UnknownEncoder { .. } => "encoder_not_found",
            Self::UnknownCard { .. } => "card_not_found",
            Self::TechnologyMissing => "technology_missing",
            Self::UnsupportedTechnology => "unsupported_technology",
            Self::NoCard { .. } => "no_card",
            Self::Card(CardsError::OtherTechnology { .. }) => "uid_taken",
            Self::Card(CardsError::NoRandomUid(_)) => "unsupported_option",
            Self::Card(_) => "invalid_uid",
            Self::Undisturbed(Undisturbed::Unplugged) => "unplugged",
            Self::Undisturbed(Undisturbed::Fault { .. }) => "invalid_fault",
            Self::Undisturbed(_) => "invalid_timing",
            Self::Memory(MemoryError::NoImage(_)) => "no_image",
            Self::Memory(_) => "invalid_image",
            Self::Randomness(_) => "no_randomness",
        }
    }
}
