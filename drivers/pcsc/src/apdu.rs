//! The storage-card commands of PC/SC part 3, 3.2.2: bytes in, bytes out.

use card::{ClassicKey, KeyType};
use zeroize::Zeroizing;

use crate::error::PcscError;
use crate::quirks::KeyPlace;

/// Bytes of a Classic block, and of the four pages that one reading of a Type 2 card yields.
pub(crate) const BLOCK: u8 = 16;

/// A command for the reader. It may hold a key or a credential.
pub(crate) type Apdu = Zeroizing<Vec<u8>>;

/// GET DATA: the UID (3.2.2.1.3).
pub(crate) const GET_UID: [u8; 5] = [0xFF, 0xCA, 0x00, 0x00, 0x00];

/// LOAD KEYS (3.2.2.1.4).
pub(crate) fn load_key(place: KeyPlace, key_type: KeyType, key: &ClassicKey) -> Apdu {
    let (structure, number) = (place.structure(), place.loaded_as(key_type));
    joined(&[0xFF, 0x82, structure, number, 6], key.expose())
}

/// GENERAL AUTHENTICATE with the key that was loaded (3.2.2.1.6).
pub(crate) fn authenticate(place: KeyPlace, block: u8, key_type: KeyType) -> Apdu {
    let key_type = match key_type {
        KeyType::A => 0x60,
        KeyType::B => 0x61,
    };
    joined(
        &[0xFF, 0x86, 0x00, 0x00, 5],
        &[0x01, 0x00, block, key_type, place.used_as()],
    )
}

/// READ BINARY (3.2.2.1.8) of a block, or of four pages.
pub(crate) fn read(block: u8) -> Apdu {
    joined(&[0xFF, 0xB0, 0x00, block, BLOCK], &[])
}

/// UPDATE BINARY (3.2.2.1.9) of a block of 16 bytes or a page of four.
pub(crate) fn update<const N: usize>(block: u8, data: &[u8; N]) -> Apdu {
    const { assert!(N <= BLOCK as usize) };
    joined(&[0xFF, 0xD6, 0x00, block, N as u8], data)
}

fn joined(head: &[u8; 5], body: &[u8]) -> Apdu {
    let mut bytes = Zeroizing::new(Vec::with_capacity(head.len() + body.len()));
    bytes.extend(head);
    bytes.extend(body);
    bytes
}

/// Parts an answer into data and status word. No answer at all is what some drivers give for a card that left in the
/// middle.
pub(crate) fn split(answer: &[u8]) -> Result<(&[u8], u16), PcscError> {
    match answer.split_last_chunk() {
        Some((data, status)) => Ok((data, u16::from_be_bytes(*status))),
        None if answer.is_empty() => Err(pcsc::Error::NotTransacted.into()),
        None => Err(PcscError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_the_standard() {
        let key = ClassicKey::new([1, 2, 3, 4, 5, 6]);
        for (place, key_type, load, authentication) in [
            (KeyPlace::Persistent, KeyType::A, [0x20, 0x00], [0x60, 0x00]),
            (KeyPlace::Volatile, KeyType::B, [0x00, 0x00], [0x61, 0x00]),
            (KeyPlace::ByKeyType, KeyType::A, [0x00, 0x60], [0x60, 0x01]),
            (KeyPlace::ByKeyType, KeyType::B, [0x00, 0x61], [0x61, 0x01]),
        ] {
            let loaded = load_key(place, key_type, &key);
            assert_eq!(loaded[..2], [0xFF, 0x82]);
            assert_eq!(loaded[2..4], load);
            assert_eq!(loaded[4..], [6, 1, 2, 3, 4, 5, 6]);
            let authenticated = authenticate(place, 7, key_type);
            assert_eq!(authenticated[..8], [0xFF, 0x86, 0, 0, 5, 0x01, 0x00, 0x07]);
            assert_eq!(authenticated[8..], authentication);
        }
        assert_eq!(*read(4), [0xFF, 0xB0, 0x00, 0x04, 0x10]);
        let update = update(5, &[0xAB; 16]);
        assert_eq!(update[..5], [0xFF, 0xD6, 0x00, 0x05, 0x10]);
        assert_eq!(update[5..], [0xAB; 16]);
        let page = [0xFF, 0xD6, 0x00, 0x08, 0x04, 1, 2, 3, 4];
        assert_eq!(*super::update(8, &[1, 2, 3, 4]), page);
    }

    #[test]
    fn an_answer_ends_in_its_status_word() {
        assert_eq!(split(&[0x63, 0x00]).unwrap(), (&[][..], 0x6300));
        assert_eq!(split(&[1, 2, 0x90, 0x00]).unwrap(), (&[1, 2][..], 0x9000));
        assert!(split(&[0x90]).is_err());
        assert!(matches!(
            split(&[]),
            Err(PcscError::Service(pcsc::Error::NotTransacted))
        ));
    }
}
