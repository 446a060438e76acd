//! Where a format lies on a card: copy A and copy B, so that one of them is always whole.

use crate::{Technology, Uid};

/// One of the two copies of a placing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyIndex {
    /// Copy A, the only one where a placing has one.
    A,
    /// Copy B.
    B,
}

impl CopyIndex {
    /// Both copies, A first.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// 0 for A, 1 for B; keys and tags are bound to it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }

    /// The copy of that number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::A),
            1 => Some(Self::B),
            _ => None,
        }
    }

    /// `A` or `B`, as people are told.
    pub(crate) const fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
        }
    }

    /// The other copy.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self.number() as usize
    }
}

/// The one place on the one card that an image is good for: its tag covers all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) technology: Technology,
    pub(crate) uid: Uid,
    pub(crate) copy: CopyIndex,
}
