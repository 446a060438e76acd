//! The one place where a card's memory changes on the air: here a write is recorded, and here it is
//! torn when the card leaves the field in its midst. A fault of the memory itself belongs here too.

use super::noise::Noise;

/// What one programming of EEPROM did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programmed {
    /// Block or page number.
    pub(crate) unit: u16,
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
    pub(crate) torn: bool,
}

/// The supply of a card during one exchange, and what it programmed meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Eeprom {
    tears_with: Option<u64>,
    torn: bool,
    programmed: Vec<Programmed>,
}

impl Eeprom {
    /// Power lasts through the exchange.
    pub(crate) fn powered() -> Eeprom {
        Eeprom::default()
    }

    /// Power fails in the midst of the first programming; `seed` decides what its cells then hold.
    pub(crate) fn tearing(seed: u64) -> Eeprom {
        Eeprom {
            tears_with: Some(seed),
            ..Eeprom::default()
        }
    }

    /// Programs `cells` (one block or page) with `new`. Once torn, nothing more is programmed.
    pub(crate) fn program(&mut self, unit: u16, cells: &mut [u8], new: &[u8]) {
        if self.torn {
            return;
        }
        let before = cells.to_vec();
        match self.tears_with {
            None => cells.copy_from_slice(new),
            Some(seed) => {
                self.torn = true;
                tear(seed, cells, new);
            }
        }
        self.programmed.push(Programmed {
            unit,
            before,
            after: cells.to_vec(),
            torn: self.torn,
        });
    }

    pub(crate) fn into_programmed(self) -> Vec<Programmed> {
        self.programmed
    }
}

/// Leaves every bit as it was, erased, or as it should have become: programming first erases the
/// cells and then sets them, and power may fail anywhere in between.
fn tear(seed: u64, cells: &mut [u8], new: &[u8]) {
    let mut noise = Noise::new(seed);
    for (cell, &new) in cells.iter_mut().zip(new) {
        let (keeps_old, takes_new) = (noise.byte(), noise.byte());
        *cell = (*cell & keeps_old) | (new & takes_new);
    }
}

#[cfg(test)]
mod tests {
    use super::Eeprom;

    #[test]
    fn a_powered_write_is_whole_and_recorded() {
        let mut cells = [1, 2, 3, 4];
        let mut eeprom = Eeprom::powered();
        eeprom.program(7, &mut cells, &[5, 6, 7, 8]);
        assert_eq!(cells, [5, 6, 7, 8]);
        let [write] = &eeprom.into_programmed()[..] else {
            panic!("one write")
        };
        assert_eq!(
            (write.unit, &write.before[..], &write.after[..]),
            (7, &[1, 2, 3, 4][..], &[5, 6, 7, 8][..])
        );
        assert!(!write.torn);
    }

    #[test]
    fn a_torn_write_holds_no_bit_that_neither_content_had_and_stops_the_rest() {
        let (old, new) = ([0x0F; 16], [0xF0; 16]);
        let (mut cells, mut next) = (old, old);
        let mut eeprom = Eeprom::tearing(1);
        eeprom.program(0, &mut cells, &new);
        eeprom.program(1, &mut next, &new);
        assert_ne!(cells, old);
        assert_ne!(cells, new);
        assert_eq!(next, old);
        assert_eq!(eeprom.into_programmed().len(), 1);
    }

    #[test]
    fn the_same_seed_tears_the_same_way() {
        let torn = |seed| {
            let mut cells = [0xAA; 16];
            Eeprom::tearing(seed).program(0, &mut cells, &[0x55; 16]);
            cells
        };
        assert_eq!(torn(9), torn(9));
        assert_ne!(torn(9), torn(10));
    }
}
