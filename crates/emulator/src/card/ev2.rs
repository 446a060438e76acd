//! EV2 secure messaging, as NTAG 424 DNA and MIFARE DESFire from EV2 on have it: authentication by
//! AES, session keys, a transaction identifier and a counter of commands (NT4H2421Gx data sheet §9.1,
//! NXP AN12196 §5, AN12343 §4). It holds no key of the card and decides about no right.

use super::crypto::{Cipher, Vector, pad_with_80, turned, unpad_80};

/// Labels of the two session vectors, and of the two initial vectors (AN12196 §5.3, §5.4).
const LABEL_ENCRYPTION: [u8; 2] = [0xA5, 0x5A];
const LABEL_MAC: [u8; 2] = [0x5A, 0xA5];
/// Length of a MAC once every other byte is dropped.
pub(crate) const MAC: usize = 8;

/// How the bytes of a command or an answer are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cover {
    /// Not at all; the command counts all the same.
    Plain,
    /// A MAC at the end.
    Mac,
    /// Enciphered, then a MAC.
    Full,
}

/// A card's side of an authentication that has begun.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    key: Cipher,
    rnd_b: [u8; 16],
    /// Of a session that goes on under another key: identifier and counter stay.
    continued: Option<([u8; 4], u16)>,
    /// What the reader can, as it said; told back to it.
    reader_capabilities: [u8; 6],
}

/// What an authenticated reader and the card share.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    encryption: Cipher,
    mac: Cipher,
    transaction: [u8; 4],
    counter: u16,
}

impl Handshake {
    /// AuthenticateEV2First. Returns the challenge too.
    pub(crate) fn first(
        key: &[u8; 16],
        rnd_b: [u8; 16],
        reader_capabilities: [u8; 6],
    ) -> (Handshake, Vec<u8>) {
        let handshake = Handshake {
            key: Cipher::aes(key),
            rnd_b,
            continued: None,
            reader_capabilities,
        };
        let challenge = handshake.challenge();
        (handshake, challenge)
    }

    /// AuthenticateEV2NonFirst within a session.
    pub(crate) fn next(key: &[u8; 16], rnd_b: [u8; 16], session: &Session) -> (Handshake, Vec<u8>) {
        let handshake = Handshake {
            key: Cipher::aes(key),
            rnd_b,
            continued: Some((session.transaction, session.counter)),
            reader_capabilities: [0; 6],
        };
        let challenge = handshake.challenge();
        (handshake, challenge)
    }

    fn challenge(&self) -> Vec<u8> {
        let mut challenge = self.rnd_b.to_vec();
        self.key.encrypt(&mut Vector::default(), &mut challenge);
        challenge
    }

    /// The reader's answer; the card's, and the session, if the reader knows the key. `transaction` is
    /// the identifier that a new session gets.
    pub(crate) fn finish(self, proof: &[u8], transaction: [u8; 4]) -> Option<(Vec<u8>, Session)> {
        let mut proof: [u8; 32] = proof.try_into().ok()?;
        self.key.decrypt(&mut Vector::default(), &mut proof);
        let (rnd_a, rnd_b) = proof.split_first_chunk::<16>()?;
        if rnd_b != turned(&self.rnd_b) {
            return None;
        }
        let (transaction, counter) = self.continued.unwrap_or((transaction, 0));
        let mut answer = turned(rnd_a);
        if self.continued.is_none() {
            answer = [
                &transaction[..],
                &answer,
                &[0; 6],
                &self.reader_capabilities,
            ]
            .concat();
        }
        self.key.encrypt(&mut Vector::default(), &mut answer);
        let derive = |label| {
            let vector = session_vector(label, rnd_a, &self.rnd_b);
            Cipher::aes(&self.key.cmac(&mut Vector::default(), &vector))
        };
        let session = Session {
            encryption: derive(LABEL_ENCRYPTION),
            mac: derive(LABEL_MAC),
            transaction,
            counter,
        };
        Some((answer, session))
    }
}

/// SV1 and SV2 (AN12196 §5.3): both random numbers, cut up and mixed.
fn session_vector(label: [u8; 2], rnd_a: &[u8; 16], rnd_b: &[u8; 16]) -> Vec<u8> {
    let mut vector = label.to_vec();
    vector.extend([0x00, 0x01, 0x00, 0x80]);
    vector.extend(&rnd_a[..2]);
    vector.extend(rnd_a[2..8].iter().zip(rnd_b).map(|(a, b)| a ^ b));
    vector.extend(&rnd_b[6..]);
    vector.extend(&rnd_a[8..]);
    vector
}

impl Session {
    /// Opens what came after a command's code and header: the data, if it is untouched. `None`: it is
    /// not.
    pub(crate) fn open(
        &self,
        command: u8,
        header: &[u8],
        body: &[u8],
        cover: Cover,
    ) -> Option<Vec<u8>> {
        if cover == Cover::Plain {
            return Some(body.to_vec());
        }
        let (data, mac) = body.split_last_chunk::<MAC>()?;
        if self.mac_over(command, self.counter, &[header, data]) != *mac {
            return None;
        }
        if cover == Cover::Mac || data.is_empty() {
            return Some(data.to_vec());
        }
        if !data.len().is_multiple_of(self.encryption.width()) {
            return None;
        }
        let mut data = data.to_vec();
        let mut vector = self.initial_vector(LABEL_ENCRYPTION, self.counter);
        self.encryption.decrypt(&mut vector, &mut data);
        unpad_80(&data).map(<[u8]>::to_vec)
    }

    /// Counts the command and protects its answer.
    pub(crate) fn close(&mut self, status: u8, mut data: Vec<u8>, cover: Cover) -> Vec<u8> {
        self.counter = self.counter.wrapping_add(1);
        if cover == Cover::Full && !data.is_empty() {
            pad_with_80(&mut data, self.encryption.width());
            let mut vector = self.initial_vector(LABEL_MAC, self.counter);
            self.encryption.encrypt(&mut vector, &mut data);
        }
        if cover != Cover::Plain {
            data.extend(self.mac_over(status, self.counter, &[&data]));
        }
        data
    }

    /// A counter that is used up ends the session (data sheet §9.1.2).
    pub(crate) fn is_used_up(&self) -> bool {
        self.counter == u16::MAX
    }

    fn mac_over(&self, first: u8, counter: u16, parts: &[&[u8]]) -> [u8; MAC] {
        let mut message = vec![first];
        message.extend(counter.to_le_bytes());
        message.extend(self.transaction);
        message.extend(parts.iter().copied().flatten());
        let whole = self.mac.cmac(&mut Vector::default(), &message);
        std::array::from_fn(|n| whole[2 * n + 1])
    }

    fn initial_vector(&self, label: [u8; 2], counter: u16) -> Vector {
        let mut block = [0; 16];
        block[..2].copy_from_slice(&label);
        block[2..6].copy_from_slice(&self.transaction);
        block[6..8].copy_from_slice(&counter.to_le_bytes());
        self.encryption.encrypt_block(&mut block);
        Vector::of(block)
    }
}

#[cfg(test)]
mod tests;
