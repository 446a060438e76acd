//! A command for a card in ISO/IEC 14443-4.

use std::fmt;

use zeroize::ZeroizeOnDrop;

/// The bytes of a command APDU (ISO/IEC 7816-4, 5.1). They may hold a credential or a key cryptogram: zeroised and
/// never printed.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct Apdu(Vec<u8>);

impl Apdu {
    /// Takes the whole command, from CLA to Le.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Apdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0[..] {
            [class, instruction, ..] => write!(f, "Apdu({class:02X} {instruction:02X} …)"),
            _ => f.write_str("Apdu(…)"),
        }
    }
}
