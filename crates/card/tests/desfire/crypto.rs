//! The cryptography of the card models, written from the documents and apart from the product's: NXP MF3ICD81, chapter 8,
//! for EV1; NT4H2421Gx, 9.1, for EV2. The card's side of each exchange.

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

pub(crate) type Key = [u8; 16];

fn apply(cipher: &Aes128, data: [u8; 16], encrypt: bool) -> [u8; 16] {
    let mut out = data.into();
    if encrypt {
        cipher.encrypt_block(&mut out);
    } else {
        cipher.decrypt_block(&mut out);
    }
    out.into()
}

fn block(key: &Key, data: [u8; 16], encrypt: bool) -> [u8; 16] {
    apply(&Aes128::new(key.into()), data, encrypt)
}

fn xor(a: [u8; 16], b: [u8; 16]) -> [u8; 16] {
    (u128::from_be_bytes(a) ^ u128::from_be_bytes(b)).to_be_bytes()
}

pub(crate) fn encrypt(key: &Key, mut iv: [u8; 16], data: &[u8]) -> Vec<u8> {
    let cipher = Aes128::new(key.into());
    let mut out = Vec::new();
    for part in data.chunks(16) {
        iv = apply(&cipher, xor(part.try_into().unwrap(), iv), true);
        out.extend(iv);
    }
    out
}

pub(crate) fn decrypt(key: &Key, mut iv: [u8; 16], data: &[u8]) -> Vec<u8> {
    let cipher = Aes128::new(key.into());
    let mut out = Vec::new();
    for part in data.chunks(16) {
        let part: [u8; 16] = part.try_into().unwrap();
        out.extend(xor(apply(&cipher, part, false), iv));
        iv = part;
    }
    out
}

/// CMAC (NIST SP 800-38B) that starts from `iv`.
pub(crate) fn cmac(key: &Key, iv: [u8; 16], message: &[u8]) -> [u8; 16] {
    let double = |value: u128| (value << 1) ^ (0x87 * (value >> 127));
    let k1 = double(u128::from_be_bytes(block(key, [0; 16], true)));
    let mut padded = message.to_vec();
    let whole = !message.is_empty() && message.len().is_multiple_of(16);
    if !whole {
        padded.push(0x80);
        while !padded.len().is_multiple_of(16) {
            padded.push(0);
        }
    }
    let last = padded.len() - 16;
    let subkey = if whole { k1 } else { double(k1) }.to_be_bytes();
    for (byte, with) in padded[last..].iter_mut().zip(subkey) {
        *byte ^= with;
    }
    let chained = encrypt(key, iv, &padded);
    chained[last..].try_into().unwrap()
}

/// CRC-32 without final inversion, least significant byte first, by a table.
pub(crate) fn crc32(data: &[u8]) -> [u8; 4] {
    let table: Vec<u32> = (0..256_u32)
        .map(|byte| {
            (0..8).fold(byte, |crc, _| {
                if crc % 2 == 1 {
                    0xEDB8_8320 ^ (crc / 2)
                } else {
                    crc / 2
                }
            })
        })
        .collect();
    let crc = data.iter().fold(0xFFFF_FFFF_u32, |crc, byte| {
        table[((crc ^ u32::from(*byte)) & 0xFF) as usize] ^ (crc >> 8)
    });
    crc.to_le_bytes()
}

pub(crate) fn rotate(data: &[u8]) -> Vec<u8> {
    let mut rotated = data[1..].to_vec();
    rotated.push(data[0]);
    rotated
}

/// A session as the card keeps it.
#[derive(Clone, Debug)]
pub(crate) enum Session {
    /// Single DES; only the UID is ever asked in it.
    Legacy([u8; 8]),
    Ev1 {
        key: Key,
        iv: [u8; 16],
    },
    Ev2 {
        enc: Key,
        mac: Key,
        ti: [u8; 4],
        counter: u16,
    },
}

impl Session {
    pub(crate) fn ev1(a: &[u8], b: &[u8]) -> Self {
        let key = [&a[..4], &b[..4], &a[12..], &b[12..]].concat();
        Self::Ev1 {
            key: key.try_into().unwrap(),
            iv: [0; 16],
        }
    }

    pub(crate) fn ev2(key: &Key, a: &[u8], b: &[u8], ti: [u8; 4]) -> Self {
        let middle: Vec<u8> = a[2..8].iter().zip(&b[..6]).map(|(a, b)| a ^ b).collect();
        let derive = |label: [u8; 2]| {
            let vector = [
                &label[..],
                &[0, 1, 0, 0x80],
                &a[..2],
                &middle,
                &b[6..],
                &a[8..],
            ];
            cmac(key, [0; 16], &vector.concat())
        };
        Self::Ev2 {
            enc: derive([0xA5, 0x5A]),
            mac: derive([0x5A, 0xA5]),
            ti,
            counter: 0,
        }
    }

    /// Checks and takes off what protects a command. `maced`: EV1 appends a MAC to it; EV2 always does.
    pub(crate) fn command(&mut self, ins: u8, data: &[u8], maced: bool) -> Option<Vec<u8>> {
        match self {
            Self::Legacy(_) => Some(data.to_vec()),
            Self::Ev1 { key, iv } => {
                let length = data.len().checked_sub(if maced { 8 } else { 0 })?;
                let message = [&[ins][..], &data[..length]].concat();
                *iv = cmac(key, *iv, &message);
                (data[length..] == iv[..data.len() - length]).then(|| data[..length].to_vec())
            }
            Self::Ev2 {
                mac, ti, counter, ..
            } => {
                let length = data.len().checked_sub(8)?;
                let message = [&[ins][..], &counter.to_le_bytes(), ti, &data[..length]].concat();
                let right = every_second(cmac(mac, [0; 16], &message));
                (data[length..] == right).then(|| data[..length].to_vec())
            }
        }
    }

    /// Deciphers command data that [`Self::command`] has let through (EV2), or that has no MAC (EV1).
    pub(crate) fn decipher(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        if !data.len().is_multiple_of(16) || data.is_empty() {
            return None;
        }
        match self {
            Self::Legacy(_) => None,
            Self::Ev1 { key, iv } => {
                let plain = decrypt(key, *iv, data);
                *iv = data[data.len() - 16..].try_into().unwrap();
                Some(plain)
            }
            Self::Ev2 {
                enc, ti, counter, ..
            } => {
                let plain = decrypt(enc, vector(enc, [0xA5, 0x5A], *ti, *counter), data);
                let end = plain.iter().rposition(|byte| *byte != 0)?;
                (plain[end] == 0x80).then(|| plain[..end].to_vec())
            }
        }
    }

    /// Protects an answer with status 00.
    pub(crate) fn answer(&mut self, data: &[u8], encipher: bool) -> Vec<u8> {
        match self {
            Self::Legacy(key) => legacy_answer(key, data),
            Self::Ev1 { key, iv } if encipher => {
                let mut plain = data.to_vec();
                plain.extend(crc32(&[data, &[0]].concat()));
                plain.resize(plain.len().div_ceil(16) * 16, 0);
                let out = encrypt(key, *iv, &plain);
                *iv = out[out.len() - 16..].try_into().unwrap();
                out
            }
            Self::Ev1 { key, iv } => {
                *iv = cmac(key, *iv, &[data, &[0]].concat());
                [data, &iv[..8]].concat()
            }
            Self::Ev2 {
                enc,
                mac,
                ti,
                counter,
            } => {
                *counter += 1;
                let mut data = data.to_vec();
                if encipher {
                    data.push(0x80);
                    data.resize(data.len().div_ceil(16) * 16, 0);
                    data = encrypt(enc, vector(enc, [0x5A, 0xA5], *ti, *counter), &data);
                }
                let message = [&[0][..], &counter.to_le_bytes(), ti, &data].concat();
                data.extend(every_second(cmac(mac, [0; 16], &message)));
                data
            }
        }
    }
}

fn vector(enc: &Key, label: [u8; 2], ti: [u8; 4], counter: u16) -> [u8; 16] {
    let input = [&label[..], &ti, &counter.to_le_bytes(), &[0; 8]].concat();
    block(enc, input.try_into().unwrap(), true)
}

fn every_second(mac: [u8; 16]) -> [u8; 8] {
    std::array::from_fn(|at| mac[at * 2 + 1])
}

fn des(key: &[u8; 8], data: [u8; 8], encrypt: bool) -> [u8; 8] {
    let cipher = des::Des::new(key.into());
    let mut out = data.into();
    if encrypt {
        cipher.encrypt_block(&mut out);
    } else {
        cipher.decrypt_block(&mut out);
    }
    out.into()
}

/// The card enciphers everything it sends and everything it is sent (NXP MF3ICD40, 7.4).
pub(crate) fn legacy_encrypt(key: &[u8; 8], data: &[u8]) -> Vec<u8> {
    let mut before = [0_u8; 8];
    let mut out = Vec::new();
    for part in data.chunks(8) {
        let mixed = std::array::from_fn(|at| part[at] ^ before[at]);
        before = des(key, mixed, true);
        out.extend(before);
    }
    out
}

/// What the writer deciphered is enciphered back, block by block.
pub(crate) fn legacy_undo(key: &[u8; 8], data: &[u8]) -> Vec<u8> {
    let mut before = [0_u8; 8];
    let mut out = Vec::new();
    for part in data.chunks(8) {
        let plain = des(key, part.try_into().unwrap(), true);
        out.extend((0..8).map(|at| plain[at] ^ before[at]));
        before = part.try_into().unwrap();
    }
    out
}

fn legacy_answer(key: &[u8; 8], data: &[u8]) -> Vec<u8> {
    let mut crc = 0x6363_u16;
    for byte in data {
        let mut mixed = byte ^ crc as u8;
        mixed ^= mixed << 4;
        let wide = u16::from(mixed);
        crc = (crc >> 8) ^ (wide << 8) ^ (wide << 3) ^ (wide >> 4);
    }
    let mut plain = data.to_vec();
    plain.extend(crc.to_le_bytes());
    plain.resize(plain.len().div_ceil(8) * 8, 0);
    legacy_encrypt(key, &plain)
}
