//! What the blocks of a MIFARE Classic hold when it is first seen, and how a value lies in a block
//! (NXP MF1S50yyX_V1 §8.6). Bytes only.

use super::layout::{BLOCK, is_trailer};
use crate::card::noise::Noise;
use crate::card::{Technology, Uid};

const TRANSPORT_KEY: [u8; 6] = [0xFF; 6];
const TRANSPORT_ACCESS: [u8; 4] = [0xFF, 0x07, 0x80, 0x69];
/// Key A reads, key B writes: what a site of somebody else's usually has.
const PRODUCTION_ACCESS: [u8; 4] = [0x78, 0x77, 0x88, 0x69];

/// All blocks of a card as delivered: transport keys, no data.
pub(super) fn factory(technology: Technology, uid: &Uid) -> Vec<[u8; BLOCK]> {
    let trailer = trailer(TRANSPORT_KEY, TRANSPORT_ACCESS, TRANSPORT_KEY);
    blocks(technology, uid, |_| [0; BLOCK], |_| trailer)
}

/// All blocks of a card in use by somebody else: keys and data made up from the UID.
pub(super) fn foreign(technology: Technology, uid: &Uid) -> Vec<[u8; BLOCK]> {
    let noise = |block: u8, salt: u8| {
        let mut bytes = [0; BLOCK];
        Noise::of(&[uid.as_bytes(), &[block, salt]].concat()).fill(&mut bytes);
        bytes
    };
    let key = |block, salt| {
        let [k0, k1, k2, k3, k4, k5, ..] = noise(block, salt);
        [k0, k1, k2, k3, k4, k5]
    };
    blocks(
        technology,
        uid,
        |block| noise(block, 0),
        |block| trailer(key(block, 1), PRODUCTION_ACCESS, key(block, 2)),
    )
}

fn blocks(
    technology: Technology,
    uid: &Uid,
    data: impl Fn(u8) -> [u8; BLOCK],
    trailer: impl Fn(u8) -> [u8; BLOCK],
) -> Vec<[u8; BLOCK]> {
    let last: u8 = match technology {
        Technology::MifareClassicMini => 19,
        Technology::MifareClassic4k => 255,
        _ => 63,
    };
    let content = |block| match block {
        0 => manufacturer_block(technology, uid),
        _ if is_trailer(block) => trailer(block),
        _ => data(block),
    };
    (0..=last).map(content).collect()
}

/// A sector trailer of its parts.
pub(super) fn trailer(key_a: [u8; 6], access: [u8; 4], key_b: [u8; 6]) -> [u8; BLOCK] {
    let mut bytes = [0; BLOCK];
    bytes[..6].copy_from_slice(&key_a);
    bytes[6..10].copy_from_slice(&access);
    bytes[10..].copy_from_slice(&key_b);
    bytes
}

/// Block 0 (§8.6.1): the UID, its check byte if it has four bytes, SAK and ATQA, then the
/// manufacturer's own bytes, which are made up here.
fn manufacturer_block(technology: Technology, uid: &Uid) -> [u8; BLOCK] {
    let mut bytes = uid.as_bytes().to_vec();
    if let [a, b, c, d] = bytes[..] {
        bytes.push(a ^ b ^ c ^ d);
    }
    bytes.push(technology.sak());
    bytes.extend(technology.atqa(uid));
    let mut block = [0; BLOCK];
    Noise::of(uid.as_bytes()).fill(&mut block);
    block[..bytes.len()].copy_from_slice(&bytes);
    block
}

/// A value block holds the value three times, once inverted, and its address four times (§8.6.2.1).
pub(super) fn value_block(value: i32, address: u8) -> [u8; BLOCK] {
    let mut bytes = [0; BLOCK];
    bytes[..4].copy_from_slice(&value.to_le_bytes());
    bytes[4..8].copy_from_slice(&(!value).to_le_bytes());
    bytes[8..12].copy_from_slice(&value.to_le_bytes());
    bytes[12..].copy_from_slice(&[address, !address, address, !address]);
    bytes
}

/// The value in a block, if it is a value block.
pub(super) fn value_of(block: &[u8; BLOCK]) -> Option<i32> {
    let value = i32::from_le_bytes(*block.first_chunk()?);
    (value_block(value, block[12]) == *block).then_some(value)
}
