//! The transparent session of PC/SC 2.02 (supplement to part 3, §3.2), by which a host sends frames of
//! its own to a card. Objects and flags are those of the ACM1252U-Y3 manual §5.2.3; the status within
//! C0, and that a session is needed at all, are from memory.

use super::{Apdu, Firmware, Outcome};
use crate::air::Frame;
use crate::reader::{self, Wake};
use crate::vpcd::status;

/// P2: what the data objects are for.
const MANAGE: u8 = 0x00;
const EXCHANGE: u8 = 0x01;
const SWITCH_PROTOCOL: u8 = 0x02;

/// Data objects of a host.
const VERSION: u8 = 0x80;
const START: u8 = 0x81;
const END: u8 = 0x82;
const FIELD_OFF: u8 = 0x83;
const FIELD_ON: u8 = 0x84;
const PROTOCOL: u8 = 0x8F;
const FLAGS: u8 = 0x90;
const TRANSMITTED_BITS: u8 = 0x91;
const RECEIVED_BITS: u8 = 0x92;
const TRANSCEIVE: u8 = 0x95;
/// The first byte of the tag 5F46: how long to wait, which no card here needs.
const TIMER: [u8; 2] = [0x5F, 0x46];
/// Data objects of the reader only.
const STATUS: u8 = 0xC0;
const RESPONSE_STATUS: u8 = 0x96;
const RESPONSE: u8 = 0x97;

/// Objects are in BER-TLV (ACR1252U API 1.09 §5.4.1): from here on a length takes two bytes.
const LONG: u8 = 0x80;
const LENGTH_FOLLOWS: u8 = 0x81;

/// Bits of the flags.
const NO_CRC_SENT: u8 = 0x01;
const NO_CRC_CHECKED: u8 = 0x02;
/// First bit of the response status: the checksum was wrong; second: a collision.
const CRC_WRONG: u8 = 0x01;
const COLLISION: u8 = 0x02;

/// How the frames of one command are made.
#[derive(Debug, Clone, Copy)]
struct Framing {
    sends_crc: bool,
    checks_crc: bool,
    /// Valid bits of the last byte, 1–8.
    bits: u8,
}

impl Firmware {
    /// `FF C2 00 what Lc objects Le`.
    pub(super) fn transparent(&mut self, apdu: &Apdu<'_>) -> Outcome {
        if apdu.p1 != 0x00 {
            return Err(status::WRONG_P1_P2);
        }
        let objects = objects(apdu.data).ok_or(status::WRONG_DATA)?;
        let starts = apdu.p2 == MANAGE && objects.iter().any(|(tag, _)| *tag == START);
        if !self.is_transparent && !starts {
            return Err(status::CONDITIONS);
        }
        let mut framing = Framing {
            sends_crc: true,
            checks_crc: true,
            bits: 8,
        };
        let mut answer = Vec::new();
        let mut outcome = (0, status::OK);
        for (number, (tag, value)) in (1_u8..).zip(objects) {
            let done = match apdu.p2 {
                MANAGE => self.manage(tag, value, &mut answer),
                EXCHANGE => self.transparent_exchange(tag, value, &mut framing, &mut answer),
                SWITCH_PROTOCOL => self.switch_protocol(tag, value, &mut answer),
                _ => return Err(status::WRONG_P1_P2),
            };
            if let Err(status) = done {
                outcome = (number, status);
                break;
            }
        }
        let (number, status) = outcome;
        let [high, low] = status.to_be_bytes();
        let mut response = vec![STATUS, 3, number, high, low];
        response.extend(answer);
        Ok(response)
    }

    fn manage(&mut self, tag: u8, value: &[u8], answer: &mut Vec<u8>) -> Result<(), u16> {
        match (tag, value) {
            (VERSION, []) => answer.extend([VERSION, 3, 2, 2, 0]),
            (START, []) => self.is_transparent = true,
            (END, []) => self.is_transparent = false,
            (FIELD_OFF, []) => self.slot.set_field(false),
            (FIELD_ON, []) => self.slot.set_field(true),
            _ => return Err(status::UNSUPPORTED),
        }
        Ok(())
    }

    fn transparent_exchange(
        &mut self,
        tag: u8,
        value: &[u8],
        framing: &mut Framing,
        answer: &mut Vec<u8>,
    ) -> Result<(), u16> {
        match (tag, value) {
            (FLAGS, &[first, second]) => {
                // Of 16 bits only five have a meaning; manuals differ in which byte they are in.
                let flags = first | second;
                framing.sends_crc = flags & NO_CRC_SENT == 0;
                framing.checks_crc = flags & NO_CRC_CHECKED == 0;
            }
            (TRANSMITTED_BITS, &[bits]) => framing.bits = if bits & 7 == 0 { 8 } else { bits & 7 },
            (RECEIVED_BITS, [_]) | (0x46, _) => {}
            (TRANSCEIVE, frame) if !frame.is_empty() => {
                return self.send_frame(frame, *framing, answer);
            }
            _ => return Err(status::UNSUPPORTED),
        }
        Ok(())
    }

    fn send_frame(&self, data: &[u8], framing: Framing, answer: &mut Vec<u8>) -> Result<(), u16> {
        let frame = if framing.bits == 8 && framing.sends_crc {
            Frame::with_crc(data)
        } else {
            Frame::partial(data, framing.bits)
        };
        let answers = self.slot.transmit(&frame);
        let (received, problem) = match &answers[..] {
            [] => return Err(status::NO_RESPONSE),
            [only] => (only, 0),
            [first, ..] => (first, COLLISION),
        };
        // Four bits carry no checksum.
        let checks = framing.checks_crc && received.bits_in_last() == 8;
        let (bytes, problem) = match received.body() {
            Some(body) if checks => (body, problem),
            None if checks => (received.bytes(), problem | CRC_WRONG),
            _ => (received.bytes(), problem),
        };
        let length = u8::try_from(bytes.len()).map_err(|_| status::WRONG_LENGTH)?;
        answer.extend([RECEIVED_BITS, 1, received.bits_in_last() & 7]);
        answer.extend([RESPONSE_STATUS, 2, problem, 0]);
        answer.push(RESPONSE);
        if length >= LONG {
            answer.push(LENGTH_FOLLOWS);
        }
        answer.push(length);
        answer.extend(bytes);
        Ok(())
    }

    /// `8F 02 00 03`: ISO/IEC 14443 type A, up to selection; answers with the SAK.
    fn switch_protocol(&mut self, tag: u8, value: &[u8], answer: &mut Vec<u8>) -> Result<(), u16> {
        if (tag, value) != (PROTOCOL, &[0x00, 0x03]) {
            return Err(status::UNSUPPORTED);
        }
        self.card = reader::select(&self.slot, Wake::All, None);
        let sak = self.card.as_ref().ok_or(status::NO_RESPONSE)?.sak;
        answer.extend([PROTOCOL, 1, sak]);
        Ok(())
    }
}

/// Tag and value of each object; `None` if they do not fill the data. The long tag of the timer is
/// told by its second byte.
fn objects(mut data: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut objects = Vec::new();
    while !data.is_empty() {
        data = match data.strip_prefix(&TIMER[..1]) {
            Some(rest) if rest.first() == Some(&TIMER[1]) => rest,
            Some(_) => return None,
            None => data,
        };
        let (&[tag, length], rest) = data.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(length.into())?;
        objects.push((tag, value));
        data = rest;
    }
    Some(objects)
}

#[cfg(test)]
mod tests {
    use super::objects;

    #[test]
    fn objects_are_taken_apart_and_must_fill_the_data() {
        let data = [0x5F, 0x46, 4, 0, 0, 1, 0, 0x90, 2, 0, 3, 0x95, 2, 0x30, 4];
        let expected: Vec<(u8, &[u8])> =
            vec![(0x46, &[0, 0, 1, 0]), (0x90, &[0, 3]), (0x95, &[0x30, 4])];
        assert_eq!(objects(&data), Some(expected));
        for length in [1, 2, 4, 8, 10, 12, 14] {
            assert_eq!(objects(&data[..length]), None, "{length} bytes");
        }
        assert_eq!(objects(&[0x5F, 0x47, 0]), None);
    }
}
