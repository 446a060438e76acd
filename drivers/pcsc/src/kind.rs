//! Which commands a card takes, by the ATR that the reader composed for it (PC/SC part 3, 3.1.3.2.3).

use card::CommandKind;

/// `3B 8F 80 01 80 4F 0C A0 00 00 03 06 SS NN NN …`: SS 03 is ISO/IEC 14443 A, part 3; NN NN the card's name
/// (3.1.3.2.3.2).
const STORAGE_CARD: [u8; 13] = [
    0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03,
];

/// The historical bytes of every storage card begin so: an initial access data object of PC/SC.
const STORAGE_CARD_BEGINS: [u8; 2] = [0x80, 0x4F];

/// Source: PC/SC part 3, supplement of card names, and LudovicRousseau/pcsc-tools smartcard_list.txt. Most readers call
/// every Type 2 card 0003.
const BY_NAME: [([u8; 2], CommandKind); 8] = [
    // Classic 1K, 4K, Mini
    ([0x00, 0x01], CommandKind::Classic),
    ([0x00, 0x02], CommandKind::Classic),
    ([0x00, 0x26], CommandKind::Classic),
    // Plus 2K and 4K in security level 1
    ([0x00, 0x36], CommandKind::Classic),
    ([0x00, 0x37], CommandKind::Classic),
    // Ultralight, Ultralight C, Ultralight EV1
    ([0x00, 0x03], CommandKind::Type2),
    ([0x00, 0x3A], CommandKind::Type2),
    ([0x00, 0x3D], CommandKind::Type2),
];

/// The family of commands for a card. `None` when nothing here fits it.
pub(crate) fn commands_of(atr: &[u8]) -> Option<CommandKind> {
    if let Some(name) = atr.strip_prefix(&STORAGE_CARD) {
        let name: &[u8; 2] = name.first_chunk()?;
        let row = BY_NAME.iter().find(|(known, _)| known == name)?;
        return Some(row.1);
    }
    match atr {
        // Historical bytes of a card in ISO/IEC 14443-4 (3.1.3.2.3.1).
        [0x3B, t0, 0x80, 0x01, historical @ ..]
            if t0 & 0xF0 == 0x80 && !historical.starts_with(&STORAGE_CARD_BEGINS) =>
        {
            Some(CommandKind::Iso)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_known_by_its_atr() {
        let storage =
            |name: [u8; 2], check| [&STORAGE_CARD[..], &name, &[0, 0, 0, 0, check]].concat();
        for (atr, commands) in [
            (storage([0x00, 0x01], 0x6A), Some(CommandKind::Classic)),
            (storage([0x00, 0x02], 0x69), Some(CommandKind::Classic)),
            (storage([0x00, 0x03], 0x68), Some(CommandKind::Type2)),
            (storage([0x00, 0x3A], 0x51), Some(CommandKind::Type2)),
            (storage([0x00, 0x30], 0x5B), None),
            (
                vec![0x3B, 0x81, 0x80, 0x01, 0x80, 0x80],
                Some(CommandKind::Iso),
            ),
            (vec![0x3B, 0x80, 0x80, 0x01, 0x01], Some(CommandKind::Iso)),
            // FeliCa, whose SS is 11h.
            (
                vec![
                    0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0, 0, 3, 6, 0x11, 0, 0x3B,
                ],
                None,
            ),
            // A contact card.
            (vec![0x3B, 0x65, 0x00, 0x00], None),
            (vec![], None),
        ] {
            assert_eq!(commands_of(&atr), commands, "{atr:02x?}");
        }
    }
}
