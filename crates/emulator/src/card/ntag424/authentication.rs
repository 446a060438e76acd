//! AuthenticateEV2First and NonFirst (data sheet §9.1.5, §9.1.6), and what failed attempts cost
//! (§8.2.5). The counters' figures are from memory.

use super::{Ntag424, Outcome, Talk, status};
use crate::card::ev2;

const FIRST: u8 = 0x71;

/// So many failures, successes taken off, and a key is of no use any more.
const LIMIT: u16 = 1000;
/// What a success takes off.
const FORGIVEN: u16 = 10;
/// From so many failures in a row on, attempts are put off, and each failure makes it longer.
const PATIENCE: u16 = 50;
/// The most attempts that one failure puts off.
const LONGEST: u16 = 8;

/// What is remembered of failed authentications with a key, power or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Failures {
    total: u16,
    in_a_row: u16,
    /// Attempts that are still to be put off. The true card counts time; this one has no clock.
    put_off: u16,
}

impl Failures {
    fn failed(&mut self) {
        self.total = self.total.saturating_add(1);
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.put_off = (self.in_a_row + 1).saturating_sub(PATIENCE).min(LONGEST);
    }

    fn succeeded(&mut self) {
        self.total = self.total.saturating_sub(FORGIVEN);
        self.in_a_row = 0;
    }

    fn admit(&mut self) -> Result<(), u8> {
        if self.total >= LIMIT {
            return Err(status::PERMISSION_DENIED);
        }
        if self.put_off > 0 {
            self.put_off -= 1;
            return Err(status::AUTHENTICATION_DELAY);
        }
        Ok(())
    }
}

impl Ntag424 {
    pub(super) fn begin_authentication(&mut self, command: u8, data: &[u8]) -> Outcome {
        let (&number, rest) = data.split_first().ok_or(status::LENGTH)?;
        let index = self.key_index(number)?;
        let before = self.session.take();
        self.failures[index].admit()?;
        let (rnd_b, key) = (self.random(), self.keys[index].bytes);
        let (handshake, challenge) = match (command, rest) {
            // Bit 1 of the first capability would ask for LRP.
            (FIRST, [length, capabilities @ ..])
                if usize::from(*length) == capabilities.len() && *length <= 6 =>
            {
                if capabilities.first().is_some_and(|first| first & 0x02 != 0) {
                    return Err(status::PERMISSION_DENIED);
                }
                let mut padded = [0; 6];
                padded[..capabilities.len()].copy_from_slice(capabilities);
                ev2::Handshake::first(&key, rnd_b, padded)
            }
            (FIRST, _) => return Err(status::LENGTH),
            (_, []) => {
                let (_, session) = before.as_ref().ok_or(status::PERMISSION_DENIED)?;
                ev2::Handshake::next(&key, rnd_b, session)
            }
            _ => return Err(status::LENGTH),
        };
        self.talk = Talk::Authenticating {
            number,
            handshake: Box::new(handshake),
        };
        Ok((status::ADDITIONAL_FRAME, challenge))
    }

    pub(super) fn finish_authentication(
        &mut self,
        number: u8,
        handshake: ev2::Handshake,
        proof: &[u8],
    ) -> Outcome {
        if proof.len() != 32 {
            return Err(status::LENGTH);
        }
        let index = self.key_index(number)?;
        let transaction = self.random();
        let Some((answer, session)) = handshake.finish(proof, transaction) else {
            self.failures[index].failed();
            return Err(status::AUTHENTICATION);
        };
        self.failures[index].succeeded();
        self.session = Some((number, session));
        Ok((status::OK, answer))
    }
}
