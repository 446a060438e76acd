//! An NTAG 424 DNA in memory: five keys, three files, wrong keys counted; a write is torn like any EEPROM write. Written from
//! NXP NT4H2421Gx and AN12196.

use card::{PresentedCard, SelectAnswer, Uid};

use crate::crypto::{Key, Session, crc32, decrypt, encrypt, rotate};
use crate::field::{Fault, Model, Random};

#[derive(Clone, Debug)]
pub(crate) struct Ntag424 {
    pub(crate) uid: Vec<u8>,
    pub(crate) keys: [(Key, u8); 5],
    pub(crate) file: [u8; 128],
    pub(crate) settings: [u8; 7],
    /// What was written weakly, and what it reads as later.
    weak: Option<(usize, Vec<u8>)>,
    challenges: u8,
    pub(crate) failures: u32,
    wrong_keys: Vec<u8>,
    selected: bool,
    session: Option<(u8, Session)>,
    challenge: Option<(u8, Vec<u8>)>,
    version: u8,
}

impl Ntag424 {
    pub(crate) fn blank() -> Self {
        Self {
            uid: vec![0x04, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66],
            keys: [([0; 16], 0); 5],
            file: [0; 128],
            settings: [0x00, 0x03, 0x30, 0x23, 0x80, 0x00, 0x00],
            weak: None,
            challenges: 0,
            failures: 0,
            wrong_keys: Vec::new(),
            selected: false,
            session: None,
            challenge: None,
            version: 0,
        }
    }

    /// What stays when the field goes.
    pub(crate) fn memory(&self) -> ([(Key, u8); 5], [u8; 128], [u8; 7]) {
        (self.keys, self.file, self.settings)
    }

    fn native(&mut self, ins: u8, data: &[u8]) -> Result<Vec<u8>, u8> {
        if ins == 0x60 || (ins == 0xAF && self.version > 0) {
            self.version = if ins == 0x60 { 1 } else { self.version + 1 };
            return Ok(match self.version {
                1 => vec![4, 4, 2, 0x30, 0, 0x11, 5],
                2 => vec![4, 4, 2, 1, 2, 0x11, 5],
                _ => {
                    self.version = 0;
                    [&self.uid[..], &[1; 7]].concat()
                }
            });
        }
        match ins {
            0x71 | 0xAF if !self.selected => Err(0x9D),
            0x71 => {
                self.session = None;
                let key = self.keys.get(usize::from(data[0])).ok_or(0x40)?.0;
                self.challenges += 1;
                let b: Vec<u8> = (0..16).map(|at| (at * 9) ^ self.challenges).collect();
                let sent = encrypt(&key, [0; 16], &b);
                self.challenge = Some((data[0], b));
                Ok(sent)
            }
            0xAF => self.prove(data),
            _ => self.protected(ins, data),
        }
    }

    fn prove(&mut self, token: &[u8]) -> Result<Vec<u8>, u8> {
        let (number, b) = self.challenge.take().ok_or(0xCA)?;
        let key = self.keys[usize::from(number)].0;
        let plain = decrypt(&key, [0; 16], token);
        if plain.len() != 32 || plain[16..] != rotate(&b) {
            self.failures += 1;
            self.wrong_keys.push(number);
            return Err(0xAE);
        }
        let ti = [self.challenges, 9, 8, 7];
        self.session = Some((number, Session::ev2(&key, &plain[..16], &b, ti)));
        let answer = [&ti[..], &rotate(&plain[..16]), &[0; 12]].concat();
        Ok(encrypt(&key, [0; 16], &answer))
    }

    fn protected(&mut self, ins: u8, data: &[u8]) -> Result<Vec<u8>, u8> {
        let Some((number, mut session)) = self.session.take() else {
            return self.obey(ins, data, None, None);
        };
        let plain = session.command(ins, data, true).ok_or(0x1E)?;
        let answer = self.obey(ins, &plain, Some(number), Some(&mut session))?;
        if ins == 0xC4 && plain[0] == number {
            return Ok(Vec::new());
        }
        let answer = session.answer(&answer, ins == 0xAD);
        self.session = Some((number, session));
        Ok(answer)
    }

    fn obey(
        &mut self,
        ins: u8,
        data: &[u8],
        key: Option<u8>,
        session: Option<&mut Session>,
    ) -> Result<Vec<u8>, u8> {
        if !self.selected {
            return Err(0x9D);
        }
        match (ins, session) {
            (0x64, _) => {
                let key = self.keys.get(usize::from(data[0]));
                key.map(|key| vec![key.1]).ok_or(0x40)
            }
            (0xF5, _) if data == [3] => Ok(self.settings.to_vec()),
            (0xAD, Some(_)) => {
                let (offset, length) = self.range(data, key, &[self.settings[3] >> 4])?;
                Ok(self.file[offset..offset + length].to_vec())
            }
            (0x8D, Some(session)) => {
                let (offset, length) = self.range(data, key, &[self.settings[3] & 0xF])?;
                let bytes = session.decipher(&data[7..]).ok_or(0x1E)?;
                if bytes.len() != length {
                    return Err(0x1E);
                }
                self.file[offset..offset + length].copy_from_slice(&bytes);
                self.weak = None;
                Ok(Vec::new())
            }
            (0xC4, Some(session)) if key == Some(0) => {
                let number = usize::from(data[0]);
                let plain = session.decipher(&data[1..]).ok_or(0x1E)?;
                let old = self.keys.get(number).ok_or(0x40)?.0;
                let mut new: Key = plain[..16].try_into().unwrap();
                if number != 0 {
                    new = std::array::from_fn(|at| new[at] ^ old[at]);
                    if plain[17..] != crc32(&new) {
                        return Err(0x1E);
                    }
                } else if plain.len() != 17 {
                    return Err(0x1E);
                }
                self.keys[number] = (new, plain[16]);
                Ok(Vec::new())
            }
            (0xF5 | 0xAD | 0x8D | 0xC4, _) => Err(0x9D),
            _ => Err(0x1C),
        }
    }

    /// The keys with one right or with read-and-write.
    fn range(&self, data: &[u8], key: Option<u8>, rights: &[u8]) -> Result<(usize, usize), u8> {
        let both = self.settings[2] >> 4;
        let key = key.ok_or(0x9D)?;
        if data.len() < 7 {
            return Err(0x7E);
        }
        if data[0] != 3 {
            return Err(0xF0);
        }
        if key != both && !rights.contains(&key) {
            return Err(0x9D);
        }
        let (offset, length) = (usize::from(data[1]), usize::from(data[4]));
        if offset + length > self.file.len() {
            return Err(0xBE);
        }
        Ok((offset, length))
    }
}

impl Model for Ntag424 {
    fn present(&mut self) -> PresentedCard {
        self.selected = false;
        self.session = None;
        self.challenge = None;
        self.version = 0;
        self.wrong_keys.clear();
        PresentedCard {
            uid: Uid::new(&self.uid).unwrap(),
            answer: SelectAnswer::Iso14443a {
                atqa: [0x03, 0x44],
                sak: 0x20,
                ats: vec![0x77, 0x77, 0x71, 0x02, 0x80],
            },
        }
    }

    fn apdu(&mut self, apdu: &[u8]) -> Vec<u8> {
        let (ins, data) = match apdu {
            [
                0x00,
                0xA4,
                0x04,
                _,
                7,
                0xD2,
                0x76,
                0x00,
                0x00,
                0x85,
                0x01,
                0x01,
                0x00,
            ] => {
                self.selected = true;
                self.session = None;
                return vec![0x90, 0x00];
            }
            [0x90, ins, 0, 0, 0] => (*ins, &[][..]),
            [0x90, ins, 0, 0, length, data @ .., 0] if usize::from(*length) == data.len() => {
                (*ins, data)
            }
            _ => return vec![0x67, 0x00],
        };
        match self.native(ins, data) {
            Ok(mut answer) => {
                let more = self.version > 0 || self.challenge.is_some();
                answer.extend([0x91, if more { 0xAF } else { 0x00 }]);
                answer
            }
            Err(status) => {
                self.session = None;
                vec![0x91, status]
            }
        }
    }

    fn tear(&mut self, apdu: &[u8], fault: Fault) {
        let old = self.file;
        if apdu[1] != 0x8D || self.apdu(apdu)[..] == [0x91, 0x1E] {
            return;
        }
        let new = self.file;
        let (offset, length) = (usize::from(apdu[6]), usize::from(apdu[9]));
        let range = offset..offset + length;
        for at in range.clone() {
            self.file[at] = match fault {
                Fault::TornMix(seed) => {
                    let noise = Random(seed ^ (at as u64) << 8).byte();
                    old[at] & noise | new[at] & !noise
                }
                Fault::TornNoise(seed) => Random(seed ^ (at as u64) << 8).byte(),
                Fault::WeakOld => old[at],
                _ => new[at],
            };
        }
        match fault {
            Fault::WeakOld => self.weak = Some((offset, new[range].to_vec())),
            Fault::WeakNew => self.weak = Some((offset, old[range].to_vec())),
            _ => self.weak = None,
        }
    }

    fn turn_weak_cells(&mut self) {
        if let Some((offset, later)) = &mut self.weak {
            let length = later.len();
            self.file[*offset..*offset + length].swap_with_slice(later);
        }
    }

    fn wrong_keys(&self) -> &[u8] {
        &self.wrong_keys
    }
}
