//! MIFARE Ultralight, Ultralight EV1, Ultralight C and NTAG213/215/216: commands and authentication
//! state of NFC Forum Type 2 cards (NXP MF0ICU1, MF0ULx1, MF0ICU2, NTAG213_215_216).

mod content;
mod counters;
mod locks;
mod memory;
pub(super) mod model;
mod triple_des;

use std::time::Duration;

use self::counters::{Counter, Counters};
use self::memory::{Memory, NotAllowed};
use self::model::{Counting, Model, PAGE, Protection};
use self::triple_des::Challenge;
use super::noise::Noise;
use super::{Eeprom, Outcome, Technology, Uid};
use crate::air::Frame;
use crate::slot::ExchangeKind;

const READ: u8 = 0x30;
const FAST_READ: u8 = 0x3A;
const WRITE: u8 = 0xA2;
const COMPATIBILITY_WRITE: u8 = 0xA0;
const GET_VERSION: u8 = 0x60;
const READ_SIG: u8 = 0x3C;
const READ_CNT: u8 = 0x39;
const INCR_CNT: u8 = 0xA5;
const CHECK_TEARING_EVENT: u8 = 0x3E;
const PWD_AUTH: u8 = 0x1B;
const AUTHENTICATE: u8 = 0x1A;
/// Before the second message of an authentication, in both directions.
const MORE: u8 = 0xAF;

/// Four-bit answers (NTAG213_215_216 §9.3, MF0ULx1 §9.3).
const ACK: u8 = 0xA;
const NAK_INVALID: u8 = 0x0;
const NAK_CHECKSUM: u8 = 0x1;
/// A counter is at its end, or the limit of wrong passwords is reached.
const NAK_LIMIT: u8 = 0x4;

/// Bits of ACCESS (NTAG213_215_216 table 10).
const ACCESS_NFC_CNT_EN: u8 = 0x10;
const ACCESS_NFC_CNT_PWD_PROT: u8 = 0x08;
const ACCESS_AUTHLIM: u8 = 0x07;

/// The counter of readings of an NTAG (NTAG213_215_216 §10.6).
const READINGS: u8 = 2;

/// Erasing and programming a page. From memory: the data sheets give only the time-out, 10 ms.
pub(super) const PROGRAMMING: Duration = Duration::from_micros(4_100);

#[derive(Debug, Clone)]
pub(crate) struct Type2 {
    memory: Memory,
    counters: Counters,
    /// Of NXP's over the UID. Only NXP can make one, so it is made up here.
    signature: [u8; 32],
    /// Where challenges come from.
    noise: Noise,
    is_authenticated: bool,
    /// A reading since power-on was counted.
    is_reading_counted: bool,
    second: Option<Second>,
}

/// The first half of a command was done; this is what the second half is for.
#[derive(Debug, Clone)]
enum Second {
    Write(u8),
    Authenticate(Challenge),
}

/// An answer, or the code of a NAK.
type Done = Result<Outcome, u8>;

impl From<NotAllowed> for u8 {
    fn from(NotAllowed: NotAllowed) -> u8 {
        NAK_INVALID
    }
}

/// What the log calls the command of a frame.
pub(crate) fn kind(frame: &Frame) -> ExchangeKind {
    match frame.body() {
        Some(&[READ, page]) => ExchangeKind::Read { block: page.into() },
        Some(&[FAST_READ, first, last]) => ExchangeKind::ReadRange {
            first: first.into(),
            last: last.into(),
        },
        Some(&[WRITE, page, ..] | &[COMPATIBILITY_WRITE, page]) => {
            ExchangeKind::Write { block: page.into() }
        }
        Some(
            &[
                code @ (GET_VERSION | READ_SIG | READ_CNT | INCR_CNT | CHECK_TEARING_EVENT
                | PWD_AUTH | AUTHENTICATE | MORE),
                ..,
            ],
        ) => ExchangeKind::Command { code },
        _ => ExchangeKind::Other {
            code: frame.bytes().first().copied().unwrap_or(0),
        },
    }
}

impl Type2 {
    pub(super) fn factory(technology: Technology, model: &'static Model, uid: &Uid) -> Type2 {
        Type2::with(Memory::factory(technology, model, uid), uid)
    }

    pub(super) fn foreign(technology: Technology, model: &'static Model, uid: &Uid) -> Type2 {
        Type2::with(Memory::foreign(technology, model, uid), uid)
    }

    fn with(memory: Memory, uid: &Uid) -> Type2 {
        let mut noise = Noise::of(uid.as_bytes());
        let mut signature = [0; 32];
        noise.fill(&mut signature);
        Type2 {
            memory,
            counters: Counters::new(),
            signature,
            noise,
            is_authenticated: false,
            is_reading_counted: false,
            second: None,
        }
    }

    /// The pages, password and key included; counters have none.
    pub(crate) fn memory(&self) -> Vec<u8> {
        self.memory.image()
    }

    pub(crate) fn set_memory(&mut self, image: &[u8]) -> Result<(), usize> {
        self.memory.set_image(image)
    }

    /// Whether the card waits for data that may look like anything.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self.second, Some(Second::Write(_)))
    }

    /// The card is no longer selected.
    pub(crate) fn deselected(&mut self) {
        self.is_authenticated = false;
        self.second = None;
        self.memory.activate();
    }

    /// The card lost its supply.
    pub(crate) fn power_off(&mut self) {
        self.deselected();
        self.is_reading_counted = false;
        self.memory.power_on();
    }

    pub(crate) fn receive(&mut self, frame: &Frame, eeprom: &mut Eeprom) -> Outcome {
        let second = self.second.take();
        let done = match (frame.body(), second) {
            (None, _) => Err(NAK_CHECKSUM),
            (Some(body), Some(Second::Write(page))) => self.written(page, body, eeprom),
            (Some(&[MORE, ref message @ ..]), Some(Second::Authenticate(challenge))) => {
                self.authenticated(challenge, message)
            }
            (Some(body), _) => self.command(body, eeprom),
        };
        done.unwrap_or_else(Outcome::refused)
    }

    fn command(&mut self, body: &[u8], eeprom: &mut Eeprom) -> Done {
        match *body {
            [READ, page] => {
                let data = self.memory.read(page, self.is_authenticated)?;
                self.count_reading(eeprom);
                Ok(Outcome::answered(Frame::with_crc(&data)))
            }
            [WRITE, page, a, b, c, d] => {
                let authenticated = self.is_authenticated;
                self.memory
                    .write(page, [a, b, c, d], authenticated, eeprom)?;
                Ok(acknowledged())
            }
            [COMPATIBILITY_WRITE, page] => {
                self.memory.may_write(page, self.is_authenticated)?;
                self.second = Some(Second::Write(page));
                Ok(acknowledged().going_on(true))
            }
            [AUTHENTICATE, 0x00] if self.memory.model.protection == Protection::TripleDes => {
                Ok(self.challenge())
            }
            [READ | WRITE | COMPATIBILITY_WRITE, ..] => Err(NAK_INVALID),
            // By this readers tell the first Ultralight from a C, which answers. From memory.
            _ if self.memory.model.protection == Protection::Nothing => Ok(Outcome::ignored()),
            [PWD_AUTH, a, b, c, d] => self.check_password([a, b, c, d], eeprom),
            _ => self.newer_command(body, eeprom),
        }
    }

    /// Commands of the cards that have a version.
    fn newer_command(&mut self, body: &[u8], eeprom: &mut Eeprom) -> Done {
        let version = self.memory.model.version.ok_or(NAK_INVALID)?;
        match *body {
            [GET_VERSION] => Ok(Outcome::answered(Frame::with_crc(&version))),
            [READ_SIG, 0x00] => Ok(Outcome::answered(Frame::with_crc(&self.signature))),
            [FAST_READ, first, last] => {
                let data = self.memory.read_range(first, last, self.is_authenticated)?;
                self.count_reading(eeprom);
                Ok(Outcome::answered(Frame::with_crc(&data)))
            }
            [READ_CNT, number] => self.read_counter(number),
            [INCR_CNT, number, a, b, c, _] => {
                self.increment(number, u32::from_le_bytes([a, b, c, 0]), eeprom)
            }
            [CHECK_TEARING_EVENT, number] => {
                let counter = self.counter(number)?;
                let validity = self.counters.validity(counter);
                Ok(Outcome::answered(Frame::with_crc(&[validity])))
            }
            _ => Err(NAK_INVALID),
        }
    }

    /// The second part of a COMPATIBILITY WRITE: of 16 bytes the first four are written.
    fn written(&mut self, page: u8, body: &[u8], eeprom: &mut Eeprom) -> Done {
        let content: &[u8; 16] = body.try_into().map_err(|_| NAK_INVALID)?;
        let (first, _) = content.as_chunks::<PAGE>();
        let authenticated = self.is_authenticated;
        self.memory.write(page, first[0], authenticated, eeprom)?;
        Ok(acknowledged())
    }

    fn challenge(&mut self) -> Outcome {
        self.is_authenticated = false;
        let mut random = [0; 8];
        self.noise.fill(&mut random);
        let (challenge, sent) = Challenge::new(self.memory.key(), random);
        self.second = Some(Second::Authenticate(challenge));
        Outcome::answered(Frame::with_crc(&[&[MORE][..], &sent].concat()))
    }

    fn authenticated(&mut self, challenge: Challenge, message: &[u8]) -> Done {
        let message = message.try_into().map_err(|_| NAK_INVALID)?;
        let sent = challenge.answer(message).ok_or(NAK_INVALID)?;
        self.is_authenticated = true;
        Ok(Outcome::answered(Frame::with_crc(
            &[&[0x00][..], &sent].concat(),
        )))
    }

    /// §8.8 of NTAG213_215_216: wrong passwords are counted where AUTHLIM sets a limit, and once it
    /// is reached the right one is refused too, for good. That a wrong one is answered as an invalid
    /// argument is from memory.
    fn check_password(&mut self, password: [u8; PAGE], eeprom: &mut Eeprom) -> Done {
        let stored = self.memory.password().ok_or(NAK_INVALID)?;
        self.is_authenticated = false;
        let limit = u32::from(self.memory.access() & ACCESS_AUTHLIM);
        let wrong = self.counters.value(Counter::WrongPasswords);
        if limit > 0 && wrong >= limit {
            return Err(NAK_LIMIT);
        }
        if password != stored {
            if limit > 0 {
                self.counters
                    .set(Counter::WrongPasswords, wrong + 1, eeprom);
            }
            return Err(NAK_INVALID);
        }
        if wrong > 0 {
            self.counters.set(Counter::WrongPasswords, 0, eeprom);
        }
        self.is_authenticated = true;
        let acknowledge = self.memory.password_acknowledge();
        Ok(Outcome::answered(Frame::with_crc(&acknowledge)))
    }

    fn read_counter(&self, number: u8) -> Done {
        let counter = match self.memory.model.counting {
            Counting::Readings if number == READINGS => {
                let access = self.memory.access();
                let is_protected = access & ACCESS_NFC_CNT_PWD_PROT != 0;
                if access & ACCESS_NFC_CNT_EN == 0 || (is_protected && !self.is_authenticated) {
                    return Err(NAK_INVALID);
                }
                Counter::Number(number)
            }
            _ => self.counter(number)?,
        };
        let [a, b, c, _] = self.counters.value(counter).to_le_bytes();
        Ok(Outcome::answered(Frame::with_crc(&[a, b, c])))
    }

    /// INCR_CNT: beyond FFFFFF nothing is changed (MF0ULx1 §10.8).
    fn increment(&mut self, number: u8, by: u32, eeprom: &mut Eeprom) -> Done {
        let counter = self.counter(number)?;
        let count = self.counters.value(counter) + by;
        if count > counters::MOST {
            return Err(NAK_LIMIT);
        }
        self.counters.set(counter, count, eeprom);
        Ok(acknowledged())
    }

    /// A counter that a reader counts up.
    fn counter(&self, number: u8) -> Result<Counter, u8> {
        let exists = self.memory.model.counting == Counting::Three && number <= 2;
        exists.then_some(Counter::Number(number)).ok_or(NAK_INVALID)
    }

    /// The first reading after power-on counts, where that is switched on (NTAG213_215_216 §8.7).
    fn count_reading(&mut self, eeprom: &mut Eeprom) {
        let counts = self.memory.model.counting == Counting::Readings
            && self.memory.access() & ACCESS_NFC_CNT_EN != 0;
        if counts && !self.is_reading_counted {
            self.is_reading_counted = true;
            let counter = Counter::Number(READINGS);
            let count = self.counters.value(counter);
            if count < counters::MOST {
                self.counters.set(counter, count + 1, eeprom);
            }
        }
    }
}

fn acknowledged() -> Outcome {
    Outcome::answered(Frame::partial([ACK], 4))
}

#[cfg(test)]
mod tests;
