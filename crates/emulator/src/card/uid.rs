//! The number that a card answers with when it is selected. It says nothing about the technology.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A card's unique identifier: 4, 7 or 10 bytes (ISO/IEC 14443-3 §6.5.4). Shown as upper-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid {
    bytes: [u8; 10],
    len: u8,
}

/// Why a number cannot be a card's UID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UidError {
    /// Not pairs of hexadecimal digits.
    #[error("a UID is written as hexadecimal digits, two for each byte, such as 04A1B2C3")]
    NotHexadecimal,
    /// A length that ISO/IEC 14443-3 does not have.
    #[error("a UID has 4, 7 or 10 bytes, not {0}")]
    Length(usize),
    /// The cascade tag stands where it would be taken for the mark of a longer UID.
    #[error(
        "byte {0} of this UID may not be 88: readers would take it for the cascade tag of a longer UID"
    )]
    CascadeTag(usize),
}

/// Marks in an anticollision answer that the UID goes on (ISO/IEC 14443-3 §6.5.4).
pub(crate) const CASCADE_TAG: u8 = 0x88;

impl Uid {
    /// Makes a UID of its bytes, in the order in which the card sends them.
    ///
    /// # Errors
    /// A length other than 4, 7 or 10, or a cascade tag in the first place of the last levels.
    pub fn new(bytes: &[u8]) -> Result<Uid, UidError> {
        let starts_of_levels: &[usize] = match bytes.len() {
            4 => &[0],
            7 => &[3],
            10 => &[6],
            other => return Err(UidError::Length(other)),
        };
        for &place in starts_of_levels {
            if bytes[place] == CASCADE_TAG {
                return Err(UidError::CascadeTag(place));
            }
        }
        let mut padded = [0; 10];
        padded[..bytes.len()].copy_from_slice(bytes);
        let len = u8::try_from(bytes.len()).expect("a UID has at most 10 bytes");
        Ok(Uid { bytes: padded, len })
    }

    /// The bytes, in the order in which the card sends them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The four bytes that MIFARE Classic authentication mixes in: those of the last cascade level
    /// (NXP AN10927 §2).
    pub(crate) fn last_four(&self) -> [u8; 4] {
        *self
            .as_bytes()
            .last_chunk()
            .expect("a UID has at least 4 bytes")
    }

    /// What the card answers at each cascade level, without the checksum byte.
    pub(crate) fn cascade_levels(&self) -> Vec<[u8; 4]> {
        match *self.as_bytes() {
            [a, b, c, d] => vec![[a, b, c, d]],
            [a, b, c, d, e, f, g] => vec![[CASCADE_TAG, a, b, c], [d, e, f, g]],
            [a, b, c, d, e, f, g, h, i, j] => {
                vec![[CASCADE_TAG, a, b, c], [CASCADE_TAG, d, e, f], [g, h, i, j]]
            }
            _ => unreachable!("the constructor allows 4, 7 and 10 bytes only"),
        }
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
    type Err = UidError;

    fn from_str(text: &str) -> Result<Uid, UidError> {
        if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(UidError::NotHexadecimal);
        }
        let bytes: Vec<u8> = (0..text.len())
            .step_by(2)
            .map(|at| {
                u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| UidError::NotHexadecimal)
            })
            .collect::<Result<_, _>>()?;
        Uid::new(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Uid, UidError};

    #[test]
    fn a_uid_is_shown_as_it_was_written() {
        for text in ["04A1B2C3", "04A1B2C3D4E5F6", "04A1B288C3D4E5F60718"] {
            assert_eq!(text.parse::<Uid>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_cannot_be_a_uid_is_refused() {
        for (text, why) in [
            ("", UidError::Length(0)),
            ("04A1B2", UidError::Length(3)),
            ("04A1B2C", UidError::NotHexadecimal),
            ("04A1B2CX", UidError::NotHexadecimal),
            ("é4A1B2C", UidError::NotHexadecimal),
            ("88A1B2C3", UidError::CascadeTag(0)),
            ("04A1B288C3D4E5", UidError::CascadeTag(3)),
        ] {
            assert_eq!(text.parse::<Uid>(), Err(why), "{text}");
        }
    }

    #[test]
    fn a_seven_byte_uid_takes_two_cascade_levels() {
        let uid: Uid = "04A1B2C3D4E5F6".parse().unwrap();
        assert_eq!(
            uid.cascade_levels(),
            [[0x88, 0x04, 0xA1, 0xB2], [0xC3, 0xD4, 0xE5, 0xF6]]
        );
        assert_eq!(uid.last_four(), [0xC3, 0xD4, 0xE5, 0xF6]);
    }
}
