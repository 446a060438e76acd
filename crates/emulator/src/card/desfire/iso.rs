//! The commands of ISO/IEC 7816-4 that a DESFire has beside its own (MF3ICD81 data sheet, "ISO/IEC
//! 7816-4 APDU"): SELECT, and reading and updating data files that are free to whoever asks.

use super::Desfire;
use super::picc::{Aid, FREE, PICC};
use crate::card::Eeprom;
use crate::card::apdu::{self, Apdu};

const SELECT: u8 = 0xA4;
const READ_BINARY: u8 = 0xB0;
const UPDATE_BINARY: u8 = 0xD6;
/// The name of the PICC level, and its file identifier (§"Delivery").
const PICC_NAME: [u8; 7] = [0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x00];
const MASTER_FILE: [u8; 2] = [0x3F, 0x00];
/// The most that a frame of 64 bytes brings back.
const MOST_READ: usize = 59;

impl Desfire {
    pub(super) fn run_iso(&mut self, apdu: &Apdu<'_>, eeprom: &mut Eeprom) -> Vec<u8> {
        let outcome = match apdu.instruction {
            SELECT => self.iso_select(apdu),
            READ_BINARY => self.iso_read(apdu),
            UPDATE_BINARY => self.iso_update(apdu, eeprom),
            _ => Err(apdu::UNKNOWN_INSTRUCTION),
        };
        if outcome.is_err() {
            self.fail();
        }
        apdu::respond(outcome)
    }

    /// By name (P1=04), or by identifier an application or one of its files. The identifier travels
    /// high byte first here.
    fn iso_select(&mut self, apdu: &Apdu<'_>) -> Result<Vec<u8>, u16> {
        if apdu.p1 == 0x04 {
            let aid = self.aid_called(apdu.data).ok_or(apdu::NOT_FOUND)?;
            self.enter(aid);
            return Ok(Vec::new());
        }
        if !matches!(apdu.p1, 0x00 | 0x02) {
            return Err(apdu::WRONG_P1_P2);
        }
        let &[high, low] = apdu.data else {
            return Err(apdu::WRONG_LENGTH);
        };
        if [high, low] == MASTER_FILE {
            self.enter(PICC);
            return Ok(Vec::new());
        }
        let iso_id = Some([low, high]);
        let file = self.application().ok().and_then(|application| {
            let mut files = application.files.iter();
            files.find(|(_, file)| file.iso_id == iso_id)
        });
        if let Some((&number, _)) = file {
            self.iso_file = Some(number);
            return Ok(Vec::new());
        }
        let mut applications = self.picc.applications.iter();
        let found = applications.find(|(_, application)| application.iso_id == iso_id);
        let aid = *found.ok_or(apdu::NOT_FOUND)?.0;
        self.enter(aid);
        Ok(Vec::new())
    }

    fn aid_called(&self, name: &[u8]) -> Option<Aid> {
        if name == PICC_NAME {
            return Some(PICC);
        }
        let mut applications = self.picc.applications.iter();
        let is_it = |name: &[u8], known: &[u8]| !known.is_empty() && known == name;
        applications
            .find(|(_, application)| is_it(name, &application.name))
            .map(|(aid, _)| *aid)
    }

    fn enter(&mut self, aid: Aid) {
        self.fail();
        self.selected = aid;
        self.iso_file = None;
    }

    fn iso_read(&mut self, apdu: &Apdu<'_>) -> Result<Vec<u8>, u16> {
        let file = self
            .iso_file
            .and_then(|number| self.file(number).ok())
            .ok_or(apdu::NOT_ALLOWED)?;
        if !file.rights.read().contains(&FREE) {
            return Err(apdu::SECURITY);
        }
        let content = file.data.read();
        let rest = content.get(offset(apdu)?..).ok_or(apdu::WRONG_OFFSET)?;
        let length = match apdu.le.ok_or(apdu::WRONG_LENGTH)? {
            0 => rest.len().min(MOST_READ),
            le => usize::from(le),
        };
        let part = rest.get(..length).ok_or(apdu::WRONG_LENGTH)?;
        Ok(part.to_vec())
    }

    fn iso_update(&mut self, apdu: &Apdu<'_>, eeprom: &mut Eeprom) -> Result<Vec<u8>, u16> {
        let number = self.iso_file.ok_or(apdu::NOT_ALLOWED)?;
        let offset = offset(apdu)?;
        let file = self.file_mut(number).map_err(|_| apdu::NOT_ALLOWED)?;
        // Backup files would need a commit, which ISO/IEC 7816-4 does not know.
        if !file.rights.write().contains(&FREE) || file.is_backup {
            return Err(apdu::SECURITY);
        }
        file.data
            .write(offset, apdu.data, eeprom)
            .map(|()| Vec::new())
            .ok_or(apdu::WRONG_OFFSET)
    }
}

/// P1 and P2 as an offset; the form with a short file identifier is not emulated.
fn offset(apdu: &Apdu<'_>) -> Result<usize, u16> {
    if apdu.p1 & 0x80 != 0 {
        return Err(apdu::WRONG_P1_P2);
    }
    Ok(usize::from(u16::from_be_bytes([apdu.p1, apdu.p2])))
}
