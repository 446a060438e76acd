//! The 3DES authentication of Ultralight C, from the reader's side (NXP MF0ICU2, 7.5.5 and 7.5.6).

use des::TdesEde2;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::PageData;

const BLOCK: usize = 8;

/// A 2K3DES key: 16 bytes, key 1 and then key 2. Zeroised and never printed.
pub(super) struct TripleDesKey(Zeroizing<[u8; 16]>);

/// What the card has to answer to prove that it holds the key as well.
pub(super) struct Expected([u8; BLOCK]);

impl TripleDesKey {
    pub(super) fn new(key: Zeroizing<[u8; 16]>) -> Self {
        Self(key)
    }

    /// The four pages from 2Ch on: each half of the key with its last byte first (MF0ICU2, 7.5.7).
    pub(super) fn pages(&self) -> [PageData; 4] {
        let key = &*self.0;
        std::array::from_fn(|page| {
            let end = page / 2 * BLOCK + BLOCK - page % 2 * 4;
            PageData::new(std::array::from_fn(|byte| key[end - 1 - byte]))
        })
    }

    /// Answers the challenge ek(RndB) with ek(RndA ‖ RndB'), and says which ek(RndA') the card must answer with. CBC goes on
    /// from one message to the next, starting at zero; ' turns left by one byte.
    pub(super) fn answer(
        &self,
        challenge: [u8; BLOCK],
        random: [u8; BLOCK],
    ) -> ([u8; 16], Expected) {
        let cipher = TdesEde2::new((&*self.0).into());
        let mut turned = challenge;
        cipher.decrypt_block((&mut turned).into());
        turned.rotate_left(1);
        let first = encrypt(&cipher, challenge, random);
        let second = encrypt(&cipher, first, turned);
        let mut cryptogram = [0; 16];
        cryptogram[..BLOCK].copy_from_slice(&first);
        cryptogram[BLOCK..].copy_from_slice(&second);
        let mut random = random;
        random.rotate_left(1);
        (cryptogram, Expected(encrypt(&cipher, second, random)))
    }
}

impl Expected {
    /// Whether the card answered 00h and that.
    pub(super) fn is(&self, answer: &[u8]) -> bool {
        answer
            .strip_prefix(&[0x00])
            .is_some_and(|proof| proof.ct_eq(&self.0).into())
    }
}

/// One block of CBC.
fn encrypt(cipher: &TdesEde2, previous: [u8; BLOCK], block: [u8; BLOCK]) -> [u8; BLOCK] {
    let mut chained = std::array::from_fn(|at| previous[at] ^ block[at]);
    cipher.encrypt_block((&mut chained).into());
    chained
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        hex::decode(hex).unwrap().try_into().unwrap()
    }

    fn key(hex: &str) -> TripleDesKey {
        TripleDesKey::new(Zeroizing::new(bytes(hex)))
    }

    #[test]
    fn the_example_of_the_data_sheet_comes_out() {
        let (cryptogram, expected) = key("49454D4B41455242214E4143554F5946")
            .answer(bytes("577293FD2F34CA51"), bytes("A8AF3B256C75ED40"));
        assert_eq!(cryptogram, bytes("0A638559FC7737F9F15D7862EBBE967A"));
        assert!(expected.is(&bytes::<9>("003B884FA07C137CE1")));
        for wrong in ["003B884FA07C137CE0", "AF3B884FA07C137CE1", "00"] {
            assert!(!expected.is(&hex::decode(wrong).unwrap()));
        }
    }

    #[test]
    fn key_pages_are_those_of_the_data_sheet() {
        for (hex, pages) in [
            (
                "000102030405060708090A0B0C0D0E0F",
                "07060504030201000F0E0D0C0B0A0908",
            ),
            (
                "49454D4B41455242214E4143554F5946",
                "425245414B4D454946594F5543414E21",
            ),
        ] {
            let found = key(hex).pages().map(|page| *page.expose()).concat();
            assert_eq!(hex::encode_upper(found), pages);
        }
    }
}
