//! Status words, and the sentence that a person is told for each.

use crate::Refusal;

/// The status word at the end of an answer: `91 xx` of a native command (NXP MF3ICD81, 11.3; NT4H2421Gx, 10.2), or one of
/// ISO/IEC 7816-4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) [u8; 2]);

/// What the card said with it, and what to do.
const MEANINGS: [(u8, &str); 22] = [
    (
        0x0C,
        "it found nothing to change; put it on again and encode it again",
    ),
    (0x0E, "it has no memory left; use another card"),
    (
        0x1C,
        "it does not know this command; use a card of another type",
    ),
    (
        0x1E,
        "what it was sent had changed on the way; put it on again",
    ),
    (0x40, "it has no such key; use another card"),
    (
        0x7E,
        "it takes another length than this one; use a card of another type",
    ),
    (0x9D, "it does not permit that; use another card"),
    (
        0x9E,
        "it does not take this value; use a card of another type",
    ),
    (0xA0, "its application is gone; put it on again"),
    (0xA1, "its application is damaged; use another card"),
    (
        0xAD,
        "it waits after wrong keys; leave it on the encoder for a minute and encode it again",
    ),
    (
        0xAE,
        "it does not accept the key of this site; use another card",
    ),
    (
        0xAF,
        "it expects more than there is to send; put it on again",
    ),
    (0xBE, "its file is too short; use another card"),
    (0xC1, "it is damaged; use another card"),
    (0xCA, "it is still at an earlier command; put it on again"),
    (0xCD, "it has been switched off for good; use another card"),
    (
        0xCE,
        "it holds as many applications as it can; use another card",
    ),
    (0xDE, "that is there already; put it on again"),
    (0xEE, "its memory failed; use another card"),
    (0xF0, "its file is gone; put it on again"),
    (0xF1, "its file is damaged; use another card"),
];

impl Status {
    pub(crate) const OK: Self = Self([0x91, 0x00]);
    pub(crate) const MORE: Self = Self([0x91, 0xAF]);
    pub(crate) const APPLICATION_NOT_FOUND: Self = Self([0x91, 0xA0]);
    pub(crate) const FILE_NOT_FOUND: Self = Self([0x91, 0xF0]);
    pub(crate) const BEYOND_THE_FILE: Self = Self([0x91, 0xBE]);
    pub(crate) const ILLEGAL_COMMAND: Self = Self([0x91, 0x1C]);
    const ISO_OK: Self = Self([0x90, 0x00]);
    const ISO_NOT_FOUND: Self = Self([0x6A, 0x82]);

    /// Whether the command was carried out.
    pub(crate) fn is_ok(self) -> bool {
        matches!(self, Self::OK | Self::ISO_OK)
    }

    /// Whether what was to be selected is not there.
    pub(crate) fn is_not_found(self) -> bool {
        matches!(self, Self::APPLICATION_NOT_FOUND | Self::ISO_NOT_FOUND)
    }

    /// Whether it says no to what was asked, rather than that the card is damaged, waits, or did not understand.
    pub(crate) fn is_denial(self) -> bool {
        matches!(
            self.0,
            [0x91, 0x1C | 0x40 | 0x7E | 0x9D | 0x9E | 0xAE] | [0x69, 0x82 | 0x85]
        )
    }

    /// Why the procedure ends with it.
    pub(crate) fn refusal(self, doing: &'static str) -> Refusal {
        let reason = match self.0 {
            [0x91, code] => MEANINGS
                .iter()
                .find(|(known, _)| *known == code)
                .map(|(_, reason)| *reason),
            [0x67, 0x00] | [0x6A, _] | [0x6B, 0x00] => {
                Some("it does not take this command as it is; use a card of another type")
            }
            [0x69, _] => Some("it does not permit that; use another card"),
            [0x6D | 0x6E, _] => Some("it does not know this command; use a card of another type"),
            _ => None,
        };
        match reason {
            Some(reason) => Refusal::CardSaid { doing, reason },
            None => Refusal::CardRefused { doing },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_word_ends_in_a_sentence_that_says_what_to_do() {
        for (code, reason) in MEANINGS {
            let said = Status([0x91, code]).refusal("be written").to_string();
            assert!(said.ends_with(reason), "{said}");
            assert!(said.contains("; "), "{said}");
        }
        for unknown in [[0x91, 0x77], [0x12, 0x34]] {
            let said = Status(unknown).refusal("be written").to_string();
            assert!(said.contains("put it on again"), "{said}");
        }
        assert!(
            Status([0x6D, 0x00])
                .refusal("be read")
                .to_string()
                .contains("does not know this command")
        );
    }
}
