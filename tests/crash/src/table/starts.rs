//! The states in which an encode may find a card.

use card::Suspects;
use emulator::{Card, Cards, Moment, Origin};

use super::judge::opens;
use super::rows::{Guest, Row};
use super::{cut_off, encode_on};
use crate::encode::Ended;

/// A card in one state. Every case works on a twin of it.
pub(super) struct Start {
    pub(super) name: &'static str,
    row: Row,
    pub(super) card: Card,
    /// What the journal has in doubt.
    pub(super) suspects: Suspects,
    /// Whose doors it opens.
    pub(super) opens: Option<Guest>,
}

/// Every state: blank; ours, the newer copy in either place; just left by a cut; already encoded.
pub(super) fn all(row: Row) -> Vec<Start> {
    let mut starts = vec![
        Start::after(row, "blank", &[]),
        Start::after(row, "ours", &[Guest::OLD]),
        Start::after(row, "ours, the third stay", &[Guest::OLDER, Guest::OLD]),
        Start::after(row, "already encoded", &[Guest::OLD, Guest::NEW]),
    ];
    starts.extend(doubtful(row));
    starts
}

/// Cards that were cut off near the end of an encode of `NEW`, whose outcome the journal calls unknown.
fn doubtful(row: Row) -> Vec<Start> {
    let before = Start::after(row, "", &[Guest::OLDER, Guest::OLD]);
    let exchanges = before.exchanges();
    [
        ("cut off early", exchanges / 2, Moment::Torn { seed: 7 }),
        ("cut off late", exchanges - 2, Moment::Weak { seed: 8 }),
    ]
    .into_iter()
    .map(|(name, at, moment)| {
        let card = before.card.twin();
        let cut = cut_off(&card, row, Suspects::NONE, Some((at, moment)));
        assert!(matches!(cut.ended, Ended::Gone), "{row}, {name}");
        Start {
            name,
            row,
            suspects: cut.suspects,
            // What weak cells show of it may change; the judge takes either.
            opens: opens(&card, row),
            card,
        }
    })
    .collect()
}

impl Start {
    /// A new card that these guests had one after the other.
    fn after(row: Row, name: &'static str, guests: &[Guest]) -> Self {
        let uid = if row.technology.name().starts_with("mifare_classic") {
            "04A1B2C3"
        } else {
            "04A1B2C3D4E5F6"
        };
        let card = Cards::new()
            .card(row.technology, uid.parse().unwrap(), Origin::Factory)
            .unwrap();
        for guest in guests {
            let (encode, _) = encode_on(&card, row, *guest, Suspects::NONE, None);
            let ended = encode.ended;
            assert!(matches!(ended, Ended::Written(_)), "{row}: {ended:?}");
        }
        Self {
            name,
            row,
            opens: opens(&card, row),
            card,
            suspects: Suspects::NONE,
        }
    }

    /// Whether its preparation is still to come.
    pub(super) fn is_unprepared(&self) -> bool {
        self.name == "blank"
    }

    /// The exchanges of an encode of `NEW` on it.
    pub(super) fn exchanges(&self) -> u64 {
        let card = self.card.twin();
        let (encode, exchanges) = encode_on(&card, self.row, Guest::NEW, self.suspects, None);
        let ended = encode.ended;
        assert!(
            matches!(ended, Ended::Written(_)),
            "{}: {ended:?}",
            self.row
        );
        exchanges
    }
}
