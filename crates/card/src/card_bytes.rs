//! Bytes that a card holds, or is to hold.

use std::fmt;

use zeroize::Zeroizing;

/// Bytes of a file or of pages: part of a credential, so zeroised and never printed.
#[derive(Clone)]
pub(crate) struct CardBytes(Zeroizing<Vec<u8>>);

impl CardBytes {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CardBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardBytes({})", self.0.len())
    }
}
