//! Cards in ISO/IEC 14443-4 behind a reader.

use card::{Apdu, Command, CommandKind, Identify, Reply};
use emulator::{Moment, Technology};
use encoder::{ErrorKind, drive};

use crate::rig::{Rig, select, with_pcscd};

fn get_version() -> Command {
    Command::Iso(Apdu::new(vec![0x90, 0x60, 0x00, 0x00, 0x00]))
}

#[test]
fn under_pcscd_an_apdu_is_answered_with_its_status_word() {
    with_pcscd(
        "smart::under_pcscd_an_apdu_is_answered_with_its_status_word",
        || {
            let rig = Rig::new();
            rig.place_new(Technology::DesfireEv2);
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            assert!(session.supports(CommandKind::Iso) && !session.supports(CommandKind::Type2));
            for _ in 0..2 {
                let Reply::Data(answer) = &session.exchange(&get_version()).unwrap() else {
                    panic!("an answer");
                };
                assert_eq!(answer.len(), 9);
                assert_eq!(answer[7..], [0x91, 0xAF]);
                let again = session.exchange(&Command::Reselect).unwrap();
                assert_eq!(again, Reply::Reselected(session.card().clone()));
            }
            let identify = Identify::new(session.card().clone()).unwrap();
            let identified = drive(session.as_mut(), identify).unwrap();
            assert_eq!(identified.technology, card::Technology::DesfireEv2);
        },
    );
}

#[test]
fn pcscd_tells_that_a_smart_card_was_taken_off_midway() {
    with_pcscd(
        "smart::pcscd_tells_that_a_smart_card_was_taken_off_midway",
        || {
            let rig = Rig::new();
            rig.place_new(Technology::Ntag424Dna);
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            rig.slot.remove_at(1, Moment::Unanswered);
            let error = session.exchange(&get_version()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CardGone, "{error:?}");
        },
    );
}
