//! The three files, their rights, and the card's own commands on them (data sheet §8.2.3, §10.7,
//! §10.8).

use super::{Ntag424, Outcome, STRUCTURE_UNIT, status, switched};
use crate::card::Eeprom;
use crate::card::ev2::Cover;
use crate::card::pages::Pages;

/// A right that everybody has, and one that nobody has.
pub(super) const FREE: u8 = 0xE;
const NEVER: u8 = 0xF;
/// Bit of the file option that switches on secure dynamic messaging.
const DYNAMIC: u8 = 0x40;
/// Number, offset and length, before a command's data.
const HEADER: usize = 7;
/// The most that one answer brings: what an APDU takes, without padding, MAC and status word.
const MOST_READ: usize = 256;

#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) iso_id: u16,
    /// Communication mode in bits 1–0: 0 plain, 1 MAC, 3 enciphered.
    option: u8,
    /// Read, write, read and write, change: four bits each from the top, sent low byte first.
    rights: u16,
    pub(super) content: Pages,
}

/// As delivered (data sheet §8.2.3, tables 5 to 8): capability container, NDEF file, proprietary file.
pub(super) fn delivered() -> [File; 3] {
    const CAPABILITY_CONTAINER: [u8; 23] = [
        0x00, 0x17, 0x20, 0x01, 0x00, 0x00, 0xFF, 0x04, 0x06, 0xE1, 0x04, 0x01, 0x00, 0x00, 0x00,
        0x05, 0x06, 0xE1, 0x05, 0x00, 0x80, 0x82, 0x83,
    ];
    let file = |number, iso_id, option, rights, content: &[u8]| File {
        iso_id,
        option,
        rights,
        content: Pages::holding(number, content),
    };
    let mut container = [0; 32];
    container[..CAPABILITY_CONTAINER.len()].copy_from_slice(&CAPABILITY_CONTAINER);
    [
        file(1, 0xE103, 0x00, 0xE000, &container),
        file(2, 0xE104, 0x00, 0xEEE0, &[0; 256]),
        file(3, 0xE105, 0x03, 0x2330, &[0; 128]),
    ]
}

impl File {
    fn nibble(&self, place: u32) -> u8 {
        u8::try_from((self.rights >> (4 * place)) & 0xF).expect("four bits")
    }

    pub(super) fn reading(&self) -> [u8; 2] {
        [self.nibble(3), self.nibble(1)]
    }

    pub(super) fn writing(&self) -> [u8; 2] {
        [self.nibble(2), self.nibble(1)]
    }

    /// The answer of GetFileSettings: type, option, rights, size.
    pub(super) fn settings(&self) -> Vec<u8> {
        let mut settings = vec![0x00, self.option];
        settings.extend(self.rights.to_le_bytes());
        settings.extend(&self.content.len().to_le_bytes()[..3]);
        settings
    }
}

/// Which bytes of a file a command is about.
struct Stretch {
    index: usize,
    offset: usize,
    length: usize,
}

impl Ntag424 {
    fn file_index(&self, number: u8) -> Result<usize, u8> {
        match number {
            1..=3 if self.is_entered => Ok(usize::from(number) - 1),
            _ => Err(status::FILE_NOT_FOUND),
        }
    }

    /// How a file's data travels for whoever asks, if they may.
    pub(super) fn access(&self, file: &File, rights: [u8; 2]) -> Result<Cover, u8> {
        let is_ours = |right| right < FREE && self.is_authenticated_with(right);
        if rights.into_iter().any(is_ours) {
            return Ok(match file.option & 0x03 {
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

    fn stretch(&self, header: &[u8]) -> Result<Stretch, u8> {
        let &[number, o0, o1, o2, l0, l1, l2] = header else {
            return Err(status::LENGTH);
        };
        let whole = |[low, middle, high]: [u8; 3]| {
            usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16
        };
        Ok(Stretch {
            index: self.file_index(number)?,
            offset: whole([o0, o1, o2]),
            length: whole([l0, l1, l2]),
        })
    }

    /// `number offset length`; a length of 0 means up to the end.
    pub(super) fn read_data(&mut self, data: &[u8]) -> Outcome {
        let header = data.get(..HEADER).ok_or(status::LENGTH)?;
        let stretch = self.stretch(header)?;
        let file = &self.files[stretch.index];
        let cover = self.access(file, file.reading())?;
        let heard = match cover {
            Cover::Plain => Cover::Plain,
            _ => Cover::Mac,
        };
        if self.open(0xAD, data, 0, heard)?.len() != HEADER {
            return Err(status::LENGTH);
        }
        let content = self.files[stretch.index].content.read();
        let rest = content.get(stretch.offset..).ok_or(status::BOUNDARY)?;
        let part = match stretch.length {
            0 => rest,
            length => rest.get(..length).ok_or(status::BOUNDARY)?,
        };
        if part.len() > MOST_READ {
            return Err(status::LENGTH);
        }
        let part = part.to_vec();
        Ok(self.close(part, cover))
    }

    /// `number offset length data`.
    pub(super) fn write_data(&mut self, data: &[u8], eeprom: &mut Eeprom) -> Outcome {
        let header = data.get(..HEADER).ok_or(status::LENGTH)?;
        let stretch = self.stretch(header)?;
        let file = &self.files[stretch.index];
        let cover = self.access(file, file.writing())?;
        let new = self.open(0x8D, data, HEADER, cover)?.split_off(HEADER);
        if new.is_empty() || new.len() != stretch.length {
            return Err(status::LENGTH);
        }
        self.files[stretch.index]
            .content
            .write(stretch.offset, &new, eeprom)
            .ok_or(status::BOUNDARY)?;
        let answered = match cover {
            Cover::Plain => Cover::Plain,
            _ => Cover::Mac,
        };
        Ok(self.close(Vec::new(), answered))
    }

    pub(super) fn get_file_settings(&mut self, data: &[u8]) -> Outcome {
        let &[number] = &self.open(0xF5, data, 0, Cover::Mac)?[..] else {
            return Err(status::LENGTH);
        };
        let settings = self.files[self.file_index(number)?].settings();
        Ok(self.close(settings, Cover::Mac))
    }

    /// `number`, then option and rights: enciphered, unless everybody may change them.
    pub(super) fn change_file_settings(&mut self, data: &[u8], eeprom: &mut Eeprom) -> Outcome {
        let number = *data.first().ok_or(status::LENGTH)?;
        let index = self.file_index(number)?;
        let change = self.files[index].nibble(0);
        let cover = match change {
            NEVER => return Err(status::PERMISSION_DENIED),
            FREE => Cover::Plain,
            key if self.is_authenticated_with(key) => Cover::Full,
            _ => return Err(status::AUTHENTICATION),
        };
        let opened = self.open(0x5F, data, 1, cover)?;
        let &[_, option, low, high] = &opened[..] else {
            let is_dynamic = opened.get(1).is_some_and(|option| option & DYNAMIC != 0);
            return Err(if is_dynamic {
                status::PARAMETER
            } else {
                status::LENGTH
            });
        };
        if !matches!(option, 0x00 | 0x01 | 0x03) {
            return Err(status::PARAMETER);
        }
        let rights = u16::from_le_bytes([low, high]);
        let names_a_key = |place: u32| !(5..0xE).contains(&((rights >> (4 * place)) & 0xF));
        if !(0..4).all(names_a_key) {
            return Err(status::PARAMETER);
        }
        let before = self.files[index].settings();
        if switched(eeprom, STRUCTURE_UNIT | 0x5F, &before[1..4], &opened[1..]) {
            self.files[index].option = option;
            self.files[index].rights = rights;
        }
        let answered = match cover {
            Cover::Plain => Cover::Plain,
            _ => Cover::Mac,
        };
        Ok(self.close(Vec::new(), answered))
    }
}
