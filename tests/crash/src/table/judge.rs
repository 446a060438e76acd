//! What a lock makes of a card, and what lies on the card beside the placing.

use std::fmt::Display;
use std::time::Instant;

use card::{Door, IssueNumber, Lock, Minute, ReadCopies};
use emulator::{Card, Slot, Technology};
use encoder::{BlockEncoder as _, CardWait, Stop, drive};

use super::rows::{Guest, NOON, Row};
use crate::encode::InMemory;
use crate::site::{entropy, keys};

/// The guest whose doors the card opens, all of them and nobody else's. Read from the card itself, so that each
/// reading of a weak cell counts.
pub(super) fn opens(card: &Card, row: Row) -> Option<Guest> {
    let slot = Slot::new();
    slot.place(card);
    let mut antenna = InMemory::over(slot);
    let mut session = antenna
        .select(CardWait::Resting, Instant::now(), &Stop::default())
        .unwrap();
    let lock_keys = keys().lock_keys();
    let reading = ReadCopies::new(session.card().clone(), lock_keys.clone(), entropy()).unwrap();
    let read = drive(session.as_mut(), reading).unwrap();
    let now = Minute::new(NOON).unwrap();
    let is_open = |door| {
        Lock::new(lock_keys.clone(), Door::Guest(door), IssueNumber::MIN)
            .decide(&read, Some(now))
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

/// Whether every one of several readings opens for that guest.
pub(super) fn opens_always(card: &Card, row: Row, guest: Guest, readings: usize) -> bool {
    (0..readings).all(|_| opens(card, row) == Some(guest))
}

/// What lies outside the placing: not ours to change.
pub(super) struct Outside(Vec<(String, Vec<u8>)>);

impl Outside {
    pub(super) fn of(card: &Card, row: Row) -> Self {
        let memory = card.memory();
        let unit = if is_classic(row.technology) { 16 } else { 4 };
        let outside = memory
            .chunks(unit)
            .enumerate()
            .filter(|(at, _)| !is_ours(row.technology, *at))
            .map(|(at, content)| (at.to_string(), content.to_vec()));
        Self(outside.collect())
    }

    pub(super) fn check(&self, card: &Card, row: Row, case: &dyn Display) {
        let now = Self::of(card, row);
        for (before, after) in self.0.iter().zip(&now.0) {
            assert_eq!(before, after, "{case}: changed outside the placing");
        }
    }
}

fn is_classic(technology: Technology) -> bool {
    matches!(
        technology,
        Technology::MifareClassicMini | Technology::MifareClassic1k | Technology::MifareClassic4k
    )
}

/// Whether a block or page may change (docs/card-format.md, the placings), keys and configuration of preparation included.
fn is_ours(technology: Technology, unit: usize) -> bool {
    match technology {
        Technology::MifareClassicMini => (4..20).contains(&unit),
        Technology::MifareClassic1k => (4..60).contains(&unit),
        // Sector 16 keeps the second application directory, sectors from 32 on have 16 blocks.
        Technology::MifareClassic4k => (4..128).contains(&unit) && !(64..68).contains(&unit),
        _ => true,
    }
}
