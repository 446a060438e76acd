//! The three messages by which card and writer prove to each other that they have the same key.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::cipher::{BLOCK, decrypt, encrypt};
use super::ev1::Ev1;
use super::ev2::Ev2;
use super::legacy::{self, Legacy};
use super::session::{Session, Suite};

/// An authentication that waits for the card's challenge, then for its proof.
pub(super) struct Authentication {
    suite: Suite,
    key: Zeroizing<[u8; BLOCK]>,
    a: Zeroizing<[u8; BLOCK]>,
    b: Zeroizing<[u8; BLOCK]>,
    /// The last cipher block, where the chain goes on (EV1).
    iv: [u8; BLOCK],
}

impl Authentication {
    /// Prepares it with a key and 16 random bytes; the legacy suite knows the zero key only.
    pub(super) fn new(suite: Suite, key: Zeroizing<[u8; BLOCK]>, a: [u8; BLOCK]) -> Self {
        Self {
            suite,
            key,
            a: Zeroizing::new(a),
            b: Zeroizing::new([0; BLOCK]),
            iv: [0; BLOCK],
        }
    }

    /// Instruction and data of the first message. EV2 says that this side has no capabilities of its own.
    pub(super) fn first(&self, number: u8) -> (u8, Vec<u8>) {
        match self.suite {
            Suite::Legacy => (0x0A, vec![number]),
            Suite::Ev1 => (0xAA, vec![number]),
            Suite::Ev2 => (0x71, vec![number, 0x00]),
        }
    }

    /// The second message, from the card's challenge; `None` when that has not its form.
    pub(super) fn second(&mut self, challenge: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if self.suite == Suite::Legacy {
            let (b, token) = legacy::token(first_half(&self.a), challenge.try_into().ok()?);
            self.b[..legacy::BLOCK].copy_from_slice(&b);
            return Some(Zeroizing::new(token.to_vec()));
        }
        *self.b = challenge.try_into().ok()?;
        decrypt(&self.key, &mut self.iv, &mut *self.b);
        let mut token = Zeroizing::new(Vec::with_capacity(2 * BLOCK));
        token.extend_from_slice(&*self.a);
        token.extend_from_slice(&*rotated(&self.b));
        // In EV2 every message starts from a zero vector; in EV1 the chain goes on.
        if self.suite == Suite::Ev2 {
            self.iv = [0; BLOCK];
        }
        encrypt(&self.key, &mut self.iv, &mut token);
        Some(token)
    }

    /// The session, if the card's last message proves that it has the key.
    pub(super) fn finish(mut self, answer: &[u8]) -> Option<Session> {
        let mut answer = Zeroizing::new(answer.to_vec());
        match self.suite {
            Suite::Legacy => {
                let (a, b) = (first_half(&self.a), first_half(&self.b));
                let proof = answer.as_slice().try_into().ok()?;
                Legacy::new(a, b, proof).map(Session::Legacy)
            }
            Suite::Ev1 => {
                if answer.len() != BLOCK {
                    return None;
                }
                decrypt(&self.key, &mut self.iv, &mut answer);
                self.is_proof(&answer)
                    .then(|| Session::Ev1(Ev1::new(&self.a, &self.b)))
            }
            Suite::Ev2 => {
                if answer.len() != 2 * BLOCK {
                    return None;
                }
                decrypt(&self.key, &mut [0; BLOCK], &mut answer);
                let (transaction, rest) = answer.split_first_chunk::<4>()?;
                self.is_proof(&rest[..BLOCK])
                    .then(|| Session::Ev2(Ev2::new(&self.key, &self.a, &self.b, *transaction)))
            }
        }
    }

    fn is_proof(&self, answer: &[u8]) -> bool {
        rotated(&self.a).ct_eq(answer).into()
    }
}

fn rotated(challenge: &[u8; BLOCK]) -> Zeroizing<[u8; BLOCK]> {
    let mut rotated = Zeroizing::new(*challenge);
    rotated.rotate_left(1);
    rotated
}

fn first_half(challenge: &[u8; BLOCK]) -> &[u8; legacy::BLOCK] {
    challenge
        .first_chunk()
        .expect("half a block lies within a block")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    /// AN12196, table 14.
    #[test]
    fn authenticate_ev2_first_comes_out_as_in_an12196() {
        let a = bytes("13C5DB8A5930439FC3DEF9A4C675360F")
            .try_into()
            .unwrap();
        let start = || Authentication::new(Suite::Ev2, Zeroizing::new([0; 16]), a);
        let challenge = bytes("A04C124213C186F22399D33AC2A30215");
        let answer = bytes("3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663");
        let mut authentication = start();
        assert_eq!(authentication.first(0), (0x71, vec![0, 0]));
        assert_eq!(
            hex::encode_upper(&*authentication.second(&challenge).unwrap()),
            "35C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D"
        );
        assert!(authentication.finish(&answer).is_some());

        let mut forged = answer.clone();
        forged[17] ^= 1;
        for wrong in [&forged[..], &answer[..16], &[]] {
            let mut authentication = start();
            authentication.second(&challenge).unwrap();
            assert!(authentication.finish(wrong).is_none());
        }
        assert!(start().second(&challenge[..8]).is_none());
    }

    #[test]
    fn in_ev1_the_chain_runs_through_all_three_messages() {
        let (key, a, b) = ([7; 16], [0xA0; 16], std::array::from_fn(|at| at as u8));
        let mut iv = [0; BLOCK];
        let mut challenge: [u8; 16] = b;
        encrypt(&key, &mut iv, &mut challenge);
        let mut authentication = Authentication::new(Suite::Ev1, Zeroizing::new(key), a);
        assert_eq!(authentication.first(2), (0xAA, vec![2]));
        let mut token = authentication.second(&challenge).unwrap();
        decrypt(&key, &mut iv, &mut token);
        assert_eq!(token[..16], a);
        assert_eq!(token[16..], *rotated(&b));
        let mut proof = a;
        encrypt(&key, &mut iv, &mut proof);
        assert!(authentication.finish(&proof).is_some());
    }
}
