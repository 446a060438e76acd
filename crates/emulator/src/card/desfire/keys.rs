//! The keys of a DESFire: what ciphers they are for, and the version that each carries (MF3ICD81 data
//! sheet, "Key types").

use std::fmt;

use crate::card::crypto::Cipher;

/// What all keys of an application are for. Fixed when it is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// DES with equal halves, else 2K3DES.
    Des,
    TripleDes3,
    Aes,
}

impl Scheme {
    /// Reads the upper two bits of the number of keys.
    pub(super) fn of_bits(byte: u8) -> Option<Scheme> {
        match byte & 0xC0 {
            0x00 => Some(Scheme::Des),
            0x40 => Some(Scheme::TripleDes3),
            0x80 => Some(Scheme::Aes),
            _ => None,
        }
    }

    pub(super) fn bits(self) -> u8 {
        match self {
            Scheme::Des => 0x00,
            Scheme::TripleDes3 => 0x40,
            Scheme::Aes => 0x80,
        }
    }

    /// Bytes of a key.
    pub(super) fn length(self) -> usize {
        match self {
            Scheme::Des | Scheme::Aes => 16,
            Scheme::TripleDes3 => 24,
        }
    }
}

/// One key. Its debug form hides it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    scheme: Scheme,
    /// As many bytes as the scheme has, then zeros.
    bytes: [u8; 24],
    /// Of an AES key; the others carry theirs in their parity bits.
    version: u8,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?} …)", self.scheme)
    }
}

impl Key {
    pub(super) fn zero(scheme: Scheme) -> Key {
        Key::new(scheme, &vec![0; scheme.length()], 0)
    }

    /// A key of its bytes, of which there are at least as many as the scheme has.
    pub(super) fn new(scheme: Scheme, bytes: &[u8], version: u8) -> Key {
        let mut padded = [0; 24];
        padded[..scheme.length()].copy_from_slice(&bytes[..scheme.length()]);
        Key {
            scheme,
            bytes: padded,
            version,
        }
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.scheme.length()]
    }

    pub(super) fn aes(&self) -> Option<[u8; 16]> {
        let bytes = self.bytes.first_chunk().copied();
        bytes.filter(|_| self.scheme == Scheme::Aes)
    }

    pub(super) fn version(&self) -> u8 {
        match self.scheme {
            Scheme::Aes => self.version,
            Scheme::Des | Scheme::TripleDes3 => self.bytes[..8]
                .iter()
                .fold(0, |version, byte| (version << 1) | (byte & 1)),
        }
    }

    pub(super) fn cipher(&self) -> Cipher {
        match self.scheme {
            Scheme::Des => Cipher::triple_des_2(&two_keys(self.bytes())),
            Scheme::TripleDes3 => Cipher::triple_des_3(&self.bytes),
            Scheme::Aes => Cipher::aes(&two_keys(self.bytes())),
        }
    }

    /// Bytes of the random numbers in its authentication.
    pub(super) fn random_length(&self) -> usize {
        match self.scheme {
            Scheme::Des => 8,
            Scheme::TripleDes3 | Scheme::Aes => 16,
        }
    }

    /// The session key of the authentications before EV2: pieces of both random numbers.
    pub(super) fn session_key(&self, a: &[u8], b: &[u8]) -> Cipher {
        match self.scheme {
            Scheme::Des if self.is_single_des() => {
                let half = [&a[..4], &b[..4]].concat();
                Cipher::triple_des_2(&two_keys(&[&half[..], &half].concat()))
            }
            Scheme::Des => {
                let both = [&a[..4], &b[..4], &a[4..8], &b[4..8]].concat();
                Cipher::triple_des_2(&two_keys(&both))
            }
            Scheme::TripleDes3 => {
                let three = [&a[..4], &b[..4], &a[6..10], &b[6..10], &a[12..], &b[12..]].concat();
                Cipher::triple_des_3(&three.try_into().expect("six pieces of four bytes"))
            }
            Scheme::Aes => {
                let both = [&a[..4], &b[..4], &a[12..], &b[12..]].concat();
                Cipher::aes(&two_keys(&both))
            }
        }
    }

    /// Parity bits do not count.
    fn is_single_des(&self) -> bool {
        let (first, second) = self.bytes[..16].split_at(8);
        first.iter().zip(second).all(|(a, b)| a | 1 == b | 1)
    }
}

fn two_keys(bytes: &[u8]) -> [u8; 16] {
    bytes.try_into().expect("two keys of eight bytes")
}

#[cfg(test)]
mod tests {
    use super::{Key, Scheme};

    #[test]
    fn a_des_keys_version_is_in_its_parity_bits() {
        let mut bytes = [0xFE; 16];
        bytes[0] |= 1;
        bytes[7] |= 1;
        assert_eq!(Key::new(Scheme::Des, &bytes, 0x55).version(), 0x81);
        assert_eq!(Key::new(Scheme::Aes, &bytes, 0x55).version(), 0x55);
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = Key::new(Scheme::Aes, &[0xAB; 16], 1);
        assert_eq!(format!("{key:?}"), "Key(Aes …)");
    }
}
