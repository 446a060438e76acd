//! What a reader tells PC/SC about a card: an answer to reset that no card ever gave. A storage card's
//! is made of its kind (PC/SC part 3 §3.1.3.2.3.2, and its supplement for the card names), that of a
//! card with a processor of its historical bytes (§3.1.3.2.3.1).

use crate::reader::{Selected, historical_bytes};

/// RID of the PC/SC workgroup.
const RID: [u8; 5] = [0xA0, 0x00, 0x00, 0x03, 0x06];
/// Standard byte: ISO/IEC 14443 A, part 3.
const ISO_14443_A_PART_3: u8 = 0x03;

/// SAK of every Type 2 card. Readers do not look further, so Ultralight C, EV1 and NTAG have the name
/// of the first Ultralight too.
pub(super) const TYPE_2: u8 = 0x00;

/// The kinds of storage card by SAK: card name and number of blocks. How many pages a Type 2 card has
/// a reader does not know.
const KINDS: [(u8, [u8; 2], u16); 4] = [
    (TYPE_2, [0x00, 0x03], 256),
    (0x08, [0x00, 0x01], 64),
    (0x18, [0x00, 0x02], 256),
    (0x09, [0x00, 0x26], 20),
];

/// The answer to reset for a card.
pub(super) fn atr(card: &Selected) -> Vec<u8> {
    match &card.ats {
        Some(ats) => of_processor(historical_bytes(ats)),
        None => of_storage(card.sak),
    }
}

fn of_processor(historical: &[u8]) -> Vec<u8> {
    let length = u8::try_from(historical.len().min(15)).expect("at most 15");
    let mut atr = vec![0x3B, 0x80 | length, 0x80, 0x01];
    atr.extend(&historical[..usize::from(length)]);
    sealed(atr)
}

fn sealed(mut atr: Vec<u8>) -> Vec<u8> {
    atr.push(atr[1..].iter().fold(0, |check, byte| check ^ byte));
    atr
}

fn of_storage(sak: u8) -> Vec<u8> {
    // A card name of 0 stands for "no information given".
    let name = kind(sak).map_or([0x00, 0x00], |(name, _)| name);
    let mut atr = vec![0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C];
    atr.extend(RID);
    atr.push(ISO_14443_A_PART_3);
    atr.extend(name);
    atr.extend([0; 4]);
    sealed(atr)
}

/// How many blocks a card with this SAK has; 0 if it has none.
pub(super) fn blocks(sak: u8) -> u16 {
    kind(sak).map_or(0, |(_, blocks)| blocks)
}

fn kind(sak: u8) -> Option<([u8; 2], u16)> {
    KINDS
        .into_iter()
        .find(|(of, ..)| *of == sak)
        .map(|(_, name, blocks)| (name, blocks))
}

#[cfg(test)]
mod tests {
    use super::{of_processor, of_storage};

    #[test]
    fn answers_to_reset_are_those_that_readers_give() {
        for (sak, expected) in [
            (0x08, "3b8f8001804f0ca000000306030001000000006a"),
            (0x18, "3b8f8001804f0ca0000003060300020000000069"),
            (0x09, "3b8f8001804f0ca000000306030026000000004d"),
            (0x00, "3b8f8001804f0ca0000003060300030000000068"),
        ] {
            assert_eq!(hex::encode(of_storage(sak)), expected);
        }
        assert_eq!(hex::encode(of_processor(&[0x80])), "3b8180018080");
        assert_eq!(hex::encode(of_processor(&[])), "3b80800101");
    }
}
