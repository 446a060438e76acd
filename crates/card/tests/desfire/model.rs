//! A DESFire in memory: applications with AES keys, one kind of file, transactions that end with power.
//!
//! As far as this site's application and the card's own level go; written from NXP MF3ICD81 and, for EV2, MF2DLHX0.

mod commands;

use card::{PresentedCard, SelectAnswer, Uid};

use crate::crypto::{Key, Session, decrypt, encrypt, legacy_encrypt, legacy_undo, rotate};
use crate::field::{Fault, Model};

pub(crate) const ID: [u8; 3] = [0x43, 0x42, 0x31];

/// What the card's own master key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CardKey {
    DeliveredDes,
    DeliveredAes,
    SomebodyElses,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Application {
    pub(crate) id: [u8; 3],
    pub(crate) settings: u8,
    pub(crate) kind: u8,
    pub(crate) keys: Vec<(Key, u8)>,
    pub(crate) file: Option<File>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) settings: [u8; 6],
    pub(crate) content: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct Desfire {
    pub(crate) generation: u8,
    pub(crate) uid: [u8; 7],
    pub(crate) hides_uid: bool,
    pub(crate) card_key: CardKey,
    pub(crate) settings: u8,
    pub(crate) free: u32,
    pub(crate) applications: Vec<Application>,
    presentations: u8,
    challenges: u8,
    /// Wrong keys since it was presented.
    pub(crate) wrong_keys: Vec<u8>,
    power: Power,
}

/// What is lost with the field.
#[derive(Clone, Debug, Default)]
struct Power {
    selected: Option<usize>,
    session: Option<(u8, Session)>,
    /// Content that waits for its commit.
    written: Option<Vec<u8>>,
    pending: Pending,
}

#[derive(Clone, Debug, Default)]
enum Pending {
    #[default]
    Nothing,
    Version(u8),
    Challenge {
        ins: u8,
        number: u8,
        b: Vec<u8>,
    },
    Command {
        ins: u8,
        data: Vec<u8>,
    },
    Answer(Vec<u8>),
}

type Outcome = Result<Vec<u8>, u8>;

impl Desfire {
    pub(crate) fn blank(generation: u8) -> Self {
        Self {
            generation,
            uid: [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6],
            hides_uid: false,
            card_key: CardKey::DeliveredDes,
            settings: 0x0F,
            free: 5000,
            applications: Vec::new(),
            presentations: 0,
            challenges: 0,
            wrong_keys: Vec::new(),
            power: Power::default(),
        }
    }

    pub(crate) fn ours(&self) -> Option<&Application> {
        self.applications.iter().find(|app| app.id == ID)
    }

    pub(crate) fn ours_mut(&mut self) -> &mut Application {
        self.applications
            .iter_mut()
            .find(|app| app.id == ID)
            .unwrap()
    }

    /// What stays when the field goes.
    pub(crate) fn memory(&self) -> (u8, CardKey, Vec<Application>) {
        (self.settings, self.card_key, self.applications.clone())
    }

    fn app(&self) -> Result<&Application, u8> {
        self.power
            .selected
            .map(|at| &self.applications[at])
            .ok_or(0x9D)
    }

    fn first(&mut self, ins: u8, data: &[u8]) -> Outcome {
        match ins {
            0x60 => self.version(0),
            0x5A => self.select(data),
            0x0A | 0xAA | 0x71 => self.challenge(ins, data),
            _ => self.collect(ins, data),
        }
    }

    fn next(&mut self, data: &[u8]) -> Outcome {
        match std::mem::take(&mut self.power.pending) {
            Pending::Version(at) => self.version(at),
            Pending::Challenge { ins, number, b } => self.prove(ins, number, &b, data),
            Pending::Command { ins, data: before } => self.collect(ins, &[&before, data].concat()),
            Pending::Answer(rest) => self.send(rest),
            Pending::Nothing => Err(0xCA),
        }
    }

    fn version(&mut self, at: u8) -> Outcome {
        let major = match self.generation {
            1 => 0x01,
            2 => 0x12,
            _ => 0x33,
        };
        let frame: Vec<u8> = match at {
            0 => vec![4, 1, 1, major, 0, 0x1A, 5],
            1 => vec![4, 1, 1, self.generation, 0, 0x1A, 5],
            _ => [
                if self.hides_uid { &[0; 7] } else { &self.uid },
                &[1_u8; 7][..],
            ]
            .concat(),
        };
        if at < 2 {
            self.power.pending = Pending::Version(at + 1);
        }
        Ok(frame)
    }

    fn select(&mut self, id: &[u8]) -> Outcome {
        self.power = Power::default();
        if id == [0; 3] {
            return Ok(Vec::new());
        }
        self.power.selected = self.applications.iter().position(|app| app.id == id);
        self.power.selected.map(|_| Vec::new()).ok_or(0xA0)
    }

    fn key(&self, number: u8) -> Result<Key, u8> {
        match self.power.selected {
            Some(at) => {
                let key = self.applications[at].keys.get(usize::from(number));
                key.map(|(key, _)| *key).ok_or(0x40)
            }
            None if self.card_key == CardKey::SomebodyElses => Ok([0x77; 16]),
            None => Ok([0; 16]),
        }
    }

    fn challenge(&mut self, ins: u8, data: &[u8]) -> Outcome {
        self.power.session = None;
        let is_aes = match self.power.selected {
            Some(at) => self.applications[at].kind & 0xC0 == 0x80,
            None => self.card_key == CardKey::DeliveredAes,
        };
        if (ins == 0x0A) == is_aes || (ins == 0x71 && self.generation == 1) {
            return Err(0xAE);
        }
        let number = data[0];
        let key = self.key(number)?;
        self.challenges += 1;
        let length = if ins == 0x0A { 8 } else { 16 };
        let b: Vec<u8> = (0..length).map(|at| (at * 7) ^ self.challenges).collect();
        let sent = match ins {
            0x0A => legacy_encrypt(&key[..8].try_into().unwrap(), &b),
            _ => encrypt(&key, [0; 16], &b),
        };
        let iv = if ins == 0xAA {
            sent.clone()
        } else {
            Vec::new()
        };
        self.power.pending = Pending::Challenge {
            ins,
            number,
            b: [b, iv].concat(),
        };
        Ok(sent)
    }

    fn prove(&mut self, ins: u8, number: u8, b: &[u8], token: &[u8]) -> Outcome {
        let key = self.key(number)?;
        let length = if ins == 0x0A { 8 } else { 16 };
        let (b, iv) = b.split_at(length);
        if token.len() != 2 * length {
            return Err(0x7E);
        }
        let des = key[..8].try_into().unwrap();
        let iv = <[u8; 16]>::try_from(iv).unwrap_or([0; 16]);
        let plain = match ins {
            0x0A => legacy_undo(&des, token),
            _ => decrypt(&key, iv, token),
        };
        let (a, rotated) = plain.split_at(length);
        if rotated != rotate(b) {
            self.wrong_keys.push(number);
            return Err(0xAE);
        }
        let (session, answer) = match ins {
            0x0A => (
                Session::Legacy([&a[..4], &b[..4]].concat().try_into().unwrap()),
                legacy_encrypt(&des, &rotate(a)),
            ),
            0xAA => (
                Session::ev1(a, b),
                encrypt(&key, token[16..].try_into().unwrap(), &rotate(a)),
            ),
            _ => {
                let ti = [self.challenges, 2, 3, 4];
                let plain = [&ti[..], &rotate(a), &[0; 12]].concat();
                (Session::ev2(&key, a, b, ti), encrypt(&key, [0; 16], &plain))
            }
        };
        self.power.session = Some((number, session));
        Ok(answer)
    }

    /// Waits for the whole of a command, then carries it out.
    fn collect(&mut self, ins: u8, data: &[u8]) -> Outcome {
        let maced = self.power.session.is_some();
        let whole = match ins {
            0x3D if data.len() >= 7 => {
                7 + usize::from(data[4]) + usize::from(data[5]) * 256 + if maced { 8 } else { 0 }
            }
            _ => data.len(),
        };
        if data.len() < whole {
            self.power.pending = Pending::Command {
                ins,
                data: data.to_vec(),
            };
            return Ok(Vec::new());
        }
        if data.len() > whole {
            return Err(0x7E);
        }
        self.protected(ins, data)
    }

    fn protected(&mut self, ins: u8, data: &[u8]) -> Outcome {
        let Some((number, mut session)) = self.power.session.take() else {
            let answer = self.obey(ins, data, None)?;
            return self.send(answer);
        };
        // In EV1 what comes enciphered carries a checksum instead of a MAC.
        let enciphered_in_ev1 = ins == 0xC4 && matches!(session, Session::Ev1 { .. });
        let plain = if enciphered_in_ev1 {
            data.to_vec()
        } else {
            session.command(ins, data, ins == 0x3D).ok_or(0x1E)?
        };
        if ins == 0xC4 {
            let changes_own = plain.first() == Some(&number);
            self.change_key(number, &plain, &mut session)?;
            if changes_own {
                return Ok(Vec::new());
            }
            let answer = session.answer(&[], false);
            self.power.session = Some((number, session));
            return Ok(answer);
        }
        let answer = self.obey(ins, &plain, Some(number))?;
        let answer = session.answer(&answer, ins == 0x51);
        self.power.session = Some((number, session));
        self.send(answer)
    }

    fn send(&mut self, mut answer: Vec<u8>) -> Outcome {
        if answer.len() > 59 {
            self.power.pending = Pending::Answer(answer.split_off(59));
        }
        Ok(answer)
    }
}

impl Model for Desfire {
    fn present(&mut self) -> PresentedCard {
        self.power = Power::default();
        self.presentations += 1;
        self.wrong_keys.clear();
        let uid = if self.hides_uid {
            Uid::new(&[0x08, self.presentations, 0x12, 0x34])
        } else {
            Uid::new(&self.uid)
        };
        PresentedCard {
            uid: uid.unwrap(),
            answer: SelectAnswer::Iso14443a {
                atqa: [0x03, 0x44],
                sak: 0x20,
                ats: vec![0x75, 0x77, 0x81, 0x02, 0x80],
            },
        }
    }

    fn apdu(&mut self, apdu: &[u8]) -> Vec<u8> {
        let (ins, data) = match apdu {
            [0x90, ins, 0, 0, 0] => (*ins, &[][..]),
            [0x90, ins, 0, 0, length, data @ .., 0]
                if usize::from(*length) == data.len() && data.len() <= 55 =>
            {
                (*ins, data)
            }
            _ => return vec![0x67, 0x00],
        };
        let outcome = if ins == 0xAF {
            self.next(data)
        } else {
            self.power.pending = Pending::Nothing;
            self.first(ins, data)
        };
        match outcome {
            Ok(mut answer) => {
                let more = !matches!(self.power.pending, Pending::Nothing);
                answer.extend([0x91, if more { 0xAF } else { 0x00 }]);
                answer
            }
            Err(status) => {
                self.power.session = None;
                vec![0x91, status]
            }
        }
    }

    /// It has no write that can be torn: every one is done or not.
    fn tear(&mut self, _: &[u8], _: Fault) {}

    fn turn_weak_cells(&mut self) {}

    fn wrong_keys(&self) -> &[u8] {
        &self.wrong_keys
    }
}
