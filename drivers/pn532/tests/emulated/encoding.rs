//! Whole procedures through the driver: a card is inspected, written and read back, pulled in between, and finished.

use card::Suspects;
use emulator::{Moment, Slot, Technology};
use encoder::{BlockEncoder, ErrorKind};

use crate::procedures::{self, Failure};
use crate::rig::{LIMIT, NEW_UID, Rig};

fn encode(
    encoder: &mut dyn BlockEncoder,
    room: u32,
    suspects: &mut Suspects,
) -> Result<(), Failure> {
    procedures::encode(encoder, room, suspects, LIMIT)
}

fn exchanges(slot: &Slot, act: impl FnOnce()) -> u64 {
    let before = slot.log().exchanges();
    act();
    slot.log().exchanges() - before
}

/// A new card is encoded, encoded for another guest with a pull at every exchange, and once more without a change.
fn encodes(technology: Technology) {
    let rig = Rig::new();
    let card = rig.place_new(technology);
    let mut encoder = rig.open();
    let mut suspects = Suspects::NONE;
    encode(encoder.as_mut(), 107, &mut suspects).unwrap();
    let old = card.memory();
    let whole = exchanges(rig.slot(), || {
        encode(encoder.as_mut(), 109, &mut suspects).unwrap();
    });
    for exchange in 1..whole {
        for moment in [Moment::Before, Moment::Unanswered] {
            let case = format!("{technology}, pulled {moment:?} {exchange}");
            card.set_memory(&old).unwrap();
            rig.slot().place(&card);
            rig.slot().remove_at(exchange, moment);
            let mut suspects = Suspects::NONE;
            let pulled = encode(encoder.as_mut(), 109, &mut suspects);
            assert_eq!(pulled, Err(Failure::Encoder(ErrorKind::CardGone)), "{case}");
            rig.slot().place(&card);
            encode(encoder.as_mut(), 109, &mut suspects).expect(&case);
        }
    }
    let written = card.memory();
    encode(encoder.as_mut(), 109, &mut suspects).unwrap();
    assert_eq!(card.memory(), written, "{technology}: nothing changed");
    let found = procedures::scan(encoder.as_mut(), LIMIT);
    assert_eq!(found, Ok(Some(procedures::credential(109))), "{technology}");
    assert_ne!(written, old);
    assert_eq!(card.uid().to_string(), NEW_UID);
}

#[test]
fn a_classic_is_encoded_and_pulled_and_finished() {
    encodes(Technology::MifareClassic1k);
}

#[test]
fn an_ultralight_is_encoded_and_pulled_and_finished() {
    encodes(Technology::MifareUltralight);
}

#[test]
fn an_ultralight_c_is_encoded_and_pulled_and_finished() {
    encodes(Technology::MifareUltralightC);
}

#[test]
fn an_ntag_with_two_copies_is_encoded_and_pulled_and_finished() {
    encodes(Technology::Ntag213);
}
