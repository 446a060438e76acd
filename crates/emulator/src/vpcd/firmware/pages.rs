//! Reading and writing of Type 2 cards by PC/SC part 3 §3.2.2.1.8 and §3.2.2.1.9: a reader gives what
//! the card's READ gives, and writes single pages (ACR122U API §4.4.3, §4.4.4).

use super::{Apdu, Firmware, Outcome, wrong_le};
use crate::air::Frame;
use crate::vpcd::status;

const READ: u8 = 0x30;
const WRITE: u8 = 0xA2;
/// READ gives so much.
const FOUR_PAGES: usize = 16;

impl Firmware {
    /// `FF B0 00 page Le`: up to 16 bytes.
    pub(super) fn read_pages(&self, apdu: &Apdu<'_>) -> Outcome {
        let page = self.block(apdu.p1, apdu.p2)?;
        let length = match usize::from(apdu.le.ok_or(status::WRONG_LENGTH)?) {
            0 => FOUR_PAGES,
            length @ 1..=FOUR_PAGES => length,
            _ => return Err(wrong_le(FOUR_PAGES)),
        };
        match &self.slot.transmit(&Frame::with_crc(&[READ, page]))[..] {
            [answer] => match answer.body().and_then(|body| body.get(..length)) {
                Some(data) => Ok(data.to_vec()),
                None => Err(status::FAILED),
            },
            _ => Err(status::FAILED),
        }
    }

    /// `FF D6 00 page 04 data`.
    pub(super) fn update_page(&self, apdu: &Apdu<'_>) -> Outcome {
        let page = self.block(apdu.p1, apdu.p2)?;
        let &[a, b, c, d] = apdu.data else {
            return Err(status::WRONG_LENGTH);
        };
        self.acknowledged(&[WRITE, page, a, b, c, d], status::FAILED)?;
        Ok(Vec::new())
    }
}
