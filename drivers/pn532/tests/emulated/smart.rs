//! Cards in ISO/IEC 14443-4 through the chip.

use card::{Apdu, Command, CommandKind, Identify, Reply, SelectAnswer};
use emulator::{Moment, Technology};
use encoder::{CardWait, ErrorKind, Stop, drive};

use crate::rig::{NEW_UID, Rig, refusal, select};

fn iso(bytes: &[u8]) -> Command {
    Command::Iso(Apdu::new(bytes.to_vec()))
}

/// GetVersion, wrapped in ISO/IEC 7816-4.
fn get_version() -> Command {
    iso(&[0x90, 0x60, 0x00, 0x00, 0x00])
}

#[test]
fn an_apdu_is_answered_with_its_status_word() {
    for technology in [Technology::DesfireEv2, Technology::Ntag424Dna] {
        let rig = Rig::new();
        rig.place_new(technology);
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        assert_eq!(session.card().uid.to_string(), NEW_UID);
        assert!(session.supports(CommandKind::Iso) && !session.supports(CommandKind::Type2));
        let SelectAnswer::Iso14443a { ats, .. } = &session.card().answer else {
            panic!("type A");
        };
        assert!(!ats.is_empty());
        let Reply::Data(answer) = &session.exchange(&get_version()).unwrap() else {
            panic!("an answer");
        };
        assert_eq!(answer.len(), 9, "{technology}");
        assert_eq!(answer[7..], [0x91, 0xAF]);
        let unknown = session.exchange(&iso(&[0x00, 0x44, 0x00, 0x00, 0x00]));
        assert!(matches!(&unknown, Ok(Reply::Data(status)) if status.len() == 2));
        assert_eq!(rig.slot().log().exchanges(), 2);
    }
}

#[test]
fn a_card_in_its_protocol_is_selected_anew() {
    let rig = Rig::new();
    rig.place_new(Technology::DesfireEv1);
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    for _ in 0..3 {
        assert!(matches!(
            session.exchange(&get_version()),
            Ok(Reply::Data(_))
        ));
        let again = session.exchange(&Command::Reselect).unwrap();
        assert_eq!(again, Reply::Reselected(session.card().clone()));
    }
}

#[test]
fn a_smart_card_says_which_one_it_is() {
    for (technology, named) in [
        (Technology::DesfireEv1, card::Technology::DesfireEv1),
        (Technology::DesfireEv2, card::Technology::DesfireEv2),
        (Technology::DesfireEv3, card::Technology::DesfireEv3),
        (Technology::Ntag424Dna, card::Technology::Ntag424Dna),
    ] {
        let rig = Rig::new();
        rig.place_new(technology);
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        let identify = Identify::new(session.card().clone()).unwrap();
        let identified = drive(session.as_mut(), identify).unwrap();
        assert_eq!(identified.technology, named);
    }
}

#[test]
fn a_smart_card_taken_off_midway_is_gone() {
    for moment in [Moment::Before, Moment::Unanswered, Moment::After] {
        let rig = Rig::new();
        rig.place_new(Technology::DesfireEv3);
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        rig.slot().remove_at(1, moment);
        let last = session
            .exchange(&get_version())
            .map_err(|error| error.kind());
        match moment {
            Moment::After => assert!(matches!(last, Ok(Reply::Data(_)))),
            _ => assert_eq!(last, Err(ErrorKind::CardGone), "{moment:?}"),
        }
        let error = session.exchange(&get_version()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CardGone, "{moment:?}");
        let error = session.exchange(&Command::Reselect).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CardGone, "{moment:?}");
    }
}

#[test]
fn a_smart_card_that_rests_there_is_not_fresh() {
    let rig = Rig::new();
    rig.place_new(Technology::DesfireEv1);
    let mut encoder = rig.open();
    drop(select(encoder.as_mut()));
    let kind = refusal(encoder.as_mut(), CardWait::Fresh, 250, &Stop::default());
    assert_eq!(kind, ErrorKind::NoCard);
}

#[test]
fn a_card_with_a_changing_uid_is_told_apart_from_none_only() {
    let rig = Rig::new();
    rig.place_with_changing_uid(Technology::DesfireEv2);
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    let first = session.card().uid;
    assert!(matches!(first.as_bytes(), [0x08, _, _, _]));
    session.exchange(&Command::Reselect).unwrap();
    assert_ne!(session.card().uid, first);
    drop(session);
    let kind = refusal(encoder.as_mut(), CardWait::Fresh, 250, &Stop::default());
    assert_eq!(kind, ErrorKind::NoCard);
}

#[test]
fn a_smart_card_beside_another_card_is_one_too_many() {
    for other in [
        Technology::DesfireEv2,
        Technology::Ntag213,
        Technology::MifareClassic1k,
    ] {
        let rig = Rig::new();
        rig.place_new(Technology::DesfireEv1);
        rig.add(other, "04000000000002");
        let mut encoder = rig.open();
        let kind = refusal(encoder.as_mut(), CardWait::Resting, 2_000, &Stop::default());
        assert_eq!(kind, ErrorKind::SeveralCards, "{other}");
    }
}

/// Commands and answers of 255 bytes and more travel in frames of another form (UM 6.2.1.2).
#[test]
fn the_longest_commands_and_answers_pass_whole() {
    let rig = Rig::new();
    rig.place_new(Technology::Ntag424Dna);
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    let mut exchange = |bytes: &[u8]| match &session.exchange(&iso(bytes)).unwrap() {
        Reply::Data(answer) => answer.clone(),
        other => panic!("{other:?}"),
    };
    let application = [0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01];
    let chosen = [&[0x00, 0xA4, 0x04, 0x00, 0x07], &application[..], &[0x00]].concat();
    assert_eq!(exchange(&chosen), [0x90, 0x00]);
    // File 04h of 256 bytes, free to read and write as it leaves the factory.
    let data: Vec<u8> = (0..=254).collect();
    let update = [&[0x00, 0xD6, 0x84, 0x00, 255], &data[..]].concat();
    assert_eq!(exchange(&update), [0x90, 0x00]);
    let content = exchange(&[0x00, 0xB0, 0x84, 0x00, 0x00]);
    assert_eq!(content.len(), 258);
    assert_eq!(content[..255], data);
    assert_eq!(content[256..], [0x90, 0x00]);
}
