//! Waiting for a card: it rests there, comes later, comes anew, or does not come.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use card::{CommandKind, SelectAnswer};
use driver_pn532::{Patience, Pn532Driver};
use emulator::{Fault, FaultKind, Technology, When};
use encoder::{CardWait, ErrorKind, Stop};

use crate::rig::{LIMIT, Rig, refusal, select};

#[test]
fn a_card_says_what_it_is() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let session = select(encoder.as_mut());
    assert_eq!(session.card().uid.to_string(), "04A1B2C3");
    assert_eq!(
        session.card().answer,
        SelectAnswer::Iso14443a {
            atqa: [0x00, 0x04],
            sak: 0x08,
            ats: vec![]
        }
    );
    assert!(session.supports(CommandKind::Classic));
}

#[test]
fn a_card_that_is_put_on_later_is_waited_for() {
    let rig = Rig::new();
    let mut encoder = rig.open();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            rig.field_becomes(true);
            rig.place("04A1B2C3");
        });
        let session = select(encoder.as_mut());
        assert_eq!(session.card().uid.to_string(), "04A1B2C3");
    });
}

#[test]
fn a_card_whose_sighting_was_lost_on_the_line_does_not_wait_for_the_deadline() {
    for technology in [Technology::MifareClassic1k, Technology::DesfireEv2] {
        let rig = Rig::new();
        let driver = Pn532Driver::default().with_patience(Patience {
            look_again: Duration::from_millis(100),
            ..Patience::default()
        });
        let mut encoder = rig.try_open_by(&driver).unwrap();
        rig.place_new(technology);
        // The number of tries is set first; then comes the acknowledgement of the look, then the sighting.
        let lost = Fault::new(FaultKind::Drop, When::AtFrame(4));
        rig.encoder.faults().set(vec![lost]);
        select(encoder.as_mut());
        assert_eq!(rig.encoder.faults().happened(), 1);
    }
}

#[test]
fn no_card_by_the_deadline_is_said_and_the_encoder_works_on() {
    let rig = Rig::new();
    let mut encoder = rig.open();
    let stop = Stop::default();
    for wait in [CardWait::Resting, CardWait::Fresh] {
        let kind = refusal(encoder.as_mut(), wait, 30, &stop);
        assert_eq!(kind, ErrorKind::NoCard, "{wait:?}");
        rig.field_becomes(false);
    }
    rig.place("04A1B2C3");
    select(encoder.as_mut());
}

#[test]
fn a_stop_ends_the_wait_and_the_encoder_works_on() {
    let rig = Rig::new();
    let mut encoder = rig.open();
    for wait in [CardWait::Resting, CardWait::Fresh] {
        let stop = Stop::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                rig.field_becomes(true);
                stop.raise();
            });
            let kind = refusal(encoder.as_mut(), wait, 10_000, &stop);
            assert_eq!(kind, ErrorKind::Cancelled, "{wait:?}");
        });
        rig.field_becomes(false);
    }
    rig.place("04A1B2C3");
    select(encoder.as_mut());
}

#[test]
fn two_cards_are_too_many() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    rig.slot().add(&rig.card("05000001"));
    let mut encoder = rig.open();
    let kind = refusal(
        encoder.as_mut(),
        CardWait::Resting,
        10_000,
        &Stop::default(),
    );
    assert_eq!(kind, ErrorKind::SeveralCards);
    rig.place("05000001");
    select(encoder.as_mut());
}

#[test]
fn a_fresh_card_is_not_the_one_that_rests_there() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let stop = Stop::default();
    let kind = refusal(encoder.as_mut(), CardWait::Fresh, 150, &stop);
    assert_eq!(kind, ErrorKind::NoCard);
    rig.field_becomes(false);

    // Another card in its place is one; the same card is one once it was away for longer than between two looks. As
    // nothing tells a person when the encoder looks, they go on until it is content.
    for next in [Some("05000001"), None] {
        let (content, is_content) = channel::<()>();
        std::thread::scope(|scope| {
            let _tells = content;
            scope.spawn(|| {
                let is_content = is_content;
                let pause = || {
                    is_content.recv_timeout(Duration::from_millis(300))
                        == Err(RecvTimeoutError::Timeout)
                };
                while pause() {
                    match next {
                        Some(uid) => rig.place(uid),
                        None => rig.slot().remove(),
                    }
                    if pause() {
                        rig.place("04A1B2C3");
                    }
                }
            });
            let deadline = Instant::now() + LIMIT;
            encoder.select(CardWait::Fresh, deadline, &stop).unwrap();
        });
    }
}
