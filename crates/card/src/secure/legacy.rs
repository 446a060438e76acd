//! The authentication of the first DESFire generation, with single DES: what a card's master key takes as delivered. It
//! serves only to ask a card that hides its UID for the real one (NXP MF3ICD40, 6.1 and 7.4; the writer always *deciphers*).

use des::Des;
use des::cipher::{BlockCipherDecrypt, KeyInit};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::call::Call;
use super::cipher::{crc16, xor};

/// One DES block.
pub(super) const BLOCK: usize = 8;
const UID: usize = 7;

/// A session.
#[derive(Clone, ZeroizeOnDrop)]
pub(super) struct Legacy {
    key: [u8; BLOCK],
}

/// The answer to a challenge under the zero key: both random numbers, enciphered, from ek(RndB).
pub(super) fn token(
    a: &[u8; BLOCK],
    challenge: &[u8; BLOCK],
) -> ([u8; BLOCK], Zeroizing<[u8; 2 * BLOCK]>) {
    let cipher = Des::new(&[0; BLOCK].into());
    let mut b = *challenge;
    cipher.decrypt_block((&mut b).into());
    let mut rotated = b;
    rotated.rotate_left(1);
    let mut first = *a;
    cipher.decrypt_block((&mut first).into());
    xor(&mut rotated, &first);
    cipher.decrypt_block((&mut rotated).into());
    let mut token = Zeroizing::new([0; 2 * BLOCK]);
    token[..BLOCK].copy_from_slice(&first);
    token[BLOCK..].copy_from_slice(&rotated);
    (b, token)
}

impl Legacy {
    /// The session, if the card's last answer proves that it has the zero key too.
    pub(super) fn new(a: &[u8; BLOCK], b: &[u8; BLOCK], answer: &[u8; BLOCK]) -> Option<Self> {
        let mut proof = *answer;
        Des::new(&[0; BLOCK].into()).decrypt_block((&mut proof).into());
        let mut rotated = *a;
        rotated.rotate_left(1);
        if proof != rotated {
            return None;
        }
        let mut key = [0; BLOCK];
        key[..4].copy_from_slice(&a[..4]);
        key[4..].copy_from_slice(&b[..4]);
        Some(Self { key })
    }

    /// The UID in an answer: enciphered with CRC_A and zeros behind it; nothing else is ever asked in such a session.
    pub(super) fn open(&self, call: &Call, answer: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut plain = Zeroizing::new(answer.to_vec());
        let (blocks, rest) = plain.as_chunks_mut::<BLOCK>();
        if !call.enciphers_answer || blocks.len() != 2 || !rest.is_empty() {
            return None;
        }
        let cipher = Des::new(&self.key.into());
        let mut before = [0; BLOCK];
        for block in blocks {
            let enciphered = *block;
            cipher.decrypt_block(block.into());
            xor(block, &before);
            before = enciphered;
        }
        let (uid, rest) = plain.split_at(UID);
        let intact = rest[..2] == crc16(uid) && rest[2..].iter().all(|byte| *byte == 0);
        intact.then(|| Zeroizing::new(uid.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use des::cipher::BlockCipherEncrypt;

    fn array<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// A recording of a real card with the zero key (mifare.net forum, "Mifare Desfire EV1 ChangeKey 0x1E error", 2015-08-03).
    #[test]
    fn a_recorded_authentication_comes_out() {
        let a = array("B0A6405F57794A93");
        let (b, token) = token(&a, &array("57B0C35A080AE608"));
        assert_eq!(hex::encode_upper(b), "D6F77968D2767EA3");
        assert_eq!(
            hex::encode_upper(*token),
            "5BD89F653176AE3A7A1128C9D4035129"
        );
        let session = Legacy::new(&a, &b, &array("B53BF499FEAC13E4")).unwrap();
        assert_eq!(hex::encode_upper(session.key), "B0A6405FD6F77968");
        assert!(Legacy::new(&a, &b, &array("B53BF499FEAC13E5")).is_none());
    }

    #[test]
    fn the_uid_is_taken_only_with_its_checksum() {
        let session = Legacy {
            key: array("B0A6405FD6F77968"),
        };
        let uid = array::<7>("04A1B2C3D4E5F6");
        let mut answer = [&uid[..], &crc16(&uid), &[0; 7]].concat();
        let cipher = Des::new(&session.key.into());
        let mut before = [0; BLOCK];
        for block in answer.as_chunks_mut::<BLOCK>().0 {
            xor(block, &before);
            cipher.encrypt_block(block.into());
            before = *block;
        }
        let call = Call::card_uid();
        assert_eq!(**session.open(&call, &answer).unwrap(), uid);
        answer[0] ^= 1;
        assert!(session.open(&call, &answer).is_none());
    }
}
