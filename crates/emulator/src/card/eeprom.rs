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
    /// Programmings that go well before the one in which power fails.
    spared: u64,
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

    /// Says that so many programmings follow for one and the same command. The seed then tells in which
    /// of them power fails.
    pub(crate) fn announce(&mut self, programmings: u64) {
        if let Some(Failure::Torn(seed) | Failure::Weak(seed)) = self.fails {
            self.spared = Noise::new(!seed).next() % programmings.max(1);
        }
    }

    /// Changes something that the card makes wholly or not at all, whenever power fails; the seed says
    /// which. Given are units, what they hold and what they should hold. Says whether it came about.
    pub(crate) fn switch(&mut self, changes: Vec<(u16, Vec<u8>, Vec<u8>)>) -> bool {
        if self.is_without_supply {
            return false;
        }
        self.is_without_supply = self.fails.is_some();
        let comes_about = match self.fails {
            None | Some(Failure::Weak(_)) => true,
            Some(Failure::Torn(seed)) => Noise::new(!seed).byte() & 1 == 1,
        };
        if comes_about {
            let whole = |(unit, before, after)| Programmed {
                unit,
                before,
                after,
                programming: Programming::Whole,
            };
            self.programmed.extend(changes.into_iter().map(whole));
        }
        comes_about
    }

    /// Programs one unit, which must exist. Once power failed, nothing more is programmed.
    pub(crate) fn program<const N: usize>(
        &mut self,
        cells: &mut Cells<N>,
        unit: u16,
        new: &[u8; N],
    ) {
        let before = cells.units[usize::from(unit)];
        if self.spared > 0 {
            self.spared -= 1;
            let fails = self.fails.take();
            self.store(cells, unit, *new, Programming::Whole);
            self.fails = fails;
            return;
        }
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
mod tests;
