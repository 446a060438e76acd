//! What the status byte of InDataExchange and InCommunicateThru means for what was asked of the card.

use encoder::ErrorKind;

/// What follows from a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The card did it.
    Done,
    /// The card said no.
    Refused,
    /// No answer that makes sense: the card said no in a way that the chip has no word for, or it is gone, or the field
    /// was disturbed. Selecting it again will tell more.
    Disturbed,
    /// The card left.
    Gone,
    /// The chip itself is at fault.
    Failed(ErrorKind),
}

/// Only the lower six bits are the status; 40h announces more data, 80h a NAD byte (UM 7.1).
pub(crate) const STATUS_BITS: u8 = 0x3F;

/// One line of UM 7.1, table 13.
pub(crate) struct Status {
    pub(crate) code: u8,
    /// The manual's own words, shortened.
    pub(crate) text: &'static str,
    pub(crate) meaning: Meaning,
}

const fn status(code: u8, text: &'static str, meaning: Meaning) -> Status {
    Status {
        code,
        text,
        meaning,
    }
}

const UNRESPONSIVE: Meaning = Meaning::Failed(ErrorKind::Unresponsive);
const PROTOCOL: Meaning = Meaning::Failed(ErrorKind::Protocol);

/// Source: UM 7.1, table 13. A card that is halted, gone or disturbed shows as any of the errors of the radio side
/// (01 to 06, 0B, 13, 23), and so does the NAK of four bits, which the chip takes for a broken answer; what the chip reports of itself, or of protocols that are not used here, is its failure.
const TABLE: [Status; 27] = [
    status(0x00, "no error", Meaning::Done),
    status(0x01, "time out", Meaning::Disturbed),
    status(0x02, "CRC error", Meaning::Disturbed),
    status(0x03, "parity error", Meaning::Disturbed),
    status(0x04, "wrong bit count", Meaning::Disturbed),
    status(0x05, "framing error", Meaning::Disturbed),
    status(0x06, "abnormal bit collision", Meaning::Disturbed),
    status(0x07, "communication buffer too small", PROTOCOL),
    status(0x09, "RF buffer overflow", PROTOCOL),
    status(0x0A, "RF field not switched on in time", UNRESPONSIVE),
    status(0x0B, "RF protocol error", Meaning::Disturbed),
    status(0x0D, "overheated", UNRESPONSIVE),
    status(0x0E, "internal buffer overflow", PROTOCOL),
    status(0x10, "invalid parameter", PROTOCOL),
    status(0x12, "command not supported by the target", PROTOCOL),
    status(0x13, "malformed answer of the card", Meaning::Disturbed),
    status(0x14, "authentication refused", Meaning::Refused),
    status(0x23, "wrong UID check byte", Meaning::Disturbed),
    status(0x25, "invalid device state", PROTOCOL),
    status(0x26, "not allowed in this configuration", PROTOCOL),
    status(0x27, "not acceptable in this context", Meaning::Refused),
    status(0x29, "released by its initiator", PROTOCOL),
    status(0x2A, "another card has taken its place", Meaning::Gone),
    status(0x2B, "the card has disappeared", Meaning::Gone),
    status(0x2C, "NFCID3 mismatch", PROTOCOL),
    status(0x2D, "over-current", UNRESPONSIVE),
    status(0x2E, "NAD missing", PROTOCOL),
];

const UNKNOWN: Status = status(0x3F, "a status that the manual does not have", PROTOCOL);

/// Looks a status byte up.
pub(crate) fn meaning(status: u8) -> &'static Status {
    let code = status & STATUS_BITS;
    TABLE
        .iter()
        .find(|row| row.code == code)
        .unwrap_or(&UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_one_line() {
        assert!(TABLE.is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn a_wrong_key_a_mute_card_and_a_hot_chip_are_told_apart() {
        assert_eq!(meaning(0x14).meaning, Meaning::Refused);
        for radio in [0x01, 0x02, 0x03, 0x05, 0x0B] {
            assert_eq!(meaning(radio).meaning, Meaning::Disturbed, "{radio:02x}");
        }
        assert_eq!(
            meaning(0x0D).meaning,
            Meaning::Failed(ErrorKind::Unresponsive)
        );
        assert_eq!(meaning(0x2B).meaning, Meaning::Gone);
    }

    #[test]
    fn flags_do_not_count_and_the_unknown_is_a_failure() {
        assert_eq!(meaning(0x54).code, 0x14);
        assert_eq!(meaning(0x1F).meaning, Meaning::Failed(ErrorKind::Protocol));
    }
}
