//! The access bits of a sector trailer (NXP MF1S50YYX_V1, 8.7.1): who may read and write which block.
//!
//! Each bit is stored twice, once inverted. A trailer whose two halves disagree locks its sector for ever, so bytes
//! become [`AccessBits`] only after that check.

use std::fmt;

/// The condition C1 C2 C3 of one block group, as the three low bits of a number: `C1 C2 C3` = `0b011` means C1 = 0.
type Condition = u8;

/// Valid access bits: bytes 6, 7 and 8 of a sector trailer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccessBits([u8; 3]);

/// The inverted half of the access bits is not the inverse of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the access bits contradict themselves; written to a card they would lock the sector for ever"
)]
pub(crate) struct ContradictoryAccessBits;

impl AccessBits {
    /// As the card leaves the factory: key A does everything, key B is readable and therefore no key.
    pub(crate) const TRANSPORT: Self = Self::encode([0b000, 0b000, 0b000, 0b001]);

    /// As this project leaves a sector: both keys read the data, key B alone writes it and the trailer.
    pub(crate) const OURS: Self = Self::encode([0b100, 0b100, 0b100, 0b011]);

    /// Composes them of the conditions of data blocks 0, 1, 2 and of the trailer.
    const fn encode(conditions: [Condition; 4]) -> Self {
        let (mut c1, mut c2, mut c3) = (0, 0, 0);
        let mut group = 0;
        while group < 4 {
            c1 |= (conditions[group] >> 2 & 1) << group;
            c2 |= (conditions[group] >> 1 & 1) << group;
            c3 |= (conditions[group] & 1) << group;
            group += 1;
        }
        Self([
            (!c2 & 0xF) << 4 | (!c1 & 0xF),
            c1 << 4 | (!c3 & 0xF),
            c3 << 4 | c2,
        ])
    }

    /// Takes bytes 6, 7 and 8 of a trailer.
    pub(crate) const fn new(bytes: [u8; 3]) -> Result<Self, ContradictoryAccessBits> {
        let [b6, b7, b8] = bytes;
        let consistent =
            b6 & 0xF == !(b7 >> 4) & 0xF && b6 >> 4 == !b8 & 0xF && b7 & 0xF == !(b8 >> 4) & 0xF;
        if consistent {
            Ok(Self(bytes))
        } else {
            Err(ContradictoryAccessBits)
        }
    }

    /// Bytes 6, 7 and 8 of the trailer.
    pub(crate) const fn bytes(self) -> [u8; 3] {
        self.0
    }
}

impl fmt::Debug for AccessBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [b6, b7, b8] = self.0;
        write!(f, "AccessBits({b6:02X} {b7:02X} {b8:02X})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conditions of blocks 0, 1, 2 and the trailer, and the three bytes they make; recomputed from NXP MF1S50YYX_V1,
    /// 8.7.1, and seen in libfreefare.
    const VECTORS: [([Condition; 4], [u8; 3]); 6] = [
        ([0b000, 0b000, 0b000, 0b001], [0xFF, 0x07, 0x80]),
        ([0b000, 0b000, 0b000, 0b011], [0x7F, 0x07, 0x88]),
        ([0b100, 0b100, 0b100, 0b011], [0x78, 0x77, 0x88]),
        ([0b110, 0b110, 0b110, 0b011], [0x08, 0x77, 0x8F]),
        ([0b010, 0b010, 0b010, 0b011], [0x0F, 0x07, 0x8F]),
        ([0b100, 0b100, 0b100, 0b100], [0xF0, 0xFF, 0x00]),
    ];

    #[test]
    fn conditions_become_the_bytes_of_the_data_sheet() {
        for (conditions, bytes) in VECTORS {
            assert_eq!(AccessBits::encode(conditions).bytes(), bytes);
            assert_eq!(
                AccessBits::new(bytes),
                Ok(AccessBits::encode(conditions)),
                "{bytes:02X?}"
            );
        }
        assert_eq!(AccessBits::TRANSPORT.bytes(), [0xFF, 0x07, 0x80]);
        assert_eq!(AccessBits::OURS.bytes(), [0x78, 0x77, 0x88]);
    }

    #[test]
    fn every_flipped_bit_makes_access_bits_that_are_refused() {
        for (_, bytes) in VECTORS {
            for bit in 0..24 {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(AccessBits::new(flipped), Err(ContradictoryAccessBits));
            }
        }
    }

    #[test]
    fn of_all_three_byte_values_only_the_4096_combinations_of_conditions_are_valid() {
        let valid = (0u32..1 << 24)
            .filter(|value| {
                let [_, b6, b7, b8] = value.to_be_bytes();
                AccessBits::new([b6, b7, b8]).is_ok()
            })
            .count();
        assert_eq!(valid, 8 * 8 * 8 * 8);
    }
}
