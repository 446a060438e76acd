//! MIFARE DESFire EV1, EV2 and EV3 (NXP MF3ICD81 data sheet; AN12343 for EV2's secure messaging;
//! where the documents are not public, what libfreefare relies on). Here is what the
//! card is and what it forgets; what commands do is in the modules beside.
//!
//! An error ends the authentication and the transaction. Loss of power does, too.

mod authentication;
mod card_level;
mod data;
mod file_level;
mod frames;
mod inspection;
mod iso;
mod key_level;
mod keys;
mod picc;
mod session;
mod status;
mod version;

use std::collections::BTreeMap;

use self::frames::{Answer, NATIVE_FRAME, Talk, WRAPPED_FRAME};
use self::picc::{Aid, Application, PICC, Picc};
use self::session::{Cover, Session};
use super::apdu::{self, Apdu};
use super::eeprom::Eeprom;
use super::noise::Noise;
use super::{Technology, Uid};

pub use self::version::Storage;

/// The class of a native command that is wrapped into an APDU.
const WRAPPED: u8 = 0x90;
/// Units in the log beside the pages of files: keys by their number, and settings and the file system
/// by the instruction that changes them.
const KEY_UNIT: u16 = 0xF000;
const STRUCTURE_UNIT: u16 = 0xF100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Generation {
    Ev1,
    Ev2,
    Ev3,
}

#[derive(Debug, Clone)]
pub(super) struct Desfire {
    generation: Generation,
    storage: Storage,
    uid: Uid,
    picc: Picc,
    /// Random numbers: always the same sequence for the same card, so that a fault can be repeated.
    noise: Noise,
    selected: Aid,
    /// The file selected by ISO SELECT.
    iso_file: Option<u8>,
    session: Option<Session>,
    /// Second images of backup files with uncommitted writes.
    transaction: BTreeMap<u8, Vec<u8>>,
    talk: Talk,
}

impl Desfire {
    pub(super) fn delivered(technology: Technology, uid: &Uid, storage: Storage) -> Desfire {
        let generation = match technology {
            Technology::DesfireEv3 => Generation::Ev3,
            Technology::DesfireEv2 => Generation::Ev2,
            _ => Generation::Ev1,
        };
        Desfire {
            generation,
            storage,
            uid: *uid,
            picc: Picc::delivered(storage.capacity()),
            noise: Noise::of(uid.as_bytes()),
            selected: PICC,
            iso_file: None,
            session: None,
            transaction: BTreeMap::new(),
            talk: Talk::Idle,
        }
    }

    /// Configures random UIDs, as SetConfiguration does.
    pub(super) fn with_random_uid(mut self) -> Desfire {
        self.picc.has_random_uid = true;
        self
    }

    pub(super) fn has_random_uid(&self) -> bool {
        self.picc.has_random_uid
    }

    /// The supply is gone: all but the EEPROM is forgotten.
    pub(super) fn power_off(&mut self) {
        self.selected = PICC;
        self.iso_file = None;
        self.fail();
    }

    /// Ends what was under way: authentication, transaction, sequence of frames.
    fn fail(&mut self) {
        self.session = None;
        self.transaction.clear();
        self.talk = Talk::Idle;
    }

    /// Runs one command, in whichever form it comes.
    pub(super) fn run(&mut self, command: &[u8], eeprom: &mut Eeprom) -> Vec<u8> {
        let wrapped = |(status, mut data): (u8, Vec<u8>)| {
            data.extend([0x91, status]);
            data
        };
        match *command {
            [WRAPPED, ..] => wrapped(match Apdu::parse(command) {
                Some(apdu) if (apdu.p1, apdu.p2) == (0, 0) && apdu.le.unwrap_or(0) == 0 => {
                    self.take(apdu.instruction, apdu.data, WRAPPED_FRAME, eeprom)
                }
                _ => {
                    self.fail();
                    (status::LENGTH, Vec::new())
                }
            }),
            [0x00, ..] => match Apdu::parse(command) {
                Some(apdu) => self.run_iso(&apdu, eeprom),
                None => apdu::respond(Err(apdu::WRONG_LENGTH)),
            },
            [code, ref data @ ..] => {
                let (status, data) = self.take(code, data, NATIVE_FRAME, eeprom);
                [&[status][..], &data].concat()
            }
            [] => vec![status::LENGTH],
        }
    }

    fn execute(&mut self, command: u8, data: &[u8], eeprom: &mut Eeprom) -> Result<Answer, u8> {
        match command {
            0x60 => self.get_version(data),
            0x5A => self.select_application(data),
            0x6A => self.get_application_ids(data),
            0xCA => self.create_application(data, eeprom),
            0xDA => self.delete_application(data, eeprom),
            0xFC => self.format_picc(data, eeprom),
            0x6E => self.free_memory(data),
            0x5C => self.set_configuration(data, eeprom),
            0x51 => self.get_card_uid(data),
            0x45 => self.get_key_settings(data),
            0x54 => self.change_key_settings(data, eeprom),
            0x64 => self.get_key_version(data),
            0xC4 => self.change_key(data, eeprom),
            0xCD | 0xCB => self.create_data_file(command, data, eeprom),
            0xDF => self.delete_file(data, eeprom),
            0x6F => self.get_file_ids(data),
            0x61 => self.get_iso_file_ids(data),
            0xF5 => self.get_file_settings(data),
            0x5F => self.change_file_settings(data, eeprom),
            data::READ => self.read_data(command, data),
            data::WRITE => self.write_data(command, data, eeprom),
            data::READ_LONG | data::WRITE_LONG if !self.is_long(command) => {
                Err(status::ILLEGAL_COMMAND)
            }
            data::READ_LONG => self.read_data(command, data),
            data::WRITE_LONG => self.write_data(command, data, eeprom),
            0xC7 => self.commit_transaction(data, eeprom),
            0xA7 => self.abort_transaction(data),
            _ => Err(status::ILLEGAL_COMMAND),
        }
    }

    /// Opens a command that is not enciphered.
    fn hear(&mut self, command: u8, data: &[u8], cover: Cover) -> Result<Vec<u8>, u8> {
        match &mut self.session {
            Some(session) => session.open(command, data, cover),
            None => Ok(data.to_vec()),
        }
    }

    /// Opens a command without parameters.
    fn hear_nothing(&mut self, command: u8, data: &[u8]) -> Result<(), u8> {
        match &self.hear(command, data, Cover::Ordinary)?[..] {
            [] => Ok(()),
            _ => Err(status::LENGTH),
        }
    }

    /// Opens an enciphered command behind its header: its data, and what else was in there.
    fn unseal(
        &mut self,
        command: u8,
        body: &[u8],
        header: usize,
        length: usize,
    ) -> Result<(Vec<u8>, Vec<u8>), u8> {
        let (header, body) = body.split_at_checked(header).ok_or(status::LENGTH)?;
        let session = self.session.as_mut().ok_or(status::AUTHENTICATION)?;
        session.open_sealed(command, header, body, length)
    }

    /// Whether the session was opened with this key of what is selected.
    fn is_authenticated_with(&self, key: u8) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.key == key)
    }

    /// # Errors
    /// The PICC level is selected, where there are no files.
    fn application(&self) -> Result<&Application, u8> {
        self.picc
            .applications
            .get(&self.selected)
            .ok_or(status::PERMISSION_DENIED)
    }

    fn application_mut(&mut self) -> Result<&mut Application, u8> {
        self.picc
            .applications
            .get_mut(&self.selected)
            .ok_or(status::PERMISSION_DENIED)
    }

    /// Key settings of what is selected.
    fn settings(&self) -> u8 {
        self.picc
            .applications
            .get(&self.selected)
            .map_or(self.picc.settings, |application| application.settings)
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.noise.fill(&mut bytes);
        bytes
    }
}

/// Programs something that the card changes as a whole or not at all: the data sheet promises that
/// changes of keys, settings and the file system are not torn. Says whether it came about.
fn switched(eeprom: &mut Eeprom, unit: u16, before: &[u8], after: &[u8]) -> bool {
    eeprom.switch(vec![(unit, before.to_vec(), after.to_vec())])
}

#[cfg(test)]
mod tests;
