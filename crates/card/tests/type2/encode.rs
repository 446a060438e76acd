//! Encodes that nobody disturbs: what they cost, what they write, and what they leave alone.

use card::{CardFormat, CopyIndex, Technology};

use crate::field::Field;
use crate::model::SHEETS;
use crate::site::{guest, opened_rooms};

/// Every technology with every format that it holds.
pub(crate) fn placings() -> Vec<(Technology, CardFormat)> {
    let mut all = Vec::new();
    for sheet in SHEETS {
        all.push((sheet.technology, CardFormat::Rfid48));
        if sheet.technology.copies().len() == 2 {
            all.push((sheet.technology, CardFormat::TlCode));
        }
    }
    all
}

/// A card that was encoded so many times, for rooms 101, 102 and so on; 0 for a blank one.
pub(crate) fn encoded(technology: Technology, format: CardFormat, times: u32) -> Field {
    let mut field = Field::blank(technology);
    for at in 0..times {
        field.present(None);
        let credential = guest(format, at + 1, 101 + at);
        field.encode(&credential).ended.done().unwrap();
    }
    field.present(None);
    field
}

#[test]
fn a_blank_card_becomes_ours_and_opens_its_door() {
    for (technology, format) in placings() {
        let mut field = encoded(technology, format, 0);
        let done = field.encode(&guest(format, 1, 101)).ended.done().unwrap();
        assert_eq!((done.sequence.get(), done.copy), (1, CopyIndex::A));
        assert_eq!(done.writes, field.written.len());
        assert_eq!(opened_rooms(&field), [101], "{technology}, {format}");
    }
}
