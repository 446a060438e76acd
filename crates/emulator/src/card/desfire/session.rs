//! What protects commands and answers after an authentication: the three generations of secure
//! messaging that a DESFire has (MF3ICD81 data sheet §"Secure messaging"; for the second, the worked
//! behaviour of libfreefare; for the third, `ev2`). It knows no command.

use super::status;
use crate::air::crc_a;
use crate::card::crypto::{Cipher, Vector, crc32, pad_with_80};
use crate::card::ev2;

/// Length of a MAC of the oldest generation, and of the later ones.
const SHORT_MAC: usize = 4;
const LONG_MAC: usize = 8;

/// How a command or an answer is to be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cover {
    /// A command that has no mode of its own: whatever the generation does with such.
    Ordinary,
    /// File data in CommMode.Plain.
    Plain,
    /// File data in CommMode.MAC.
    Mac,
    /// Enciphered.
    Full,
}

#[derive(Debug, Clone)]
enum Channel {
    /// Of authentication 0A: every command for itself, and the host deciphers to encipher.
    Oldest(Cipher),
    /// Of 1A and AA: one chain of vectors over all commands and answers.
    Chained { cipher: Cipher, vector: Vector },
    /// Of 71 and 77.
    Ev2(ev2::Session),
}

/// An authentication in force.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// The number of the key.
    pub(super) key: u8,
    channel: Channel,
}

impl Session {
    pub(super) fn oldest(key: u8, cipher: Cipher) -> Session {
        let channel = Channel::Oldest(cipher);
        Session { key, channel }
    }

    pub(super) fn chained(key: u8, cipher: Cipher) -> Session {
        let channel = Channel::Chained {
            cipher,
            vector: Vector::default(),
        };
        Session { key, channel }
    }

    pub(super) fn ev2(key: u8, session: ev2::Session) -> Session {
        let channel = Channel::Ev2(session);
        Session { key, channel }
    }

    pub(super) fn as_ev2(&self) -> Option<&ev2::Session> {
        match &self.channel {
            Channel::Ev2(session) => Some(session),
            _ => None,
        }
    }

    /// Whether no further command can be counted.
    pub(super) fn is_used_up(&self) -> bool {
        self.as_ev2().is_some_and(ev2::Session::is_used_up)
    }

    /// How many bytes a command's data of this length has on the wire.
    pub(super) fn length_on_wire(&self, length: usize, cover: Cover) -> usize {
        match (&self.channel, cover) {
            (Channel::Oldest(cipher), Cover::Full) => (length + 2).next_multiple_of(cipher.width()),
            (Channel::Chained { cipher, .. }, Cover::Full) => {
                (length + 4).next_multiple_of(cipher.width())
            }
            (Channel::Ev2(_), Cover::Full) => (length + 1).next_multiple_of(16) + ev2::MAC,
            (Channel::Oldest(_), Cover::Mac) => length + SHORT_MAC,
            (Channel::Chained { .. }, Cover::Mac) => length + LONG_MAC,
            (Channel::Ev2(_), Cover::Mac | Cover::Ordinary) => length + ev2::MAC,
            _ => length,
        }
    }

    /// Opens a command that is not enciphered.
    ///
    /// # Errors
    /// It was changed on its way.
    pub(super) fn open(&mut self, command: u8, body: &[u8], cover: Cover) -> Result<Vec<u8>, u8> {
        match (&mut self.channel, cover) {
            (Channel::Oldest(cipher), Cover::Mac) => {
                let (data, mac) = body
                    .split_last_chunk::<SHORT_MAC>()
                    .ok_or(status::INTEGRITY)?;
                (short_mac(cipher, data) == *mac).then(|| data.to_vec())
            }
            (Channel::Chained { cipher, vector }, Cover::Mac) => {
                let (data, mac) = body
                    .split_last_chunk::<LONG_MAC>()
                    .ok_or(status::INTEGRITY)?;
                let whole = cipher.cmac(vector, &[&[command], data].concat());
                (whole[..LONG_MAC] == *mac).then(|| data.to_vec())
            }
            (Channel::Chained { cipher, vector }, _) => {
                cipher.cmac(vector, &[&[command], body].concat());
                Some(body.to_vec())
            }
            (Channel::Ev2(session), cover) => session.open(command, &[], body, of_ev2(cover)),
            (Channel::Oldest(_), _) => Some(body.to_vec()),
        }
        .ok_or(status::INTEGRITY)
    }

    /// Opens an enciphered command. Returns its data of known length, and what else was in there:
    /// padding, or the further checksum of a new key.
    ///
    /// # Errors
    /// It was changed on its way, or has another length.
    pub(super) fn open_sealed(
        &mut self,
        command: u8,
        header: &[u8],
        body: &[u8],
        length: usize,
    ) -> Result<(Vec<u8>, Vec<u8>), u8> {
        let (plain, check) = match &mut self.channel {
            Channel::Ev2(session) => {
                let plain = session
                    .open(command, header, body, ev2::Cover::Full)
                    .ok_or(status::INTEGRITY)?;
                (plain, Vec::new())
            }
            Channel::Oldest(cipher) => {
                let mut plain = whole_blocks(cipher, body)?;
                cipher.undo_deciphering(&mut Vector::default(), &mut plain);
                let data = plain.get(..length).ok_or(status::LENGTH)?;
                let check = crc_a(data).to_vec();
                (plain, check)
            }
            Channel::Chained { cipher, vector } => {
                let mut plain = whole_blocks(cipher, body)?;
                cipher.decrypt(vector, &mut plain);
                let data = plain.get(..length).ok_or(status::LENGTH)?;
                let check = crc32(&[&[command], header, data]).to_vec();
                (plain, check)
            }
        };
        let (data, rest) = plain.split_at_checked(length).ok_or(status::LENGTH)?;
        let rest = rest.strip_prefix(&check[..]).ok_or(status::INTEGRITY)?;
        Ok((data.to_vec(), rest.to_vec()))
    }

    /// The checksum of a new key within ChangeKey, when another key than its own opened the session.
    pub(super) fn key_checksum(&self, key: &[u8]) -> Vec<u8> {
        match &self.channel {
            Channel::Oldest(_) => crc_a(key).to_vec(),
            Channel::Chained { .. } | Channel::Ev2(_) => crc32(&[key]).to_vec(),
        }
    }

    /// Protects the answer of a command that went well. `open_ended`: the reader did not say how much
    /// it wants, so the padding must tell where the data ends.
    pub(super) fn close(&mut self, mut data: Vec<u8>, cover: Cover, open_ended: bool) -> Vec<u8> {
        match (&mut self.channel, cover) {
            (Channel::Ev2(session), cover) => session.close(status::OK, data, of_ev2(cover)),
            (Channel::Oldest(cipher), Cover::Mac) => {
                data.extend(short_mac(cipher, &data));
                data
            }
            (Channel::Oldest(cipher), Cover::Full) => {
                data.extend(crc_a(&data));
                pad(&mut data, cipher.width(), open_ended);
                cipher.encrypt(&mut Vector::default(), &mut data);
                data
            }
            (Channel::Oldest(_), _) => data,
            (Channel::Chained { cipher, vector }, Cover::Full) => {
                data.extend(crc32(&[&data, &[status::OK]]));
                pad(&mut data, cipher.width(), open_ended);
                cipher.encrypt(vector, &mut data);
                data
            }
            (Channel::Chained { cipher, vector }, _) => {
                let whole = cipher.cmac(vector, &[&data, &[status::OK][..]].concat());
                data.extend(&whole[..LONG_MAC]);
                data
            }
        }
    }
}

fn of_ev2(cover: Cover) -> ev2::Cover {
    match cover {
        Cover::Plain => ev2::Cover::Plain,
        Cover::Ordinary | Cover::Mac => ev2::Cover::Mac,
        Cover::Full => ev2::Cover::Full,
    }
}

fn whole_blocks(cipher: &Cipher, body: &[u8]) -> Result<Vec<u8>, u8> {
    if body.is_empty() || !body.len().is_multiple_of(cipher.width()) {
        return Err(status::LENGTH);
    }
    Ok(body.to_vec())
}

fn pad(data: &mut Vec<u8>, width: usize, open_ended: bool) {
    if open_ended {
        pad_with_80(data, width);
    } else {
        data.resize(data.len().next_multiple_of(width), 0);
    }
}

/// CBC-MAC of the oldest generation, over data alone, padded with zeros.
fn short_mac(cipher: &Cipher, data: &[u8]) -> [u8; SHORT_MAC] {
    let width = cipher.width();
    let mut padded = data.to_vec();
    padded.resize(data.len().max(1).next_multiple_of(width), 0);
    cipher.encrypt(&mut Vector::default(), &mut padded);
    let last = padded.len() - width;
    std::array::from_fn(|n| padded[last + n])
}
