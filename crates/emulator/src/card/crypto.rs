//! Ciphers, chaining and checksums of the cards that speak ISO/IEC 14443-4. Written here from the
//! documents; only the block ciphers themselves are shared with anybody.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::TdesEde3;

/// Block size of AES, and the most that any cipher here has.
const WIDEST: usize = 16;

/// A block cipher under one key.
#[derive(Clone)]
pub(crate) enum Cipher {
    /// DES, 2K3DES and 3K3DES: the shorter ones are 3K3DES with keys repeated.
    TripleDes(Box<TdesEde3>),
    Aes(Box<Aes128>),
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(…)")
    }
}

impl Cipher {
    pub(crate) fn aes(key: &[u8; 16]) -> Cipher {
        Cipher::Aes(Box::new(Aes128::new(&Array(*key))))
    }

    /// Two keys, the first used again as the third; with equal halves this is single DES.
    pub(crate) fn triple_des_2(key: &[u8; 16]) -> Cipher {
        let mut three = [0; 24];
        three[..16].copy_from_slice(key);
        three[16..].copy_from_slice(&key[..8]);
        Cipher::triple_des_3(&three)
    }

    pub(crate) fn triple_des_3(key: &[u8; 24]) -> Cipher {
        Cipher::TripleDes(Box::new(TdesEde3::new(&Array(*key))))
    }

    /// Bytes in a block.
    pub(crate) fn width(&self) -> usize {
        match self {
            Cipher::TripleDes(_) => 8,
            Cipher::Aes(_) => 16,
        }
    }

    pub(crate) fn encrypt_block(&self, block: &mut [u8]) {
        match self {
            Cipher::TripleDes(cipher) => cipher.encrypt_block(whole(block)),
            Cipher::Aes(cipher) => cipher.encrypt_block(whole(block)),
        }
    }

    fn decrypt_block(&self, block: &mut [u8]) {
        match self {
            Cipher::TripleDes(cipher) => cipher.decrypt_block(whole(block)),
            Cipher::Aes(cipher) => cipher.decrypt_block(whole(block)),
        }
    }

    /// CBC encryption of whole blocks. The vector is left as the last block sent.
    pub(crate) fn encrypt(&self, vector: &mut Vector, data: &mut [u8]) {
        for block in data.chunks_exact_mut(self.width()) {
            vector.mix_into(block);
            self.encrypt_block(block);
            vector.set(block);
        }
    }

    /// CBC decryption of whole blocks. The vector is left as the last block received.
    pub(crate) fn decrypt(&self, vector: &mut Vector, data: &mut [u8]) {
        for block in data.chunks_exact_mut(self.width()) {
            let mut received = Vector::default();
            received.set(block);
            self.decrypt_block(block);
            vector.mix_into(block);
            *vector = received;
        }
    }

    /// What undoes a sender that chains by CBC but deciphers each block instead of enciphering it, as
    /// hosts do with the oldest DESFire protocol.
    pub(crate) fn undo_deciphering(&self, vector: &mut Vector, data: &mut [u8]) {
        for block in data.chunks_exact_mut(self.width()) {
            let mut received = Vector::default();
            received.set(block);
            self.encrypt_block(block);
            vector.mix_into(block);
            *vector = received;
        }
    }

    /// CMAC (NIST SP 800-38B) that goes on from a vector and leaves its result there.
    pub(crate) fn cmac(&self, vector: &mut Vector, message: &[u8]) -> [u8; WIDEST] {
        let width = self.width();
        let mut padded = message.to_vec();
        let is_whole = !message.is_empty() && message.len().is_multiple_of(width);
        if !is_whole {
            pad_with_80(&mut padded, width);
        }
        let mut subkey = self.subkey([0; WIDEST], true);
        if !is_whole {
            subkey = self.subkey(subkey, false);
        }
        let last = padded.len() - width;
        padded[last..]
            .iter_mut()
            .zip(subkey)
            .for_each(|(byte, key)| *byte ^= key);
        self.encrypt(vector, &mut padded);
        vector.0
    }

    /// The next subkey: doubled in the field that fits the width, the first from an enciphered zero.
    fn subkey(&self, mut from: [u8; WIDEST], is_first: bool) -> [u8; WIDEST] {
        let width = self.width();
        let block = &mut from[..width];
        if is_first {
            self.encrypt_block(block);
        }
        let reduction = match (block[0] & 0x80, width) {
            (0, _) => 0x00,
            (_, 8) => 0x1B,
            _ => 0x87,
        };
        for n in 0..width {
            let carry = block.get(n + 1).map_or(0, |next| next >> 7);
            block[n] = (block[n] << 1) | carry;
        }
        block[width - 1] ^= reduction;
        from
    }
}

/// A cipher's block as the type that it wants.
fn whole<N: aes::cipher::array::ArraySize>(block: &mut [u8]) -> &mut Array<u8, N> {
    block
        .try_into()
        .expect("blocks are cut to the cipher's width")
}

/// The chaining vector of CBC; only as many bytes count as the cipher is wide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Vector([u8; WIDEST]);

impl Vector {
    pub(crate) fn of(bytes: [u8; WIDEST]) -> Vector {
        Vector(bytes)
    }

    fn set(&mut self, block: &[u8]) {
        self.0[..block.len()].copy_from_slice(block);
    }

    fn mix_into(self, block: &mut [u8]) {
        block
            .iter_mut()
            .zip(self.0)
            .for_each(|(byte, mixed)| *byte ^= mixed);
    }
}

/// Pads with 80 00 … to whole blocks, by a whole block if there is no room (ISO/IEC 9797-1, method 2).
pub(crate) fn pad_with_80(data: &mut Vec<u8>, width: usize) {
    data.push(0x80);
    data.resize(data.len().next_multiple_of(width), 0x00);
}

/// Takes such padding off; `None` if there is none.
pub(crate) fn unpad_80(data: &[u8]) -> Option<&[u8]> {
    let end = data.iter().rposition(|&byte| byte != 0x00)?;
    (data[end] == 0x80).then_some(&data[..end])
}

/// CRC-32 of DESFire and NTAG 424 DNA: polynomial EDB88320 (reflected), initial value FFFFFFFF, not
/// inverted at the end, sent low byte first.
pub(crate) fn crc32(parts: &[&[u8]]) -> [u8; 4] {
    let mut crc = u32::MAX;
    for &byte in parts.iter().copied().flatten() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    crc.to_le_bytes()
}

/// Turns a random number by one byte, as both sides do to prove that they read it.
pub(crate) fn turned(random: &[u8]) -> Vec<u8> {
    let mut turned = random.to_vec();
    turned.rotate_left(1);
    turned
}

#[cfg(test)]
mod tests {
    use super::{Cipher, Vector, crc32, pad_with_80, unpad_80};

    fn bytes<const N: usize>(hex_digits: &str) -> [u8; N] {
        hex::decode(hex_digits).unwrap().try_into().unwrap()
    }

    #[test]
    fn aes_cmac_agrees_with_rfc_4493_section_4() {
        let cipher = Cipher::aes(&bytes("2b7e151628aed2a6abf7158809cf4f3c"));
        let message = hex::decode(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
             30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
        )
        .unwrap();
        for (length, expected) in [
            (0, "bb1d6929e95937287fa37d129b756746"),
            (16, "070a16b46b4d4144f79bdd9dd04a287c"),
            (40, "dfa66747de9ae63030ca32611497c827"),
            (64, "51f0bebf7e3b9d92fc49741779363cfe"),
        ] {
            let mac = cipher.cmac(&mut Vector::default(), &message[..length]);
            assert_eq!(hex::encode(mac), expected);
        }
    }

    #[test]
    fn three_key_des_cmac_agrees_with_nist_sp_800_38b_appendix_d() {
        let key = bytes("8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5");
        let cipher = Cipher::triple_des_3(&key);
        let message = hex::decode("6bc1bee22e409f96e93d7e117393172aae2d8a57").unwrap();
        for (length, expected) in [
            (0, "b7a688e122ffaf95"),
            (8, "8e8f293136283797"),
            (20, "743ddbe0ce2dc2ed"),
        ] {
            let mac = cipher.cmac(&mut Vector::default(), &message[..length]);
            assert_eq!(hex::encode(&mac[..8]), expected);
        }
    }

    #[test]
    fn equal_halves_are_single_des() {
        // FIPS 81's example of DES in ECB mode.
        let key: [u8; 8] = bytes("0123456789abcdef");
        let cipher = Cipher::triple_des_2(&[key, key].concat().try_into().unwrap());
        let mut block: [u8; 8] = bytes("4e6f772069732074");
        cipher.encrypt_block(&mut block);
        assert_eq!(hex::encode(block), "3fa40e8a984d4815");
    }

    #[test]
    fn what_a_host_deciphered_is_undone() {
        let cipher = Cipher::triple_des_2(&bytes("00112233445566778899aabbccddeeff"));
        let plain = *b"two blocks of 8.";
        let mut sent = plain;
        let mut chained = [0; 8];
        for block in sent.chunks_exact_mut(8) {
            block.iter_mut().zip(chained).for_each(|(a, b)| *a ^= b);
            cipher.decrypt_block(block);
            chained = (&*block).try_into().unwrap();
        }
        cipher.undo_deciphering(&mut Vector::default(), &mut sent);
        assert_eq!(sent, plain);
    }

    #[test]
    fn crc32_agrees_with_the_key_of_an12196_table_26() {
        let key: [u8; 16] = bytes("f3847d627727ed3bc9c4cc050489b966");
        assert_eq!(hex::encode(crc32(&[&key])), "789dfadc");
    }

    #[test]
    fn padding_comes_off_as_it_went_on() {
        for length in 0..33 {
            let data = vec![0x80; length];
            let mut padded = data.clone();
            pad_with_80(&mut padded, 16);
            assert!(padded.len() > length && padded.len().is_multiple_of(16));
            assert_eq!(unpad_80(&padded), Some(&data[..]));
        }
        assert_eq!(unpad_80(&[0; 16]), None);
        assert_eq!(unpad_80(&[1; 16]), None);
    }
}
