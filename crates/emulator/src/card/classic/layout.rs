//! Where sectors and blocks of a MIFARE Classic lie (NXP MF1S50yyX_V1 §8.6, MF1S70yyX_V1 §8.6).

/// Bytes in a block.
pub(crate) const BLOCK: usize = 16;

/// Blocks of the first 32 sectors of any card, and of the last eight of a 4K.
const SMALL_SECTOR: u16 = 4;
const LARGE_SECTOR: u16 = 16;
/// From this sector, and this block, on a 4K has large sectors.
const FIRST_LARGE_SECTOR: u16 = 32;
const FIRST_LARGE_BLOCK: u16 = FIRST_LARGE_SECTOR * SMALL_SECTOR;

/// The sector of a block.
pub(crate) fn sector_of(block: u8) -> u8 {
    let block = u16::from(block);
    let sector = if block < FIRST_LARGE_BLOCK {
        block / SMALL_SECTOR
    } else {
        FIRST_LARGE_SECTOR + (block - FIRST_LARGE_BLOCK) / LARGE_SECTOR
    };
    u8::try_from(sector).expect("256 blocks make 40 sectors")
}

/// The trailer of the sector of a block: its last block.
pub(crate) fn trailer_of(block: u8) -> u8 {
    if u16::from(block) < FIRST_LARGE_BLOCK {
        block | 3
    } else {
        block | 15
    }
}

pub(crate) fn is_trailer(block: u8) -> bool {
    trailer_of(block) == block
}

/// Which of a sector's four access conditions holds for a block: each of the first three blocks has
/// its own, in a large sector each five blocks share one; the trailer's is the fourth.
pub(crate) fn access_group(block: u8) -> usize {
    if is_trailer(block) {
        3
    } else if u16::from(block) < FIRST_LARGE_BLOCK {
        usize::from(block & 3)
    } else {
        usize::from(block & 15) / 5
    }
}

#[cfg(test)]
mod tests {
    use super::{access_group, is_trailer, sector_of, trailer_of};

    #[test]
    fn blocks_lie_in_their_sectors() {
        for (block, sector, trailer, group) in [
            (0, 0, 3, 0),
            (6, 1, 7, 2),
            (63, 15, 63, 3),
            (127, 31, 127, 3),
            (128, 32, 143, 0),
            (132, 32, 143, 0),
            (133, 32, 143, 1),
            (142, 32, 143, 2),
            (143, 32, 143, 3),
            (255, 39, 255, 3),
        ] {
            assert_eq!(sector_of(block), sector, "block {block}");
            assert_eq!(trailer_of(block), trailer, "block {block}");
            assert_eq!(access_group(block), group, "block {block}");
            assert_eq!(is_trailer(block), block == trailer);
        }
    }
}
