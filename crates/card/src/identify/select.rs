//! What a card can be, judged by its SAK and ATS, or by the ATR that a PC/SC reader made of them.

use crate::{PresentedCard, Refusal, SelectAnswer, Technology};

/// What the selection leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspected {
    /// Nothing is left open.
    Exactly(Technology),
    /// Some Ultralight or NTAG: GET_VERSION tells.
    Type2,
    /// An Ultralight C, says the reader.
    UltralightC,
    /// DESFire, NTAG 424 DNA, or a smart card that is not ours: GetVersion tells.
    Iso14443_4,
}

/// A table entry: what such a card can be, or the name of a card without a placing.
enum Kind {
    May(Suspected),
    Known(&'static str),
}
use Kind::{Known, May};

/// SEL_RES values of cards that are not in ISO/IEC 14443-4 (NXP AN10833, tables 2 and 6; 88h is Infineon's 1K,
/// 28h and 38h are smart cards that emulate a Classic).
const BY_SAK: [(u8, Kind); 12] = [
    (0x00, May(Suspected::Type2)),
    (0x04, Known("card with an incomplete UID")),
    (0x08, May(Suspected::Exactly(Technology::MifareClassic1k))),
    (0x09, May(Suspected::Exactly(Technology::MifareClassicMini))),
    (0x10, Known("MIFARE Plus 2K in security level 2")),
    (0x11, Known("MIFARE Plus 4K in security level 2")),
    (0x18, May(Suspected::Exactly(Technology::MifareClassic4k))),
    (0x19, Known("MIFARE Classic 2K")),
    (0x28, May(Suspected::Exactly(Technology::MifareClassic1k))),
    (0x38, May(Suspected::Exactly(Technology::MifareClassic4k))),
    (0x68, May(Suspected::Exactly(Technology::MifareClassic1k))),
    (0x88, May(Suspected::Exactly(Technology::MifareClassic1k))),
];

/// Card names `NN NN` that a PC/SC reader puts into the ATR of a storage card (PC/SC part 3, 3.1.3.2.3.2 and its
/// supplement; LudovicRousseau/pcsc-tools smartcard_list.txt). Most readers call every Type 2 card 0003.
const BY_CARD_NAME: [(u16, Kind); 12] = [
    (0x0001, May(Suspected::Exactly(Technology::MifareClassic1k))),
    (0x0002, May(Suspected::Exactly(Technology::MifareClassic4k))),
    (0x0003, May(Suspected::Type2)),
    (
        0x0026,
        May(Suspected::Exactly(Technology::MifareClassicMini)),
    ),
    (0x0030, Known("Topaz")),
    (0x0036, Known("MIFARE Plus 2K in security level 1")),
    (0x0037, Known("MIFARE Plus 4K in security level 1")),
    (0x0038, Known("MIFARE Plus 2K in security level 2")),
    (0x0039, Known("MIFARE Plus 4K in security level 2")),
    (0x003A, May(Suspected::UltralightC)),
    (0x003B, Known("FeliCa")),
    (0x003D, May(Suspected::Type2)),
];

/// The bits of SEL_RES that say "ISO/IEC 14443-4" and "NFC-DEP" (ISO/IEC 14443-3, 6.5.3.4; ISO/IEC 18092, 11.2.1.3).
const SAK_ISO_14443_4: u8 = 0x20;
const SAK_NFC_DEP: u8 = 0x40;

/// Says what a card can be.
///
/// # Errors
/// [`Refusal::Unsupported`] with the card's name, as far as it can be known.
pub(super) fn suspected(card: &PresentedCard) -> Result<Suspected, Refusal> {
    let kind = match &card.answer {
        SelectAnswer::Iso14443a { sak, ats, .. } => from_select(*sak, ats),
        SelectAnswer::Atr(atr) => from_atr(atr),
    };
    kind.map_err(|name| Refusal::Unsupported { name })
}

fn from_select(sak: u8, ats: &[u8]) -> Result<Suspected, String> {
    match BY_SAK.iter().find(|(known, _)| *known == sak) {
        Some((_, May(suspected))) => Ok(*suspected),
        Some((_, Known(name))) => Err((*name).to_owned()),
        None if sak & SAK_ISO_14443_4 != 0 || !ats.is_empty() => Ok(Suspected::Iso14443_4),
        None if sak & SAK_NFC_DEP != 0 => Err("phone (NFC-DEP)".to_owned()),
        None => Err(format!("card of unknown type (SEL_RES {sak:02X})")),
    }
}

fn from_atr(atr: &[u8]) -> Result<Suspected, String> {
    if let Some(name) = storage_card_name(atr) {
        return match BY_CARD_NAME.iter().find(|(known, _)| *known == name) {
            Some((_, May(suspected))) => Ok(*suspected),
            Some((_, Known(name))) => Err((*name).to_owned()),
            None => Err(format!(
                "storage card of unknown type (PC/SC name {name:04X})"
            )),
        };
    }
    if is_iso_14443_4(atr) && !is_storage_card(atr) {
        return Ok(Suspected::Iso14443_4);
    }
    Err(format!(
        "card of unknown type (ATR {})",
        atr.iter()
            .map(|byte| format!("{byte:02X}"))
            .collect::<String>()
    ))
}

/// The name of a card in ISO/IEC 14443-4 that has no version to tell.
pub(super) fn smart_card_name(card: &PresentedCard) -> String {
    let is_phone = match &card.answer {
        SelectAnswer::Iso14443a { sak, .. } => sak & SAK_NFC_DEP != 0,
        SelectAnswer::Atr(_) => false,
    };
    if is_phone {
        return "phone (ISO/IEC 14443-4 and NFC-DEP)".to_owned();
    }
    if card.uid.is_random() {
        return "phone, or a smart card with a changing UID (ISO/IEC 14443-4)".to_owned();
    }
    "payment card or other smart card (ISO/IEC 14443-4)".to_owned()
}

/// An ATR that a reader made of historical bytes (PC/SC part 3, 3.1.3.2.3.1).
fn is_iso_14443_4(atr: &[u8]) -> bool {
    matches!(atr, [0x3B, t0, 0x80, 0x01, ..] if t0 & 0xF0 == 0x80)
}

/// The ATR of a storage card, intact or not: its historical bytes start with 80 4F, the registered application of
/// PC/SC.
fn is_storage_card(atr: &[u8]) -> bool {
    matches!(atr, [_, _, _, _, 0x80, 0x4F, ..])
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
