//! Commands about the card as a whole: what it is, its applications, its configuration (MF3ICD81 data
//! sheet, "PICC level commands").

use super::frames::Answer;
use super::keys::{Key, Scheme};
use super::picc::{Aid, Application, PICC};
use super::session::Cover;
use super::{Desfire, STRUCTURE_UNIT, status, switched, version};
use crate::card::Eeprom;

/// Bits of the key settings (data sheet, "Key settings").
pub(super) const SETTING_KEY_CHANGEABLE: u8 = 0x01;
pub(super) const SETTING_LISTING_FREE: u8 = 0x02;
pub(super) const SETTING_CREATING_FREE: u8 = 0x04;
pub(super) const SETTING_CHANGEABLE: u8 = 0x08;
/// Bit of CreateApplication's number of keys: files may have identifiers of ISO/IEC 7816-4.
const WITH_ISO_FILES: u8 = 0x20;
/// Of EV2 and later: a third settings byte follows. Not emulated.
const WITH_THIRD_SETTINGS: u8 = 0x10;
const MOST_APPLICATIONS: usize = 28;
const MOST_KEYS: u8 = 14;
/// Options and bits of SetConfiguration.
const OPTION_CONFIGURATION: u8 = 0x00;
const OPTION_DEFAULT_KEY: u8 = 0x01;
const DISABLE_FORMAT: u8 = 0x01;
const RANDOM_UID: u8 = 0x02;

impl Desfire {
    /// Three frames: hardware, software, and the card itself. With random UIDs the true one is not
    /// told here.
    pub(super) fn get_version(&mut self, data: &[u8]) -> Result<Answer, u8> {
        self.hear_nothing(0x60, data)?;
        let mut version = version::frames(self.generation, self.storage).to_vec();
        if self.picc.has_random_uid {
            version.extend([0; 7]);
        } else {
            version.extend(self.uid.as_bytes());
        }
        version.extend(version::PRODUCTION);
        Ok(Answer {
            frames: &[7, 7],
            ..Answer::of(version)
        })
    }

    /// Ends the authentication and the transaction, whatever it comes to.
    pub(super) fn select_application(&mut self, data: &[u8]) -> Result<Answer, u8> {
        let aid = Aid::try_from(data).map_err(|_| status::LENGTH)?;
        self.fail();
        if aid != PICC && !self.picc.applications.contains_key(&aid) {
            return Err(status::APPLICATION_NOT_FOUND);
        }
        self.selected = aid;
        self.iso_file = None;
        Ok(Answer::empty())
    }

    /// What is possible freely, or else with the master key of what is selected.
    pub(super) fn needs_master_key_unless(&self, setting: u8) -> Result<(), u8> {
        if self.settings() & setting != 0 || self.is_authenticated_with(0) {
            Ok(())
        } else {
            Err(status::AUTHENTICATION)
        }
    }

    fn at_picc_level(&self) -> Result<(), u8> {
        if self.selected == PICC {
            Ok(())
        } else {
            Err(status::PERMISSION_DENIED)
        }
    }

    pub(super) fn get_application_ids(&mut self, data: &[u8]) -> Result<Answer, u8> {
        self.hear_nothing(0x6A, data)?;
        self.at_picc_level()?;
        self.needs_master_key_unless(SETTING_LISTING_FREE)?;
        let ids: Vec<u8> = self.picc.applications.keys().copied().flatten().collect();
        // 19 identifiers, and then two more.
        Ok(Answer {
            frames: &[57],
            ..Answer::of(ids)
        })
    }

    /// `AID settings keys [ISO FID [DF name]]`.
    pub(super) fn create_application(
        &mut self,
        data: &[u8],
        eeprom: &mut Eeprom,
    ) -> Result<Answer, u8> {
        let data = self.hear(0xCA, data, Cover::Ordinary)?;
        self.at_picc_level()?;
        let (&[a, b, c, settings, keys], rest) = data.split_first_chunk().ok_or(status::LENGTH)?;
        let (iso_id, name) = match rest.split_first_chunk::<2>() {
            None if rest.is_empty() => (None, &[][..]),
            None => return Err(status::LENGTH),
            Some((id, name)) if name.len() <= 16 => (Some(*id), name),
            Some(_) => return Err(status::LENGTH),
        };
        self.needs_master_key_unless(SETTING_CREATING_FREE)?;
        let scheme = Scheme::of_bits(keys).ok_or(status::PARAMETER)?;
        let count = keys & 0x0F;
        if count > MOST_KEYS || keys & WITH_THIRD_SETTINGS != 0 {
            return Err(status::PARAMETER);
        }
        let aid = [a, b, c];
        let is_taken = aid == PICC
            || self.picc.applications.iter().any(|(known, other)| {
                *known == aid
                    || (iso_id.is_some() && other.iso_id == iso_id)
                    || (!name.is_empty() && other.name == name)
            });
        if is_taken {
            return Err(status::DUPLICATE);
        }
        if self.picc.applications.len() >= MOST_APPLICATIONS {
            return Err(status::COUNT);
        }
        let mut picc = self.picc.clone();
        picc.take(Application::size(usize::from(count)))
            .ok_or(status::OUT_OF_MEMORY)?;
        let key = Key::new(scheme, &self.picc.default_key, self.picc.default_version);
        let application = Application {
            settings,
            scheme,
            keys: vec![key; usize::from(count)],
            iso_id,
            name: name.to_vec(),
            has_iso_files: keys & WITH_ISO_FILES != 0,
            files: Default::default(),
        };
        picc.applications.insert(aid, application);
        if switched(eeprom, STRUCTURE_UNIT | 0xCA, &[], &aid) {
            self.picc = picc;
        }
        Ok(Answer::empty())
    }

    /// With the PICC's master key; with the application's own, too, where creating is free.
    pub(super) fn delete_application(
        &mut self,
        data: &[u8],
        eeprom: &mut Eeprom,
    ) -> Result<Answer, u8> {
        let data = self.hear(0xDA, data, Cover::Ordinary)?;
        let aid = Aid::try_from(&data[..]).map_err(|_| status::LENGTH)?;
        let is_own = self.selected == aid && self.picc.settings & SETTING_CREATING_FREE != 0;
        if !(self.is_authenticated_with(0) && (self.selected == PICC || is_own)) {
            return Err(status::AUTHENTICATION);
        }
        if !self.picc.applications.contains_key(&aid) {
            return Err(status::APPLICATION_NOT_FOUND);
        }
        if switched(eeprom, STRUCTURE_UNIT | 0xDA, &aid, &[]) {
            self.picc.applications.remove(&aid);
        }
        if is_own {
            // What was selected is no more, and the answer comes from the PICC level.
            self.fail();
            self.selected = PICC;
            self.iso_file = None;
        }
        Ok(Answer::empty())
    }

    pub(super) fn format_picc(&mut self, data: &[u8], eeprom: &mut Eeprom) -> Result<Answer, u8> {
        self.hear_nothing(0xFC, data)?;
        self.at_picc_level()?;
        if !self.is_authenticated_with(0) {
            return Err(status::AUTHENTICATION);
        }
        if self.picc.is_format_disabled {
            return Err(status::PERMISSION_DENIED);
        }
        let before: Vec<u8> = self.picc.applications.keys().copied().flatten().collect();
        if switched(eeprom, STRUCTURE_UNIT | 0xFC, &before, &[]) {
            self.picc.format();
        }
        Ok(Answer::empty())
    }

    pub(super) fn free_memory(&mut self, data: &[u8]) -> Result<Answer, u8> {
        self.hear_nothing(0x6E, data)?;
        let [low, middle, high, ..] = self.picc.free().to_le_bytes();
        Ok(Answer::of(vec![low, middle, high]))
    }

    /// `option data`: 00 bits that stay set for ever, 01 the key of new applications. The ATS (02) is
    /// not emulated.
    pub(super) fn set_configuration(
        &mut self,
        data: &[u8],
        eeprom: &mut Eeprom,
    ) -> Result<Answer, u8> {
        self.at_picc_level()?;
        if !self.is_authenticated_with(0) {
            return Err(status::AUTHENTICATION);
        }
        let option = *data.first().ok_or(status::LENGTH)?;
        let length = match option {
            OPTION_CONFIGURATION => 1,
            OPTION_DEFAULT_KEY => 25,
            _ => return Err(status::PARAMETER),
        };
        let (data, rest) = self.unseal(0x5C, data, 1, length)?;
        expect_padding(&rest)?;
        let mut picc = self.picc.clone();
        if option == OPTION_CONFIGURATION {
            if data[0] & !(DISABLE_FORMAT | RANDOM_UID) != 0 {
                return Err(status::PARAMETER);
            }
            picc.is_format_disabled |= data[0] & DISABLE_FORMAT != 0;
            picc.has_random_uid |= data[0] & RANDOM_UID != 0;
        } else {
            picc.default_key.copy_from_slice(&data[..24]);
            picc.default_version = data[24];
        }
        if switched(eeprom, STRUCTURE_UNIT | 0x5C, &[], &[option]) {
            self.picc = picc;
        }
        Ok(Answer::empty())
    }

    /// The true UID, enciphered for whoever has authenticated, with whichever key.
    pub(super) fn get_card_uid(&mut self, data: &[u8]) -> Result<Answer, u8> {
        self.hear_nothing(0x51, data)?;
        if self.session.is_none() {
            return Err(status::AUTHENTICATION);
        }
        Ok(Answer::of(self.uid.as_bytes().to_vec()).with_cover(Cover::Full))
    }
}

/// What is left of an enciphered command is zeros, if anything.
pub(super) fn expect_padding(rest: &[u8]) -> Result<(), u8> {
    if rest.iter().all(|&byte| byte == 0) {
        Ok(())
    } else {
        Err(status::INTEGRITY)
    }
}
