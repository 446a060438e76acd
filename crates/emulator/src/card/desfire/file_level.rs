//! Commands about the files of an application: making, deleting, listing, and their settings
//! (MF3ICD81 data sheet, "Application level commands"). Of the five types of file there are two:
//! standard data files and backup data files.

use super::card_level::{SETTING_CREATING_FREE, SETTING_LISTING_FREE, expect_padding};
use super::frames::Answer;
use super::picc::{AccessRights, FREE, File, NEVER};
use super::session::Cover;
use super::{Desfire, STRUCTURE_UNIT, status, switched};
use crate::card::Eeprom;
use crate::card::pages::Pages;

const CREATE_BACKUP: u8 = 0xCB;
/// File numbers are below this.
const MOST_FILES: u8 = 32;

impl Desfire {
    /// `number [ISO FID] mode rights size`.
    pub(super) fn create_data_file(
        &mut self,
        command: u8,
        data: &[u8],
        eeprom: &mut Eeprom,
    ) -> Result<Answer, u8> {
        let data = self.hear(command, data, Cover::Ordinary)?;
        let application = self.application()?;
        let (number, iso_id, rest) = match data[..] {
            [number, ref rest @ ..] if rest.len() == 6 => (number, None, rest),
            [number, low, high, ref rest @ ..] if rest.len() == 6 => {
                (number, Some([low, high]), rest)
            }
            _ => return Err(status::LENGTH),
        };
        let &[mode, r0, r1, s0, s1, s2] = rest else {
            return Err(status::LENGTH);
        };
        self.needs_master_key_unless(SETTING_CREATING_FREE)?;
        let rights = AccessRights::of([r0, r1]);
        let size = length_of([s0, s1, s2]);
        let is_sound = number < MOST_FILES
            && matches!(mode, 0 | 1 | 3)
            && size != 0
            && rights.fit(application.keys.len())
            && (iso_id.is_none() || application.has_iso_files);
        if !is_sound {
            return Err(status::PARAMETER);
        }
        let is_taken = application.files.contains_key(&number)
            || (iso_id.is_some() && application.files.values().any(|file| file.iso_id == iso_id));
        if is_taken {
            return Err(status::DUPLICATE);
        }
        let is_backup = command == CREATE_BACKUP;
        let mut picc = self.picc.clone();
        picc.take(File::size(size, is_backup))
            .ok_or(status::OUT_OF_MEMORY)?;
        if switched(eeprom, STRUCTURE_UNIT | u16::from(command), &[], &[number]) {
            self.picc = picc;
            let file = File {
                iso_id,
                is_backup,
                mode,
                rights,
                data: Pages::holding(number, &vec![0; size]),
            };
            self.application_mut()?.files.insert(number, file);
        }
        Ok(Answer::empty())
    }

    pub(super) fn delete_file(&mut self, data: &[u8], eeprom: &mut Eeprom) -> Result<Answer, u8> {
        let data = self.hear(0xDF, data, Cover::Ordinary)?;
        let &[number] = &data[..] else {
            return Err(status::LENGTH);
        };
        self.application()?;
        self.needs_master_key_unless(SETTING_CREATING_FREE)?;
        self.file(number)?;
        if switched(eeprom, STRUCTURE_UNIT | 0xDF, &[number], &[]) {
            self.application_mut()?.files.remove(&number);
            self.transaction.remove(&number);
        }
        Ok(Answer::empty())
    }

    pub(super) fn get_file_ids(&mut self, data: &[u8]) -> Result<Answer, u8> {
        self.hear_nothing(0x6F, data)?;
        self.application()?;
        self.needs_master_key_unless(SETTING_LISTING_FREE)?;
        let numbers = self.application()?.files.keys().copied().collect();
        Ok(Answer::of(numbers))
    }

    pub(super) fn get_iso_file_ids(&mut self, data: &[u8]) -> Result<Answer, u8> {
        self.hear_nothing(0x61, data)?;
        self.application()?;
        self.needs_master_key_unless(SETTING_LISTING_FREE)?;
        let files = self.application()?.files.values();
        Ok(Answer::of(
            files.filter_map(|file| file.iso_id).flatten().collect(),
        ))
    }

    pub(super) fn get_file_settings(&mut self, data: &[u8]) -> Result<Answer, u8> {
        let data = self.hear(0xF5, data, Cover::Ordinary)?;
        let &[number] = &data[..] else {
            return Err(status::LENGTH);
        };
        self.application()?;
        self.needs_master_key_unless(SETTING_LISTING_FREE)?;
        let file = self.file(number)?;
        let mut settings = vec![u8::from(file.is_backup), file.mode];
        settings.extend(file.rights.bytes());
        settings.extend(&file.data.len().to_le_bytes()[..3]);
        Ok(Answer::of(settings))
    }

    /// `number`, then mode and rights: enciphered, unless everybody may change them.
    pub(super) fn change_file_settings(
        &mut self,
        data: &[u8],
        eeprom: &mut Eeprom,
    ) -> Result<Answer, u8> {
        let &number = data.first().ok_or(status::LENGTH)?;
        let keys = self.application()?.keys.len();
        let file = self.file(number)?;
        let before = [&[file.mode][..], &file.rights.bytes()].concat();
        let settings = match file.rights.change() {
            NEVER => return Err(status::PERMISSION_DENIED),
            FREE => {
                let data = self.hear(0x5F, data, Cover::Plain)?;
                data[1..].to_vec()
            }
            key if self.is_authenticated_with(key) => {
                let (data, rest) = self.unseal(0x5F, data, 1, 3)?;
                expect_padding(&rest)?;
                data
            }
            _ => return Err(status::AUTHENTICATION),
        };
        let &[mode, r0, r1] = &settings[..] else {
            return Err(status::LENGTH);
        };
        let rights = AccessRights::of([r0, r1]);
        if !matches!(mode, 0 | 1 | 3) || !rights.fit(keys) {
            return Err(status::PARAMETER);
        }
        if switched(eeprom, STRUCTURE_UNIT | 0x5F, &before, &settings) {
            let file = self.file_mut(number)?;
            file.mode = mode;
            file.rights = rights;
        }
        Ok(Answer::empty())
    }

    pub(super) fn file(&self, number: u8) -> Result<&File, u8> {
        let files = &self.application()?.files;
        files.get(&number).ok_or(status::FILE_NOT_FOUND)
    }

    pub(super) fn file_mut(&mut self, number: u8) -> Result<&mut File, u8> {
        let files = &mut self.application_mut()?.files;
        files.get_mut(&number).ok_or(status::FILE_NOT_FOUND)
    }
}

/// Three bytes, low byte first.
pub(super) fn length_of([low, middle, high]: [u8; 3]) -> usize {
    usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16
}
