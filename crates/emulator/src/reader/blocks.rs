//! The reader's side of ISO/IEC 14443-4, as the firmware of a reader has it: activation, blocks with
//! their numbers, chaining, and asking again for what was not heard.

use crate::air::Frame;
use crate::slot::Slot;

const RATS: u8 = 0xE0;
const DESELECT: u8 = 0xC2;
/// Frame sizes by FSDI and FSCI (§5.1, table 1).
const FRAME_SIZES: [usize; 9] = [16, 24, 32, 40, 48, 64, 96, 128, 256];
/// FSCI of a card whose ATS does not tell (§5.2.3).
const DEFAULT_FSCI: u8 = 2;
const CHAINING: u8 = 0x10;
/// How often a reader asks again for a block that it did not hear.
const REPEATS: usize = 2;
/// Checksum and protocol control byte of a frame.
const OVERHEAD: usize = 3;

/// Why a command was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The card is gone, or says nothing.
    Silence,
    /// Several answered at once.
    Collision,
    /// What came was no block that fits.
    Protocol,
}

/// An activated card.
#[derive(Debug, Clone)]
pub(crate) struct Blocks {
    number: u8,
    /// The largest frame that the card takes.
    card_frame: usize,
}

impl Blocks {
    /// Activates the card that is selected, without a number for it (CID). Returns its ATS, too.
    pub(crate) fn activate(slot: &Slot, fsdi: u8) -> Option<(Blocks, Vec<u8>)> {
        let answer = one(slot, &[RATS, fsdi << 4]).ok()?;
        let (&length, rest) = answer.split_first()?;
        if usize::from(length) != answer.len() {
            return None;
        }
        let fsci = rest.first().map_or(DEFAULT_FSCI, |format| format & 0x0F);
        let size = usize::from(fsci).min(FRAME_SIZES.len() - 1);
        let blocks = Blocks {
            number: 0,
            card_frame: FRAME_SIZES[size],
        };
        Some((blocks, answer))
    }

    /// Sends a command and returns its answer, however many blocks both take.
    pub(crate) fn exchange(&mut self, slot: &Slot, command: &[u8]) -> Result<Vec<u8>, Failure> {
        let room = self.card_frame - OVERHEAD;
        let mut parts = command.chunks(room).peekable();
        // An empty command is a block, too.
        let mut answer = match parts.peek() {
            None => self.send_part(slot, &[], false)?,
            Some(_) => Vec::new(),
        };
        while let Some(part) = parts.next() {
            answer = self.send_part(slot, part, parts.peek().is_some())?;
        }
        let mut response = Vec::new();
        loop {
            let (&pcb, data) = answer.split_first().ok_or(Failure::Protocol)?;
            if pcb & !(CHAINING | 1) != 0x02 || pcb & 1 != self.number {
                return Err(Failure::Protocol);
            }
            self.number ^= 1;
            response.extend(data);
            if pcb & CHAINING == 0 {
                return Ok(response);
            }
            answer = self.block(slot, vec![0xA2 | self.number])?;
        }
    }

    /// One block of a command. Of a chain, all but the last are answered by a receipt.
    fn send_part(&mut self, slot: &Slot, part: &[u8], chained: bool) -> Result<Vec<u8>, Failure> {
        let chaining = if chained { CHAINING } else { 0 };
        let block = [&[0x02 | chaining | self.number][..], part].concat();
        let answer = self.block(slot, block)?;
        if !chained {
            return Ok(answer);
        }
        if answer[..] != [0xA2 | self.number] {
            return Err(Failure::Protocol);
        }
        self.number ^= 1;
        Ok(answer)
    }

    /// Sends a block, and asks for the answer again when there is none (§7.5.6).
    fn block(&self, slot: &Slot, block: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let mut answer = one(slot, &block);
        for _ in 0..REPEATS {
            match answer {
                Err(Failure::Silence | Failure::Protocol) => {
                    answer = one(slot, &[0xB2 | self.number]);
                }
                // It is the block before that the card still holds: this one never reached it.
                Ok(ref receipt) if receipt[..] == [0xA2 | (self.number ^ 1)] => {
                    answer = one(slot, &block);
                }
                answered => return answered,
            }
        }
        answer
    }

    /// Asks whether the card is there, past its application.
    pub(crate) fn is_present(&self, slot: &Slot) -> bool {
        one(slot, &[0xB2 | self.number]).is_ok()
    }

    /// Sends the card to sleep.
    pub(crate) fn deselect(&self, slot: &Slot) {
        // A card that is gone is asleep as well.
        let _ = one(slot, &[DESELECT]);
    }
}

/// One frame, and the one answer to it.
fn one(slot: &Slot, body: &[u8]) -> Result<Vec<u8>, Failure> {
    match &slot.transmit(&Frame::with_crc(body))[..] {
        [] => Err(Failure::Silence),
        [answer] => answer.body().map(<[u8]>::to_vec).ok_or(Failure::Protocol),
        _ => Err(Failure::Collision),
    }
}
