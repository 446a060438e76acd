//! The unique identifier that a card answers to when it is selected.

use std::fmt;
use std::str::FromStr;

/// A card's UID: 4, 7 or 10 bytes (ISO/IEC 14443-3, 6.5.4). Prints as upper-case hex, `04A1B2C3`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid {
    bytes: [u8; 10],
    length: u8,
}

/// What was given is not a UID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a UID has 4, 7 or 10 bytes, written as 8, 14 or 20 hex digits")]
pub struct InvalidUid;

impl Uid {
    /// Takes a UID as the card sent it, cascade tags already removed.
    ///
    /// # Errors
    /// [`InvalidUid`] unless there are 4, 7 or 10 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, InvalidUid> {
        if !matches!(bytes.len(), 4 | 7 | 10) {
            return Err(InvalidUid);
        }
        let mut padded = [0; 10];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self {
            bytes: padded,
            length: bytes.len() as u8,
        })
    }

    /// The 4, 7 or 10 bytes, in the order in which the card sends them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Whether it is made anew at each selection (ISO/IEC 14443-3, 6.5.4), so that nothing can be bound to it.
    pub(crate) fn is_random(&self) -> bool {
        matches!(self.as_bytes(), [0x08, _, _, _])
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uid({self})")
    }
}

impl FromStr for Uid {
    type Err = InvalidUid;

    fn from_str(text: &str) -> Result<Self, InvalidUid> {
        if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidUid);
        }
        let bytes: Vec<u8> = (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| InvalidUid))
            .collect::<Result<_, _>>()?;
        Self::new(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_reads_back_what_it_prints() {
        for text in ["04A1B2C3", "04A1B2C3D4E5F6", "04A1B2C3D4E5F6071829"] {
            assert_eq!(text.parse::<Uid>().unwrap().to_string(), text);
        }
        assert_eq!("04a1b2c3".parse::<Uid>().unwrap().to_string(), "04A1B2C3");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "04", "04A1B2C", "04A1B2C3D4", "+4A1B2C3", "04A1B2CÄ"] {
            assert_eq!(text.parse::<Uid>(), Err(InvalidUid), "{text}");
        }
    }
}
