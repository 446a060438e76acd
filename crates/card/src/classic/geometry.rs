//! Where the copies lie on a MIFARE Classic (NXP MF1S50YYX_V1, 8.6; MF1S70YYX_V1, 8.6): in sectors of four blocks of 16
//! bytes, the last block of each being its trailer.
//!
//! Copy A has the odd sectors from 1, copy B the even ones from 2. Sector 0 and sector 16 belong to application directories
//! (NXP AN10787, 3.2), and the sectors from 32 on, which have 16 blocks, are not used; none of them can be named here.

use crate::Technology;
use crate::placing::CopyIndex;

/// How many blocks a sector has, trailer included.
const BLOCKS: u8 = 4;
/// The sector of a second application directory.
const SECOND_DIRECTORY: u8 = 16;
/// The most sectors that a copy has on any card.
const MOST_SECTORS: usize = 14;

/// One of the sectors that hold a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sector {
    copy: CopyIndex,
    nth: u8,
}

impl Sector {
    /// How many blocks of a sector hold data.
    pub(crate) const DATA_BLOCKS: usize = 3;
    /// How many bytes a block has.
    pub(crate) const BLOCK: usize = 16;
    /// How many bytes of an image a sector holds.
    pub(crate) const BYTES: usize = Self::DATA_BLOCKS * Self::BLOCK;

    /// The `nth` sector of a copy, counted from 0.
    ///
    /// # Panics
    /// Unless it is below 14. Every caller counts up to what an image needs, and images are checked against
    /// [`per_copy`] first.
    pub(crate) const fn of(copy: CopyIndex, nth: usize) -> Self {
        assert!(nth < MOST_SECTORS, "a copy has 14 sectors at most");
        Self {
            copy,
            nth: nth as u8,
        }
    }

    /// The copy that it holds a part of.
    pub(crate) const fn copy(self) -> CopyIndex {
        self.copy
    }

    /// Which part, counted from 0.
    pub(crate) const fn nth(self) -> usize {
        self.nth as usize
    }

    /// Its number on the card.
    pub(crate) const fn number(self) -> u8 {
        match self.copy {
            CopyIndex::A => 2 * self.nth + 1,
            CopyIndex::B if 2 * self.nth + 2 < SECOND_DIRECTORY => 2 * self.nth + 2,
            CopyIndex::B => 2 * self.nth + 4,
        }
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
        self.number() * BLOCKS + index as u8
    }

    /// The number on the card of its trailer.
    pub(crate) const fn trailer(self) -> u8 {
        self.number() * BLOCKS + BLOCKS - 1
    }
}

/// How many sectors there are for each copy.
pub(crate) const fn per_copy(technology: Technology) -> usize {
    match technology {
        Technology::MifareClassicMini => 2,
        Technology::MifareClassic4k => MOST_SECTORS,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sectors(copy: CopyIndex, technology: Technology) -> Vec<u8> {
        (0..per_copy(technology))
            .map(|nth| Sector::of(copy, nth).number())
            .collect()
    }

    #[test]
    fn copies_lie_in_odd_and_even_sectors_and_never_in_a_directory_or_a_large_sector() {
        let (mini, one, four) = (
            Technology::MifareClassicMini,
            Technology::MifareClassic1k,
            Technology::MifareClassic4k,
        );
        assert_eq!(sectors(CopyIndex::A, mini), [1, 3]);
        assert_eq!(sectors(CopyIndex::B, mini), [2, 4]);
        assert_eq!(sectors(CopyIndex::A, one), [1, 3, 5, 7, 9, 11, 13]);
        assert_eq!(sectors(CopyIndex::B, one), [2, 4, 6, 8, 10, 12, 14]);
        assert_eq!(
            sectors(CopyIndex::A, four),
            (1..=27).step_by(2).collect::<Vec<u8>>()
        );
        assert_eq!(
            sectors(CopyIndex::B, four),
            [2, 4, 6, 8, 10, 12, 14, 18, 20, 22, 24, 26, 28, 30]
        );
    }

    #[test]
    fn a_sector_has_three_data_blocks_and_then_its_trailer() {
        let blocks = |copy, nth| {
            let sector = Sector::of(copy, nth);
            let data: Vec<u8> = (0..3).map(|index| sector.data_block(index)).collect();
            (data, sector.trailer())
        };
        assert_eq!(blocks(CopyIndex::A, 0), (vec![4, 5, 6], 7));
        assert_eq!(blocks(CopyIndex::B, 0), (vec![8, 9, 10], 11));
        assert_eq!(blocks(CopyIndex::B, 13), (vec![120, 121, 122], 123));
    }
}
