//! The authentication of Ultralight C: 2K3DES in cipher-block chaining, whose chain runs through all
//! messages of both sides (MF0ICU2 §7.5.5).

use std::fmt;

use des::TdesEde2;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use super::model::PAGE;

/// A key as programs name it. Its debug form hides it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([u8; 16]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Each half lies in its two pages with its last byte first (MF0ICU2 table 11).
    pub(super) fn of_pages(pages: [[u8; PAGE]; 4]) -> Key {
        let mut key = [0; 16];
        key.copy_from_slice(pages.as_flattened());
        key[..8].reverse();
        key[8..].reverse();
        Key(key)
    }
}

/// The card's side between the two messages of the reader. Its debug form hides it.
#[derive(Clone)]
pub(super) struct Challenge {
    random: [u8; 8],
    chain: Chain,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge(…)")
    }
}

impl Challenge {
    /// The challenge, and what is sent of it: `ek(RndB)`.
    pub(super) fn new(key: Key, random: [u8; 8]) -> (Challenge, [u8; 8]) {
        let mut chain = Chain { key, last: [0; 8] };
        let sent = chain.encrypt(random);
        (Challenge { random, chain }, sent)
    }

    /// Takes `ek(RndA ‖ RndB')` and gives `ek(RndA')`; `None` if the reader has another key.
    pub(super) fn answer(mut self, message: &[u8; 16]) -> Option<[u8; 8]> {
        let ([first, second], []) = message.as_chunks() else {
            unreachable!("16 bytes are two blocks")
        };
        let theirs = self.chain.decrypt(*first);
        let ours = self.chain.decrypt(*second);
        (ours == rotated(self.random)).then(|| self.chain.encrypt(rotated(theirs)))
    }
}

/// One byte to the left.
fn rotated(mut random: [u8; 8]) -> [u8; 8] {
    random.rotate_left(1);
    random
}

#[derive(Clone)]
struct Chain {
    key: Key,
    last: [u8; 8],
}

impl Chain {
    fn cipher(&self) -> TdesEde2 {
        TdesEde2::new(&self.key.0.into())
    }

    fn encrypt(&mut self, plain: [u8; 8]) -> [u8; 8] {
        let mut block = xor(plain, self.last).into();
        self.cipher().encrypt_block(&mut block);
        self.last = block.into();
        self.last
    }

    fn decrypt(&mut self, enciphered: [u8; 8]) -> [u8; 8] {
        let mut block = enciphered.into();
        self.cipher().decrypt_block(&mut block);
        let plain = xor(block.into(), self.last);
        self.last = enciphered;
        plain
    }
}

fn xor(a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    std::array::from_fn(|at| a[at] ^ b[at])
}

/// The other side, for tests.
#[cfg(test)]
pub(super) mod reader {
    use super::{Chain, Key, rotated};

    /// The second message of a reader that knows this key, and the answer that it then expects.
    pub(crate) fn reply(key: &[u8; 16], challenge: &[u8], random: [u8; 8]) -> (Vec<u8>, Vec<u8>) {
        let mut chain = Chain {
            key: Key(*key),
            last: [0; 8],
        };
        let theirs = chain.decrypt(challenge[1..].try_into().unwrap());
        let mut message = vec![0xAF];
        message.extend(chain.encrypt(random));
        message.extend(chain.encrypt(rotated(theirs)));
        let mut answer = vec![0x00];
        answer.extend(chain.encrypt(rotated(random)));
        (message, answer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, Key};

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text.replace(' ', ""))
            .unwrap()
            .try_into()
            .unwrap()
    }

    #[test]
    fn a_key_lies_in_its_pages_with_its_halves_turned_round() {
        let pages = [[7, 6, 5, 4], [3, 2, 1, 0], [15, 14, 13, 12], [11, 10, 9, 8]];
        assert_eq!(
            Key::of_pages(pages).0,
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
        );
        assert_eq!(
            Key::of_pages([*b"BREA", *b"KMEI", *b"FYOU", *b"CAN!"]).0,
            *b"IEMKAERB!NACUOYF"
        );
    }

    #[test]
    fn the_example_of_the_data_sheet_comes_out() {
        // MF0ICU2 §7.5.6; it does not name its key, which is the one of delivery.
        let key = Key::of_pages([*b"BREA", *b"KMEI", *b"FYOU", *b"CAN!"]);
        let (challenge, sent) = Challenge::new(key, bytes("51E764602678DF2B"));
        assert_eq!(sent, bytes("577293FD2F34CA51"));
        let message = bytes("0A638559FC7737F9 F15D7862EBBE967A");
        assert_eq!(
            challenge.clone().answer(&message),
            Some(bytes("3B884FA07C137CE1"))
        );
        for at in 0..16 {
            let mut wrong: [u8; 16] = message;
            wrong[at] ^= 0x10;
            assert_eq!(challenge.clone().answer(&wrong), None, "byte {at}");
        }
    }
}
