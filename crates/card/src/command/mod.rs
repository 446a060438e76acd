//! What a procedure may ask of a card, and what it is told.
//!
//! A driver translates these into its wire; which kinds it can translate is asked before the first write.

mod apdu;
mod classic;
mod type2;

pub use apdu::Apdu;
pub use classic::{BlockData, ClassicCommand, ClassicKey, KeyType};
pub use type2::{PageData, Password, Type2Command};

use std::fmt;

use zeroize::Zeroize;

use crate::PresentedCard;

/// One command for the card. Each but [`Command::Reselect`] is one exchange.
#[derive(Debug, Clone)]
pub enum Command {
    /// MIFARE Classic.
    Classic(ClassicCommand),
    /// MIFARE Ultralight and NTAG21x.
    Type2(Type2Command),
    /// A card in ISO/IEC 14443-4. Answered by [`Reply::Data`] with everything the card sent, status word included; what
    /// the status says is the procedure's business.
    Iso(Apdu),
    /// Drop the card and select it again: the way back after a refused command halted it.
    /// Answered by [`Reply::Reselected`] with whatever card is there now.
    Reselect,
}

/// The families of commands, to ask a session what it can translate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandKind {
    /// [`Command::Classic`].
    Classic,
    /// [`Command::Type2`], all of them: an encoder that only reads and writes pages cannot tell these cards apart.
    Type2,
    /// [`Command::Iso`].
    Iso,
    /// [`Command::Reselect`].
    Reselect,
}

impl CommandKind {
    /// Every family.
    pub const ALL: [Self; 4] = [Self::Classic, Self::Type2, Self::Iso, Self::Reselect];
}

impl Command {
    /// The family this command belongs to.
    #[must_use]
    pub fn kind(&self) -> CommandKind {
        match self {
            Self::Classic(_) => CommandKind::Classic,
            Self::Type2(_) => CommandKind::Type2,
            Self::Iso(_) => CommandKind::Iso,
            Self::Reselect => CommandKind::Reselect,
        }
    }
}

/// What the card answered. That it did not answer at all, or that the encoder failed, is not a reply but an error of
/// the encoder, and ends the procedure.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// The card did it: authenticated, or written.
    Done,
    /// What was read.
    Data(Vec<u8>),
    /// The card said no, or an encoder that cannot tell says that the card either said no or is gone. A card that
    /// refused is halted and answers nothing until [`Command::Reselect`], which also tells whether it is still there.
    Refused,
    /// The card that is there now, selected.
    Reselected(PresentedCard),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Data(bytes) => write!(f, "Data({} bytes)", bytes.len()),
            Self::Refused => f.write_str("Refused"),
            Self::Reselected(card) => f.debug_tuple("Reselected").field(card).finish(),
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Self::Data(bytes) = self {
            bytes.zeroize();
        }
    }
}
