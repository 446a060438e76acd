//! The commands of ISO/IEC 7816-4 (data sheet §10.9): SELECT, READ BINARY, UPDATE BINARY. They travel
//! plainly, so they reach only files that are free or in communication mode plain.

use super::Ntag424;
use super::files::File;
use crate::card::Eeprom;
use crate::card::apdu::{self, Apdu};
use crate::card::ev2::Cover;

const SELECT: u8 = 0xA4;
const READ_BINARY: u8 = 0xB0;
const UPDATE_BINARY: u8 = 0xD6;
/// Names and identifiers of the level above and of the application (data sheet §8.2.2).
const ABOVE: ([u8; 7], u16) = ([0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x00], 0x3F00);
const APPLICATION: ([u8; 7], u16) = ([0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01], 0xE110);
/// Bit of P1 that says that a short file identifier follows.
const SHORT_IDENTIFIER: u8 = 0x80;
const MOST_READ: usize = 256;

impl Ntag424 {
    pub(super) fn run_iso(&mut self, apdu: &Apdu<'_>, eeprom: &mut Eeprom) -> Vec<u8> {
        apdu::respond(match apdu.instruction {
            SELECT => self.select(apdu),
            READ_BINARY => self.read_binary(apdu),
            UPDATE_BINARY => self.update_binary(apdu, eeprom),
            _ => Err(apdu::UNKNOWN_INSTRUCTION),
        })
    }

    /// Entering a level ends the authentication; selecting a file does not.
    fn select(&mut self, apdu: &Apdu<'_>) -> Result<Vec<u8>, u16> {
        let is_entered = match (apdu.p1, apdu.data) {
            (0x04, name) if name == ABOVE.0 => false,
            (0x04, name) if name == APPLICATION.0 => true,
            (0x04, _) => return Err(apdu::NOT_FOUND),
            (0x00 | 0x02, &[high, low]) => match u16::from_be_bytes([high, low]) {
                id if id == ABOVE.1 => false,
                id if id == APPLICATION.1 => true,
                id => {
                    let of = |file: &File| file.iso_id == id;
                    let found = self.files.iter().position(of);
                    self.iso_file = Some(found.filter(|_| self.is_entered).ok_or(apdu::NOT_FOUND)?);
                    return Ok(Vec::new());
                }
            },
            (0x00 | 0x02, _) => return Err(apdu::WRONG_LENGTH),
            _ => return Err(apdu::WRONG_P1_P2),
        };
        self.fail();
        self.is_entered = is_entered;
        self.iso_file = None;
        Ok(Vec::new())
    }

    /// The file that P1 and P2 are about, and the offset in it.
    fn place(&mut self, apdu: &Apdu<'_>) -> Result<(usize, usize), u16> {
        if apdu.p1 & SHORT_IDENTIFIER == 0 {
            let index = self.iso_file.ok_or(apdu::NOT_ALLOWED)?;
            return Ok((index, usize::from(u16::from_be_bytes([apdu.p1, apdu.p2]))));
        }
        // Short identifiers are the last five bits of the long ones.
        let short = u16::from(apdu.p1 & 0x1F);
        let is_it = |file: &File| file.iso_id & 0x1F == short;
        let found = self.files.iter().position(is_it);
        let index = found.filter(|_| self.is_entered).ok_or(apdu::NOT_FOUND)?;
        self.iso_file = Some(index);
        Ok((index, usize::from(apdu.p2)))
    }

    fn allows(&self, file: &File, rights: [u8; 2]) -> Result<(), u16> {
        match self.access(file, rights) {
            Ok(Cover::Plain) => Ok(()),
            _ => Err(apdu::SECURITY),
        }
    }

    fn read_binary(&mut self, apdu: &Apdu<'_>) -> Result<Vec<u8>, u16> {
        let (index, offset) = self.place(apdu)?;
        let file = &self.files[index];
        self.allows(file, file.reading())?;
        let content = file.content.read();
        let rest = content.get(offset..).ok_or(apdu::WRONG_OFFSET)?;
        let length = match apdu.le.ok_or(apdu::WRONG_LENGTH)? {
            0 => rest.len().min(MOST_READ),
            le => usize::from(le),
        };
        rest.get(..length)
            .map(<[u8]>::to_vec)
            .ok_or(apdu::WRONG_LENGTH)
    }

    fn update_binary(&mut self, apdu: &Apdu<'_>, eeprom: &mut Eeprom) -> Result<Vec<u8>, u16> {
        let (index, offset) = self.place(apdu)?;
        let file = &self.files[index];
        self.allows(file, file.writing())?;
        self.files[index]
            .content
            .write(offset, apdu.data, eeprom)
            .map(|()| Vec::new())
            .ok_or(apdu::WRONG_OFFSET)
    }
}
