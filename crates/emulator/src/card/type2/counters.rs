//! One-way counters of 24 bits beside the pages: those that a reader counts up, the one that counts
//! readings, and the one of wrong passwords. The card guards them: a count that is torn is the old one
//! (MF0ULx1 §8.7, NTAG213_215_216 §8.7).

use super::model::PAGE;
use crate::card::{Cells, Eeprom};

/// The greatest count.
pub(super) const MOST: u32 = 0x00FF_FFFF;
/// What CHECK_TEARING_EVENT says of a counter whose last change came to its end (MF0ULx1 §10.10).
const VALID: u8 = 0xBD;
/// What it says otherwise: the data sheet only says "another value".
const TORN: u8 = 0x00;
/// The log calls the counters by numbers that no page has.
const FIRST_IN_LOG: u16 = 0x100;

/// Which counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    /// One of the three of an Ultralight EV1, 0–2; of an NTAG only 2 exists.
    Number(u8),
    /// Wrong passwords in a row.
    WrongPasswords,
}

#[derive(Debug, Clone)]
pub(super) struct Counters {
    cells: Cells<PAGE>,
}

impl Counters {
    pub(super) fn new() -> Counters {
        let cells = Cells::holding(vec![[0, 0, 0, VALID]; 4]).numbered_from(FIRST_IN_LOG);
        Counters { cells }
    }

    pub(super) fn value(&self, counter: Counter) -> u32 {
        let [a, b, c, _] = self.read(counter);
        u32::from_le_bytes([a, b, c, 0])
    }

    /// [`VALID`], or another value if the last change was torn.
    pub(super) fn validity(&self, counter: Counter) -> u8 {
        self.read(counter)[3]
    }

    /// Sets a counter to a count of at most [`MOST`].
    pub(super) fn set(&mut self, counter: Counter, count: u32, eeprom: &mut Eeprom) {
        let [a, b, c, _] = count.to_le_bytes();
        let [old_a, old_b, old_c, _] = self.read(counter);
        eeprom.program_guarded(
            &mut self.cells,
            unit(counter),
            &[a, b, c, VALID],
            &[old_a, old_b, old_c, TORN],
        );
    }

    fn read(&self, counter: Counter) -> [u8; PAGE] {
        self.cells
            .read(unit(counter))
            .expect("every counter has its cells")
    }
}

fn unit(counter: Counter) -> u16 {
    match counter {
        Counter::Number(number) => u16::from(number.min(2)),
        Counter::WrongPasswords => 3,
    }
}
