//! What travels between reader and card at ISO/IEC 14443-3 type A: frames of whole or partial bytes
//! and their checksum. Parity, timing and ciphering are not on this air.

/// CRC_A of ISO/IEC 14443-3 Annex B: polynomial 0x8408 (reflected), initial value 0x6363, sent low
/// byte first.
pub(crate) fn crc_a(bytes: &[u8]) -> [u8; 2] {
    let mut crc: u16 = 0x6363;
    for &byte in bytes {
        crc ^= u16::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x8408
            } else {
                crc >> 1
            };
        }
    }
    crc.to_le_bytes()
}

/// One frame on the air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    /// How many bits of the last byte are valid, 1–8.
    bits_in_last: u8,
}

impl Frame {
    /// A frame of whole bytes, checksum and all.
    pub(crate) fn whole(bytes: impl Into<Vec<u8>>) -> Frame {
        Frame {
            bytes: bytes.into(),
            bits_in_last: 8,
        }
    }

    /// A frame of whole bytes, to which the checksum is added.
    pub(crate) fn with_crc(body: &[u8]) -> Frame {
        let mut bytes = body.to_vec();
        bytes.extend(crc_a(body));
        Frame::whole(bytes)
    }

    /// A frame whose last byte carries only `bits` bits (1–8): short frames, ACK and NAK.
    pub(crate) fn partial(bytes: impl Into<Vec<u8>>, bits: u8) -> Frame {
        debug_assert!((1..=8).contains(&bits), "a byte has one to eight bits");
        Frame {
            bytes: bytes.into(),
            bits_in_last: bits,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn bits_in_last(&self) -> u8 {
        self.bits_in_last
    }

    /// The value of a short frame of exactly `bits` bits, if it is one.
    pub(crate) fn short(&self, bits: u8) -> Option<u8> {
        match self.bytes[..] {
            [only] if self.bits_in_last == bits => Some(only & (0xFF >> (8 - bits))),
            _ => None,
        }
    }

    /// The bytes without their checksum, if the frame is whole and the checksum right.
    pub(crate) fn body(&self) -> Option<&[u8]> {
        if self.bits_in_last != 8 {
            return None;
        }
        let (body, crc) = self.bytes.split_last_chunk::<2>()?;
        (crc_a(body) == *crc).then_some(body)
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, crc_a};

    #[test]
    fn the_checksum_agrees_with_the_examples_of_iso_14443_3_annex_b() {
        assert_eq!(crc_a(&[0x00, 0x00]), [0xA0, 0x1E]);
        assert_eq!(crc_a(&[0x12, 0x34]), [0x26, 0xCF]);
    }

    #[test]
    fn the_halt_command_carries_the_well_known_checksum() {
        assert_eq!(
            Frame::with_crc(&[0x50, 0x00]).bytes(),
            [0x50, 0x00, 0x57, 0xCD]
        );
    }

    #[test]
    fn a_frame_with_a_flipped_bit_has_no_body() {
        let mut bytes = Frame::with_crc(&[0x30, 0x04]).bytes().to_vec();
        assert_eq!(Frame::whole(bytes.clone()).body(), Some(&[0x30, 0x04][..]));
        bytes[1] ^= 0x10;
        assert_eq!(Frame::whole(bytes).body(), None);
    }

    #[test]
    fn a_short_frame_is_told_by_its_bits() {
        assert_eq!(Frame::partial([0x26], 7).short(7), Some(0x26));
        assert_eq!(Frame::partial([0x26], 7).short(4), None);
        assert_eq!(Frame::whole([0x26]).short(7), None);
    }
}
