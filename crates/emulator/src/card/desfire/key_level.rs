//! Commands about keys and their settings (MF3ICD81 data sheet, "Security related commands").

use super::card_level::{
    SETTING_CHANGEABLE, SETTING_KEY_CHANGEABLE, SETTING_LISTING_FREE, expect_padding,
};
use super::frames::Answer;
use super::keys::{Key, Scheme};
use super::picc::PICC;
use super::session::Cover;
use super::{Desfire, KEY_UNIT, STRUCTURE_UNIT, status, switched};
use crate::card::Eeprom;

/// Who may change an application's keys, in the upper half of its settings: a key, or one of these.
const CHANGED_WITH_ITSELF: u8 = 0xE;
const FROZEN: u8 = 0xF;

impl Desfire {
    pub(super) fn get_key_settings(&mut self, data: &[u8]) -> Result<Answer, u8> {
        self.hear_nothing(0x45, data)?;
        self.needs_master_key_unless(SETTING_LISTING_FREE)?;
        let (count, scheme) = match self.picc.applications.get(&self.selected) {
            Some(application) => (application.keys.len(), application.scheme),
            None => (1, self.picc.key.scheme()),
        };
        let count = u8::try_from(count).expect("at most 14 keys");
        Ok(Answer::of(vec![self.settings(), count | scheme.bits()]))
    }

    pub(super) fn change_key_settings(
        &mut self,
        data: &[u8],
        eeprom: &mut Eeprom,
    ) -> Result<Answer, u8> {
        if !self.is_authenticated_with(0) {
            return Err(status::AUTHENTICATION);
        }
        let (data, rest) = self.unseal(0x54, data, 0, 1)?;
        expect_padding(&rest)?;
        let before = self.settings();
        if before & SETTING_CHANGEABLE == 0 {
            return Err(status::PERMISSION_DENIED);
        }
        if switched(eeprom, STRUCTURE_UNIT | 0x54, &[before], &data) {
            match self.application_mut() {
                Ok(application) => application.settings = data[0],
                Err(_) => self.picc.settings = data[0],
            }
        }
        Ok(Answer::empty())
    }

    pub(super) fn get_key_version(&mut self, data: &[u8]) -> Result<Answer, u8> {
        let data = self.hear(0x64, data, Cover::Ordinary)?;
        let &[number] = &data[..] else {
            return Err(status::LENGTH);
        };
        Ok(Answer::of(vec![self.key(number)?.version()]))
    }

    /// `number`, then enciphered: the new key, mixed with the old one unless it is the key of this
    /// session; an AES key's version; the checksum of all that; the checksum of the new key if it was
    /// mixed. Not torn: the data sheet promises that a key is the old or the new one.
    pub(super) fn change_key(&mut self, data: &[u8], eeprom: &mut Eeprom) -> Result<Answer, u8> {
        let opened_with = self.session.as_ref().ok_or(status::AUTHENTICATION)?.key;
        let &asked = data.first().ok_or(status::LENGTH)?;
        let number = asked & 0x3F;
        let old = self.key(number)?.clone();
        let scheme = if self.selected == PICC {
            Scheme::of_bits(asked).ok_or(status::PARAMETER)?
        } else if asked == number {
            old.scheme()
        } else {
            return Err(status::PARAMETER);
        };
        self.may_change_key(number, opened_with)?;
        let length = scheme.length() + usize::from(scheme == Scheme::Aes);
        let (data, rest) = self.unseal(0xC4, data, 1, length)?;
        let (bytes, version) = data.split_at(scheme.length());
        let mut bytes = bytes.to_vec();
        let is_own = number == opened_with;
        let rest = if is_own {
            rest
        } else {
            bytes
                .iter_mut()
                .zip(old.bytes())
                .for_each(|(new, old)| *new ^= old);
            let session = self.session.as_ref().ok_or(status::AUTHENTICATION)?;
            let check = session.key_checksum(&bytes);
            rest.strip_prefix(&check[..])
                .ok_or(status::INTEGRITY)?
                .to_vec()
        };
        expect_padding(&rest)?;
        let new = Key::new(scheme, &bytes, version.first().copied().unwrap_or(0));
        let unit = KEY_UNIT | u16::from(number);
        if switched(eeprom, unit, &[old.version()], &[new.version()]) {
            match self.application_mut() {
                Ok(application) => application.keys[usize::from(number)] = new,
                Err(_) => self.picc.key = new,
            }
        }
        if is_own {
            // The session's key is no more: the answer comes without any protection.
            self.session = None;
        }
        Ok(Answer::empty())
    }

    fn may_change_key(&self, number: u8, opened_with: u8) -> Result<(), u8> {
        let settings = self.settings();
        if number == 0 && settings & SETTING_KEY_CHANGEABLE == 0 {
            return Err(status::PERMISSION_DENIED);
        }
        let needed = match settings >> 4 {
            _ if number == 0 || self.selected == PICC => 0,
            FROZEN => return Err(status::PERMISSION_DENIED),
            CHANGED_WITH_ITSELF => number,
            // The key that changes the others is itself changed with the master key.
            key if key == number => 0,
            key => key,
        };
        if needed == opened_with {
            Ok(())
        } else {
            Err(status::AUTHENTICATION)
        }
    }
}
