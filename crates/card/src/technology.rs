//! Which card lies on the encoder, told from what it said while it was selected.
//!
//! Nothing is sent to the card for it, so a card that is not ours is named and left alone.

use std::fmt;

use crate::{CommandKind, PresentedCard, Refusal, SelectAnswer};

/// A card technology that has a placing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Technology {
    /// MIFARE Classic with 1 KiB, 4- or 7-byte UID.
    MifareClassic1k,
}

impl Technology {
    /// Its name in interfaces: `mifare_classic_1k`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::MifareClassic1k => "mifare_classic_1k",
        }
    }

    /// The families of commands that a procedure on such a card uses: what an encoder must be able to translate.
    #[must_use]
    pub const fn command_kinds(self) -> &'static [CommandKind] {
        match self {
            Self::MifareClassic1k => &[CommandKind::Classic, CommandKind::Reselect],
        }
    }

    /// The code of the placing's row, which keys and tags are bound to (docs/card-format.md, "Technology code").
    pub(crate) const fn placing_code(self) -> u8 {
        match self {
            Self::MifareClassic1k => 0x01,
        }
    }
}

impl fmt::Display for Technology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MifareClassic1k => "MIFARE Classic 1K",
        })
    }
}

/// What a select answer can turn out to be.
enum Kind {
    Placed(Technology),
    Known(&'static str),
}
use Kind::{Known, Placed};

/// SEL_RES values of cards that are not in ISO/IEC 14443-4 (NXP AN10833, tables 2 and 6; 88h is Infineon's 1K,
/// 28h and 38h are smart cards that emulate a Classic).
const BY_SAK: [(u8, Kind); 12] = [
    (0x00, Known("MIFARE Ultralight or NTAG")),
    (0x04, Known("card with an incomplete UID")),
    (0x08, Placed(Technology::MifareClassic1k)),
    (0x09, Known("MIFARE Mini")),
    (0x10, Known("MIFARE Plus 2K in security level 2")),
    (0x11, Known("MIFARE Plus 4K in security level 2")),
    (0x18, Known("MIFARE Classic 4K")),
    (0x19, Known("MIFARE Classic 2K")),
    (0x28, Placed(Technology::MifareClassic1k)),
    (0x38, Known("MIFARE Classic 4K")),
    (0x68, Placed(Technology::MifareClassic1k)),
    (0x88, Placed(Technology::MifareClassic1k)),
];

/// Card names `NN NN` that a PC/SC reader puts into the ATR of a storage card (PC/SC part 3, 3.1.3.2.3.2 and its
/// supplement; LudovicRousseau/pcsc-tools smartcard_list.txt).
const BY_CARD_NAME: [(u16, Kind); 12] = [
    (0x0001, Placed(Technology::MifareClassic1k)),
    (0x0002, Known("MIFARE Classic 4K")),
    (0x0003, Known("MIFARE Ultralight or NTAG")),
    (0x0026, Known("MIFARE Mini")),
    (0x0030, Known("Topaz")),
    (0x0036, Known("MIFARE Plus 2K in security level 1")),
    (0x0037, Known("MIFARE Plus 4K in security level 1")),
    (0x0038, Known("MIFARE Plus 2K in security level 2")),
    (0x0039, Known("MIFARE Plus 4K in security level 2")),
    (0x003A, Known("MIFARE Ultralight C")),
    (0x003B, Known("FeliCa")),
    (0x003D, Known("MIFARE Ultralight EV1")),
];

/// SENS_RES of DESFire cards, most significant byte first (NXP AN10833, table 4).
const DESFIRE_ATQA: [u8; 2] = [0x03, 0x44];

/// The bit of SEL_RES that says "ISO/IEC 14443-4 compliant" (ISO/IEC 14443-3, 6.5.3.4).
const SAK_ISO_14443_4: u8 = 0x20;

/// Says which technology a card is, from what it said while it was selected.
///
/// # Errors
/// [`Refusal::Unsupported`] with the card's name, as far as it can be known.
pub fn identify(card: &PresentedCard) -> Result<Technology, Refusal> {
    let kind = match &card.answer {
        SelectAnswer::Iso14443a { atqa, sak, ats } => from_select(*atqa, *sak, ats),
        SelectAnswer::Atr(atr) => from_atr(atr),
    };
    kind.map_err(|name| Refusal::Unsupported { name })
}

fn from_select(atqa: [u8; 2], sak: u8, ats: &[u8]) -> Result<Technology, String> {
    match BY_SAK.iter().find(|(known, _)| *known == sak) {
        Some((_, Placed(technology))) => Ok(*technology),
        Some((_, Known(name))) => Err((*name).to_owned()),
        None if sak & SAK_ISO_14443_4 != 0 && atqa == DESFIRE_ATQA => {
            Err("MIFARE DESFire".to_owned())
        }
        None if sak & SAK_ISO_14443_4 != 0 || !ats.is_empty() => {
            Err("smart card or phone (ISO/IEC 14443-4)".to_owned())
        }
        None => Err(format!("card of unknown type (SEL_RES {sak:02X})")),
    }
}

fn from_atr(atr: &[u8]) -> Result<Technology, String> {
    if let Some(name) = storage_card_name(atr) {
        return match BY_CARD_NAME.iter().find(|(known, _)| *known == name) {
            Some((_, Placed(technology))) => Ok(*technology),
            Some((_, Known(name))) => Err((*name).to_owned()),
            None => Err(format!(
                "storage card of unknown type (PC/SC name {name:04X})"
            )),
        };
    }
    match atr {
        [0x3B, 0x81, 0x80, 0x01, 0x80, 0x80] => Err("MIFARE DESFire".to_owned()),
        [0x3B, t0, 0x80, 0x01, ..] if t0 & 0xF0 == 0x80 => {
            Err("smart card or phone (ISO/IEC 14443-4)".to_owned())
        }
        _ => {
            let text: String = atr.iter().map(|byte| format!("{byte:02X}")).collect();
            Err(format!("card of unknown type (ATR {text})"))
        }
    }
}

/// The card name in the ATR of a storage card,
/// `3B 8F 80 01 80 4F 0C A0 00 00 03 06 SS NN NN 00 00 00 00 TCK` with an intact check byte.
fn storage_card_name(atr: &[u8]) -> Option<u16> {
    const HEAD: [u8; 12] = [
        0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06,
    ];
    let intact = atr.len() == 20
        && atr.starts_with(&HEAD)
        && atr[1..].iter().fold(0, |check, byte| check ^ byte) == 0;
    intact.then(|| u16::from_be_bytes([atr[13], atr[14]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(atqa: [u8; 2], sak: u8, ats: &[u8]) -> Result<Technology, Refusal> {
        identify(&PresentedCard {
            uid: "04A1B2C3".parse().unwrap(),
            answer: SelectAnswer::Iso14443a {
                atqa,
                sak,
                ats: ats.to_vec(),
            },
        })
    }

    fn behind_pcsc(atr: &str) -> Result<Technology, Refusal> {
        identify(&PresentedCard {
            uid: "04A1B2C3".parse().unwrap(),
            answer: SelectAnswer::Atr(hex::decode(atr).unwrap()),
        })
    }

    fn name(refused: Result<Technology, Refusal>) -> String {
        match refused {
            Err(Refusal::Unsupported { name }) => name,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_classic_1k_is_known_on_every_encoder() {
        for sak in [0x08, 0x28, 0x68, 0x88] {
            assert_eq!(
                selected([0x00, 0x04], sak, &[]),
                Ok(Technology::MifareClassic1k)
            );
        }
        assert_eq!(
            behind_pcsc("3B8F8001804F0CA000000306030001000000006A"),
            Ok(Technology::MifareClassic1k)
        );
    }

    #[test]
    fn a_card_that_has_no_placing_is_named() {
        for (atqa, sak, ats, expected) in [
            ([0x00, 0x44], 0x00, &[][..], "MIFARE Ultralight or NTAG"),
            ([0x00, 0x02], 0x18, &[], "MIFARE Classic 4K"),
            ([0x00, 0x04], 0x09, &[], "MIFARE Mini"),
            (
                [0x03, 0x44],
                0x20,
                &[0x75, 0x77, 0x81, 0x02, 0x80],
                "MIFARE DESFire",
            ),
            (
                [0x00, 0x04],
                0x20,
                &[0x78],
                "smart card or phone (ISO/IEC 14443-4)",
            ),
            ([0x00, 0x04], 0x43, &[], "card of unknown type (SEL_RES 43)"),
        ] {
            assert_eq!(name(selected(atqa, sak, ats)), expected);
        }
        for (atr, expected) in [
            (
                "3B8F8001804F0CA0000003060300020000000069",
                "MIFARE Classic 4K",
            ),
            (
                "3B8F8001804F0CA0000003060300030000000068",
                "MIFARE Ultralight or NTAG",
            ),
            ("3B8F8001804F0CA000000306030026000000004D", "MIFARE Mini"),
            (
                "3B8F8001804F0CA000000306030077000000001C",
                "storage card of unknown type (PC/SC name 0077)",
            ),
            ("3B8180018080", "MIFARE DESFire"),
            (
                "3B8980014A434F503331563233327A",
                "smart card or phone (ISO/IEC 14443-4)",
            ),
            ("3B00", "card of unknown type (ATR 3B00)"),
            ("", "card of unknown type (ATR )"),
        ] {
            assert_eq!(name(behind_pcsc(atr)), expected, "{atr}");
        }
    }

    #[test]
    fn an_atr_with_a_damaged_byte_is_not_taken_for_a_classic() {
        let whole = hex::decode("3B8F8001804F0CA000000306030001000000006A").unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(behind_pcsc(&hex::encode(damaged)).is_err(), "byte {at}");
        }
    }
}
