//! The commands of MIFARE Classic, and the secrets that travel in them.

use std::fmt;

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
    /// Answered by [`Reply::Data`](crate::Reply::Data) with 16 bytes.
    Read {
        /// The block to read.
        block: u8,
    },
    /// Answered by [`Reply::Done`](crate::Reply::Done).
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
