//! Which copies of one card are not to be trusted, however well they read.

use crate::CopyIndex;

/// The copies that were in flight when outcomes became unknown, since the last write to the card that was proven.
///
/// The cells of such a copy may have been left half charged: it may read well, or as void, and otherwise later. Each
/// further unknown outcome adds its [copy](crate::Plan::target_copy); only a proven write clears them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Suspects([bool; 2]);

impl Suspects {
    /// Both copies are what they read as.
    pub const NONE: Self = Self([false; 2]);

    /// These, and that copy.
    #[must_use]
    pub const fn with(mut self, copy: CopyIndex) -> Self {
        self.0[copy.index()] = true;
        self
    }

    /// Whether a copy is among them.
    #[must_use]
    pub const fn contains(self, copy: CopyIndex) -> bool {
        self.0[copy.index()]
    }
}
