//! The cards of these tests: in which states an encode may find one, and what may have become of it afterwards.

use card::Suspects;
use emulator::{Card, Cards, Moment, Origin, Slot, Technology};

use crate::encode::{Encode, Ended, InMemory, encode};
use crate::site::{Guest, NEW, OLD, opened_rooms};

const BLOCK: usize = 16;
/// The data blocks of copies A and B (docs/card-format.md: sectors 1 and 2).
const COPIES: [[usize; 3]; 2] = [[4, 5, 6], [8, 9, 10]];
const TRAILERS: [usize; 2] = [7, 11];
/// The access bits of a sector trailer that is ours.
const OURS: [u8; 3] = [0x78, 0x77, 0x88];

/// A card in the state in which an encode finds it.
#[derive(Debug, Clone)]
pub struct Start {
    /// For messages.
    pub name: &'static str,
    /// The raw image.
    pub memory: Vec<u8>,
    /// The copies that the journal has in doubt.
    pub suspects: Suspects,
    /// The rooms that it opens.
    pub opens: Vec<u16>,
}

/// A new card of a fixed UID, as delivered but for somebody else's data far from where we write.
#[must_use]
pub fn new_card() -> Card {
    let uid = "04A1B2C3".parse().unwrap();
    let card = Cards::new()
        .card(Technology::MifareClassic1k, uid, Origin::Factory)
        .unwrap();
    let mut memory = card.memory();
    for block in (12..64).filter(|block| block % 4 != 3) {
        memory[block * BLOCK..][..BLOCK].fill(block as u8);
    }
    card.set_memory(&memory).unwrap();
    card
}

/// A card as delivered.
#[must_use]
pub fn blank() -> Start {
    Start::of("blank", &new_card(), Suspects::NONE)
}

/// A card that held other guests before, the last of them `OLD`.
#[must_use]
pub fn ours(name: &'static str, guests_before: &[Guest]) -> Start {
    let card = new_card();
    for guest in guests_before.iter().chain([&OLD]) {
        encode_whole(&card, *guest, Suspects::NONE);
    }
    Start::of(name, &card, Suspects::NONE)
}

/// A card that was pulled just before the copy of `OLD` would have been voided, so that both copies are valid.
#[must_use]
pub fn two_valid_copies() -> Start {
    let card = new_card();
    encode_whole(&card, OLD, Suspects::NONE);
    let clean = card.memory();
    let between = Guest { room: 108 };
    let exchanges = encode_whole(&card, between, Suspects::NONE);
    card.set_memory(&clean).unwrap();
    // The last two exchanges void the older copy and read that back.
    let torn = pulled(
        &card,
        between,
        Suspects::NONE,
        Some((exchanges - 1, Moment::Before)),
    );
    assert!(matches!(torn.ended, Ended::Gone), "{:?}", torn.ended);
    let image = card.memory();
    let first_blocks = COPIES.map(|[first, ..]| &image[first * BLOCK..][..BLOCK]);
    assert!(first_blocks.iter().all(|block| **block != [0; BLOCK]));
    Start::of("two valid copies", &card, torn.suspects)
}

impl Start {
    fn of(name: &'static str, card: &Card, suspects: Suspects) -> Self {
        Self {
            name,
            memory: card.memory(),
            suspects,
            opens: opened_rooms(card),
        }
    }

    /// A card in this state.
    #[must_use]
    pub fn card(&self) -> Card {
        let card = new_card();
        card.set_memory(&self.memory).unwrap();
        card
    }

    /// The exchanges of an encode of `NEW` on it, and those of its inspection.
    #[must_use]
    pub fn exchanges(&self) -> (u64, u64) {
        let (card, slot) = (self.card(), Slot::new());
        slot.place(&card);
        let encode = encode_on(&slot, NEW, self.suspects);
        assert!(
            matches!(encode.ended, Ended::Written(_)),
            "{:?}",
            encode.ended
        );
        (slot.log().exchanges(), encode.inspected_with)
    }

    /// After whatever happened to an encode of `NEW`, a lock sees what it saw before, or `NEW`. None only where it
    /// saw none before: a credential that was there is replaced, never lost.
    pub fn check_lock(&self, card: &Card, case: &str) {
        let opens = opened_rooms(card);
        assert!(
            opens == self.opens || opens == [NEW.room],
            "{case}: it opened {:?} before and opens {opens:?} now",
            self.opens
        );
    }

    /// Nothing changed but the two copies and, unless they were ours already, their two trailers.
    pub fn check_rest(&self, card: &Card, case: &str) {
        let after = card.memory();
        for (block, (old, new)) in self
            .memory
            .chunks(BLOCK)
            .zip(after.chunks(BLOCK))
            .enumerate()
        {
            let may_change = COPIES.as_flattened().contains(&block)
                || TRAILERS.contains(&block) && old[6..9] != OURS;
            assert!(may_change || old == new, "{case}: block {block} changed");
        }
    }
}

/// A card that was encoded to the end: it opens the guest's room only, and the other copy is void.
pub fn check_finished(card: &Card, guest: Guest, case: &str) {
    assert_eq!(opened_rooms(card), [guest.room], "{case}");
    let memory = card.memory();
    let voids = COPIES
        .iter()
        .filter(|[first, ..]| memory[first * BLOCK..][..BLOCK] == [0; BLOCK])
        .count();
    assert_eq!(voids, 1, "{case}: the other copy is void");
}

/// Whether a sector trailer was left as a mixture, neither as delivered nor ours. Only that may cost a blank card.
#[must_use]
pub fn has_torn_trailer(start: &Start, card: &Card) -> bool {
    let finished = start.card();
    encode_whole(&finished, NEW, start.suspects);
    let (before, now, whole) = (&start.memory, card.memory(), finished.memory());
    TRAILERS.iter().any(|trailer| {
        let at = trailer * BLOCK..(trailer + 1) * BLOCK;
        now[at.clone()] != before[at.clone()] && now[at.clone()] != whole[at]
    })
}

/// A card that was lost to a torn trailer: nothing of a credential is on it.
pub fn check_nothing_written(card: &Card, case: &str) {
    assert_eq!(opened_rooms(card), [] as [u16; 0], "{case}");
    let memory = card.memory();
    for block in COPIES.as_flattened() {
        assert_eq!(
            memory[block * BLOCK..][..BLOCK],
            [0; BLOCK],
            "{case}: block {block}"
        );
    }
}

/// Encodes a card in memory while it leaves at an exchange, counted from 1.
#[must_use]
pub fn pulled(card: &Card, guest: Guest, suspects: Suspects, at: Option<(u64, Moment)>) -> Encode {
    let slot = Slot::new();
    slot.place(card);
    if let Some((exchange, moment)) = at {
        slot.remove_at(exchange, moment);
    }
    encode_on(&slot, guest, suspects)
}

/// Encodes to the end and tells how many exchanges that took.
fn encode_whole(card: &Card, guest: Guest, suspects: Suspects) -> u64 {
    let slot = Slot::new();
    slot.place(card);
    let encode = encode_on(&slot, guest, suspects);
    assert!(
        matches!(encode.ended, Ended::Written(_)),
        "{:?}",
        encode.ended
    );
    slot.log().exchanges()
}

fn encode_on(slot: &Slot, guest: Guest, suspects: Suspects) -> Encode {
    let mut encoder = InMemory::over(slot.clone());
    encode(&mut encoder, slot, &guest.on_card(), suspects)
}
