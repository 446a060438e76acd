//! The commands of MIFARE Ultralight and NTAG21x, and the secrets that travel in them.

use std::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

/// Commands of NFC Forum Type 2 cards (NXP MF0ICU1, MF0ICU2, MF0ULX1 and NTAG213_215_216, "Command overview"). A card
/// that refuses one falls back to where it was woken from, and answers nothing until [`Command::Reselect`](crate::Command::Reselect).
#[derive(Debug, Clone)]
pub enum Type2Command {
    /// Answered by [`Reply::Data`](crate::Reply::Data) with 16 bytes: four pages, from the first again after the last.
    Read {
        /// The first page.
        page: u8,
    },
    /// EV1 and NTAG only. Answered with the pages from `first` to `last`, both included.
    FastRead {
        /// The first page.
        first: u8,
        /// The last page.
        last: u8,
    },
    /// Answered by [`Reply::Done`](crate::Reply::Done).
    Write {
        /// The page to write.
        page: u8,
        /// Its new content.
        data: PageData,
    },
    /// EV1 and NTAG only; others refuse. Answered with 8 bytes.
    GetVersion,
    /// EV1 and NTAG only. Answered with the two bytes PACK when the password is right.
    PasswordAuthenticate {
        /// The password.
        password: Password,
    },
    /// Ultralight C only, the first half of its authentication. Answered with AFh and the eight bytes ek(RndB).
    Authenticate,
    /// Ultralight C only, the second half: ek(RndA ‖ RndB'). Answered with 00h and the eight bytes ek(RndA').
    AuthenticateAnswer {
        /// The 16 bytes.
        cryptogram: [u8; 16],
    },
}

impl Type2Command {
    /// The bytes that go to the card, checksum left out.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(17));
        match self {
            Self::Read { page } => bytes.extend([0x30, *page]),
            Self::FastRead { first, last } => bytes.extend([0x3A, *first, *last]),
            Self::Write { page, data } => {
                bytes.extend([0xA2, *page]);
                bytes.extend(data.expose());
            }
            Self::GetVersion => bytes.push(0x60),
            Self::PasswordAuthenticate { password } => {
                bytes.push(0x1B);
                bytes.extend(password.expose());
            }
            Self::Authenticate => bytes.extend([0x1A, 0x00]),
            Self::AuthenticateAnswer { cryptogram } => {
                bytes.push(0xAF);
                bytes.extend(cryptogram);
            }
        }
        bytes
    }

    /// How many bytes the card answers; `None` where it acknowledges with four bits.
    #[must_use]
    pub fn answer_length(&self) -> Option<usize> {
        match self {
            Self::Read { .. } => Some(16),
            Self::FastRead { first, last } => {
                Some((usize::from(*last) + 1).saturating_sub(usize::from(*first)) * 4)
            }
            Self::Write { .. } => None,
            Self::GetVersion => Some(8),
            Self::PasswordAuthenticate { .. } => Some(2),
            Self::Authenticate | Self::AuthenticateAnswer { .. } => Some(9),
        }
    }
}

/// The four bytes of a page. They may hold a key or a credential: zeroised and never printed.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct PageData([u8; 4]);

impl PageData {
    /// A page of zeros: void.
    pub const ZERO: Self = Self([0; 4]);

    /// Takes the four bytes.
    #[must_use]
    pub fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 4] {
        &self.0
    }
}

impl fmt::Debug for PageData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageData(…)")
    }
}

/// The password PWD of an EV1 or NTAG card. Overwritten with zeros when dropped; never printed.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub struct Password([u8; 4]);

impl Password {
    /// Takes the four bytes.
    #[must_use]
    pub fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 4] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_the_bytes_of_the_data_sheets() {
        for (command, bytes, answer) in [
            (Type2Command::Read { page: 4 }, "3004", Some(16)),
            (
                Type2Command::FastRead { first: 4, last: 15 },
                "3a040f",
                Some(48),
            ),
            (
                Type2Command::Write {
                    page: 5,
                    data: PageData::new([1, 2, 3, 4]),
                },
                "a20501020304",
                None,
            ),
            (Type2Command::GetVersion, "60", Some(8)),
            (
                Type2Command::PasswordAuthenticate {
                    password: Password::new([0xFF; 4]),
                },
                "1bffffffff",
                Some(2),
            ),
            (Type2Command::Authenticate, "1a00", Some(9)),
        ] {
            assert_eq!(hex::encode(&*command.to_bytes()), bytes);
            assert_eq!(command.answer_length(), answer);
            let shown = format!("{command:?}");
            assert!(!shown.contains("255") && !shown.contains("1, 2"), "{shown}");
        }
    }
}
