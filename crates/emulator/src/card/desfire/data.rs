//! Reading and writing data files, and the transaction (MF3ICD81 data sheet, "Data manipulation
//! commands"). A write to a backup file goes to its second image; CommitTransaction makes the second
//! images of all files of the application valid in one step, at whatever moment power fails.

use super::file_level::length_of;
use super::frames::Answer;
use super::picc::{FREE, File, NEVER};
use super::session::Cover;
use super::{Desfire, status};
use crate::card::Eeprom;

pub(super) const READ: u8 = 0xBD;
pub(super) const WRITE: u8 = 0x3D;
/// The forms of EV2 that ISO/IEC 14443-4 alone cuts into frames.
pub(super) const READ_LONG: u8 = 0xAD;
pub(super) const WRITE_LONG: u8 = 0x8D;
/// Number, offset and length, before a command's data.
const HEADER: usize = 7;

/// What a read or a write is about.
struct Stretch {
    number: u8,
    offset: usize,
    length: usize,
}

impl Stretch {
    fn of(header: &[u8]) -> Result<Stretch, u8> {
        let &[number, o0, o1, o2, l0, l1, l2] = header else {
            return Err(status::LENGTH);
        };
        Ok(Stretch {
            number,
            offset: length_of([o0, o1, o2]),
            length: length_of([l0, l1, l2]),
        })
    }
}

impl Desfire {
    /// How a file's data travels for whoever asks, if they may. A right that the authenticated key has
    /// comes before one that everybody has, which makes the data travel plainly.
    fn access(&self, file: &File, rights: [u8; 2]) -> Result<Cover, u8> {
        let is_ours = |right| right < FREE && self.is_authenticated_with(right);
        if rights.into_iter().any(is_ours) {
            return Ok(match file.mode {
                0x01 => Cover::Mac,
                0x03 => Cover::Full,
                _ => Cover::Plain,
            });
        }
        if rights.contains(&FREE) {
            return Ok(Cover::Plain);
        }
        if rights == [NEVER; 2] {
            return Err(status::PERMISSION_DENIED);
        }
        Err(status::AUTHENTICATION)
    }

    /// `number offset length`; a length of 0 means up to the end. What is read of a backup file is
    /// what was committed.
    pub(super) fn read_data(&mut self, command: u8, data: &[u8]) -> Result<Answer, u8> {
        let &number = data.first().ok_or(status::LENGTH)?;
        let file = self.file(number)?;
        let cover = self.access(file, file.rights.read())?;
        let heard = match cover {
            Cover::Plain => Cover::Plain,
            _ => Cover::Ordinary,
        };
        let data = self.hear(command, data, heard)?;
        let stretch = Stretch::of(&data)?;
        let content = self.file(number)?.data.read();
        let rest = content.get(stretch.offset..).ok_or(status::BOUNDARY)?;
        let part = match stretch.length {
            0 => rest,
            length => rest.get(..length).ok_or(status::BOUNDARY)?,
        };
        Ok(Answer {
            cover,
            is_open_ended: stretch.length == 0,
            is_long: command == READ_LONG,
            ..Answer::of(part.to_vec())
        })
    }

    /// How many bytes a write has in all its frames, told by the first.
    pub(super) fn expected_write(&self, data: &[u8]) -> Result<usize, u8> {
        let header = data.get(..HEADER).ok_or(status::LENGTH)?;
        let stretch = Stretch::of(header)?;
        let file = self.file(stretch.number)?;
        let cover = self.access(file, file.rights.write())?;
        let on_wire = match &self.session {
            Some(session) => session.length_on_wire(stretch.length, cover),
            None => stretch.length,
        };
        let is_within = stretch.offset + stretch.length <= file.data.len();
        // What cannot end well is refused before its other frames come.
        if is_within {
            Ok(HEADER + on_wire)
        } else {
            Err(status::BOUNDARY)
        }
    }

    pub(super) fn write_data(
        &mut self,
        command: u8,
        data: &[u8],
        eeprom: &mut Eeprom,
    ) -> Result<Answer, u8> {
        if data.len() != self.expected_write(data)? {
            return Err(status::LENGTH);
        }
        let Stretch {
            number,
            offset,
            length,
        } = Stretch::of(&data[..HEADER])?;
        if length == 0 {
            return Err(status::PARAMETER);
        }
        let file = self.file(number)?;
        let cover = self.access(file, file.rights.write())?;
        let new = if cover == Cover::Full {
            let (new, rest) = self.unseal(command, data, HEADER, length)?;
            super::card_level::expect_padding(&rest)?;
            new
        } else {
            self.hear(command, data, cover)?.split_off(HEADER)
        };
        let end = offset + new.len();
        if self.file(number)?.is_backup {
            let image = self.file(number)?.data.read();
            let second = self.transaction.entry(number).or_insert(image);
            second
                .get_mut(offset..end)
                .ok_or(status::BOUNDARY)?
                .copy_from_slice(&new);
        } else {
            let data = &mut self.file_mut(number)?.data;
            data.write(offset, &new, eeprom).ok_or(status::BOUNDARY)?;
        }
        let answered = match cover {
            Cover::Plain => Cover::Plain,
            _ => Cover::Ordinary,
        };
        Ok(Answer::empty().with_cover(answered))
    }

    /// All files of the application at once, or none: the data sheet promises it "even if the card is
    /// removed from the field".
    pub(super) fn commit_transaction(
        &mut self,
        data: &[u8],
        eeprom: &mut Eeprom,
    ) -> Result<Answer, u8> {
        self.hear_transaction(0xC7, data)?;
        let transaction = std::mem::take(&mut self.transaction);
        let application = self.application_mut()?;
        let changes = transaction
            .iter()
            .filter_map(|(number, second)| Some((application.files.get(number)?, second)))
            .flat_map(|(file, second)| file.data.changes_to(second))
            .collect();
        if eeprom.switch(changes) {
            for (number, second) in transaction {
                if let Some(file) = application.files.get_mut(&number) {
                    file.data.put(&second);
                }
            }
        }
        Ok(Answer::empty())
    }

    pub(super) fn abort_transaction(&mut self, data: &[u8]) -> Result<Answer, u8> {
        self.hear_transaction(0xA7, data)?;
        self.transaction.clear();
        Ok(Answer::empty())
    }

    fn hear_transaction(&mut self, command: u8, data: &[u8]) -> Result<(), u8> {
        self.hear_nothing(command, data)?;
        self.application()?;
        if self.transaction.is_empty() {
            return Err(status::NO_CHANGES);
        }
        Ok(())
    }
}
