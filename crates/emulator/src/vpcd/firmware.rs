//! The reader's own commands, by which a host reaches storage cards (PC/SC part 3 §3.2.2, with the
//! value commands of the ACR122U API §4.5). It does no I/O but to the slot.

mod pages;
mod transparent;

use super::atr;
use super::status;
use super::{KeyStructures, RawFrames, ReaderSettings};
use crate::air::Frame;
use crate::card::{Authentication, Key, Verdict};
use crate::pn532::Inside;
use crate::reader::{self, Selected, Wake, historical_bytes};
use crate::slot::{KeyType, Slot};

const BLOCK: usize = 16;
const READ: u8 = 0x30;
const WRITE: u8 = 0xA0;
const DECREMENT: u8 = 0xC0;
const INCREMENT: u8 = 0xC1;
const RESTORE: u8 = 0xC2;
const TRANSFER: u8 = 0xB0;
/// A card's positive answer of four bits.
const ACK: u8 = 0xA;

/// Bits of the key structure byte of load key (§3.2.2.1.4).
const STRUCTURE_READER_KEY: u8 = 0x80;
const STRUCTURE_SECURED: u8 = 0x40;
const STRUCTURE_PERSISTENT: u8 = 0x20;

/// A response: data and status word.
type Outcome = Result<Vec<u8>, u16>;

#[derive(Debug)]
pub(super) struct Firmware {
    slot: Slot,
    settings: ReaderSettings,
    /// Two volatile and two persistent places; the numbers are the same.
    keys: [[Option<Key>; 2]; 2],
    /// Where keys are kept by their type: A and B.
    typed_keys: [Option<Key>; 2],
    card: Option<Selected>,
    /// The chip, for hosts that talk to it.
    chip: Inside,
    /// A transparent session is under way.
    is_transparent: bool,
}

/// Class of the reader's own commands.
const OWN_CLASS: u8 = 0xFF;
/// FSDI in the reader's RATS: frames of 256 bytes.
const FSDI: u8 = 8;

/// The parts of a short command APDU.
struct Apdu<'a> {
    p1: u8,
    p2: u8,
    data: &'a [u8],
    /// Le as written: 0 stands for "as much as there is".
    le: Option<u8>,
}

impl Firmware {
    pub(super) fn new(slot: Slot, settings: ReaderSettings) -> Firmware {
        Firmware {
            chip: Inside::new(slot.clone()),
            slot,
            settings,
            keys: [[None; 2]; 2],
            typed_keys: [None; 2],
            card: None,
            is_transparent: false,
        }
    }

    /// Takes the field away and gives it back, then looks for a card.
    pub(super) fn power_on(&mut self) {
        self.power_off();
        self.slot.set_field(true);
        self.card = reader::select(&self.slot, Wake::All, None);
        let blocks = match &mut self.card {
            Some(card) => card.activate(&self.slot, FSDI),
            None => None,
        };
        self.chip.found(self.card.as_ref(), blocks);
    }

    pub(super) fn power_off(&mut self) {
        self.is_transparent = false;
        self.slot.set_field(false);
    }

    /// The reader has no card before it any longer.
    pub(super) fn forget_card(&mut self) {
        self.power_off();
        self.card = None;
    }

    /// The answer to reset of the card found last.
    pub(super) fn atr(&self) -> Option<Vec<u8>> {
        self.card.as_ref().map(atr::atr)
    }

    /// Runs a command APDU and returns the response APDU: the reader's own commands here, all others
    /// on a card with a processor. `None`: the card did not answer.
    pub(super) fn run(&mut self, apdu: &[u8]) -> Option<Vec<u8>> {
        if apdu.first() == Some(&OWN_CLASS) {
            return Some(self.run_own(apdu));
        }
        match self.chip.exchange(apdu) {
            Some(exchanged) => exchanged.ok(),
            None => Some(self.run_own(apdu)),
        }
    }

    fn run_own(&mut self, apdu: &[u8]) -> Vec<u8> {
        let (mut response, status) = match self.dispatch(apdu) {
            Ok(data) => (data, status::OK),
            Err(status) => (Vec::new(), status),
        };
        response.extend(status.to_be_bytes());
        response
    }

    fn dispatch(&mut self, apdu: &[u8]) -> Outcome {
        let &[class, instruction, p1, p2, ref body @ ..] = apdu else {
            return Err(status::WRONG_LENGTH);
        };
        if class != OWN_CLASS {
            return Err(status::UNKNOWN_CLASS);
        }
        // The obsolete authentication counts its data in no field.
        if let (0x88, &[key_type, number]) = (instruction, body) {
            return self.authenticate(p1, p2, key_type, number);
        }
        let (data, le) = match *body {
            [] => (&[][..], None),
            [le] => (&[][..], Some(le)),
            [lc, ref data @ ..] if data.len() == usize::from(lc) => (data, None),
            [lc, ref data @ .., le] if data.len() == usize::from(lc) => (data, Some(le)),
            _ => return Err(status::WRONG_LENGTH),
        };
        let apdu = Apdu { p1, p2, data, le };
        let is_paged = self
            .card
            .as_ref()
            .is_some_and(|card| card.sak == atr::TYPE_2);
        match instruction {
            0x00 if self.settings.raw_frames == RawFrames::DirectTransmit => {
                self.direct_transmit(&apdu)
            }
            0xC2 if self.settings.raw_frames == RawFrames::TransparentSession => {
                self.transparent(&apdu)
            }
            0xB0 if is_paged => self.read_pages(&apdu),
            0xD6 if is_paged => self.update_page(&apdu),
            // Values are a matter of MIFARE Classic.
            0xB1 | 0xD7 if is_paged => Err(status::UNSUPPORTED),
            0xCA => self.get_data(&apdu),
            0x82 => self.load_key(&apdu),
            0x86 => self.general_authenticate(&apdu),
            0xB0 => self.read_binary(&apdu),
            0xD6 => self.update_binary(&apdu),
            0xB1 => self.read_value(&apdu),
            0xD7 => self.change_value(&apdu),
            _ => Err(status::UNKNOWN_INSTRUCTION),
        }
    }

    /// `FF 00 00 00 Lc D4 …` (ACR122U API §4.1): to the chip and back.
    fn direct_transmit(&mut self, apdu: &Apdu<'_>) -> Outcome {
        if (apdu.p1, apdu.p2) != (0, 0) {
            return Err(status::WRONG_P1_P2);
        }
        self.chip.run(apdu.data).ok_or(status::CHIP_SILENT)
    }

    /// `FF CA 00 00 Le`: the UID (§3.2.2.1.3). P1=01 asks for historical bytes, which only cards with an
    /// ATS have.
    fn get_data(&self, apdu: &Apdu<'_>) -> Outcome {
        let card = self.card.as_ref().ok_or(status::FAILED);
        let told = match (apdu.p1, apdu.p2) {
            (0x00, 0x00) => card?.uid.as_bytes().to_vec(),
            (0x01, 0x00) => match &card?.ats {
                Some(ats) => historical_bytes(ats).to_vec(),
                None => return Err(status::UNSUPPORTED),
            },
            _ => return Err(status::WRONG_P1_P2),
        };
        match usize::from(apdu.le.ok_or(status::WRONG_LENGTH)?) {
            0 => Ok(told),
            le if le < told.len() => Err(wrong_le(told.len())),
            le if le > told.len() => Err(status::END_OF_DATA),
            _ => Ok(told),
        }
    }

    /// `FF 82 structure number 06 key` (§3.2.2.1.4).
    fn load_key(&mut self, apdu: &Apdu<'_>) -> Outcome {
        if apdu.p1 & STRUCTURE_READER_KEY != 0 {
            return Err(status::READER_KEY);
        }
        if apdu.p1 & STRUCTURE_SECURED != 0 {
            return Err(status::SECURED_LOADING);
        }
        let is_persistent = apdu.p1 & STRUCTURE_PERSISTENT != 0;
        match (self.settings.key_structures, is_persistent) {
            (KeyStructures::Volatile | KeyStructures::ByKeyType, true) => {
                return Err(status::KEY_NUMBER);
            }
            (KeyStructures::Persistent, false) => return Err(status::NO_VOLATILE_KEYS),
            _ => {}
        }
        let key: [u8; 6] = apdu.data.try_into().map_err(|_| status::KEY_LENGTH)?;
        if self.settings.key_structures == KeyStructures::ByKeyType {
            let key_type = key_type(apdu.p2).ok_or(status::KEY_NUMBER)?;
            self.typed_keys[key_type as usize] = Some(Key(key));
            return Ok(Vec::new());
        }
        let place = self.keys[usize::from(is_persistent)]
            .get_mut(usize::from(apdu.p2))
            .ok_or(status::KEY_NUMBER)?;
        *place = Some(Key(key));
        // One number means one key: the latest.
        self.keys[usize::from(!is_persistent)][usize::from(apdu.p2)] = None;
        Ok(Vec::new())
    }

    /// `FF 86 00 00 05 01 block₁ block₀ type number` (§3.2.2.1.6).
    fn general_authenticate(&mut self, apdu: &Apdu<'_>) -> Outcome {
        match *apdu.data {
            _ if (apdu.p1, apdu.p2) != (0, 0) => Err(status::WRONG_P1_P2),
            [0x01, high, low, key_type, number] => self.authenticate(high, low, key_type, number),
            [_, _, _, _, _] => Err(status::WRONG_DATA),
            _ => Err(status::WRONG_LENGTH),
        }
    }

    fn authenticate(&mut self, high: u8, low: u8, key_type: u8, number: u8) -> Outcome {
        let key_type = self::key_type(key_type).ok_or(status::KEY_TYPE)?;
        let key = self.key(key_type, number)?;
        let block = self.block(high, low)?;
        let uid = self.card.as_ref().ok_or(status::FAILED)?.uid.last_four();
        match self.slot.authenticate(&Authentication {
            block,
            key_type,
            key,
            uid,
        }) {
            Verdict::Accepted => Ok(Vec::new()),
            Verdict::Refused | Verdict::Mute => Err(status::FAILED),
        }
    }

    /// The key that an authentication means.
    fn key(&self, key_type: KeyType, number: u8) -> Result<Key, u16> {
        if self.settings.key_structures == KeyStructures::ByKeyType {
            return match number {
                0x01 => self.typed_keys[key_type as usize].ok_or(status::KEY_UNUSABLE),
                _ => Err(status::KEY_NUMBER),
            };
        }
        let [volatile, persistent] = &self.keys;
        let number = usize::from(number);
        let places = (volatile.get(number), persistent.get(number));
        let (Some(volatile), Some(persistent)) = places else {
            return Err(status::KEY_NUMBER);
        };
        volatile.or(*persistent).ok_or(status::KEY_UNUSABLE)
    }

    /// The number of a block that the card has.
    fn block(&self, high: u8, low: u8) -> Result<u8, u16> {
        let blocks = atr::blocks(self.card.as_ref().ok_or(status::FAILED)?.sak);
        if u16::from_be_bytes([high, low]) < blocks {
            Ok(low)
        } else {
            Err(status::NO_SUCH_BLOCK)
        }
    }

    /// `FF B0 block₁ block₀ Le` (§3.2.2.1.8): one to three blocks.
    fn read_binary(&self, apdu: &Apdu<'_>) -> Outcome {
        let first = self.block(apdu.p1, apdu.p2)?;
        let count = match usize::from(apdu.le.ok_or(status::WRONG_LENGTH)?) {
            0 | BLOCK => 1,
            le if le.is_multiple_of(BLOCK) && le <= 3 * BLOCK => le / BLOCK,
            _ => return Err(wrong_le(BLOCK)),
        };
        let mut data = Vec::new();
        for block in (first..=u8::MAX).take(count) {
            data.extend(self.read(block)?);
        }
        Ok(data)
    }

    /// `FF D6 block₁ block₀ 10 data` (§3.2.2.1.9).
    fn update_binary(&self, apdu: &Apdu<'_>) -> Outcome {
        let block = self.block(apdu.p1, apdu.p2)?;
        let content: &[u8; BLOCK] = apdu.data.try_into().map_err(|_| status::WRONG_LENGTH)?;
        self.write(block, content).map(|()| Vec::new())
    }

    /// `FF B1 00 block 04` (ACR122U API §4.5.2): the value, high byte first.
    fn read_value(&self, apdu: &Apdu<'_>) -> Outcome {
        let block = self.block(apdu.p1, apdu.p2)?;
        let le = apdu.le.ok_or(status::WRONG_LENGTH)?;
        if le != 0 && le != 4 {
            return Err(wrong_le(4));
        }
        let content = self.read(block)?;
        let value: [u8; 4] = *content.first_chunk().ok_or(status::FAILED)?;
        if content != value_block(value, content[12]) {
            return Err(status::FAILED);
        }
        Ok(value.into_iter().rev().collect())
    }

    /// `FF D7 00 block 05 operation value` and `FF D7 00 source 02 03 target` (ACR122U API §4.5.1, §4.5.3).
    fn change_value(&self, apdu: &Apdu<'_>) -> Outcome {
        let block = self.block(apdu.p1, apdu.p2)?;
        match *apdu.data {
            [0x00, a, b, c, d] => self.write(block, &value_block([d, c, b, a], block))?,
            [0x01, a, b, c, d] => self.compute(INCREMENT, block, [d, c, b, a], block)?,
            [0x02, a, b, c, d] => self.compute(DECREMENT, block, [d, c, b, a], block)?,
            [0x03, target] => self.compute(RESTORE, block, [0; 4], self.block(0, target)?)?,
            _ => return Err(status::WRONG_DATA),
        }
        Ok(Vec::new())
    }

    fn read(&self, block: u8) -> Result<Vec<u8>, u16> {
        match &self.slot.transmit(&Frame::with_crc(&[READ, block]))[..] {
            [answer] => answer.body().map(<[u8]>::to_vec).ok_or(status::SECURITY),
            _ => Err(status::FAILED),
        }
    }

    fn write(&self, block: u8, content: &[u8; BLOCK]) -> Result<(), u16> {
        self.acknowledged(&[WRITE, block], status::SECURITY)?;
        self.acknowledged(content, status::MEMORY_FAILURE)
    }

    fn compute(&self, command: u8, block: u8, operand: [u8; 4], target: u8) -> Result<(), u16> {
        self.acknowledged(&[command, block], status::SECURITY)?;
        // The card is silent when all is well.
        if !self.slot.transmit(&Frame::with_crc(&operand)).is_empty() {
            return Err(status::FAILED);
        }
        self.acknowledged(&[TRANSFER, target], status::SECURITY)
    }

    fn acknowledged(&self, data: &[u8], refused: u16) -> Result<(), u16> {
        match &self.slot.transmit(&Frame::with_crc(data))[..] {
            [answer] if answer.short(4) == Some(ACK) => Ok(()),
            [_] => Err(refused),
            _ => Err(status::FAILED),
        }
    }
}

fn key_type(byte: u8) -> Option<KeyType> {
    match byte {
        0x60 => Some(KeyType::A),
        0x61 => Some(KeyType::B),
        _ => None,
    }
}

fn wrong_le(right: usize) -> u16 {
    status::WRONG_LE | u16::try_from(right).expect("lengths here are short")
}

/// A value block of a MIFARE Classic: value, inverse, value, and the address likewise.
fn value_block(value: [u8; 4], address: u8) -> [u8; BLOCK] {
    let inverse = value.map(|byte| !byte);
    let mut block = [0; BLOCK];
    block[..4].copy_from_slice(&value);
    block[4..8].copy_from_slice(&inverse);
    block[8..12].copy_from_slice(&value);
    block[12..].copy_from_slice(&[address, !address, address, !address]);
    block
}

#[cfg(test)]
mod tests;
