//! Cards of NFC Forum Type 2 through the chip.

use card::{Command, CommandKind, Identify, PageData, Password, Reply, Type2Command};
use emulator::{Moment, Technology};
use encoder::{ErrorKind, drive};

use crate::rig::{NEW_UID, Rig, select};

const GET_VERSION: Command = Command::Type2(Type2Command::GetVersion);

fn read(page: u8) -> Command {
    Command::Type2(Type2Command::Read { page })
}

fn write(page: u8, bytes: [u8; 4]) -> Command {
    let data = PageData::new(bytes);
    Command::Type2(Type2Command::Write { page, data })
}

fn password(bytes: [u8; 4]) -> Command {
    let password = Password::new(bytes);
    Command::Type2(Type2Command::PasswordAuthenticate { password })
}

#[test]
fn pages_are_written_and_read_back() {
    for technology in [Technology::MifareUltralight, Technology::Ntag213] {
        let rig = Rig::new();
        let card = rig.place_new(technology);
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        assert!(session.supports(CommandKind::Type2));
        assert!(!session.supports(CommandKind::Classic) && !session.supports(CommandKind::Iso));
        for page in 8..12 {
            let written = session.exchange(&write(page, [page; 4])).unwrap();
            assert_eq!(written, Reply::Done, "{technology}");
        }
        let Reply::Data(data) = &session.exchange(&read(8)).unwrap() else {
            panic!("pages");
        };
        assert_eq!(*data, card.memory()[32..48], "{technology}");
        assert_eq!(data[4..8], [9; 4]);
    }
}

#[test]
fn every_command_of_an_ntag_is_answered() {
    let rig = Rig::new();
    let card = rig.place_new(Technology::Ntag215);
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    let version = session.exchange(&GET_VERSION).unwrap();
    assert_eq!(version, Reply::Data(vec![0, 4, 4, 2, 1, 0, 0x11, 3]));
    let pages = Command::Type2(Type2Command::FastRead { first: 0, last: 39 });
    let Reply::Data(data) = &session.exchange(&pages).unwrap() else {
        panic!("pages");
    };
    assert_eq!(*data, card.memory()[..160]);
    let pack = session.exchange(&password([0xFF; 4])).unwrap();
    assert_eq!(pack, Reply::Data(vec![0, 0]));
}

#[test]
fn a_card_that_refused_answers_again_once_it_is_selected_anew() {
    for (technology, refused) in [
        (Technology::MifareUltralight, GET_VERSION),
        (Technology::MifareUltralight, write(0, [0; 4])),
        (Technology::Ntag213, password([1; 4])),
        (Technology::Ntag213, read(0xF0)),
    ] {
        let rig = Rig::new();
        rig.place_new(technology);
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        let reply = session.exchange(&refused).unwrap();
        assert_eq!(reply, Reply::Refused, "{technology} {refused:?}");
        let again = session.exchange(&Command::Reselect).unwrap();
        assert_eq!(again, Reply::Reselected(session.card().clone()));
        assert!(matches!(session.exchange(&read(4)), Ok(Reply::Data(_))));
    }
}

#[test]
fn a_wrong_password_reaches_the_card_once() {
    let rig = Rig::new();
    rig.place_new(Technology::Ntag213);
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    let before = rig.slot().log().exchanges();
    let reply = session.exchange(&password([1; 4])).unwrap();
    assert_eq!(reply, Reply::Refused);
    assert_eq!(rig.slot().log().exchanges() - before, 1);
}

#[test]
fn a_card_of_pages_says_which_one_it_is() {
    for (technology, named) in [
        (
            Technology::MifareUltralight,
            card::Technology::MifareUltralight,
        ),
        (
            Technology::MifareUltralightC,
            card::Technology::MifareUltralightC,
        ),
        (Technology::Ntag216, card::Technology::Ntag216),
    ] {
        let rig = Rig::new();
        rig.place_new(technology);
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        assert_eq!(session.card().uid.to_string(), NEW_UID);
        let identify = Identify::new(session.card().clone()).unwrap();
        let identified = drive(session.as_mut(), identify).unwrap();
        assert_eq!(identified.technology, named);
    }
}

#[test]
fn a_card_of_pages_that_is_taken_off_midway_is_gone() {
    for moment in [Moment::Before, Moment::Unanswered, Moment::After] {
        let rig = Rig::new();
        rig.place_new(Technology::Ntag213);
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        rig.slot().remove_at(1, moment);
        let last = session.exchange(&write(5, [5; 4])).unwrap();
        let expected = match moment {
            Moment::After => Reply::Done,
            _ => Reply::Refused,
        };
        assert_eq!(last, expected, "{moment:?}");
        // What a refusal would mean too much of is asked once more, and then the card has to be there.
        let error = session.exchange(&GET_VERSION).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CardGone, "{moment:?}");
    }
}
