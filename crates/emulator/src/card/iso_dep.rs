//! The card's side of ISO/IEC 14443-4: activation, blocks with their numbers, chaining both ways and
//! retransmission. It knows no command; what the blocks carry is a card application's business. It
//! never asks for more time: emulated cards answer at once.

use super::Reaction;
use crate::air::Frame;

/// RATS (§5.1): its second byte is FSDI and CID.
const RATS: u8 = 0xE0;
/// PPSS, without the CID in its low half (§5.3).
const PPS: u8 = 0xD0;
/// FSD by FSDI (§5.1, table 1); what is reserved counts as the largest.
const FRAME_SIZES: [usize; 9] = [16, 24, 32, 40, 48, 64, 96, 128, 256];
/// Bits of a protocol control byte (§7.1.2).
const CHAINING: u8 = 0x10;
const WITH_CID: u8 = 0x08;
const WITH_NAD: u8 = 0x04;
const NEGATIVE: u8 = 0x10;
/// S(DESELECT) without its bit for a CID.
const DESELECT: u8 = 0xC2;
/// The longest command that a card here takes, whatever its frames: nothing is longer than a short APDU.
const LONGEST_COMMAND: usize = 512;

/// What a block is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block<'a> {
    Information {
        number: u8,
        chained: bool,
        data: &'a [u8],
    },
    Receipt {
        number: u8,
        is_negative: bool,
    },
    Deselect,
}

/// How far the protocol has come.
#[derive(Debug, Clone)]
enum Phase {
    /// Selected and nothing more: RATS may come.
    Selected,
    /// Activated; `fresh` until the first block, as only then parameters may still be chosen.
    Active { fresh: bool },
}

/// What a frame is to the protocol, before anything is done about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sense<'a> {
    /// Activation, parameters, deselection, presence check: no exchange.
    Protocol,
    /// The first block of a command, which begins with these bytes.
    Begins(&'a [u8]),
    /// Another part of a command or of its answer.
    Continues,
    /// Nothing that this card reacts to.
    Nonsense,
}

/// What to do with a frame.
#[derive(Debug)]
pub(crate) enum Step {
    /// The protocol answers it, perhaps by silence.
    Done(Reaction),
    /// A whole command came in; [`IsoDep::answer`] takes the answer.
    Command(Vec<u8>),
    /// The card goes to sleep after this answer.
    Halts(Reaction),
    /// It could not be activated: the card falls back.
    FallsBack,
}

#[derive(Debug, Clone)]
pub(crate) struct IsoDep {
    answer_to_select: Vec<u8>,
    phase: Phase,
    /// The largest frame that the reader takes, checksum and all.
    reader_frame: usize,
    cid: u8,
    /// The card's block number (§7.5.3): it toggles with each block that counts.
    number: u8,
    /// A command of which more is to come.
    incoming: Vec<u8>,
    is_receiving: bool,
    /// An answer of which more is to be fetched.
    outgoing: Vec<u8>,
    is_sending: bool,
    /// The last block, to be sent again when it is asked for.
    last: Option<Vec<u8>>,
    last_had_cid: bool,
}

impl IsoDep {
    /// A card that answers RATS with this.
    pub(crate) fn new(answer_to_select: Vec<u8>) -> IsoDep {
        IsoDep {
            answer_to_select,
            phase: Phase::Selected,
            reader_frame: FRAME_SIZES[0],
            cid: 0,
            number: 1,
            incoming: Vec::new(),
            is_receiving: false,
            outgoing: Vec::new(),
            is_sending: false,
            last: None,
            last_had_cid: false,
        }
    }

    /// Forgets everything but what it is.
    pub(crate) fn reset(&mut self) {
        *self = IsoDep::new(std::mem::take(&mut self.answer_to_select));
    }

    /// Activated: from now on every frame is a block, and requests and HLTA are none (§5.6.1.2).
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Active { .. })
    }

    /// Whether a command or its answer is on its way in parts.
    pub(crate) fn goes_on(&self) -> bool {
        self.is_receiving || self.is_sending
    }

    /// What a frame is, without doing anything about it.
    pub(crate) fn sense<'a>(&self, frame: &'a Frame) -> Sense<'a> {
        let Some(body) = frame.body() else {
            return Sense::Nonsense;
        };
        if matches!(self.phase, Phase::Selected) {
            return match *body {
                [RATS, _] => Sense::Protocol,
                _ => Sense::Nonsense,
            };
        }
        match self.block(body) {
            Some(Block::Information { number, data, .. })
                if number != self.number && !self.is_receiving =>
            {
                Sense::Begins(data)
            }
            Some(Block::Information { .. } | Block::Receipt { .. }) if self.goes_on() => {
                Sense::Continues
            }
            Some(_) => Sense::Protocol,
            None if body[..].first().is_some_and(|first| first & 0xF0 == PPS) => Sense::Protocol,
            None => Sense::Nonsense,
        }
    }

    /// Takes a frame that came while the card is selected.
    pub(crate) fn receive(&mut self, frame: &Frame) -> Step {
        // A disturbed frame is not answered (§7.5.4.3); the reader repeats.
        let Some(body) = frame.body() else {
            return match self.phase {
                Phase::Selected => Step::FallsBack,
                Phase::Active { .. } => silence(self.goes_on()),
            };
        };
        if matches!(self.phase, Phase::Selected) {
            return match *body {
                [RATS, parameters] => self.activate(parameters),
                _ => Step::FallsBack,
            };
        }
        if let Some(answer) = self.choose_parameters(body) {
            return Step::Done(answer);
        }
        self.phase = Phase::Active { fresh: false };
        let had_cid = body.first().is_some_and(|pcb| pcb & WITH_CID != 0);
        match self.block(body) {
            None => silence(self.goes_on()),
            Some(Block::Deselect) => {
                let block = self.with_header(DESELECT, had_cid, &[]);
                Step::Halts(answered(block, false))
            }
            Some(Block::Receipt {
                number,
                is_negative,
            }) => self.receipt(number, is_negative, had_cid),
            // The number of the block before: it was not meant for a card that answered that one.
            Some(Block::Information { number, .. }) if number == self.number => {
                silence(self.goes_on())
            }
            Some(Block::Information {
                number,
                chained,
                data,
            }) => self.information(number, chained, data.to_vec(), had_cid),
        }
    }

    /// Sends the answer to the command that was handed out last: its first block.
    pub(crate) fn answer(&mut self, response: Vec<u8>) -> Reaction {
        self.outgoing = response;
        self.next_part()
    }

    fn activate(&mut self, parameters: u8) -> Step {
        let size = usize::from(parameters >> 4).min(FRAME_SIZES.len() - 1);
        self.reader_frame = FRAME_SIZES[size];
        self.cid = parameters & 0x0F;
        self.phase = Phase::Active { fresh: true };
        Step::Done(answered(self.answer_to_select.clone(), false))
    }

    /// PPS comes at most once, right after activation (§5.3). All speeds are the same here.
    fn choose_parameters(&self, body: &[u8]) -> Option<Reaction> {
        let (first, rest) = body.split_first()?;
        let is_pps = *first == PPS | self.cid && matches!(rest, [0x01] | [0x11, _]);
        let is_in_time = matches!(self.phase, Phase::Active { fresh: true });
        (is_pps && is_in_time).then(|| answered(vec![*first], false))
    }

    fn information(&mut self, number: u8, chained: bool, data: Vec<u8>, had_cid: bool) -> Step {
        self.last_had_cid = had_cid;
        // A new command ends an answer that was not fetched.
        self.is_sending = false;
        self.outgoing.clear();
        if self.incoming.len() + data.len() > LONGEST_COMMAND {
            self.incoming.clear();
            self.is_receiving = false;
            return silence(false);
        }
        self.number = number;
        self.incoming.extend(data);
        self.is_receiving = chained;
        if chained {
            let block = self.with_header(0xA2 | self.number, had_cid, &[]);
            self.last = Some(block.clone());
            return Step::Done(answered(block, true));
        }
        Step::Command(std::mem::take(&mut self.incoming))
    }

    fn receipt(&mut self, number: u8, is_negative: bool, had_cid: bool) -> Step {
        if number == self.number {
            // Rule 11: the last block again.
            return match &self.last {
                Some(block) => Step::Done(answered(block.clone(), self.goes_on())),
                None => silence(self.goes_on()),
            };
        }
        if self.is_sending && !is_negative {
            // Rule 13: the chain goes on with the other number.
            self.number = number;
            return Step::Done(self.next_part());
        }
        // Rule 12: that is how a reader asks whether the card is still there.
        let block = self.with_header(0xA2 | self.number, had_cid, &[]);
        Step::Done(answered(block, self.goes_on()))
    }

    fn next_part(&mut self) -> Reaction {
        let overhead = 1 + usize::from(self.last_had_cid) + 2;
        let room = self.reader_frame - overhead;
        let rest = self.outgoing.split_off(self.outgoing.len().min(room));
        let part = std::mem::replace(&mut self.outgoing, rest);
        self.is_sending = !self.outgoing.is_empty();
        let chaining = if self.is_sending { CHAINING } else { 0 };
        let block = self.with_header(0x02 | chaining | self.number, self.last_had_cid, &part);
        self.last = Some(block.clone());
        answered(block, self.is_sending)
    }

    fn with_header(&self, pcb: u8, with_cid: bool, data: &[u8]) -> Vec<u8> {
        let mut block = vec![pcb];
        if with_cid {
            block[0] |= WITH_CID;
            block.push(self.cid);
        }
        block.extend(data);
        block
    }

    /// Reads a block; `None` if it is none, or another card's.
    fn block<'a>(&self, body: &'a [u8]) -> Option<Block<'a>> {
        let (&pcb, mut data) = body.split_first()?;
        if pcb & WITH_CID != 0 {
            let (&cid, rest) = data.split_first()?;
            if cid & 0x0F != self.cid {
                return None;
            }
            data = rest;
        } else if self.cid != 0 {
            // Only card 0 may be addressed without a number (§7.1.2.2).
            return None;
        }
        let number = pcb & 0x01;
        match pcb & !(WITH_CID | CHAINING | 0x01) {
            0x02 if pcb & WITH_NAD == 0 => Some(Block::Information {
                number,
                chained: pcb & CHAINING != 0,
                data,
            }),
            0xA2 if data.is_empty() => Some(Block::Receipt {
                number,
                is_negative: pcb & NEGATIVE != 0,
            }),
            DESELECT if pcb & (NEGATIVE | 0x01) == 0 && data.is_empty() => Some(Block::Deselect),
            _ => None,
        }
    }
}

fn answered(block: Vec<u8>, goes_on: bool) -> Reaction {
    Reaction {
        answer: Some(Frame::with_crc(&block)),
        goes_on,
        ..Reaction::default()
    }
}

fn silence(goes_on: bool) -> Step {
    Step::Done(Reaction {
        goes_on,
        ..Reaction::default()
    })
}

#[cfg(test)]
mod tests;
