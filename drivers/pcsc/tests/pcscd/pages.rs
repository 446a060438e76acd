//! Cards of NFC Forum Type 2 behind readers that send raw frames in one way, in the other, or not at all.

use card::{Command, CommandKind, Identify, PageData, Password, Reply, Type2Command};
use emulator::{RawFrames, ReaderSettings, Technology};
use encoder::{ErrorKind, drive};

use crate::rig::{Rig, await_news, select, with_pcscd};

const GET_VERSION: Command = Command::Type2(Type2Command::GetVersion);

fn rig(raw_frames: RawFrames) -> Rig {
    Rig::with(ReaderSettings::default().with_raw_frames(raw_frames))
}

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

/// Everything that a procedure does to such a card, in whichever way the reader has.
fn every_command_is_answered(raw_frames: RawFrames) {
    let rig = rig(raw_frames);
    let card = rig.place_new(Technology::Ntag215);
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    assert!(session.supports(CommandKind::Type2));
    assert!(!session.supports(CommandKind::Classic) && !session.supports(CommandKind::Iso));
    let written = session.exchange(&write(8, [8; 4])).unwrap();
    assert_eq!(written, Reply::Done);
    let version = session.exchange(&GET_VERSION).unwrap();
    assert_eq!(version, Reply::Data(vec![0, 4, 4, 2, 1, 0, 0x11, 3]));
    let pages = Command::Type2(Type2Command::FastRead { first: 0, last: 39 });
    let all = session.exchange(&pages).unwrap();
    assert_eq!(all, Reply::Data(card.memory()[..160].to_vec()));
    let pack = session.exchange(&password([0xFF; 4])).unwrap();
    assert_eq!(pack, Reply::Data(vec![0, 0]));
    assert_eq!(session.exchange(&write(9, [9; 4])).unwrap(), Reply::Done);
    let data = session.exchange(&read(8)).unwrap();
    assert_eq!(data, Reply::Data(card.memory()[32..48].to_vec()));
    assert_eq!(card.memory()[32..40], [8, 8, 8, 8, 9, 9, 9, 9]);

    let refused = session.exchange(&password([1; 4])).unwrap();
    assert_eq!(refused, Reply::Refused);
    let again = session.exchange(&Command::Reselect).unwrap();
    assert_eq!(again, Reply::Reselected(session.card().clone()));
    assert!(matches!(session.exchange(&read(4)), Ok(Reply::Data(_))));
    // What was found out about the reader holds for the next card.
    drop(session);
    let before = rig.slot.log().exchanges();
    let mut session = select(encoder.as_mut());
    assert!(matches!(session.exchange(&GET_VERSION), Ok(Reply::Data(_))));
    assert_eq!(rig.slot.log().exchanges() - before, 1);
}

#[test]
fn under_pcscd_a_card_of_pages_is_reached_by_direct_transmit() {
    with_pcscd(
        "pages::under_pcscd_a_card_of_pages_is_reached_by_direct_transmit",
        || every_command_is_answered(RawFrames::DirectTransmit),
    );
}

#[test]
fn under_pcscd_a_card_of_pages_is_reached_in_a_transparent_session() {
    with_pcscd(
        "pages::under_pcscd_a_card_of_pages_is_reached_in_a_transparent_session",
        || every_command_is_answered(RawFrames::TransparentSession),
    );
}

#[test]
fn under_pcscd_a_card_of_pages_says_which_one_it_is() {
    with_pcscd(
        "pages::under_pcscd_a_card_of_pages_says_which_one_it_is",
        || {
            for raw_frames in [RawFrames::DirectTransmit, RawFrames::TransparentSession] {
                let rig = rig(raw_frames);
                let mut encoder = rig.open();
                for (technology, named) in [
                    (
                        Technology::MifareUltralight,
                        card::Technology::MifareUltralight,
                    ),
                    (
                        Technology::MifareUltralightC,
                        card::Technology::MifareUltralightC,
                    ),
                ] {
                    let uid = match technology {
                        Technology::MifareUltralight => "04000000000001",
                        _ => "04000000000002",
                    };
                    rig.place_as(technology, uid);
                    let mut session = select(encoder.as_mut());
                    let identify = Identify::new(session.card().clone()).unwrap();
                    let identified = drive(session.as_mut(), identify).unwrap();
                    assert_eq!(identified.technology, named, "{raw_frames:?}");
                    let (context, mut states) = rig.watched();
                    let present = states[0].event_count();
                    drop(session);
                    rig.slot.remove();
                    await_news(&context, &mut states, present);
                }
                drop(encoder);
                rig.pcscd.stop();
            }
        },
    );
}

#[test]
fn under_pcscd_a_reader_without_raw_frames_says_what_else_to_use() {
    with_pcscd(
        "pages::under_pcscd_a_reader_without_raw_frames_says_what_else_to_use",
        || {
            let rig = rig(RawFrames::None);
            rig.place_new(Technology::Ntag213);
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            assert!(!session.supports(CommandKind::Type2));
            let error = session.exchange(&GET_VERSION).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NoRawFrames);
            let said = error.to_string();
            assert!(said.contains("an encoder that can"), "{said}");
        },
    );
}
