//! The memory of one file: pages of EEPROM that are programmed one after the other, so that a write
//! may be torn in any of them.

use super::eeprom::{Cells, Eeprom};

/// Bytes of a page. DESFire gives memory out in these (MF3ICD81 data sheet, "Memory organization");
/// that NTAG 424 DNA does as well is from memory.
pub(super) const PAGE: usize = 32;

#[derive(Debug, Clone)]
pub(super) struct Pages {
    cells: Cells<PAGE>,
    length: usize,
    /// What the log calls the first page.
    first: u16,
}

/// What the log calls the first page of a file: its number in the upper byte.
pub(super) fn unit(file: u8) -> u16 {
    u16::from(file) << 8
}

impl Pages {
    /// Sound pages with this content, of the file with this number.
    pub(super) fn holding(file: u8, content: &[u8]) -> Pages {
        let mut pages = Pages {
            cells: Cells::holding(vec![[0; PAGE]; content.len().div_ceil(PAGE)])
                .numbered_from(unit(file)),
            length: content.len(),
            first: unit(file),
        };
        pages.put(content);
        pages
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// One reading of the whole file.
    pub(super) fn read(&self) -> Vec<u8> {
        let mut content = self.cells.read_all();
        content.truncate(self.length);
        content
    }

    /// Writes a stretch; `None`, and nothing is written, if it does not lie within the file.
    pub(super) fn write(&mut self, offset: usize, new: &[u8], eeprom: &mut Eeprom) -> Option<()> {
        let end = offset.checked_add(new.len())?;
        if end > self.length || new.is_empty() {
            return (end <= self.length).then_some(());
        }
        let pages = offset / PAGE..=(end - 1) / PAGE;
        eeprom.announce(u64::try_from(pages.clone().count()).unwrap_or(u64::MAX));
        for page in pages {
            let number = u16::try_from(page).ok()?;
            let mut content = self.cells.read(number)?;
            let start = page * PAGE;
            for (at, byte) in (start..).zip(&mut content) {
                if (offset..end).contains(&at) {
                    *byte = new[at - offset];
                }
            }
            eeprom.program(&mut self.cells, number, &content);
        }
        Some(())
    }

    /// Makes the file hold this, past the air and every log. What is beyond its length is left out.
    pub(super) fn put(&mut self, content: &[u8]) {
        for (number, part) in (0..).zip(content[..self.length].chunks(PAGE)) {
            let mut page = [0; PAGE];
            page[..part.len()].copy_from_slice(part);
            self.cells.put(number, page);
        }
    }

    /// The pages that would change if the file held this: what the log calls them, old and new.
    pub(super) fn changes_to(&self, content: &[u8]) -> Vec<(u16, Vec<u8>, Vec<u8>)> {
        let old = self.read();
        (self.first..)
            .zip(old.chunks(PAGE).zip(content.chunks(PAGE)))
            .filter(|(_, (old, new))| old != new)
            .map(|(unit, (old, new))| (unit, old.to_vec(), new.to_vec()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Pages};
    use crate::card::Eeprom;

    fn pages() -> Pages {
        Pages::holding(3, &[0xAA; 100])
    }

    #[test]
    fn a_stretch_across_pages_is_written_and_its_neighbours_stay() {
        let mut file = pages();
        let mut eeprom = Eeprom::powered();
        file.write(30, &[1; 40], &mut eeprom).unwrap();
        let expected = [&[0xAA; 30][..], &[1; 40], &[0xAA; 30]].concat();
        assert_eq!(file.read(), expected);
        let units: Vec<_> = eeprom.into_programmed().iter().map(|it| it.unit).collect();
        assert_eq!(units, [0x300, 0x301, 0x302]);
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut file = pages();
        let mut eeprom = Eeprom::powered();
        assert_eq!(file.write(61, &[1; 40], &mut eeprom), None);
        assert_eq!(file.write(usize::MAX, &[1; 2], &mut eeprom), None);
        assert_eq!(file.read(), [0xAA; 100]);
        assert!(eeprom.into_programmed().is_empty());
    }

    #[test]
    fn a_write_may_be_torn_in_any_page_and_later_ones_keep_what_they_had() {
        let mut torn_in = [0; 3];
        for seed in 0..100 {
            let mut file = pages();
            let mut eeprom = Eeprom::tearing(seed);
            file.write(0, &[0x55; 96], &mut eeprom).unwrap();
            let programmed = eeprom.into_programmed().len();
            torn_in[programmed - 1] += 1;
            let content = file.read();
            assert!(
                content[..(programmed - 1) * PAGE]
                    .iter()
                    .all(|&it| it == 0x55)
            );
            assert!(content[programmed * PAGE..].iter().all(|&it| it == 0xAA));
        }
        assert!(torn_in.iter().all(|&count| count > 10), "{torn_in:?}");
    }

    #[test]
    fn a_weak_page_reads_differently_from_time_to_time() {
        let mut file = pages();
        file.write(0, &[0x55; 8], &mut Eeprom::weakening(4))
            .unwrap();
        let first = file.read();
        assert!((0..50).any(|_| file.read() != first));
    }
}
