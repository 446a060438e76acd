//! What a procedure may ask of a card, and what it is told.
//!
//! A driver translates these into its wire; which kinds it can translate is asked before the first write.

use std::fmt;

use zeroize::Zeroize;

use crate::PresentedCard;

/// One command for the card. Each but [`Command::Reselect`] is one exchange.
#[derive(Debug, Clone)]
pub enum Command {
    /// MIFARE Classic.
    Classic(ClassicCommand),
    /// Drop the card and select it again: the way back after a refused command halted it.
    /// Answered by [`Reply::Reselected`] with whatever card is there now.
    Reselect,
}

/// The families of commands, to ask a session what it can translate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandKind {
    /// [`Command::Classic`].
    Classic,
    /// [`Command::Reselect`].
    Reselect,
}

impl CommandKind {
    /// Every family.
    pub const ALL: [Self; 2] = [Self::Classic, Self::Reselect];
}

impl Command {
    /// The family this command belongs to.
    #[must_use]
    pub fn kind(&self) -> CommandKind {
        match self {
            Self::Classic(_) => CommandKind::Classic,
            Self::Reselect => CommandKind::Reselect,
        }
    }
}

/// MIFARE Classic commands (NXP MF1S50YYX_V1, 10 to 12). `block` counts from the start of the card.
#[derive(Debug, Clone)]
pub enum ClassicCommand {
    /// Opens the sector that `block` lies in.
    Authenticate {
        /// Any block of the sector.
        block: u8,
        /// Which of the sector's two keys.
        key_type: KeyType,
        /// The key itself.
        key: ClassicKey,
    },
    /// Answered by [`Reply::Data`] with 16 bytes.
    Read {
        /// The block to read.
        block: u8,
    },
    /// Answered by [`Reply::Done`].
    Write {
        /// The block to write.
        block: u8,
        /// Its new content.
        data: BlockData,
    },
}

/// Which of a sector's two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// Key A, command 60h.
    A,
    /// Key B, command 61h.
    B,
}

/// A sector key. Overwritten with zeros when dropped; never printed.
#[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
pub struct ClassicKey([u8; 6]);

impl ClassicKey {
    /// The key that a card leaves the factory with, as key A and as key B (NXP MF1S50YYX_V1, 8.7).
    pub const TRANSPORT: [u8; 6] = [0xFF; 6];

    /// Takes the six bytes.
    #[must_use]
    pub fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 6] {
        &self.0
    }
}

impl fmt::Debug for ClassicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClassicKey(…)")
    }
}

/// The 16 bytes of a block. They may hold keys (a sector trailer) or a credential: zeroised and never printed.
#[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
pub struct BlockData([u8; 16]);

impl BlockData {
    /// A block of zeros: void.
    pub const ZERO: Self = Self([0; 16]);

    /// Takes the sixteen bytes.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for BlockData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockData(…)")
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
