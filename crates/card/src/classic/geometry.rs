//! Where things lie on a MIFARE Classic 1K (NXP MF1S50YYX_V1, 8.6): 16 sectors of four blocks of 16 bytes, the last
//! block of each sector being its trailer.

/// How many blocks a sector has, trailer included.
const BLOCKS: u8 = 4;

/// One of the 16 sectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sector(u8);

impl Sector {
    /// How many blocks of a sector hold data.
    pub(crate) const DATA_BLOCKS: usize = 3;

    /// The sector of that number.
    ///
    /// # Panics
    /// Unless the number is below 16; every caller passes a constant of a placing.
    pub(crate) const fn new(number: u8) -> Self {
        assert!(number < 16, "a MIFARE Classic 1K has 16 sectors");
        Self(number)
    }

    /// Its number on the card.
    pub(crate) const fn number(self) -> u8 {
        self.0
    }

    /// The number on the card of its `index`-th data block.
    ///
    /// # Panics
    /// Unless the index is below three: the fourth block is the trailer, which is not data.
    pub(crate) const fn data_block(self, index: usize) -> u8 {
        assert!(
            index < Self::DATA_BLOCKS,
            "a sector has three blocks of data"
        );
        self.0 * BLOCKS + index as u8
    }

    /// The number on the card of its trailer.
    pub(crate) const fn trailer(self) -> u8 {
        self.0 * BLOCKS + BLOCKS - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_has_three_data_blocks_and_then_its_trailer() {
        let blocks = |number| {
            let sector = Sector::new(number);
            let data: Vec<u8> = (0..3).map(|index| sector.data_block(index)).collect();
            (data, sector.trailer())
        };
        assert_eq!(blocks(0), (vec![0, 1, 2], 3));
        assert_eq!(blocks(1), (vec![4, 5, 6], 7));
        assert_eq!(blocks(15), (vec![60, 61, 62], 63));
    }
}
