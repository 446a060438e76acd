//! MIFARE Classic Mini, 1K and 4K (NXP MF1S50yyX_V1, MF1S70yyX_V1): memory, authentication state and
//! commands. Crypto1 itself is not modelled: an authentication is one step that knows the key.

mod access;
mod content;
mod layout;

use std::fmt;
use std::time::Duration;

use self::access::{AccessConditions, Operation};
use self::content::{value_block, value_of};
use self::layout::{BLOCK, access_group, is_trailer, sector_of, trailer_of};
use super::eeprom::{Cells, Eeprom};
use super::{Outcome, Technology, Uid};
use crate::air::Frame;
use crate::slot::{ExchangeKind, KeyType};

const READ: u8 = 0x30;
const WRITE: u8 = 0xA0;
const DECREMENT: u8 = 0xC0;
const INCREMENT: u8 = 0xC1;
const RESTORE: u8 = 0xC2;
const TRANSFER: u8 = 0xB0;

/// Four-bit answers (§9.2, table 10). A NAK is four less while the transfer buffer is valid.
const ACK: u8 = 0xA;
const NAK_INVALID: u8 = 0x4;
const NAK_CHECKSUM: u8 = 0x5;
const NAK_BUFFER_VALID: u8 = 0x4;

/// Erasing and programming a block. From memory: the data sheet gives only the time-out, 10 ms.
pub(super) const PROGRAMMING: Duration = Duration::from_micros(2_500);

/// A sector key. Its debug form hides it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) [u8; 6]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What a reader puts into a MIFARE authentication.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authentication {
    pub(crate) block: u8,
    pub(crate) key_type: KeyType,
    pub(crate) key: Key,
    /// The last four bytes of the UID, as the reader believes.
    pub(crate) uid: [u8; 4],
}

#[derive(Debug, Clone, Copy)]
struct Session {
    sector: u8,
    key_type: KeyType,
}

/// The first half of a command was acknowledged; this is what the second half is for.
#[derive(Debug, Clone, Copy)]
enum Second {
    Write(u8),
    Value { command: u8, block: u8 },
}

#[derive(Debug, Clone)]
pub(crate) struct Classic {
    blocks: Cells<BLOCK>,
    session: Option<Session>,
    second: Option<Second>,
    /// The transfer buffer: content of a value block between an operation and TRANSFER.
    buffer: Option<[u8; BLOCK]>,
}

/// How long an authentication takes on the air: the command and its nonce, then the answers of both
/// sides, eight bytes and four (§9.1).
pub(crate) fn time_of_authentication() -> Duration {
    [(4, 4), (8, 4)]
        .map(|(theirs, ours)| {
            let (theirs, ours) = (vec![0; theirs], vec![0; ours]);
            Frame::whole(theirs).time_from_reader() + Frame::whole(ours).time_from_card()
        })
        .iter()
        .sum()
}

/// What the log calls the command of a frame.
pub(crate) fn kind(frame: &Frame) -> ExchangeKind {
    match frame.body() {
        Some(&[READ, block]) => ExchangeKind::Read {
            block: block.into(),
        },
        Some(&[WRITE, block]) => ExchangeKind::Write {
            block: block.into(),
        },
        Some(&[INCREMENT, block]) => ExchangeKind::Increment {
            block: block.into(),
        },
        Some(&[DECREMENT, block]) => ExchangeKind::Decrement {
            block: block.into(),
        },
        Some(&[RESTORE, block]) => ExchangeKind::Restore {
            block: block.into(),
        },
        Some(&[TRANSFER, block]) => ExchangeKind::Transfer {
            block: block.into(),
        },
        _ => ExchangeKind::Other {
            code: frame.bytes().first().copied().unwrap_or(0),
        },
    }
}

impl Classic {
    pub(crate) fn factory(technology: Technology, uid: &Uid) -> Classic {
        Classic::holding(content::factory(technology, uid))
    }

    pub(crate) fn foreign(technology: Technology, uid: &Uid) -> Classic {
        Classic::holding(content::foreign(technology, uid))
    }

    fn holding(blocks: Vec<[u8; BLOCK]>) -> Classic {
        Classic {
            blocks: Cells::holding(blocks),
            session: None,
            second: None,
            buffer: None,
        }
    }

    pub(crate) fn memory(&self) -> Vec<u8> {
        self.blocks.read_all()
    }

    pub(crate) fn set_memory(&mut self, image: &[u8]) -> Result<(), usize> {
        let expected = self.blocks.len() * BLOCK;
        if image.len() != expected {
            return Err(expected);
        }
        for (block, bytes) in (0..).zip(image.as_chunks().0).skip(1) {
            self.blocks.put(block, *bytes);
        }
        Ok(())
    }

    /// Whether the card waits for the second half of a command.
    pub(crate) fn goes_on(&self) -> bool {
        self.second.is_some()
    }

    /// The card is no longer selected: authentication and transfer buffer are gone.
    pub(crate) fn deselected(&mut self) {
        self.session = None;
        self.second = None;
        self.buffer = None;
    }

    /// Whether the key fits. A readable key B passes here and opens nothing afterwards (§8.7.2).
    pub(crate) fn authenticate(&mut self, asked: &Authentication, uid: [u8; 4]) -> bool {
        self.session = None;
        self.second = None;
        let Some(trailer) = self.block(trailer_of(asked.block)) else {
            return false;
        };
        let stored = match asked.key_type {
            KeyType::A => &trailer[..6],
            KeyType::B => &trailer[10..],
        };
        let fits =
            self.conditions(asked.block).is_some() && stored == asked.key.0 && asked.uid == uid;
        if fits {
            self.session = Some(Session {
                sector: sector_of(asked.block),
                key_type: asked.key_type,
            });
        }
        fits
    }

    pub(crate) fn receive(&mut self, frame: &Frame, eeprom: &mut Eeprom) -> Outcome {
        let second = self.second.take();
        let Some(body) = frame.body() else {
            return self.refuse(NAK_CHECKSUM);
        };
        let done = match second {
            None => self.first_part(body, eeprom),
            Some(Second::Write(block)) => self.write(block, body, eeprom),
            Some(Second::Value { command, block }) => self.compute(command, block, body),
        };
        done.unwrap_or_else(|| self.refuse(NAK_INVALID))
    }

    fn refuse(&self, nak: u8) -> Outcome {
        let nak = if self.buffer.is_some() {
            nak - NAK_BUFFER_VALID
        } else {
            nak
        };
        Outcome::refused(nak)
    }

    /// `None` stands for a NAK, here and in all that follows.
    fn first_part(&mut self, body: &[u8], eeprom: &mut Eeprom) -> Option<Outcome> {
        let &[command, block] = body else { return None };
        match command {
            READ => self
                .read(block)
                .map(|bytes| Outcome::answered(Frame::with_crc(&bytes))),
            WRITE => {
                self.may_write(block)?;
                self.second = Some(Second::Write(block));
                Some(acknowledged(true))
            }
            INCREMENT | DECREMENT | RESTORE => {
                let right = if command == INCREMENT {
                    Operation::Increment
                } else {
                    Operation::Decrement
                };
                self.permit(block, right)?;
                value_of(&self.block(block)?)?;
                self.second = Some(Second::Value { command, block });
                Some(acknowledged(true))
            }
            TRANSFER => {
                self.permit(block, Operation::Decrement)?;
                let bytes = self.buffer?;
                self.program(block, &bytes, eeprom);
                Some(acknowledged(false))
            }
            _ => None,
        }
    }

    /// One reading of a block.
    fn block(&self, block: u8) -> Option<[u8; BLOCK]> {
        self.blocks.read(block.into())
    }

    /// `None`: the sector is blocked for ever, or does not exist.
    fn conditions(&self, block: u8) -> Option<AccessConditions> {
        let trailer = self.block(trailer_of(block))?;
        AccessConditions::decode([trailer[6], trailer[7], trailer[8]])
    }

    /// The key that the sector of this block was opened with, and the sector's conditions.
    fn opened(&self, block: u8) -> Option<(KeyType, AccessConditions)> {
        let session = self
            .session
            .filter(|session| session.sector == sector_of(block))?;
        let conditions = self.conditions(block)?;
        let opens = session.key_type == KeyType::A || !conditions.key_b_is_readable();
        opens.then_some((session.key_type, conditions))
    }

    fn permit(&self, block: u8, operation: Operation) -> Option<()> {
        let (key, conditions) = self.opened(block)?;
        let is_data = block != 0 && !is_trailer(block);
        // Of the manufacturer block only reading is left, whatever the conditions (§8.6.1).
        let possible = is_data || (block == 0 && operation == Operation::Read);
        (possible && conditions.data(access_group(block), operation, key)).then_some(())
    }

    fn read(&self, block: u8) -> Option<[u8; BLOCK]> {
        if !is_trailer(block) {
            self.permit(block, Operation::Read)?;
            return self.block(block);
        }
        let (key, conditions) = self.opened(block)?;
        let rights = conditions.trailer(key);
        if !rights.reads_access_bits {
            return None;
        }
        let mut bytes = self.block(block)?;
        bytes[..6].fill(0);
        if !rights.reads_key_b {
            bytes[10..].fill(0);
        }
        Some(bytes)
    }

    fn may_write(&self, block: u8) -> Option<()> {
        if !is_trailer(block) {
            return self.permit(block, Operation::Write);
        }
        let (key, conditions) = self.opened(block)?;
        let rights = conditions.trailer(key);
        (rights.writes_key_a || rights.writes_access_bits || rights.writes_key_b).then_some(())
    }

    fn write(&mut self, block: u8, body: &[u8], eeprom: &mut Eeprom) -> Option<Outcome> {
        let asked: &[u8; BLOCK] = body.try_into().ok()?;
        let mut bytes = *asked;
        if is_trailer(block) {
            let (key, conditions) = self.opened(block)?;
            let rights = conditions.trailer(key);
            let stored = self.block(block)?;
            for (allowed, part) in [
                (rights.writes_key_a, 0..6),
                (rights.writes_access_bits, 6..10),
                (rights.writes_key_b, 10..16),
            ] {
                if !allowed {
                    bytes[part.clone()].copy_from_slice(&stored[part]);
                }
            }
        }
        self.program(block, &bytes, eeprom);
        Some(acknowledged(false))
    }

    fn program(&mut self, block: u8, bytes: &[u8; BLOCK], eeprom: &mut Eeprom) {
        eeprom.program(&mut self.blocks, block.into(), bytes);
    }

    /// The second half of a value command. Success is silence: only a NAK would be heard (§12.5).
    fn compute(&mut self, command: u8, block: u8, operand: &[u8]) -> Option<Outcome> {
        let operand = i32::from_le_bytes(operand.try_into().ok()?);
        let stored = self.block(block)?;
        let value = value_of(&stored)?;
        let value = match command {
            INCREMENT => value.checked_add(operand)?,
            DECREMENT => value.checked_sub(operand)?,
            _ => value,
        };
        self.buffer = Some(value_block(value, stored[12]));
        Some(Outcome::silent())
    }
}

fn acknowledged(goes_on: bool) -> Outcome {
    Outcome::answered(Frame::partial([ACK], 4)).going_on(goes_on)
}

#[cfg(test)]
mod tests;
