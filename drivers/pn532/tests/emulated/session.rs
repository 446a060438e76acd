//! What a card that was selected is asked, and how it ends.

use card::{Command, Reply};
use emulator::Moment;
use encoder::ErrorKind;

use crate::rig::{Rig, TRANSPORT, authenticate, read, select, write};

#[test]
fn a_block_is_written_and_read_back() {
    for uid in ["04A1B2C3", "04A1B2C3D4E5F6"] {
        let rig = Rig::new();
        rig.place(uid);
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        assert_eq!(session.card().uid.to_string(), uid);
        let open = session.exchange(&authenticate(7, TRANSPORT)).unwrap();
        assert_eq!(open, Reply::Done);
        let written = session.exchange(&write(5, [0x5A; 16])).unwrap();
        assert_eq!(written, Reply::Done);
        let data = session.exchange(&read(5)).unwrap();
        assert_eq!(data, Reply::Data(vec![0x5A; 16]));
        assert_eq!(rig.card(uid).memory()[80..96], [0x5A; 16]);
        assert_eq!(rig.slot().log().exchanges(), 3);
    }
}

#[test]
fn after_a_wrong_key_the_card_answers_again_once_it_is_selected_anew() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    for _ in 0..3 {
        let refused = session.exchange(&authenticate(7, [0xA0; 6])).unwrap();
        assert_eq!(refused, Reply::Refused);
        assert_eq!(session.exchange(&read(5)).unwrap(), Reply::Refused);
        let again = session.exchange(&Command::Reselect).unwrap();
        assert_eq!(again, Reply::Reselected(session.card().clone()));
    }
    let open = session.exchange(&authenticate(7, TRANSPORT)).unwrap();
    assert_eq!(open, Reply::Done);
}

#[test]
fn what_the_access_bits_forbid_is_refused() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    session.exchange(&authenticate(0, TRANSPORT)).unwrap();
    // The manufacturer's block can never be written.
    let refused = session.exchange(&write(0, [0; 16])).unwrap();
    assert_eq!(refused, Reply::Refused);
    session.exchange(&Command::Reselect).unwrap();
    // Nor can a sector be read that was not opened.
    assert_eq!(session.exchange(&read(4)).unwrap(), Reply::Refused);
}

#[test]
fn a_card_taken_off_midway_is_gone() {
    for moment in [Moment::Before, Moment::Unanswered, Moment::After] {
        let rig = Rig::new();
        rig.place("04A1B2C3");
        let mut encoder = rig.open();
        let mut session = select(encoder.as_mut());
        session.exchange(&authenticate(7, TRANSPORT)).unwrap();
        rig.slot().remove_at(1, moment);
        let last = session.exchange(&read(5)).unwrap();
        let answered = matches!(last, Reply::Data(_));
        assert_eq!(answered, moment == Moment::After, "{moment:?}");
        assert_eq!(session.exchange(&read(5)).unwrap(), Reply::Refused);
        let error = session.exchange(&Command::Reselect).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CardGone, "{moment:?}");
    }
}

#[test]
fn a_card_that_took_its_place_is_reported() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    rig.place("05000001");
    let again = session.exchange(&Command::Reselect).unwrap();
    let Reply::Reselected(card) = &again else {
        panic!("a card lies there");
    };
    assert_eq!(card.uid.to_string(), "05000001");
    let open = session.exchange(&authenticate(7, TRANSPORT)).unwrap();
    assert_eq!(open, Reply::Done);
}

#[test]
fn the_field_goes_off_with_the_session() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let session = select(encoder.as_mut());
    rig.field_becomes(true);
    drop(session);
    rig.field_becomes(false);
    select(encoder.as_mut());
}
