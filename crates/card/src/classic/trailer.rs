//! The sector trailer: key A, access bits, general purpose byte, key B (NXP MF1S50YYX_V1, 8.6.3).
//!
//! A trailer is composed, never copied: a card answers zeros in place of keys, so a trailer that was read and written
//! back would lock the sector.

use zeroize::Zeroize;

use super::access::AccessBits;
use crate::{BlockData, ClassicKey};

/// The general purpose byte as delivered. It means something in sector 0 only (AN10787, 3.1), which is not ours.
const GENERAL_PURPOSE: u8 = 0x69;

/// The trailer of a sector of ours.
pub(crate) struct SectorTrailer {
    /// Reads.
    pub(crate) key_a: ClassicKey,
    /// Reads and writes, data and trailer.
    pub(crate) key_b: ClassicKey,
}

impl SectorTrailer {
    /// The 16 bytes to write.
    pub(crate) fn to_block(&self) -> BlockData {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(self.key_a.expose());
        bytes[6..9].copy_from_slice(&AccessBits::OURS.bytes());
        bytes[9] = GENERAL_PURPOSE;
        bytes[10..].copy_from_slice(self.key_b.expose());
        let block = BlockData::new(bytes);
        bytes.zeroize();
        block
    }
}

/// Whether a trailer, as read after authenticating with the transport key A, is that of a card as delivered: transport
/// access bits and, since these leave key B readable, the transport key B. Key A always reads as zeros.
pub(crate) fn is_as_delivered(trailer: &[u8; 16]) -> bool {
    let access = AccessBits::new([trailer[6], trailer[7], trailer[8]]);
    access == Ok(AccessBits::TRANSPORT) && trailer[10..] == ClassicKey::TRANSPORT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_of_ours_has_keys_access_bits_and_general_purpose_byte_in_their_places() {
        let trailer = SectorTrailer {
            key_a: ClassicKey::new([0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5]),
            key_b: ClassicKey::new([0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5]),
        };
        assert_eq!(
            hex::encode_upper(trailer.to_block().expose()),
            "A0A1A2A3A4A578778869B0B1B2B3B4B5"
        );
    }

    #[test]
    fn only_transport_access_bits_with_the_transport_key_b_are_as_delivered() {
        let read = |text: &str| hex::decode(text).unwrap().try_into().unwrap();
        let delivered: [u8; 16] = read("000000000000FF078069FFFFFFFFFFFF");
        assert!(is_as_delivered(&delivered));
        assert!(!is_as_delivered(&read("000000000000FF078069FFFFFFFFFFFE")));
        assert!(!is_as_delivered(&read("0000000000007F078869FFFFFFFFFFFF")));
        assert!(!is_as_delivered(&read("000000000000FFFFFF69FFFFFFFFFFFF")));
    }
}
