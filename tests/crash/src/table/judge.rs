//! What a lock makes of a card, and what lies on the card beside the placing.

use std::fmt::Display;
use std::time::Instant;

use card::{CardFormat, CopiesRead, Door, IssueNumber, Lock, Minute, ReadCopies};
use emulator::{Card, Slot, Technology};
use encoder::{BlockEncoder as _, CardWait, Stop, drive};

use super::rows::{Guest, NOON, Row};
use crate::encode::InMemory;
use crate::site::{entropy, keys};

/// The guest whose doors the card opens, all of them and nobody else's. Read from the card itself, so that each
/// reading of a weak cell counts.
pub(super) fn opens(card: &Card, row: Row) -> Option<Guest> {
    guest_of(&read(card), row)
}

/// What a lock reads of a card.
fn read(card: &Card) -> CopiesRead {
    let slot = Slot::new();
    slot.place(card);
    let mut antenna = InMemory::over(slot);
    let mut session = antenna
        .select(CardWait::Resting, Instant::now(), &Stop::default())
        .unwrap();
    let lock_keys = keys().lock_keys();
    let reading = ReadCopies::new(session.card().clone(), lock_keys, entropy()).unwrap();
    drive(session.as_mut(), reading).unwrap()
}

fn guest_of(read: &CopiesRead, row: Row) -> Option<Guest> {
    let lock_keys = keys().lock_keys();
    let now = Minute::new(NOON).unwrap();
    let is_open = |door| {
        Lock::new(lock_keys.clone(), Door::Guest(door), IssueNumber::MIN)
            .decide(read, Some(now))
            .is_open()
    };
    let mut seen = None;
    for guest in Guest::ALL {
        let mut doors = guest.doors(row);
        let first = doors.next().is_some_and(is_open);
        let last = doors.last().is_none_or(is_open);
        assert_eq!(first, last, "{row}: some of the doors of {guest:?} open");
        if first {
            assert_eq!(seen, None, "{row}: a card of two guests");
            seen = Some(guest);
        }
    }
    seen
}

/// Whether every one of several readings opens for that guest, and no other copy is left that could take its place.
pub(super) fn opens_alone(card: &Card, row: Row, guest: Guest, readings: usize) -> bool {
    (0..readings).all(|_| {
        let read = read(card);
        guest_of(&read, row) == Some(guest) && read.copies.iter().flatten().count() == 1
    })
}

/// What lies outside the placing: not ours to change.
pub(super) struct Outside {
    row: Row,
    prepares: bool,
    units: Vec<(usize, Vec<u8>)>,
    /// What a card with files holds beside ours, keys and settings included.
    rest: Vec<u8>,
}

impl Outside {
    /// `prepares`: keys may be written.
    pub(super) fn of(card: &Card, row: Row, prepares: bool) -> Self {
        let memory = card.memory();
        let unit = if is_classic(row.technology) { 16 } else { 4 };
        let outside = memory
            .chunks(unit)
            .enumerate()
            .filter(|(at, _)| !(is_ours(row, *at) || prepares && is_key(row, *at)))
            .map(|(at, content)| (at, content.to_vec()));
        Self {
            row,
            prepares,
            units: outside.collect(),
            rest: if memory.is_empty() {
                card.everything_but(APPLICATION)
            } else {
                Vec::new()
            },
        }
    }

    pub(super) fn check(&self, card: &Card, case: &dyn Display) {
        let now = Self::of(card, self.row, self.prepares);
        for (before, after) in self.units.iter().zip(&now.units) {
            assert_eq!(before, after, "{case}: changed outside the placing");
        }
        let is_same = self.rest == now.rest;
        assert!(is_same, "{case}: changed outside the application");
    }
}

/// The application on a DESFire (docs/card-format.md, 12).
const APPLICATION: [u8; 3] = *b"CB1";

pub(super) fn is_classic(technology: Technology) -> bool {
    matches!(
        technology,
        Technology::MifareClassicMini | Technology::MifareClassic1k | Technology::MifareClassic4k
    )
}

/// Whether a block or page belongs to the placing (docs/card-format.md, 8 to 10).
fn is_ours(row: Row, unit: usize) -> bool {
    let last = match row.technology {
        technology if is_classic(technology) => return is_data(row, unit),
        Technology::MifareUltralight | Technology::MifareUltralightEv1_48 => 0x0F,
        Technology::MifareUltralightEv1_128 => 0x23,
        Technology::MifareUltralightC | Technology::Ntag213 => 0x27,
        Technology::Ntag215 => 0x81,
        Technology::Ntag216 => 0xE1,
        _ => return true,
    };
    (0x04..=last).contains(&unit)
}

/// Whether it is one of the sectors' data blocks: never a block of sector 16 or of the large sectors of a 4K.
fn is_data(row: Row, block: usize) -> bool {
    is_sector_of_ours(row, block / 4) && block % 4 != 3
}

fn is_sector_of_ours(row: Row, sector: usize) -> bool {
    let last = match (row.format, row.technology) {
        (CardFormat::Rfid48, _) => 2,
        (CardFormat::TlCode, Technology::MifareClassicMini) => 4,
        // The credentials of this table take three sectors a copy.
        (CardFormat::TlCode, _) => 6,
    };
    (1..=last).contains(&sector)
}

/// Whether it holds keys, or the page of AUTH0: what preparing a blank card writes. Never lock bits, OTP, capability
/// container or CFG1.
fn is_key(row: Row, unit: usize) -> bool {
    match row.technology {
        technology if is_classic(technology) => is_sector_of_ours(row, unit / 4) && unit % 4 == 3,
        Technology::MifareUltralightEv1_48 => [0x10, 0x12, 0x13].contains(&unit),
        Technology::MifareUltralightEv1_128 => [0x25, 0x27, 0x28].contains(&unit),
        Technology::MifareUltralightC => [0x2A, 0x2C, 0x2D, 0x2E, 0x2F].contains(&unit),
        Technology::Ntag213 => [0x29, 0x2B, 0x2C].contains(&unit),
        Technology::Ntag215 => [0x83, 0x85, 0x86].contains(&unit),
        Technology::Ntag216 => [0xE3, 0xE5, 0xE6].contains(&unit),
        _ => false,
    }
}
