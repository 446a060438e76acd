//! The one place where a card's memory changes on the air: here a write is recorded, and here it is
//! torn or left weak when the card leaves the field in its midst. A fault of the memory itself belongs
//! here too.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::noise::Noise;
use crate::slot::Programming;

/// The memory of a card, in units that are programmed as a whole: blocks of 16 bytes, pages of four.
///
/// A unit may hold cells so half charged that they read as one thing now and as another next time;
/// so whatever looks at the memory makes a reading of it, and two readings may differ.
#[derive(Debug, Clone)]
pub(crate) struct Cells<const N: usize> {
    units: Vec<[u8; N]>,
    weak: BTreeMap<u16, Weak<N>>,
    /// What the log calls the first unit.
    first: u16,
}

/// The half charged cells of a unit.
#[derive(Debug, Clone)]
struct Weak<const N: usize> {
    /// What they still read as at times.
    before: [u8; N],
    /// Which they are.
    mask: [u8; N],
    seed: u64,
    readings: Cell<u64>,
}

impl<const N: usize> Cells<N> {
    /// Sound cells with this content.
    pub(crate) fn holding(units: Vec<[u8; N]>) -> Cells<N> {
        Cells {
            units,
            weak: BTreeMap::new(),
            first: 0,
        }
    }

    /// The same, called by numbers from this one on in the log.
    pub(crate) fn numbered_from(mut self, first: u16) -> Cells<N> {
        self.first = first;
        self
    }

    /// How many units there are.
    pub(crate) fn len(&self) -> usize {
        self.units.len()
    }

    /// One reading of a unit, if there is such a unit.
    pub(crate) fn read(&self, unit: u16) -> Option<[u8; N]> {
        let charged = *self.units.get(usize::from(unit))?;
        Some(match self.weak.get(&unit) {
            None => charged,
            Some(weak) => weak.reading(charged),
        })
    }

    /// One reading of all units, one after the other.
    pub(crate) fn read_all(&self) -> Vec<u8> {
        (0..=u16::MAX)
            .map_while(|unit| self.read(unit))
            .flatten()
            .collect()
    }

    /// Makes a unit hold this, soundly, past the air and every log. There must be such a unit.
    pub(crate) fn put(&mut self, unit: u16, content: [u8; N]) {
        self.weak.remove(&unit);
        self.units[usize::from(unit)] = content;
    }
}

impl<const N: usize> Weak<N> {
    /// `None`: nothing was to change, so nothing is half charged.
    fn new(seed: u64, before: [u8; N], new: [u8; N]) -> Option<Weak<N>> {
        let mut noise = Noise::new(seed);
        let whole = noise.byte() & 3 == 0;
        let mut mask = [0; N];
        for (at, bits) in mask.iter_mut().enumerate() {
            let changed = before[at] ^ new[at];
            *bits = if whole {
                changed
            } else {
                changed & noise.byte()
            };
        }
        if mask == [0; N] {
            // At least one cell is weak if any was to change.
            let at = (0..N).find(|&at| before[at] != new[at])?;
            mask[at] = before[at] ^ new[at];
        }
        Some(Weak {
            before,
            mask,
            seed,
            readings: Cell::new(0),
        })
    }

    /// Half the readings look as if all had gone well, some as if the weak cells had never been
    /// charged, and in the others each of them says what it likes.
    fn reading(&self, charged: [u8; N]) -> [u8; N] {
        let count = self.readings.get() + 1;
        self.readings.set(count);
        let mut noise = Noise::new(self.seed.rotate_left(32) ^ count);
        let (luck, mut seen) = (noise.byte() & 3, charged);
        for (at, byte) in seen.iter_mut().enumerate() {
            let falls_back = match luck {
                0 | 1 => 0x00,
                2 => 0xFF,
                _ => noise.byte(),
            };
            *byte ^= (self.before[at] ^ charged[at]) & self.mask[at] & falls_back;
        }
        seen
    }
}

/// What one programming of EEPROM did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programmed {
    /// Block or page number.
    pub(crate) unit: u16,
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
    pub(crate) programming: Programming,
}

/// How the supply fails in the midst of a programming; the seed decides what the cells then hold.
#[derive(Debug, Clone, Copy)]
enum Failure {
    Torn(u64),
    Weak(u64),
}

/// The supply of a card during one exchange, and what it programmed meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Eeprom {
    fails: Option<Failure>,
    is_without_supply: bool,
    programmed: Vec<Programmed>,
}

impl Eeprom {
    /// Power lasts through the exchange.
    pub(crate) fn powered() -> Eeprom {
        Eeprom::default()
    }

    /// Power fails in the midst of the first programming, which leaves a mixture.
    pub(crate) fn tearing(seed: u64) -> Eeprom {
        Eeprom {
            fails: Some(Failure::Torn(seed)),
            ..Eeprom::default()
        }
    }

    /// Power fails at the very end of the first programming, which leaves weak cells.
    pub(crate) fn weakening(seed: u64) -> Eeprom {
        Eeprom {
            fails: Some(Failure::Weak(seed)),
            ..Eeprom::default()
        }
    }

    /// Programs one unit, which must exist. Once power failed, nothing more is programmed.
    pub(crate) fn program<const N: usize>(
        &mut self,
        cells: &mut Cells<N>,
        unit: u16,
        new: &[u8; N],
    ) {
        let before = cells.units[usize::from(unit)];
        match self.fails {
            None => self.store(cells, unit, *new, Programming::Whole),
            Some(Failure::Torn(seed)) => {
                self.store(cells, unit, torn(seed, before, *new), Programming::Torn);
            }
            Some(Failure::Weak(seed)) if !self.is_without_supply => {
                self.store(cells, unit, *new, Programming::Weak);
                if let Some(weak) = Weak::new(seed, before, *new) {
                    cells.weak.insert(unit, weak);
                }
            }
            Some(Failure::Weak(_)) => {}
        }
    }

    /// Programs one unit that the card itself guards against a failing supply: it then holds
    /// `otherwise`, and what was programmed at the very end is sound.
    pub(crate) fn program_guarded<const N: usize>(
        &mut self,
        cells: &mut Cells<N>,
        unit: u16,
        new: &[u8; N],
        otherwise: &[u8; N],
    ) {
        match self.fails {
            Some(Failure::Torn(_)) => self.store(cells, unit, *otherwise, Programming::Torn),
            _ => self.store(cells, unit, *new, Programming::Whole),
        }
    }

    fn store<const N: usize>(
        &mut self,
        cells: &mut Cells<N>,
        unit: u16,
        content: [u8; N],
        programming: Programming,
    ) {
        if self.is_without_supply {
            return;
        }
        self.is_without_supply = self.fails.is_some();
        self.programmed.push(Programmed {
            unit: cells.first + unit,
            before: cells.units[usize::from(unit)].to_vec(),
            after: content.to_vec(),
            programming,
        });
        cells.put(unit, content);
    }

    /// How many units were programmed, or begun to be.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.programmed.len()).expect("one exchange programs few units")
    }

    pub(crate) fn into_programmed(self) -> Vec<Programmed> {
        self.programmed
    }
}

/// Leaves every bit as it was, erased, or as it should have become: programming first erases the
/// cells and then sets them, and power may fail anywhere in between.
fn torn<const N: usize>(seed: u64, before: [u8; N], new: [u8; N]) -> [u8; N] {
    let mut noise = Noise::new(seed);
    let mut mixture = [0; N];
    for (at, cell) in mixture.iter_mut().enumerate() {
        let (keeps_old, takes_new) = (noise.byte(), noise.byte());
        *cell = (before[at] & keeps_old) | (new[at] & takes_new);
    }
    mixture
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Cells, Eeprom};
    use crate::slot::Programming;

    const OLD: [u8; 16] = [0x0F; 16];
    const NEW: [u8; 16] = [0xF0; 16];

    fn cells() -> Cells<16> {
        Cells::holding(vec![OLD; 8])
    }

    fn readings(cells: &Cells<16>) -> BTreeSet<[u8; 16]> {
        (0..50).map(|_| cells.read(0).unwrap()).collect()
    }

    #[test]
    fn a_powered_write_is_whole_and_recorded() {
        let mut cells = cells().numbered_from(100);
        let mut eeprom = Eeprom::powered();
        eeprom.program(&mut cells, 7, &NEW);
        assert_eq!(cells.read(7), Some(NEW));
        assert_eq!(cells.read(8), None);
        let [write] = &eeprom.into_programmed()[..] else {
            panic!("one write")
        };
        assert_eq!(
            (write.unit, &write.before[..], &write.after[..]),
            (107, &OLD[..], &NEW[..])
        );
        assert_eq!(write.programming, Programming::Whole);
    }

    #[test]
    fn a_torn_write_holds_no_bit_that_neither_content_had_and_stops_the_rest() {
        let mut cells = cells();
        let mut eeprom = Eeprom::tearing(1);
        eeprom.program(&mut cells, 0, &NEW);
        eeprom.program(&mut cells, 1, &NEW);
        let mixture = cells.read(0).unwrap();
        assert!(mixture != OLD && mixture != NEW);
        assert_eq!(cells.read(1), Some(OLD));
        let programmed = eeprom.into_programmed();
        assert_eq!(programmed.len(), 1);
        assert_eq!(programmed[0].programming, Programming::Torn);
    }

    #[test]
    fn a_torn_unit_reads_as_anything_but_always_the_same() {
        let torn = |seed| {
            let mut cells = cells();
            Eeprom::tearing(seed).program(&mut cells, 0, &NEW);
            assert_eq!(readings(&cells).len(), 1);
            cells.read(0)
        };
        assert_eq!(torn(9), torn(9));
        assert_ne!(torn(9), torn(10));
    }

    #[test]
    fn a_weak_unit_reads_as_written_at_times_and_each_bit_is_the_old_or_the_new_one() {
        for seed in 0..200 {
            let mut cells = cells();
            let mut eeprom = Eeprom::weakening(seed);
            eeprom.program(&mut cells, 0, &NEW);
            eeprom.program(&mut cells, 1, &NEW);
            assert_eq!(cells.read(1), Some(OLD), "power had failed");
            let seen = readings(&cells);
            assert!(seen.contains(&NEW), "seed {seed}");
            assert!(seen.len() > 1, "seed {seed}");
            let [write] = &eeprom.into_programmed()[..] else {
                panic!("one write")
            };
            assert_eq!(
                (&write.after[..], write.programming),
                (&NEW[..], Programming::Weak)
            );
        }
    }

    #[test]
    fn some_weak_unit_reads_as_if_it_had_never_been_written() {
        assert!((0..20).any(|seed| {
            let mut cells = cells();
            Eeprom::weakening(seed).program(&mut cells, 0, &NEW);
            readings(&cells).contains(&OLD)
        }));
    }

    #[test]
    fn a_weak_bit_stands_only_where_the_contents_differ() {
        let mut new = OLD;
        new[3] = 0x0E;
        for seed in 0..20 {
            let mut cells = cells();
            Eeprom::weakening(seed).program(&mut cells, 0, &new);
            assert_eq!(readings(&cells), BTreeSet::from([OLD, new]), "seed {seed}");
        }
        let mut cells = cells();
        Eeprom::weakening(0).program(&mut cells, 0, &OLD);
        assert_eq!(readings(&cells), BTreeSet::from([OLD]));
    }

    #[test]
    fn a_weak_unit_is_sound_again_once_it_is_programmed_anew() {
        for again in [OLD, NEW, [0x55; 16]] {
            let mut cells = cells();
            Eeprom::weakening(3).program(&mut cells, 0, &NEW);
            Eeprom::powered().program(&mut cells, 0, &again);
            assert_eq!(readings(&cells), BTreeSet::from([again]));
        }
    }

    #[test]
    fn the_same_seed_is_weak_in_the_same_way() {
        let weak = |seed| {
            let mut cells = cells();
            Eeprom::weakening(seed).program(&mut cells, 0, &NEW);
            (0..50).map(|_| cells.read(0)).collect::<Vec<_>>()
        };
        assert_eq!(weak(4), weak(4));
        assert_ne!(weak(4), weak(5));
    }

    #[test]
    fn a_guarded_unit_holds_one_thing_or_the_other() {
        for (mut eeprom, holds) in [
            (Eeprom::powered(), NEW),
            (Eeprom::weakening(1), NEW),
            (Eeprom::tearing(1), OLD),
        ] {
            let mut cells = cells();
            eeprom.program_guarded(&mut cells, 0, &NEW, &OLD);
            assert_eq!(readings(&cells), BTreeSet::from([holds]));
        }
    }
}
