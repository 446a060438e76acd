//! Card images that no writer has left so: one bit flipped anywhere, one copy put in place of the other, everything
//! carried over to another card.

use emulator::{Card, Cards, Moment, Origin, Technology};

use super::judge::{is_classic, opens};
use super::rows::{Guest, Row};
use super::{cut_off, encode_on};
use card::{CardFormat, Suspects};

/// How long an `rfid48` is.
const IMAGE: usize = 48;

/// Flips every bit of every byte that a new card does not hold, and one bit of every other byte; a lock sees a guest that
/// a copy was made for, or nobody. Returns how many cards that were.
#[must_use]
pub fn flip_every_bit(row: Row) -> usize {
    let cards = [
        encoded(row, &[Guest::OLD]),
        encoded(row, &[Guest::OLDER, Guest::OLD]),
        with_two_valid_copies(row),
    ];
    cards.iter().map(|card| flip(card, row)).sum()
}

fn flip(card: &Card, row: Row) -> usize {
    let (new, image) = (new_card(row).memory(), card.memory());
    let mut flips = 0;
    for at in 0..image.len() {
        let bits = if image[at] == new[at] { 1 } else { 8 };
        for bit in 0..bits {
            let mut flipped = image.clone();
            flipped[at] ^= 1 << bit;
            card.set_memory(&flipped).unwrap();
            let seen = opens(card, row);
            assert!(
                [None, Some(Guest::OLD), Some(Guest::NEW)].contains(&seen),
                "{row}: with bit {bit} of byte {at} flipped it opens for {seen:?}"
            );
            flips += 1;
        }
    }
    flips
}

/// Carries an image over: to the other copy, to a card with another UID, to a card of another placing with the same UID. A
/// lock never opens. Returns how many cards that were.
#[must_use]
pub fn carry_over(technology: Technology) -> usize {
    let row = rfid48(technology);
    let source = encoded(row, &[Guest::OLD]);
    let memory = source.memory();
    let image = copies(technology)
        .into_iter()
        .map(|at| memory[at..at + IMAGE].to_vec())
        .find(|image| image[0] == 0x48)
        .unwrap();
    let mut cards = 0;
    let mut denies = |target: &Card, row: Row, what: &str| {
        assert_eq!(opens(target, row), None, "{technology} to {what}");
        cards += 1;
    };
    for other in Technology::ALL
        .into_iter()
        .filter(|other| !copies(*other).is_empty())
    {
        let row = rfid48(other);
        for (uid, is_same_uid) in [(UID, true), ("04A1B2C3D4E5F7", false)] {
            if is_same_uid && placing(other) == placing(technology) {
                continue;
            }
            let target = encoded_as(row, uid, &[Guest::OLDER]);
            let mut memory = target.memory();
            for at in copies(other) {
                memory[at..at + IMAGE].copy_from_slice(&image);
            }
            target.set_memory(&memory).unwrap();
            denies(&target, row, other.name());
        }
    }
    if let [a, b] = copies(technology)[..] {
        let mut swapped = memory.clone();
        swapped[a..a + IMAGE].copy_from_slice(&memory[b..b + IMAGE]);
        swapped[b..b + IMAGE].copy_from_slice(&memory[a..a + IMAGE]);
        source.set_memory(&swapped).unwrap();
        denies(&source, row, "its other copy");
    }
    cards
}

const UID: &str = "04A1B2C3D4E5F6";

fn rfid48(technology: Technology) -> Row {
    Row {
        technology,
        format: CardFormat::Rfid48,
    }
}

/// Where the copies begin in a card's memory (docs/card-format.md, 8 to 10). None for a card with files.
fn copies(technology: Technology) -> Vec<usize> {
    let pages: &[usize] = match technology {
        technology if is_classic(technology) => return vec![4 * 16, 8 * 16],
        Technology::MifareUltralight | Technology::MifareUltralightEv1_48 => &[0x04],
        Technology::MifareUltralightEv1_128 => &[0x04, 0x14],
        Technology::MifareUltralightC | Technology::Ntag213 => &[0x04, 0x16],
        Technology::Ntag215 => &[0x04, 0x43],
        Technology::Ntag216 => &[0x04, 0x73],
        _ => &[],
    };
    pages.iter().map(|page| page * 4).collect()
}

/// The technology code (docs/card-format.md, 1).
fn placing(technology: Technology) -> u8 {
    match technology {
        technology if is_classic(technology) => 1,
        Technology::MifareUltralightEv1_128
        | Technology::MifareUltralightC
        | Technology::Ntag213 => 2,
        Technology::Ntag215 | Technology::Ntag216 => 3,
        _ => 5,
    }
}

fn new_card(row: Row) -> Card {
    card_with(row, UID)
}

fn card_with(row: Row, uid: &str) -> Card {
    Cards::new()
        .card(row.technology, uid.parse().unwrap(), Origin::Factory)
        .unwrap()
}

fn encoded(row: Row, guests: &[Guest]) -> Card {
    encoded_as(row, UID, guests)
}

fn encoded_as(row: Row, uid: &str, guests: &[Guest]) -> Card {
    let card = card_with(row, uid);
    for guest in guests {
        let _ = encode_on(&card, row, *guest, Suspects::NONE, None);
    }
    assert_eq!(opens(&card, row).as_ref(), guests.last());
    card
}

/// A card that was pulled just before its older copy would have been voided; where there is one copy only, another one with
/// that guest.
fn with_two_valid_copies(row: Row) -> Card {
    let card = encoded(row, &[Guest::OLD]);
    let (_, exchanges) = encode_on(&card.twin(), row, Guest::NEW, Suspects::NONE, None);
    if !row.has_one_copy() {
        let _ = cut_off(
            &card,
            row,
            Suspects::NONE,
            Some((exchanges - 1, Moment::Before)),
        );
        assert_eq!(opens(&card, row), Some(Guest::NEW));
    }
    card
}
