//! What the pages of a Type 2 card hold when it is first seen. Bytes only.

use super::model::{Model, PAGE, Protection, STATIC_LOCKS};
use crate::card::noise::Noise;
use crate::card::{Technology, Uid};

/// "BREAKMEIFYOUCAN!" as it lies in pages 2C to 2F of a new Ultralight C (MF0ICU2 table 13).
const DELIVERY_KEY: [[u8; PAGE]; 4] = [*b"BREA", *b"KMEI", *b"FYOU", *b"CAN!"];
/// AUTH0 of a new Ultralight C: behind the last page, so that nothing is protected.
const NO_PAGE_OF_C: u8 = 0x30;
/// The last byte of the dynamic lock page, whatever is written there (NTAG213_215_216 §8.5.3).
pub(super) const DYNAMIC_LOCK_END: u8 = 0xBD;
/// The internal byte of page 2, as most cards have it. From memory.
const INTERNAL: u8 = 0x48;
/// ACCESS of a foreign card: reading is protected too, and three wrong passwords lock it for good.
const FOREIGN_ACCESS: u8 = 0x83;

/// All pages of a card as delivered.
pub(super) fn factory(technology: Technology, model: &Model, uid: &Uid) -> Vec<[u8; PAGE]> {
    let mut pages = vec![[0; PAGE]; usize::from(model.pages)];
    pages[..3].copy_from_slice(&serial_number(uid));
    // Capability container and an empty NDEF message (NTAG213_215_216 §8.5.6).
    let tag = match technology {
        Technology::Ntag213 => Some((0x12, [[0x01, 0x03, 0xA0, 0x0C], [0x34, 0x03, 0x00, 0xFE]])),
        Technology::Ntag215 => Some((0x3E, [[0x03, 0x00, 0xFE, 0x00], [0; PAGE]])),
        Technology::Ntag216 => Some((0x6D, [[0x03, 0x00, 0xFE, 0x00], [0; PAGE]])),
        _ => None,
    };
    if let Some((size, message)) = tag {
        pages[3] = [0xE1, 0x10, size, 0x00];
        pages[4..6].copy_from_slice(&message);
    }
    match model.protection {
        Protection::Nothing => {}
        Protection::Password { config } => {
            // CFG0 and CFG1 (MF0ULx1 §8.5.7, NTAG213_215_216 §8.5.7). That byte 1 of CFG1 is 05 on
            // an NTAG too is from memory.
            let modulation = if tag.is_some() { 0x04 } else { 0x00 };
            let config = usize::from(config);
            pages[config] = [modulation, 0x00, 0x00, 0xFF];
            pages[config + 1] = [0x00, 0x05, 0x00, 0x00];
            pages[config + 2] = [0xFF; PAGE];
            if let Some(locks) = &model.dynamic_locks {
                pages[usize::from(locks.page)][3] = DYNAMIC_LOCK_END;
            }
        }
        Protection::TripleDes => {
            pages[0x2A][0] = NO_PAGE_OF_C;
            pages[0x2C..].copy_from_slice(&DELIVERY_KEY);
        }
    }
    pages
}

/// All pages of a card in use by somebody else: data, password and keys made up from the UID, and
/// all of it protected where the card can do that.
pub(super) fn foreign(technology: Technology, model: &Model, uid: &Uid) -> Vec<[u8; PAGE]> {
    let mut pages = factory(technology, model, uid);
    let mut noise = Noise::of(uid.as_bytes());
    let end_of_data = match (&model.dynamic_locks, model.protection) {
        (Some(locks), _) => locks.page,
        (None, Protection::Password { config }) => config,
        (None, _) => model.pages,
    };
    for page in &mut pages[4..usize::from(end_of_data)] {
        noise.fill(page);
    }
    match model.protection {
        Protection::Nothing => {}
        Protection::Password { config } => {
            let config = usize::from(config);
            pages[config][3] = 4;
            pages[config + 1][0] = FOREIGN_ACCESS;
            noise.fill(&mut pages[config + 2]);
            noise.fill(&mut pages[config + 3][..2]);
        }
        Protection::TripleDes => {
            pages[0x2A][0] = 4;
            for page in &mut pages[0x2C..] {
                noise.fill(page);
            }
        }
    }
    pages
}

/// What makes the card this card, and stays when an image is put onto it: pages 0, 1 and the first
/// half of 2.
pub(super) fn keep_serial_number(image: &mut [[u8; PAGE]], pages: &[[u8; PAGE]; 3]) {
    image[..2].copy_from_slice(&pages[..2]);
    let own = STATIC_LOCKS.lock_bytes.start;
    image[2][..own].copy_from_slice(&pages[2][..own]);
}

/// Pages 0 to 2 (MF0ICU2 §7.5.1): the UID with its two check bytes.
fn serial_number(uid: &Uid) -> [[u8; PAGE]; 3] {
    let [[cascade_tag, a, b, c], [d, e, f, g]] = uid.cascade_levels()[..] else {
        unreachable!("a Type 2 card is made with a UID of 7 bytes only")
    };
    [
        [a, b, c, cascade_tag ^ a ^ b ^ c],
        [d, e, f, g],
        [d ^ e ^ f ^ g, INTERNAL, 0, 0],
    ]
}

#[cfg(test)]
mod tests {
    use super::{factory, foreign};
    use crate::Technology;
    use crate::card::type2::model;

    fn hex_of(technology: Technology) -> Vec<String> {
        let uid = "04A1B2C3D4E5F6".parse().unwrap();
        factory(technology, model::of(technology).unwrap(), &uid)
            .iter()
            .map(hex::encode)
            .collect()
    }

    #[test]
    fn a_new_ntag_holds_what_its_data_sheet_says() {
        for (technology, head, tail) in [
            (
                Technology::Ntag213,
                ["e1101200", "0103a00c", "340300fe"],
                ["000000bd", "040000ff", "00050000", "ffffffff", "00000000"],
            ),
            (
                Technology::Ntag215,
                ["e1103e00", "0300fe00", "00000000"],
                ["000000bd", "040000ff", "00050000", "ffffffff", "00000000"],
            ),
            (
                Technology::Ntag216,
                ["e1106d00", "0300fe00", "00000000"],
                ["000000bd", "040000ff", "00050000", "ffffffff", "00000000"],
            ),
        ] {
            let pages = hex_of(technology);
            assert_eq!(pages[..3], ["04a1b29f", "c3d4e5f6", "04480000"]);
            assert_eq!(pages[3..6], head, "{technology}");
            assert_eq!(pages[pages.len() - 5..], tail, "{technology}");
        }
    }

    #[test]
    fn a_new_ultralight_c_holds_what_its_data_sheet_says() {
        let pages = hex_of(Technology::MifareUltralightC);
        assert_eq!(pages.len(), 48);
        assert_eq!(
            pages[0x28..],
            [
                "00000000", "00000000", "30000000", "00000000", "42524541", "4b4d4549", "46594f55",
                "43414e21"
            ]
        );
    }

    #[test]
    fn a_new_ultralight_ev1_is_empty_but_for_its_configuration() {
        let pages = hex_of(Technology::MifareUltralightEv1_48);
        assert_eq!(
            pages[16..],
            ["000000ff", "00050000", "ffffffff", "00000000"]
        );
        assert!(pages[3..16].iter().all(|page| page == "00000000"));
        let pages = hex_of(Technology::MifareUltralightEv1_128);
        assert_eq!(
            pages[0x24..],
            ["000000bd", "000000ff", "00050000", "ffffffff", "00000000"]
        );
        assert_eq!(hex_of(Technology::MifareUltralight).len(), 16);
    }

    #[test]
    fn a_foreign_card_keeps_to_its_uid_and_its_kind() {
        for technology in Technology::ALL {
            let Some(model) = model::of(technology) else {
                continue;
            };
            let uid = "04A1B2C3D4E5F6".parse().unwrap();
            let (new, used) = (
                factory(technology, model, &uid),
                foreign(technology, model, &uid),
            );
            assert_eq!(used, foreign(technology, model, &uid));
            assert_eq!(used[..4], new[..4], "{technology}");
            assert!(used[4..16].iter().all(|page| *page != [0; 4]));
            let other = foreign(technology, model, &"04A1B2C3D4E5F7".parse().unwrap());
            assert_ne!(used[4], other[4]);
        }
    }
}
