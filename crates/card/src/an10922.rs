//! Key diversification after NXP AN10922 (rev. 2.2, 2.2 "AES-128 key"): one card, one key, from one master.
//!
//! This is not plain CMAC: the input is always padded to two blocks, also when it is shorter than one
//! (nfc-tools/libfreefare#91 tripped over that).

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::{Zeroize, Zeroizing};

/// The constant that AN10922 puts before the input of an AES-128 diversification.
const AES128: u8 = 0x01;

/// Derives an AES-128 key from `master` for the diversification input `input` (AN10922, 2.2.1).
///
/// # Panics
/// Unless `input` has 1 to 31 bytes. Callers build it of a UID (10 bytes at most) and two codes.
pub(crate) fn diversify(master: &[u8; 16], input: &[u8]) -> Zeroizing<[u8; 16]> {
    assert!(
        (1..=31).contains(&input.len()),
        "AN10922 takes 1 to 31 bytes of diversification input"
    );
    let cipher = Aes128::new(master.into());
    let mut message = [0; 32];
    message[0] = AES128;
    message[1..=input.len()].copy_from_slice(input);
    let whole = input.len() == 31;
    if !whole {
        message[1 + input.len()] = 0x80;
    }

    let mut subkey = [0; 16];
    encrypt(&cipher, &mut subkey);
    double(&mut subkey);
    if !whole {
        double(&mut subkey);
    }
    xor(&mut message[16..], &subkey);

    let mut chained = Zeroizing::new([0; 16]);
    for block in message.chunks_exact(16) {
        xor(&mut chained[..], block);
        encrypt(&cipher, &mut chained);
    }
    subkey.zeroize();
    message.zeroize();
    chained
}

fn encrypt(cipher: &Aes128, block: &mut [u8; 16]) {
    cipher.encrypt_block(block.into());
}

fn xor(target: &mut [u8], with: &[u8]) {
    for (byte, other) in target.iter_mut().zip(with) {
        *byte ^= other;
    }
}

/// Doubles in GF(2^128) (NIST SP 800-38B, 6.1).
pub(crate) fn double(block: &mut [u8; 16]) {
    let carry = block[0] >> 7;
    for at in 0..15 {
        block[at] = (block[at] << 1) | (block[at + 1] >> 7);
    }
    block[15] = (block[15] << 1) ^ (carry * 0x87);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(master: &str, input: &str, derived: &str) {
        let master: [u8; 16] = hex::decode(master).unwrap().try_into().unwrap();
        let key = diversify(&master, &hex::decode(input).unwrap());
        assert_eq!(hex::encode_upper(*key), derived, "input {input}");
    }

    #[test]
    fn the_example_of_an10922_comes_out() {
        check(
            "00112233445566778899AABBCCDDEEFF",
            "04782E21801D803042F54E585020416275",
            "A8DD63A3B89D54B37CA802473FDA9175",
        );
    }

    #[test]
    fn an_input_shorter_than_a_block_is_padded_to_two_as_in_an10957() {
        check(
            "F3F9377698707B688EAF84ABE39E3791",
            "04DEADBEEFFEED",
            "0BB408BAFF98B6EE9F2E1585777F6A51",
        );
    }

    #[test]
    fn the_subkeys_of_the_example_come_out() {
        let master: [u8; 16] = hex::decode("00112233445566778899AABBCCDDEEFF")
            .unwrap()
            .try_into()
            .unwrap();
        let mut subkey = [0; 16];
        encrypt(&Aes128::new(&master.into()), &mut subkey);
        assert_eq!(
            hex::encode_upper(subkey),
            "FDE4FBAE4A09E020EFF722969F83832B"
        );
        double(&mut subkey);
        assert_eq!(
            hex::encode_upper(subkey),
            "FBC9F75C9413C041DFEE452D3F0706D1"
        );
        double(&mut subkey);
        assert_eq!(
            hex::encode_upper(subkey),
            "F793EEB928278083BFDC8A5A7E0E0D25"
        );
    }

    #[test]
    fn an_input_that_fills_both_blocks_is_plain_cmac() {
        use cmac::{Cmac, Mac};
        let master = [0x5A; 16];
        let input = [0xC3; 31];
        let mut mac = <Cmac<Aes128> as cmac::KeyInit>::new(&master.into());
        mac.update(&[AES128]);
        mac.update(&input);
        assert_eq!(*diversify(&master, &input), *mac.finalize().into_bytes());
    }
}
