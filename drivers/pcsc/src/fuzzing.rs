//! What decodes the answers of readers, as functions for fuzz targets. No part of the public face, and in no product.
//!
//! Each panics when something does not hold, and otherwise returns whether the bytes meant anything.

use zeroize::Zeroizing;

use crate::apdu::split;
use crate::error::PcscError;
use crate::iso;
use crate::kind::commands_of;
use crate::raw::{RawAnswer, RawWay, is_session_managed};

/// Reads what a reader made of a raw frame, in each of the ways. Returns whether a card's answer was in it.
#[must_use]
pub fn raw_answer(bytes: &[u8]) -> bool {
    let _ = is_session_managed(bytes);
    let _ = split(bytes);
    RawWay::ALL.iter().any(|way| match way.unwrap(bytes) {
        Some(RawAnswer::Data(data)) => {
            assert!(!data.is_empty() && data.len() < bytes.len());
            true
        }
        Some(RawAnswer::Acknowledged | RawAnswer::Refused) => true,
        Some(RawAnswer::Disturbed) | None => false,
    })
}

/// Tells a card by its ATR.
#[must_use]
pub fn atr(bytes: &[u8]) -> bool {
    commands_of(bytes).is_some()
}

/// Follows a card that answers in parts, each after a byte with its length. Returns whether the answer came to its end.
#[must_use]
pub fn answer_in_parts(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let whole = iso::follow(&[0x00, 0xB0, 0x00, 0x00, 0x00], |command| {
        assert!(command.len() == 5, "{command:02x?}");
        let (length, after) = rest.split_first().ok_or(PcscError::Malformed)?;
        let (part, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        let (data, word) = split(part)?;
        Ok((Zeroizing::new(data.to_vec()), word))
    });
    whole.is_ok_and(|whole| {
        assert!((2..=258).contains(&whole.len()));
        true
    })
}

#[cfg(test)]
mod tests;
