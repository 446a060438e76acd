//! The commands of a DESFire, once their frames are together and their protection is off.

use super::{Application, CardKey, Desfire, File, Outcome};
use crate::crypto::{Key, Session, crc32};

impl Desfire {
    pub(super) fn obey(&mut self, ins: u8, data: &[u8], key: Option<u8>) -> Outcome {
        match (ins, self.power.selected) {
            (0x45, None) if self.settings & 2 == 0 && key.is_none() => Err(0xAE),
            (0x45, None) => Ok(vec![
                self.settings,
                if self.card_key == CardKey::DeliveredAes {
                    0x81
                } else {
                    1
                },
            ]),
            (0x45, Some(at)) => Ok(vec![
                self.applications[at].settings,
                self.applications[at].kind,
            ]),
            (0x6E, _) => Ok(self.free.to_le_bytes()[..3].to_vec()),
            (0x64, Some(at)) => {
                let keys = &self.applications[at].keys;
                keys.get(usize::from(data[0]))
                    .map(|key| vec![key.1])
                    .ok_or(0x40)
            }
            (0x6F, Some(at)) => Ok(self.applications[at].file.iter().map(|_| 1).collect()),
            (0x51, _) if key.is_some() => Ok(self.uid.to_vec()),
            (0xCA, None) => self.create_application(data),
            (0xCB, Some(at)) => self.create_file(at, data, key),
            (0xBD, Some(_)) => self.read(data, key),
            (0x3D, Some(_)) => self.write(data, key),
            (0xC7, Some(at)) => {
                let written = self.power.written.take().ok_or(0x0C)?;
                self.applications[at].file.as_mut().ok_or(0xF0)?.content = written;
                Ok(Vec::new())
            }
            (0x64 | 0x6F | 0x51 | 0xCA | 0xCB | 0xBD | 0x3D | 0xC7, _) => Err(0x9D),
            _ => Err(0x1C),
        }
    }

    fn create_application(&mut self, data: &[u8]) -> Outcome {
        let [a, b, c, settings, kind] = *data else {
            return Err(0x7E);
        };
        if self.settings & 4 == 0 {
            return Err(0x9D);
        }
        if self.applications.iter().any(|app| app.id == [a, b, c]) {
            return Err(0xDE);
        }
        self.free = self.free.checked_sub(96).ok_or(0x0E)?;
        self.applications.push(Application {
            id: [a, b, c],
            settings,
            kind,
            keys: vec![([0; 16], 0); usize::from(kind & 0x0F)],
            file: None,
        });
        Ok(Vec::new())
    }

    fn create_file(&mut self, at: usize, data: &[u8], key: Option<u8>) -> Outcome {
        let (1, settings) = (data[0], <[u8; 6]>::try_from(&data[1..]).map_err(|_| 0x7E)?) else {
            return Err(0x9E);
        };
        if key != Some(0) {
            return Err(0x9D);
        }
        if self.applications[at].file.is_some() {
            return Err(0xDE);
        }
        let size = usize::from(settings[3]) + usize::from(settings[4]) * 256;
        self.free = self.free.checked_sub(2 * size as u32).ok_or(0x0E)?;
        self.applications[at].file = Some(File {
            settings,
            content: vec![0; size],
        });
        Ok(Vec::new())
    }

    /// Offset and length, if the key has one of these rights (by the nibble's place).
    fn range(&self, data: &[u8], key: Option<u8>, rights: [u32; 2]) -> Result<(usize, usize), u8> {
        let file = self.app()?.file.as_ref().ok_or(0xF0)?;
        if data.len() < 7 || data[0] != 1 {
            return Err(if data.len() < 7 { 0x7E } else { 0xF0 });
        }
        let access = u16::from_le_bytes([file.settings[1], file.settings[2]]);
        if !rights
            .iter()
            .any(|right| key.map(u16::from) == Some(access >> right & 0xF))
        {
            return Err(0x9D);
        }
        let number = |at: usize| {
            usize::from(data[at]) | usize::from(data[at + 1]) << 8 | usize::from(data[at + 2]) << 16
        };
        if number(1) + number(4) > file.content.len() {
            return Err(0xBE);
        }
        Ok((number(1), number(4)))
    }

    fn read(&self, data: &[u8], key: Option<u8>) -> Outcome {
        let (offset, length) = self.range(data, key, [12, 4])?;
        let file = self.app()?.file.as_ref().ok_or(0xF0)?;
        Ok(file.content[offset..offset + length].to_vec())
    }

    fn write(&mut self, data: &[u8], key: Option<u8>) -> Outcome {
        let (offset, length) = self.range(data, key, [8, 4])?;
        let content = self.app()?.file.as_ref().ok_or(0xF0)?.content.clone();
        let written = self.power.written.get_or_insert(content);
        written[offset..offset + length].copy_from_slice(&data[7..]);
        Ok(Vec::new())
    }

    /// By key 0 only; from the key that is there, as the writer XORed it in.
    pub(super) fn change_key(
        &mut self,
        session_key: u8,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), u8> {
        let (number, cryptogram) = data.split_first().ok_or(0x7E)?;
        let at = self.power.selected.ok_or(0x9D)?;
        let old = self.key(*number)?;
        let plain = session.decipher(cryptogram).ok_or(0x1E)?;
        let other = *number != session_key;
        let key_data = plain.get(..17).ok_or(0x1E)?;
        let mut key: Key = key_data[..16].try_into().unwrap();
        let after = &plain[17..];
        let after = if let Session::Ev1 { .. } = session {
            let (crc, after) = after.split_at_checked(4).ok_or(0x1E)?;
            if crc != crc32(&[&[0xC4, *number], key_data].concat()) {
                return Err(0x1E);
            }
            after
        } else {
            after
        };
        if other {
            key = std::array::from_fn(|at| key[at] ^ old[at]);
            if after.get(..4) != Some(&crc32(&key)[..]) {
                return Err(0x1E);
            }
        }
        if session_key != 0 {
            return Err(0x9D);
        }
        self.applications[at].keys[usize::from(*number)] = (key, key_data[16]);
        Ok(())
    }
}
