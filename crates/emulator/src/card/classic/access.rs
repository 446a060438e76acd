//! Access conditions: who may do what to which block (NXP MF1S50yyX_V1 §8.7). Pure tables.

use crate::slot::KeyType;

/// What is done to a data block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    Write,
    Increment,
    /// Decrement, transfer and restore share one right.
    Decrement,
}

/// The four conditions of a sector, as numbers `C1 C2 C3`: three for data, the last for the trailer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccessConditions {
    groups: [u8; 4],
}

/// A right that neither key, one of them or both of them have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Nobody,
    A,
    B,
    Both,
}

impl By {
    fn allows(self, key: KeyType) -> bool {
        match self {
            By::Nobody => false,
            By::A => key == KeyType::A,
            By::B => key == KeyType::B,
            By::Both => true,
        }
    }
}

/// What a key may do with the parts of a trailer. Key A can never be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrailerRights {
    pub(crate) writes_key_a: bool,
    pub(crate) reads_access_bits: bool,
    pub(crate) writes_access_bits: bool,
    pub(crate) reads_key_b: bool,
    pub(crate) writes_key_b: bool,
}

impl AccessConditions {
    /// Reads bytes 6 to 8 of a trailer. Each bit is stored twice, once inverted; `None` if any pair
    /// disagrees (§8.7.1: the whole sector is then irreversibly blocked).
    pub(crate) fn decode(bytes: [u8; 3]) -> Option<AccessConditions> {
        let [low, mid, high] = bytes;
        let (c1, c2, c3) = (mid >> 4, high & 0x0F, high >> 4);
        let (not_c1, not_c2, not_c3) = (low & 0x0F, low >> 4, mid & 0x0F);
        if c1 ^ not_c1 != 0x0F || c2 ^ not_c2 != 0x0F || c3 ^ not_c3 != 0x0F {
            return None;
        }
        let group = |at: usize| ((c1 >> at) & 1) << 2 | ((c2 >> at) & 1) << 1 | ((c3 >> at) & 1);
        Some(AccessConditions {
            groups: [group(0), group(1), group(2), group(3)],
        })
    }

    /// Whether a key may do this to a data block of the group (§8.7.3, table 8).
    pub(crate) fn data(&self, group: usize, operation: Operation, key: KeyType) -> bool {
        let [read, write, increment, decrement] = match self.groups[group] {
            0b000 => [By::Both, By::Both, By::Both, By::Both],
            0b010 => [By::Both, By::Nobody, By::Nobody, By::Nobody],
            0b100 => [By::Both, By::B, By::Nobody, By::Nobody],
            0b110 => [By::Both, By::B, By::B, By::Both],
            0b001 => [By::Both, By::Nobody, By::Nobody, By::Both],
            0b011 => [By::B, By::B, By::Nobody, By::Nobody],
            0b101 => [By::B, By::Nobody, By::Nobody, By::Nobody],
            _ => [By::Nobody; 4],
        };
        let right = match operation {
            Operation::Read => read,
            Operation::Write => write,
            Operation::Increment => increment,
            Operation::Decrement => decrement,
        };
        right.allows(key)
    }

    /// What a key may do with the trailer (§8.7.2, table 7).
    pub(crate) fn trailer(&self, key: KeyType) -> TrailerRights {
        // Columns: key A written, access bits read, access bits written, key B read, key B written.
        let [key_a, bits_read, bits_written, key_b_read, key_b] = match self.groups[3] {
            0b000 => [By::A, By::A, By::Nobody, By::A, By::A],
            0b010 => [By::Nobody, By::A, By::Nobody, By::A, By::Nobody],
            0b100 => [By::B, By::Both, By::Nobody, By::Nobody, By::B],
            0b001 => [By::A, By::A, By::A, By::A, By::A],
            0b011 => [By::B, By::Both, By::B, By::Nobody, By::B],
            0b101 => [By::Nobody, By::Both, By::B, By::Nobody, By::Nobody],
            // 110 and 111
            _ => [By::Nobody, By::Both, By::Nobody, By::Nobody, By::Nobody],
        };
        TrailerRights {
            writes_key_a: key_a.allows(key),
            reads_access_bits: bits_read.allows(key),
            writes_access_bits: bits_written.allows(key),
            reads_key_b: key_b_read.allows(key),
            writes_key_b: key_b.allows(key),
        }
    }

    /// Key B is plain data when it can be read, and opens nothing (§8.7.2).
    pub(crate) fn key_b_is_readable(&self) -> bool {
        self.trailer(KeyType::A).reads_key_b
    }
}

#[cfg(test)]
mod tests {
    use super::{AccessConditions, Operation};
    use crate::slot::KeyType::{A, B};

    #[test]
    fn the_known_access_bytes_decode_to_their_conditions() {
        for (bytes, groups) in [
            ([0xFF, 0x07, 0x80], [0b000, 0b000, 0b000, 0b001]),
            ([0x7F, 0x07, 0x88], [0b000, 0b000, 0b000, 0b011]),
            ([0x78, 0x77, 0x88], [0b100, 0b100, 0b100, 0b011]),
            ([0x08, 0x77, 0x8F], [0b110, 0b110, 0b110, 0b011]),
            ([0x0F, 0x07, 0x8F], [0b010, 0b010, 0b010, 0b011]),
            ([0xF0, 0xFF, 0x00], [0b100, 0b100, 0b100, 0b100]),
        ] {
            assert_eq!(
                AccessConditions::decode(bytes).unwrap().groups,
                groups,
                "{bytes:02X?}"
            );
        }
    }

    #[test]
    fn access_bytes_with_any_flipped_bit_are_invalid() {
        for bit in 0..24 {
            let mut bytes = [0x78, 0x77, 0x88];
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(AccessConditions::decode(bytes), None, "bit {bit}");
        }
    }

    #[test]
    fn in_production_key_a_reads_and_key_b_writes() {
        let conditions = AccessConditions::decode([0x78, 0x77, 0x88]).unwrap();
        assert!(conditions.data(0, Operation::Read, A));
        assert!(conditions.data(0, Operation::Read, B));
        assert!(!conditions.data(0, Operation::Write, A));
        assert!(conditions.data(0, Operation::Write, B));
        assert!(!conditions.data(0, Operation::Increment, B));
        assert!(!conditions.trailer(A).writes_key_a);
        assert!(conditions.trailer(B).writes_key_a);
        assert!(!conditions.key_b_is_readable());
    }

    #[test]
    fn value_blocks_are_charged_by_key_b_alone() {
        let conditions = AccessConditions::decode([0x08, 0x77, 0x8F]).unwrap();
        assert!(!conditions.data(1, Operation::Increment, A));
        assert!(conditions.data(1, Operation::Increment, B));
        assert!(conditions.data(1, Operation::Decrement, A));
    }

    #[test]
    fn as_delivered_key_b_is_only_data() {
        let conditions = AccessConditions::decode([0xFF, 0x07, 0x80]).unwrap();
        assert!(conditions.key_b_is_readable());
        assert!(conditions.trailer(A).writes_access_bits);
        assert!(!conditions.trailer(B).reads_access_bits);
    }
}
