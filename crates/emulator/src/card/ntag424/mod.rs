//! NTAG 424 DNA (NXP NT4H2421Gx data sheet, AN12196): one application, three files, five AES keys,
//! EV2 secure messaging. Secure dynamic messaging and LRP are not emulated.
//!
//! It has no backup files: a write that loses its power is a mixture.

mod authentication;
mod files;
mod iso;
mod status;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::authentication::Failures;
use self::files::File;
use super::apdu::{self, Apdu};
use super::chip::StoredFile;
use super::crypto::crc32;
use super::ev2::{self, Cover};
use super::noise::Noise;
use super::{Eeprom, Uid};

const WRAPPED: u8 = 0x90;
const NEXT_FRAME: u8 = 0xAF;
/// Units in the log beside the pages of files: keys by their number, and settings and the file system
/// by the instruction that changes them.
const KEY_UNIT: u16 = 0xF000;
const STRUCTURE_UNIT: u16 = 0xF100;

/// GetVersion's two first frames (data sheet §10.5.2): hardware and software of an NT4H2421G0.
const HARDWARE: [u8; 7] = [0x04, 0x04, 0x02, 0x30, 0x00, 0x11, 0x05];
const SOFTWARE: [u8; 7] = [0x04, 0x04, 0x02, 0x01, 0x02, 0x11, 0x05];
/// Batch, fabrication key, and week and year of production: made up.
const PRODUCTION: [u8; 7] = [0xCF, 0x39, 0xD4, 0x49, 0x80, 0x34, 0x20];

#[derive(Debug, Clone)]
pub(super) struct Ntag424 {
    uid: Uid,
    has_random_uid: bool,
    keys: [Key; 5],
    failures: [Failures; 5],
    files: [File; 3],
    signature: [u8; 56],
    /// Always the same sequence for the same card, so that a fault can be repeated.
    noise: Noise,
    /// The application is selected, and not the level above, where there are no keys and files.
    is_entered: bool,
    /// The file selected by ISO SELECT, counted like `files`.
    iso_file: Option<usize>,
    session: Option<(u8, ev2::Session)>,
    talk: Talk,
}

#[derive(Clone, PartialEq, Eq)]
struct Key {
    bytes: [u8; 16],
    version: u8,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

#[derive(Debug, Clone, Default)]
enum Talk {
    #[default]
    Idle,
    Authenticating {
        number: u8,
        handshake: Box<ev2::Handshake>,
    },
    /// What is left of GetVersion.
    Telling(VecDeque<Vec<u8>>),
}

type Outcome = Result<(u8, Vec<u8>), u8>;

impl Ntag424 {
    pub(super) fn delivered(uid: &Uid, has_random_uid: bool) -> Ntag424 {
        let mut noise = Noise::of(uid.as_bytes());
        let mut signature = [0; 56];
        noise.fill(&mut signature);
        Ntag424 {
            uid: *uid,
            has_random_uid,
            keys: std::array::from_fn(|_| Key {
                bytes: [0; 16],
                version: 0,
            }),
            failures: Default::default(),
            files: files::delivered(),
            signature,
            noise,
            is_entered: false,
            iso_file: None,
            session: None,
            talk: Talk::Idle,
        }
    }

    /// Somebody else's: keys that nobody here knows, and something in every file.
    pub(super) fn made_foreign(mut self) -> Ntag424 {
        for number in 0..self.keys.len() {
            self.keys[number] = Key {
                bytes: self.random(),
                version: 0x01,
            };
        }
        for number in [1, 2] {
            let content: [u8; 48] = self.random();
            let mut whole = self.files[number].content.read();
            whole[..content.len()].copy_from_slice(&content);
            self.files[number].content.put(&whole);
        }
        self
    }

    pub(super) fn has_random_uid(&self) -> bool {
        self.has_random_uid
    }

    pub(super) fn files(&self) -> Vec<StoredFile> {
        let stored = |(number, file): (u8, &File)| StoredFile {
            application: [0; 3],
            number,
            content: file.content.read(),
        };
        (1..).zip(&self.files).map(stored).collect()
    }

    /// Everything that is stored, but for the content of file 3 and the keys.
    pub(super) fn everything_but_file_3(&self) -> Vec<u8> {
        let mut dump = vec![u8::from(self.has_random_uid)];
        for file in &self.files {
            dump.extend(file.settings());
        }
        dump.extend(self.files[0].content.read());
        dump.extend(self.files[1].content.read());
        dump
    }

    pub(super) fn power_off(&mut self) {
        self.is_entered = false;
        self.iso_file = None;
        self.fail();
    }

    fn fail(&mut self) {
        self.session = None;
        self.talk = Talk::Idle;
    }

    /// Runs one APDU. There are no bare native commands.
    pub(super) fn run(&mut self, command: &[u8], eeprom: &mut Eeprom) -> Vec<u8> {
        let Some(apdu) = Apdu::parse(command) else {
            return apdu::respond(Err(apdu::WRONG_LENGTH));
        };
        match apdu.class {
            WRAPPED if (apdu.p1, apdu.p2) == (0, 0) => {
                let outcome = self.take(apdu.instruction, apdu.data, eeprom);
                let (status, mut data) = outcome.unwrap_or_else(|status| {
                    self.fail();
                    (status, Vec::new())
                });
                data.extend([0x91, status]);
                data
            }
            WRAPPED => apdu::respond(Err(apdu::WRONG_P1_P2)),
            0x00 => self.run_iso(&apdu, eeprom),
            _ => apdu::respond(Err(apdu::UNKNOWN_CLASS)),
        }
    }

    fn take(&mut self, code: u8, data: &[u8], eeprom: &mut Eeprom) -> Outcome {
        match std::mem::take(&mut self.talk) {
            Talk::Idle if code == NEXT_FRAME => Err(status::ILLEGAL_COMMAND),
            Talk::Idle => self.execute(code, data, eeprom),
            _ if code != NEXT_FRAME => Err(status::ABORTED),
            Talk::Authenticating { number, handshake } => {
                self.finish_authentication(number, *handshake, data)
            }
            Talk::Telling(rest) if data.is_empty() => Ok(self.tell(rest)),
            Talk::Telling(_) => Err(status::LENGTH),
        }
    }

    fn execute(&mut self, code: u8, data: &[u8], eeprom: &mut Eeprom) -> Outcome {
        let is_used_up = |(_, session): &(u8, ev2::Session)| session.is_used_up();
        if self.session.as_ref().is_some_and(is_used_up) {
            return Err(status::INTEGRITY);
        }
        match code {
            0x60 => self.get_version(data),
            0x71 | 0x77 => self.begin_authentication(code, data),
            0x51 => self.get_card_uid(data),
            0x5C => self.set_configuration(data, eeprom),
            0x64 => self.get_key_version(data),
            0xC4 => self.change_key(data, eeprom),
            0x3C => self.read_signature(data),
            0xF5 => self.get_file_settings(data),
            0x5F => self.change_file_settings(data, eeprom),
            0xAD => self.read_data(data),
            0x8D => self.write_data(data, eeprom),
            _ => Err(status::ILLEGAL_COMMAND),
        }
    }

    /// Opens what followed a command's code: header and data, if nothing was changed. Without a
    /// session it came plainly.
    fn open(&self, command: u8, body: &[u8], header: usize, cover: Cover) -> Result<Vec<u8>, u8> {
        let (header, body) = body.split_at_checked(header).ok_or(status::LENGTH)?;
        let data = match &self.session {
            Some((_, session)) => session
                .open(command, header, body, cover)
                .ok_or(status::INTEGRITY)?,
            None => body.to_vec(),
        };
        Ok([header, &data].concat())
    }

    fn close(&mut self, data: Vec<u8>, cover: Cover) -> (u8, Vec<u8>) {
        let data = match &mut self.session {
            Some((_, session)) => session.close(status::OK, data, cover),
            None => data,
        };
        (status::OK, data)
    }

    fn is_authenticated_with(&self, key: u8) -> bool {
        self.session.as_ref().is_some_and(|(with, _)| *with == key)
    }

    fn needs_session(&self) -> Result<(), u8> {
        self.session
            .as_ref()
            .map(|_| ())
            .ok_or(status::AUTHENTICATION)
    }

    fn needs_key_0(&self) -> Result<(), u8> {
        if self.is_authenticated_with(0) {
            Ok(())
        } else {
            Err(status::AUTHENTICATION)
        }
    }

    /// Three frames. With random UIDs the true one is not told here.
    fn get_version(&mut self, data: &[u8]) -> Outcome {
        if !self.open(0x60, data, 0, Cover::Mac)?.is_empty() {
            return Err(status::LENGTH);
        }
        let mut version = [HARDWARE, SOFTWARE].concat();
        if self.has_random_uid {
            version.extend([0; 7]);
        } else {
            version.extend(self.uid.as_bytes());
        }
        version.extend(PRODUCTION);
        let (_, mut version) = self.close(version, Cover::Mac);
        let last = version.split_off(HARDWARE.len() + SOFTWARE.len());
        let software = version.split_off(HARDWARE.len());
        Ok(self.tell([version, software, last].into()))
    }

    fn tell(&mut self, mut frames: VecDeque<Vec<u8>>) -> (u8, Vec<u8>) {
        let frame = frames.pop_front().unwrap_or_default();
        if frames.is_empty() {
            return (status::OK, frame);
        }
        self.talk = Talk::Telling(frames);
        (status::ADDITIONAL_FRAME, frame)
    }

    fn get_card_uid(&mut self, data: &[u8]) -> Outcome {
        self.needs_session()?;
        if !self.open(0x51, data, 0, Cover::Mac)?.is_empty() {
            return Err(status::LENGTH);
        }
        Ok(self.close(self.uid.as_bytes().to_vec(), Cover::Full))
    }

    /// Option 00 only: random UIDs, which stay for ever (data sheet §10.5.1).
    fn set_configuration(&mut self, data: &[u8], eeprom: &mut Eeprom) -> Outcome {
        const RANDOM_UID: u8 = 0x02;
        self.needs_key_0()?;
        match self.open(0x5C, data, 1, Cover::Full)?[..] {
            [0x00, bits] if bits & !RANDOM_UID == 0 => {
                let before = [u8::from(self.has_random_uid) * RANDOM_UID];
                let after = [before[0] | bits];
                if switched(eeprom, STRUCTURE_UNIT | 0x5C, &before, &after) {
                    self.has_random_uid = after != [0];
                }
                Ok(self.close(Vec::new(), Cover::Mac))
            }
            [0x00, _] => Err(status::PARAMETER),
            [0x00, ..] => Err(status::LENGTH),
            _ => Err(status::PARAMETER),
        }
    }

    fn key_index(&self, number: u8) -> Result<usize, u8> {
        let index = usize::from(number);
        if self.is_entered && index < self.keys.len() {
            Ok(index)
        } else {
            Err(status::NO_SUCH_KEY)
        }
    }

    fn get_key_version(&mut self, data: &[u8]) -> Outcome {
        let &[number] = &self.open(0x64, data, 0, Cover::Mac)?[..] else {
            return Err(status::LENGTH);
        };
        let version = self.keys[self.key_index(number)?].version;
        Ok(self.close(vec![version], Cover::Mac))
    }

    /// `number`, then enciphered: the key and its version; of keys but the master key mixed with the
    /// old key, and with the checksum of the new one. Not torn (data sheet §8.2.3: anti-tearing for
    /// keys).
    fn change_key(&mut self, data: &[u8], eeprom: &mut Eeprom) -> Outcome {
        self.needs_key_0()?;
        let number = *data.first().ok_or(status::LENGTH)?;
        let index = self.key_index(number)?;
        let opened = self.open(0xC4, data, 1, Cover::Full)?;
        let (bytes, rest) = opened[1..]
            .split_first_chunk::<16>()
            .ok_or(status::LENGTH)?;
        let mut bytes = *bytes;
        let version = match *rest {
            [version] if number == 0 => version,
            [version, ref check @ ..] if number != 0 && check.len() == 4 => {
                let old = self.keys[index].bytes;
                bytes.iter_mut().zip(old).for_each(|(new, old)| *new ^= old);
                if check != crc32(&[&bytes]) {
                    return Err(status::INTEGRITY);
                }
                version
            }
            _ => return Err(status::LENGTH),
        };
        let unit = KEY_UNIT | u16::from(number);
        if switched(eeprom, unit, &[self.keys[index].version], &[version]) {
            self.keys[index] = Key { bytes, version };
            self.failures[index] = Failures::default();
        }
        if number == 0 {
            // The session's key is no more: the answer comes without any protection.
            self.session = None;
        }
        Ok(self.close(Vec::new(), Cover::Mac))
    }

    /// NXP's signature over the UID: noise here, there is no curve behind it. From memory: enciphered
    /// within a session, plain without.
    fn read_signature(&mut self, data: &[u8]) -> Outcome {
        match self.open(0x3C, data, 0, Cover::Mac)?[..] {
            [0x00] => Ok(self.close(self.signature.to_vec(), Cover::Full)),
            [_] => Err(status::PARAMETER),
            _ => Err(status::LENGTH),
        }
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.noise.fill(&mut bytes);
        bytes
    }
}

/// Programs something that the card changes as a whole or not at all.
fn switched(eeprom: &mut Eeprom, unit: u16, before: &[u8], after: &[u8]) -> bool {
    eeprom.switch(vec![(unit, before.to_vec(), after.to_vec())])
}
