//! The faults of this wire that no other has in the same form: commands and answers are APDUs, in messages of their
//! own, one at a time.

use std::ops::Range;

use super::status;
use crate::faults::{FaultKind, Wire, noise};

/// More than a short APDU can carry, which is 256 bytes (ISO/IEC 7816-4 §5.1).
const TOO_MUCH: usize = 1024;

/// What an APDU is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Command,
    Answer {
        /// To `FF CA 00 00`, which asks for the UID (PC/SC part 3 §3.2.2.1.3).
        tells_uid: bool,
    },
}

impl Kind {
    pub(super) fn of_answer_to(command: &[u8]) -> Kind {
        Kind::Answer {
            tells_uid: command.starts_with(&[0xFF, 0xCA, 0x00, 0x00]),
        }
    }

    /// Whether an APDU of this kind can take a fault of that kind. None comes twice: the messages of CCID are
    /// numbered, and those of `vpcd` are asked for one by one.
    pub(super) fn can(self, fault: FaultKind, apdu: &[u8]) -> bool {
        match fault {
            FaultKind::Duplicate => false,
            FaultKind::WrongUid => self.with_other_uid(apdu).is_some(),
            _ => true,
        }
    }
}

/// Whether a command may reach a card as an exchange: all but to tell the UID and to load a key.
pub(super) fn is_about_cards(command: &[u8]) -> bool {
    !matches!(command, [0xFF, 0xCA | 0x82, ..])
}

impl Wire for Kind {
    fn significant(&self, apdu: &[u8]) -> Range<usize> {
        0..apdu.len()
    }

    /// To the host "failed, without information". From the host an instruction that the reader does not know, which
    /// it refuses so by itself.
    fn refusal(&self) -> Vec<u8> {
        match self {
            Kind::Command => vec![0xFF, 0xFF, 0x00, 0x00],
            Kind::Answer { .. } => status::FAILED.to_be_bytes().to_vec(),
        }
    }

    fn with_other_uid(&self, apdu: &[u8]) -> Option<Vec<u8>> {
        let mut other = apdu.to_vec();
        match (self, &mut other[..]) {
            (Kind::Answer { tells_uid: true }, [.., last, 0x90, 0x00]) => *last ^= 0x01,
            _ => return None,
        }
        Some(other)
    }

    /// Far too much data, before the status word of an answer.
    fn oversize(&self, apdu: &[u8], seed: u64) -> Vec<u8> {
        let end = match self {
            Kind::Command => apdu.len(),
            Kind::Answer { .. } => apdu.len().saturating_sub(2),
        };
        let (before, after) = apdu.split_at(end);
        let data: Vec<u8> = noise(TOO_MUCH, seed).collect();
        [before, &data, after].concat()
    }
}
