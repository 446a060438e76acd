//! Reading the file: what one frame holds, and the rest only where the image goes on.

use zeroize::Zeroizing;

use super::{CAPACITY, FILE};
use crate::secure::{Answer, Call, Card, FileData, Status};
use crate::{Apdu, Refusal, format};

/// What fits into one frame beside its MAC: 59 bytes less eight.
const HEAD: usize = 51;

/// The reading of the image.
pub(super) struct Reading {
    bytes: Zeroizing<Vec<u8>>,
    wanted: usize,
}

/// What comes next.
pub(super) enum Next {
    Send(Apdu),
    /// What was read: the whole image, where its header can be ours.
    Done(Zeroizing<Vec<u8>>),
    /// The card refused.
    Refused(Status),
}

impl Reading {
    /// Begins with the head of the file.
    pub(super) fn begin(card: &mut Card) -> (Self, Apdu) {
        let reading = Self {
            bytes: Zeroizing::default(),
            wanted: HEAD,
        };
        (reading, read(card, 0, HEAD))
    }

    /// Takes the answer to the last command.
    ///
    /// # Errors
    /// [`Refusal::Nonsense`] for another length than was asked for.
    pub(super) fn next(&mut self, card: &mut Card, answer: Answer) -> Result<Next, Refusal> {
        let read_now = match answer {
            Ok(bytes) => bytes,
            Err(status) => return Ok(Next::Refused(status)),
        };
        self.bytes.extend_from_slice(&read_now);
        if self.bytes.len() != self.wanted {
            return Err(Refusal::Nonsense {
                doing: "read a file",
            });
        }
        let length = self
            .bytes
            .first_chunk()
            .and_then(|header| format::length_if_ours(header, card.keys.lock()))
            .filter(|length| *length <= CAPACITY)
            .unwrap_or(0);
        let read_so_far = self.bytes.len();
        if length <= read_so_far {
            return Ok(Next::Done(std::mem::take(&mut self.bytes)));
        }
        self.wanted = length;
        Ok(Next::Send(read(card, read_so_far, length - read_so_far)))
    }
}

fn read(card: &mut Card, offset: usize, length: usize) -> Apdu {
    card.call(Call::read_data(FILE, offset, length, FileData::Maced))
}
