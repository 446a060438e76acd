//! Secure messaging of DESFire EV1 after an AES authentication: one key and one initialisation vector that runs through
//! every command and answer (NXP MF3ICD81, 8.4; nfc-tools/libfreefare, mifare_desfire_crypto.c).

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::call::{Body, Call};
use super::cipher::{BLOCK, crc32, decrypt, encrypt, fill_block, xor};
use crate::an10922::double;

/// The bytes of a MAC that are sent.
const MAC: usize = 8;
const CRC: usize = 4;

/// A session. The vector is the last cipher block or the last CMAC, whichever was later.
#[derive(Clone, ZeroizeOnDrop)]
pub(super) struct Ev1 {
    key: [u8; BLOCK],
    iv: [u8; BLOCK],
}

impl Ev1 {
    /// The session that two challenges make.
    pub(super) fn new(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> Self {
        let mut key = [0; BLOCK];
        for (at, part) in [&a[..4], &b[..4], &a[12..], &b[12..]].iter().enumerate() {
            key[at * 4..at * 4 + 4].copy_from_slice(part);
        }
        Self {
            key,
            iv: [0; BLOCK],
        }
    }

    /// What goes over the air after the instruction.
    pub(super) fn protect(&mut self, call: &Call) -> Zeroizing<Vec<u8>> {
        let mut sent = Zeroizing::new(call.header.clone());
        match &call.body {
            Body::NewKey {
                key,
                version,
                of_session,
            } => {
                sent.extend_from_slice(&self.new_key(call, key, *version, *of_session));
            }
            Body::Nothing => {
                self.mac(&[&[call.instruction], &sent]);
            }
            Body::Data { bytes, .. } => {
                sent.extend_from_slice(bytes);
                let mac = self.mac(&[&[call.instruction], &sent]);
                sent.extend_from_slice(&mac);
            }
        }
        sent
    }

    /// Key, version, checksum over the whole command, and, unless it opened the session, checksum over the key.
    fn new_key(
        &mut self,
        call: &Call,
        key: &[u8; BLOCK],
        version: u8,
        of_session: bool,
    ) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(2 * BLOCK));
        plain.extend_from_slice(key);
        plain.push(version);
        let checksum = crc32(&[&[call.instruction], &call.header, &plain]);
        plain.extend_from_slice(&checksum);
        if !of_session {
            plain.extend_from_slice(&crc32(&[key]));
        }
        fill_block(&mut plain);
        encrypt(&self.key, &mut self.iv, &mut plain);
        plain
    }

    /// The content of an answer that ended with status 00; `None` when it does not verify.
    pub(super) fn open(&mut self, call: &Call, answer: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if call.enciphers_answer {
            return self.decipher(answer);
        }
        let (data, sent) = answer.split_last_chunk::<MAC>()?;
        let mac = self.mac(&[data, &[0x00]]);
        bool::from(mac.ct_eq(sent)).then(|| Zeroizing::new(data.to_vec()))
    }

    /// Content, checksum over content and status, zeros; the length of the content is where the checksum is right and zeros
    /// follow.
    fn decipher(&mut self, answer: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if answer.is_empty() || !answer.len().is_multiple_of(BLOCK) {
            return None;
        }
        let mut plain = Zeroizing::new(answer.to_vec());
        decrypt(&self.key, &mut self.iv, &mut plain);
        let shortest = plain.len().saturating_sub(BLOCK + CRC);
        let length = (shortest..=plain.len() - CRC).find(|length| {
            let (content, rest) = plain.split_at(*length);
            let (checksum, padding) = rest.split_at(CRC);
            padding.iter().all(|byte| *byte == 0) && crc32(&[content, &[0x00]]) == checksum
        })?;
        plain.truncate(length);
        Some(plain)
    }

    /// CMAC over the parts, started with the vector and leaving it behind; its first half is what is sent.
    fn mac(&mut self, parts: &[&[u8]]) -> [u8; MAC] {
        let cipher = Aes128::new((&self.key).into());
        let mut message = Zeroizing::new(parts.concat());
        let mut subkey = [0; BLOCK];
        cipher.encrypt_block((&mut subkey).into());
        double(&mut subkey);
        if message.is_empty() || !message.len().is_multiple_of(BLOCK) {
            double(&mut subkey);
            message.push(0x80);
            fill_block(&mut message);
        }
        let last = message.len() - BLOCK;
        xor(&mut message[last..], &subkey);
        encrypt(&self.key, &mut self.iv, &mut message);
        subkey.zeroize();
        let mut mac = [0; MAC];
        mac.copy_from_slice(&self.iv[..MAC]);
        mac
    }

    /// What a card that has the key would answer with this content.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn forged(&mut self, call: &Call, content: &[u8]) -> Vec<u8> {
        let mut answer = content.to_vec();
        if call.enciphers_answer {
            answer.extend_from_slice(&crc32(&[content, &[0x00]]));
            fill_block(&mut answer);
            encrypt(&self.key, &mut self.iv, &mut answer);
        } else {
            answer.extend_from_slice(&self.mac(&[content, &[0x00]]));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(key: &str) -> Ev1 {
        Ev1 {
            key: hex::decode(key).unwrap().try_into().unwrap(),
            iv: [0; BLOCK],
        }
    }

    /// NIST SP 800-38B, D.1; from a zero vector the MAC of EV1 is plain CMAC.
    #[test]
    fn the_mac_of_a_new_session_is_plain_cmac() {
        let message = hex::decode(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
        )
        .unwrap();
        for (length, expected) in [
            (0, "bb1d6929e95937287fa37d129b756746"),
            (16, "070a16b46b4d4144f79bdd9dd04a287c"),
            (40, "dfa66747de9ae63030ca32611497c827"),
        ] {
            let mut session = session("2b7e151628aed2a6abf7158809cf4f3c");
            let mac = session.mac(&[&message[..length / 2], &message[length / 2..length]]);
            assert_eq!(hex::encode(session.iv), expected);
            assert_eq!(hex::encode(mac), expected[..16]);
        }
    }

    #[test]
    fn the_session_key_is_the_outer_quarters_of_both_challenges() {
        let a = std::array::from_fn(|at| at as u8);
        let b = std::array::from_fn(|at| 0x80 | at as u8);
        assert_eq!(
            hex::encode(Ev1::new(&a, &b).key),
            "00010203808182830c0d0e0f8c8d8e8f"
        );
    }

    #[test]
    fn the_vector_runs_from_command_to_answer_to_command() {
        let mut pcd = session("000102030405060708090a0b0c0d0e0f");
        let mut card = pcd.clone();
        for _ in 0..2 {
            let call = Call::key_version(1);
            assert_eq!(**pcd.protect(&call), [1]);
            card.mac(&[&[0x64, 1]]);
            let mut answer = vec![0x07];
            answer.extend_from_slice(&card.mac(&[&[0x07, 0x00]]));
            let mut changed = answer.clone();
            changed[0] ^= 1;
            assert!(pcd.clone().open(&call, &changed).is_none());
            assert_eq!(**pcd.open(&call, &answer).unwrap(), [0x07]);
        }
    }

    #[test]
    fn an_enciphered_answer_with_a_wrong_checksum_is_not_opened() {
        let mut pcd = session("000102030405060708090a0b0c0d0e0f");
        let mut card = pcd.clone();
        let call = Call::card_uid();
        pcd.protect(&call);
        card.mac(&[&[0x51]]);
        let uid = [4, 1, 2, 3, 4, 5, 6];
        let mut answer = [&uid[..], &crc32(&[&uid, &[0]]), &[0; 5]].concat();
        encrypt(&card.key, &mut card.iv, &mut answer);
        let mut changed = answer.clone();
        changed[3] ^= 1;
        assert!(pcd.clone().open(&call, &changed).is_none());
        assert_eq!(**pcd.open(&call, &answer).unwrap(), uid);
    }
}
