//! AES-128 in CBC mode, and the checksums that native commands carry.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use zeroize::Zeroize;

/// One AES block, and the length of a key.
pub(super) const BLOCK: usize = 16;

/// Enciphers whole blocks; afterwards `iv` is the last of them.
pub(super) fn encrypt(key: &[u8; BLOCK], iv: &mut [u8; BLOCK], data: &mut [u8]) {
    let cipher = Aes128::new(key.into());
    for block in data.as_chunks_mut::<BLOCK>().0 {
        xor(block, iv);
        cipher.encrypt_block(block.into());
        *iv = *block;
    }
}

/// Deciphers whole blocks; afterwards `iv` is the last of the enciphered ones.
pub(super) fn decrypt(key: &[u8; BLOCK], iv: &mut [u8; BLOCK], data: &mut [u8]) {
    let cipher = Aes128::new(key.into());
    for block in data.as_chunks_mut::<BLOCK>().0 {
        let mut enciphered = *block;
        cipher.decrypt_block(block.into());
        xor(block, iv);
        *iv = enciphered;
        enciphered.zeroize();
    }
}

/// Adds zeros up to a whole number of blocks.
pub(super) fn fill_block(data: &mut Vec<u8>) {
    data.resize(data.len().next_multiple_of(BLOCK), 0);
}

pub(super) fn xor(target: &mut [u8], with: &[u8]) {
    for (byte, other) in target.iter_mut().zip(with) {
        *byte ^= other;
    }
}

/// The CRC-32 of DESFire: ISO-HDLC without the final inversion ("JAMCRC"), least significant byte first (NXP MF3ICD81, 8.5).
pub(super) fn crc32(parts: &[&[u8]]) -> [u8; 4] {
    let bytes = parts.iter().flat_map(|part| part.iter());
    let crc = bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    });
    crc.to_le_bytes()
}

/// CRC_A (ISO/IEC 14443-3, annex B), least significant byte first.
pub(super) fn crc16(bytes: &[u8]) -> [u8; 2] {
    let crc = bytes.iter().fold(0x6363_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            (crc >> 1) ^ (0x8408 * (crc & 1))
        })
    });
    crc.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_come_out_as_published() {
        // CRC RevEng catalogue: check values of CRC-32/JAMCRC and CRC-16/ISO-IEC-14443-3-A.
        assert_eq!(crc32(&[b"1234", b"56789"]), 0x340B_C6D9_u32.to_le_bytes());
        assert_eq!(crc16(b"123456789"), 0xBF05_u16.to_le_bytes());
    }

    #[test]
    fn the_checksum_of_a_new_key_is_that_of_an12196_table_26() {
        let key = hex::decode("F3847D627727ED3BC9C4CC050489B966").unwrap();
        assert_eq!(hex::encode_upper(crc32(&[&key])), "789DFADC");
    }

    /// NIST SP 800-38A, F.2.1 and F.2.2.
    #[test]
    fn cbc_comes_out_as_in_sp_800_38a_and_is_undone() {
        let key = hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap();
        let key: [u8; 16] = key.try_into().unwrap();
        let iv: [u8; 16] = std::array::from_fn(|at| at as u8);
        let plain = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
        let mut data = hex::decode(plain).unwrap();
        encrypt(&key, &mut iv.clone(), &mut data);
        assert_eq!(
            hex::encode(&data),
            "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        );
        let mut chained = iv;
        decrypt(&key, &mut chained, &mut data);
        assert_eq!(hex::encode(&data), plain);
        assert_eq!(hex::encode(chained), "5086cb9b507219ee95db113a917678b2");
    }
}
