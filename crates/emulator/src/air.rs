//! What travels between reader and card at ISO/IEC 14443-3 type A: frames of whole or partial bytes
//! their checksum, and how long they take at 106 kbit/s. Parity bits take their time and are never
//! wrong; nothing is enciphered on this air.

use std::time::Duration;

/// The carrier, in Hz.
const CARRIER: u64 = 13_560_000;
/// Carrier periods in one bit at 106 kbit/s (ISO/IEC 14443-2 §8.1.1).
const BIT: u64 = 128;
/// Carrier periods between a reader's frame and a card's answer: n = 9, last bit 1 (ISO/IEC 14443-3
/// §6.2.1.1).
const BEFORE_ANSWER: u64 = 9 * BIT + 84;
/// Carrier periods between a card's answer and the reader's next frame (§6.2.1.2).
const AFTER_ANSWER: u64 = 1172;

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

    /// How long a reader's frame takes: a start bit before it; a logic 0 and a bit of silence after it.
    pub(crate) fn time_from_reader(&self) -> Duration {
        carrier_periods((1 + self.bits() + 2) * BIT)
    }

    /// How long a card's answer takes, the pauses before and after it included: a start bit before
    /// it, a bit of silence after it.
    pub(crate) fn time_from_card(&self) -> Duration {
        carrier_periods(BEFORE_ANSWER + (1 + self.bits() + 1) * BIT + AFTER_ANSWER)
    }

    /// Each whole byte is followed by its parity bit.
    fn bits(&self) -> u64 {
        let whole = self.bytes.len() as u64;
        match self.bits_in_last {
            8 => 9 * whole,
            bits => 9 * whole.saturating_sub(1) + u64::from(bits),
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

fn carrier_periods(periods: u64) -> Duration {
    Duration::from_nanos(periods * 1_000_000_000 / CARRIER)
}

#[cfg(test)]
mod tests {
    use super::{AFTER_ANSWER, BEFORE_ANSWER, Frame, carrier_periods, crc_a};

    #[test]
    fn frames_take_as_long_as_the_figures_of_the_data_sheets_say() {
        let pauses = carrier_periods(BEFORE_ANSWER + AFTER_ANSWER);
        let bytes = |count| Frame::whole(vec![0; count]);
        let nak = Frame::partial([0x0], 4);
        // NTAG213F/216F figures 14, 15, 20, 21; MF0ICU2 figures 11, 12. Rounded to 1 µs there.
        for (frame, micros) in [
            (bytes(3), 283),
            (bytes(4), 368),
            (bytes(7), 623),
            (bytes(8), 708),
        ] {
            let rounded = (frame.time_from_reader().as_nanos() + 500) / 1000;
            assert_eq!(rounded, micros, "{frame:?}");
        }
        for (frame, micros) in [
            (nak, 57),
            (bytes(5), 444),
            (bytes(10), 868),
            (bytes(18), 1548),
        ] {
            let rounded = ((frame.time_from_card() - pauses).as_nanos() + 500) / 1000;
            assert_eq!(rounded, micros, "{frame:?}");
        }
    }

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
