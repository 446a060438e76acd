//! What user memory holds before anybody has used it.

/// What a lock control TLV starts with, and how long it is.
const LOCK_CONTROL: [u8; 2] = [0x01, 0x03];
const LOCK_CONTROL_LENGTH: usize = 5;
/// Messages without content: none at all, and the empty record.
const EMPTY: [&[u8]; 2] = [&[0x03, 0x00], &[0x03, 0x03, 0xD0, 0x00, 0x00]];
const TERMINATOR: u8 = 0xFE;
/// What NXP's tests leave on page 4 of an Ultralight (MF0ICU1, 7.5.4), and on pages 4 to 6 of an Ultralight C (whose data
/// sheet calls its content at delivery "not defined").
const REMAINS: [&[u8]; 2] = [
    &[0xFF, 0xFF, 0xFF, 0xFF],
    &[
        0x02, 0x00, 0x00, 0x10, 0x00, 0x06, 0x01, 0x10, 0x11, 0xFF, 0x00, 0x00,
    ],
];

/// Whether the begin of the user memory can be that of an unused card: zeros, what the maker's tests leave, or an empty
/// NDEF message (NFC Forum Type 2 Tag 1.1, 2.3): NULL and lock control TLVs, one NDEF TLV without content, a
/// terminator, zeros. At least 16 bytes are wanted for a true answer.
pub(super) fn is_unused(bytes: &[u8]) -> bool {
    is_zero(bytes)
        || REMAINS
            .iter()
            .any(|remains| bytes.strip_prefix(*remains).is_some_and(is_zero))
        || is_empty_message(bytes)
}

fn is_empty_message(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        if let Some(after) = rest.strip_prefix(&[0x00]) {
            rest = after;
        } else if rest.starts_with(&LOCK_CONTROL) && rest.len() >= LOCK_CONTROL_LENGTH {
            rest = &rest[LOCK_CONTROL_LENGTH..];
        } else {
            break;
        }
    }
    EMPTY.iter().any(|empty| {
        rest.strip_prefix(*empty)
            .is_some_and(|rest| is_zero(rest.strip_prefix(&[TERMINATOR]).unwrap_or(rest)))
    })
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_data_sheets_ship_is_unused_and_anything_in_it_is_not() {
        for (bytes, unused) in [
            ("00000000000000000000000000000000", true),
            ("0103A00C340300FE0000000000000000", true), // NTAG213
            ("0300FE00000000000000000000000000", true), // NTAG215, NTAG216
            ("0103A010440300FE0000000000000000", true), // Ultralight C as a Type 2 tag
            ("0303D00000FE00000000000000000000", true),
            ("FFFFFFFF000000000000000000000000", true),
            ("0200001000060110" /* Ultralight C */, false),
            ("020000100006011011FF000000000000", true),
            ("0301D000FE0000000000000000000000", false),
            ("0300FE00000000000000000000000001", false),
            ("FFFFFFFF000000000000000000000001", false),
            ("0103A00C340000000000000000000000", false),
            ("FE000000000000000000000000000000", false),
            ("01030000", false),
        ] {
            assert_eq!(is_unused(&hex::decode(bytes).unwrap()), unused, "{bytes}");
        }
    }
}
