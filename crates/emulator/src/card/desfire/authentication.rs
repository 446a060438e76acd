//! The five authentications (MF3ICD81 data sheet for 0A, 1A and AA; AN12343 §4 for 71 and 77). A
//! wrong key costs the authentication and nothing more: a DESFire does not count failures.

use super::frames::Talk;
use super::keys::{Key, Scheme};
use super::picc::PICC;
use super::session::Session;
use super::{Desfire, Generation, status};
use crate::card::crypto::{Cipher, Vector, turned};
use crate::card::ev2;

const OLDEST: u8 = 0x0A;
const ISO: u8 = 0x1A;
const AES: u8 = 0xAA;
const EV2_FIRST: u8 = 0x71;
const EV2_NON_FIRST: u8 = 0x77;

/// The card's challenge is out, and the reader's proof is awaited.
#[derive(Debug, Clone)]
pub(super) enum Handshake {
    Oldest {
        number: u8,
        key: Key,
        rnd_b: Vec<u8>,
    },
    /// The vector runs on through all three messages.
    Chained {
        number: u8,
        key: Key,
        rnd_b: Vec<u8>,
        vector: Vector,
    },
    Ev2 {
        number: u8,
        handshake: ev2::Handshake,
    },
}

impl Desfire {
    pub(super) fn begin_authentication(
        &mut self,
        command: u8,
        data: &[u8],
    ) -> Result<(u8, Vec<u8>), u8> {
        let is_ev2 = matches!(command, EV2_FIRST | EV2_NON_FIRST);
        if is_ev2 && self.generation == Generation::Ev1 {
            return Err(status::ILLEGAL_COMMAND);
        }
        let (&number, rest) = data.split_first().ok_or(status::LENGTH)?;
        let capabilities = match (command, rest) {
            (EV2_FIRST, [length, capabilities @ ..])
                if usize::from(*length) == capabilities.len() && *length <= 6 =>
            {
                let mut padded = [0; 6];
                padded[..capabilities.len()].copy_from_slice(capabilities);
                padded
            }
            (EV2_FIRST, _) => return Err(status::LENGTH),
            (_, []) => [0; 6],
            _ => return Err(status::LENGTH),
        };
        let key = self.key(number)?.clone();
        let before = self.session.take();
        // A transaction ends with the authentication that it was made under. From memory that only
        // NonFirst lets it go on; no public document promises either.
        if command != EV2_NON_FIRST {
            self.transaction.clear();
        }
        let fits = match command {
            OLDEST => key.scheme() == Scheme::Des,
            ISO => key.scheme() != Scheme::Aes,
            _ => key.scheme() == Scheme::Aes,
        };
        if !fits {
            return Err(status::AUTHENTICATION);
        }
        let (handshake, challenge) = match command {
            OLDEST => self.begin_oldest(number, key),
            ISO | AES => self.begin_chained(number, key),
            _ => {
                let rnd_b = self.random();
                let key = key.aes().ok_or(status::AUTHENTICATION)?;
                let (handshake, challenge) = if command == EV2_FIRST {
                    ev2::Handshake::first(&key, rnd_b, capabilities)
                } else {
                    let session = before.as_ref().and_then(Session::as_ev2);
                    ev2::Handshake::next(&key, rnd_b, session.ok_or(status::AUTHENTICATION)?)
                };
                (Handshake::Ev2 { number, handshake }, challenge)
            }
        };
        self.talk = Talk::Authenticating(Box::new(handshake));
        Ok((status::ADDITIONAL_FRAME, challenge))
    }

    /// A key of what is selected.
    pub(super) fn key(&self, number: u8) -> Result<&Key, u8> {
        if self.selected == PICC {
            return match number {
                0 => Ok(&self.picc.key),
                _ => Err(status::NO_SUCH_KEY),
            };
        }
        let keys = &self.application()?.keys;
        keys.get(usize::from(number)).ok_or(status::NO_SUCH_KEY)
    }

    fn random_of(&mut self, key: &Key) -> Vec<u8> {
        let random: [u8; 16] = self.random();
        random[..key.random_length()].to_vec()
    }

    fn begin_oldest(&mut self, number: u8, key: Key) -> (Handshake, Vec<u8>) {
        let rnd_b = self.random_of(&key);
        let mut challenge = rnd_b.clone();
        key.cipher().encrypt(&mut Vector::default(), &mut challenge);
        (Handshake::Oldest { number, key, rnd_b }, challenge)
    }

    fn begin_chained(&mut self, number: u8, key: Key) -> (Handshake, Vec<u8>) {
        let rnd_b = self.random_of(&key);
        let mut challenge = rnd_b.clone();
        let mut vector = Vector::default();
        key.cipher().encrypt(&mut vector, &mut challenge);
        let handshake = Handshake::Chained {
            number,
            key,
            rnd_b,
            vector,
        };
        (handshake, challenge)
    }

    pub(super) fn finish_authentication(
        &mut self,
        handshake: Handshake,
        proof: &[u8],
    ) -> Result<(u8, Vec<u8>), u8> {
        let (session, answer) = match handshake {
            Handshake::Oldest { number, key, rnd_b } => {
                let cipher = key.cipher();
                let mut proof = whole(proof, &rnd_b)?;
                cipher.undo_deciphering(&mut Vector::default(), &mut proof);
                let rnd_a = proven(&proof, &rnd_b)?;
                let mut answer = turned(rnd_a);
                cipher.encrypt(&mut Vector::default(), &mut answer);
                let session = Session::oldest(number, key.session_key(rnd_a, &rnd_b));
                (session, answer)
            }
            Handshake::Chained {
                number,
                key,
                rnd_b,
                mut vector,
            } => {
                let cipher: Cipher = key.cipher();
                let mut proof = whole(proof, &rnd_b)?;
                cipher.decrypt(&mut vector, &mut proof);
                let rnd_a = proven(&proof, &rnd_b)?;
                let mut answer = turned(rnd_a);
                cipher.encrypt(&mut vector, &mut answer);
                let session = Session::chained(number, key.session_key(rnd_a, &rnd_b));
                (session, answer)
            }
            Handshake::Ev2 { number, handshake } => {
                if proof.len() != 32 {
                    return Err(status::LENGTH);
                }
                let transaction = self.random();
                let (answer, session) = handshake
                    .finish(proof, transaction)
                    .ok_or(status::AUTHENTICATION)?;
                (Session::ev2(number, session), answer)
            }
        };
        self.session = Some(session);
        Ok((status::OK, answer))
    }
}

fn whole(proof: &[u8], rnd_b: &[u8]) -> Result<Vec<u8>, u8> {
    if proof.len() != 2 * rnd_b.len() {
        return Err(status::LENGTH);
    }
    Ok(proof.to_vec())
}

/// RndA, if what follows it is RndB, turned.
fn proven<'a>(proof: &'a [u8], rnd_b: &[u8]) -> Result<&'a [u8], u8> {
    let (rnd_a, rest) = proof.split_at(rnd_b.len());
    if rest == turned(rnd_b) {
        Ok(rnd_a)
    } else {
        Err(status::AUTHENTICATION)
    }
}
