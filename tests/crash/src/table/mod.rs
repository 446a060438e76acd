//! The tear table: every technology, every format, every state of a card, every exchange of an encode, every way in which
//! that exchange can be cut off; straight on emulated cards, without a wire.
//!
//! Judged is by what a lock makes of the card, read several times since weak cells read differently from time to time;
//! by what presenting the card again makes of it; and by what lies on the card outside the placing, which nobody may touch.

mod images;
mod judge;
mod rows;
mod starts;

use std::collections::BTreeMap;

use card::{Effect, Refusal, Suspects};
use emulator::{Card, Moment, Slot};

use crate::encode::{Encode, Ended, InMemory, encode};
pub use images::{carry_over, flip_every_bit};
use judge::{Outside, opens, opens_alone};
pub use rows::{Guest, Row};
use starts::Start;

/// How often a lock reads a card on which cells may be weak.
const READINGS: usize = 4;

/// The ways in which an exchange is cut off: of tearing and weak cells several, each by another seed.
const MOMENTS: [Moment; 9] = [
    Moment::Before,
    Moment::Unanswered,
    Moment::After,
    Moment::Torn { seed: 1 },
    Moment::Torn { seed: 2 },
    Moment::Torn { seed: 3 },
    Moment::Weak { seed: 4 },
    Moment::Weak { seed: 5 },
    Moment::Weak { seed: 6 },
];

/// How many cases there were, by what became of the card.
#[derive(Debug, Default)]
pub struct Counts(BTreeMap<&'static str, usize>);

impl Counts {
    fn add(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// How many there were of one kind.
    #[must_use]
    pub fn of(&self, what: &str) -> usize {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// How many cards were cut off in all.
    #[must_use]
    pub fn all(&self) -> usize {
        self.of(OLD) + self.of(NEW) + self.of(EITHER) + self.of(NONE)
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (what, count)) in self.0.iter().enumerate() {
            write!(f, "{}{count} {what}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// What a lock sees after the cut.
pub const OLD: &str = "as before";
/// The new credential.
pub const NEW: &str = "new";
/// Once one, once the other: a weak cell decides.
pub const EITHER: &str = "old or new by turns";
/// Nothing where there was something: one-copy placings only.
pub const NONE: &str = "none, on a placing with one copy";
/// A blank card whose preparation was torn and that is lost by it.
pub const LOST: &str = "blank cards lost to a torn preparation";
/// A torn one-copy card that only the journal names.
pub const NAMED_BY_JOURNAL: &str = "known by the journal only";

/// Cuts off every exchange of every encode of a row.
#[must_use]
pub fn run(row: Row) -> Counts {
    let mut counts = Counts::default();
    for start in starts::all(row) {
        let exchanges = start.exchanges();
        for at in 1..=exchanges {
            for moment in MOMENTS {
                Case {
                    row,
                    start: &start,
                    at,
                    moment,
                }
                .run(&mut counts);
            }
        }
    }
    counts
}

/// One card, cut off once.
struct Case<'a> {
    row: Row,
    start: &'a Start,
    at: u64,
    moment: Moment,
}

impl Case<'_> {
    fn run(&self, counts: &mut Counts) {
        let card = self.start.card.twin();
        let outside = Outside::of(&card, self.row, self.start.is_unprepared());
        let cut = cut_off(
            &card,
            self.row,
            self.start.suspects,
            Some((self.at, self.moment)),
        );
        match &cut.ended {
            Ended::Gone => {}
            // The card left after the last answer.
            Ended::Written(_) if self.moment == Moment::After => {}
            other => panic!("{self}: {other:?}"),
        }
        counts.add(self.seen(&card));
        outside.check(&card, &self);
        self.present_again(&card, &cut, true, counts);
        if !self.is_weak() {
            // Another PC has another journal. What it cannot know is a weak write only.
            self.present_again(&card, &cut, false, counts);
        }
    }

    fn is_weak(&self) -> bool {
        matches!(self.moment, Moment::Weak { .. })
    }

    /// What a lock makes of the card now, and that it is no mixture and nobody's who had it earlier.
    fn seen(&self, card: &Card) -> &'static str {
        let (old, new) = (self.start.opens, Some(Guest::NEW));
        let (mut was_old, mut was_new) = (false, false);
        for _ in 0..READINGS {
            match opens(card, self.row) {
                seen if seen == old => was_old = true,
                seen if seen == new => was_new = true,
                None if self.row.has_one_copy() => return NONE,
                seen => panic!("{self}: it opened for {old:?} before, and for {seen:?} now"),
            }
        }
        match (was_old, was_new) {
            (true, false) => OLD,
            (false, true) => NEW,
            _ => EITHER,
        }
    }

    /// The card comes back, and the same credential is encoded on it.
    fn present_again(&self, torn: &Card, cut: &Encode, same_journal: bool, counts: &mut Counts) {
        let card = torn.twin();
        let outside = Outside::of(&card, self.row, self.start.is_unprepared());
        let suspects = if same_journal {
            cut.suspects
        } else {
            self.start.suspects
        };
        let was_preparing = self.start.is_unprepared() && cut.stake == Effect::Prepares;
        match cut_off(&card, self.row, suspects, None).ended {
            Ended::Written(_) => assert!(
                opens_alone(&card, self.row, Guest::NEW, READINGS),
                "{self}: finished later, and a lock does not see it, or sees another copy beside it"
            ),
            Ended::Refused(Refusal::Foreign { .. }) if was_preparing => {
                let seen = opens(&card, self.row);
                assert_eq!(seen, None, "{self}: refused, and it opens");
                counts.add(LOST);
            }
            // A key that was written weakly opened the card at first, and then no more.
            Ended::Refused(Refusal::CardRefused { .. }) if was_preparing && self.is_weak() => {
                counts.add(LOST);
            }
            Ended::Refused(Refusal::Foreign { .. }) if self.row.is_keyless() && !same_journal => {
                counts.add(NAMED_BY_JOURNAL);
            }
            other => panic!("{self}: presented again, {other:?}"),
        }
        outside.check(&card, &self);
    }
}

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            row,
            start,
            at,
            moment,
        } = self;
        write!(f, "{row}, {}, exchange {at}, {moment:?}", start.name)
    }
}

/// Encodes [`Guest::NEW`] while the card leaves at an exchange, counted from 1.
fn cut_off(card: &Card, row: Row, suspects: Suspects, at: Option<(u64, Moment)>) -> Encode {
    encode_on(card, row, Guest::NEW, suspects, at).0
}

fn encode_on(
    card: &Card,
    row: Row,
    guest: Guest,
    suspects: Suspects,
    at: Option<(u64, Moment)>,
) -> (Encode, u64) {
    let slot = Slot::new();
    slot.place(card);
    if let Some((exchange, moment)) = at {
        slot.remove_at(exchange, moment);
    }
    let mut encoder = InMemory::over(slot.clone());
    let encode = encode(&mut encoder, &slot, &row.credential(guest), suspects);
    (encode, slot.log().exchanges())
}
