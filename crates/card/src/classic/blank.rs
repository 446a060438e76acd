//! What a sector as delivered holds: nothing, or an empty NDEF message.

use super::Sector;

/// Whether what was read so far of a sector can be a blank card's: zeros, or an empty NDEF message at the begin of the
/// first sector after the application directory.
pub(crate) fn may_be_blank(sector: Sector, read: &[u8]) -> bool {
    is_zero(read) || (sector.number() == 1 && is_empty_ndef(read))
}

pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Whether the bytes are the begin of a data area that holds an empty NDEF message and nothing else (NFC Forum
/// Type 2 Tag 1.1, 2.3, whose TLVs AN1304 puts on MIFARE Classic): NULL TLVs, one NDEF TLV that is empty or holds
/// the empty record, a terminator, zeros.
fn is_empty_ndef(bytes: &[u8]) -> bool {
    let start = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    let message = &bytes[start..];
    [&[0x03, 0x00][..], &[0x03, 0x03, 0xD0, 0x00, 0x00]]
        .into_iter()
        .any(|empty| {
            message
                .strip_prefix(empty)
                .is_some_and(|rest| is_zero(rest.strip_prefix(&[0xFE]).unwrap_or(rest)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_ndef_message_is_no_content_and_anything_in_it_is() {
        for (bytes, empty) in [
            ("0300FE0000000000", true),
            ("00000300FE000000", true),
            ("0303D00000FE0000", true),
            ("0300000000000000", true),
            ("0301D000FE000000", false),
            ("0300FE0000000001", false),
            ("FE00000000000000", false),
            ("0000000000000000", false),
        ] {
            assert_eq!(
                is_empty_ndef(&hex::decode(bytes).unwrap()),
                empty,
                "{bytes}"
            );
        }
    }
}
