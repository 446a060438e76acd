//! Waiting for a card: it rests there, comes later, comes anew, or does not come.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use card::{CommandKind, Reply, SelectAnswer};
use driver_pcsc::PcscDriver;
use encoder::{CardWait, Driver as _, ErrorKind, Stop};

use crate::rig::{LIMIT, Rig, read, refusal, select, with_pcscd};

#[test]
fn pcscd_shows_a_card_with_its_uid_and_atr() {
    with_pcscd("waiting::pcscd_shows_a_card_with_its_uid_and_atr", || {
        let rig = Rig::new();
        rig.place("04A1B2C3");
        let mut encoder = rig.open();
        let session = select(encoder.as_mut());
        assert_eq!(session.card().uid.to_string(), "04A1B2C3");
        let SelectAnswer::Atr(atr) = &session.card().answer else {
            panic!("PC/SC gives an ATR");
        };
        assert_eq!(atr[..2], [0x3B, 0x8F]);
        assert_eq!(atr[19], 0x6A);
        assert!(session.supports(CommandKind::Classic));
    });
}

#[test]
fn pcscd_tells_what_is_known_of_a_reader() {
    with_pcscd("waiting::pcscd_tells_what_is_known_of_a_reader", || {
        let rig = Rig::new();
        let listing = PcscDriver::default().look_up(&rig.selector());
        let listed: Vec<_> = listing.facts.iter().collect();
        assert!(listed.contains(&("model", "generic")), "{listed:?}");
        assert!(
            listed.contains(&("name in PC/SC", &rig.pcscd.name)),
            "{listed:?}"
        );
        // Asking its driver disturbs nobody: another program may have it for itself right after.
        let opened = rig.open().facts();
        assert!(opened.iter().any(|(name, _)| name == "model"), "{opened:?}");
        rig.place("04A1B2C3");
        rig.another_program(pcsc::ShareMode::Exclusive).unwrap();
    });
}

#[test]
fn pcscd_tells_of_a_card_that_is_put_on_later() {
    with_pcscd(
        "waiting::pcscd_tells_of_a_card_that_is_put_on_later",
        || {
            let rig = Rig::new();
            let mut encoder = rig.open();
            let kind = refusal(encoder.as_mut(), CardWait::Resting, 100, &Stop::default());
            assert_eq!(kind, ErrorKind::NoCard);
            let (slot, card) = (&rig.slot, rig.card("04A1B2C3D4E5F6"));
            std::thread::scope(|scope| {
                scope.spawn(|| slot.place(&card));
                let session = select(encoder.as_mut());
                assert_eq!(session.card().uid.to_string(), "04A1B2C3D4E5F6");
            });
        },
    );
}

#[test]
fn a_stop_ends_a_wait_in_pcscd_at_once() {
    with_pcscd("waiting::a_stop_ends_a_wait_in_pcscd_at_once", || {
        let rig = Rig::new();
        let mut encoder = rig.open();
        for wait in [CardWait::Resting, CardWait::Fresh] {
            let stop = Stop::default();
            std::thread::scope(|scope| {
                scope.spawn(|| stop.raise());
                let kind = refusal(encoder.as_mut(), wait, 20_000, &stop);
                assert_eq!(kind, ErrorKind::Cancelled, "{wait:?}");
            });
        }
        rig.place("04A1B2C3");
        select(encoder.as_mut());
    });
}

#[test]
fn a_card_that_pcscd_has_not_missed_yet_is_no_fault_of_the_reader() {
    with_pcscd(
        "waiting::a_card_that_pcscd_has_not_missed_yet_is_no_fault_of_the_reader",
        || {
            let rig = Rig::new();
            let mut encoder = rig.open();
            rig.place("04A1B2C3");
            drop(select(encoder.as_mut()));
            rig.slot.remove();
            let kind = refusal(encoder.as_mut(), CardWait::Resting, 50, &Stop::default());
            assert_eq!(kind, ErrorKind::NoCard);
        },
    );
}

#[test]
fn a_card_that_slipped_in_a_session_is_seen_again_without_being_lifted() {
    with_pcscd(
        "waiting::a_card_that_slipped_in_a_session_is_seen_again_without_being_lifted",
        || {
            let rig = Rig::new();
            let card = rig.card("04A1B2C3");
            rig.slot.place(&card);
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            let (_, states) = rig.watched();
            rig.slot.remove();
            while session
                .exchange(&read(0))
                .is_ok_and(|reply| reply != Reply::Refused)
            {}
            // The reset that ends the connection finds no card.
            drop(session);
            rig.slot.place(&card);
            let session = select(encoder.as_mut());
            assert_eq!(session.card().uid.to_string(), "04A1B2C3");
            // pcscd looks every 400 ms. Should it have looked in between, there was nothing to wake.
            let (_, now) = rig.watched();
            assert!([0, 2].contains(&(now[0].event_count() - states[0].event_count())));
        },
    );
}

#[test]
fn under_pcscd_a_fresh_card_is_not_the_one_that_rests_there() {
    with_pcscd(
        "waiting::under_pcscd_a_fresh_card_is_not_the_one_that_rests_there",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            select(encoder.as_mut());
            let stop = Stop::default();
            let kind = refusal(encoder.as_mut(), CardWait::Fresh, 300, &stop);
            assert_eq!(kind, ErrorKind::NoCard);
            // As nothing tells a person when the wait begins, they go on until it is content.
            let (content, is_content) = channel::<()>();
            let (slot, card) = (&rig.slot, rig.card("04A1B2C3"));
            std::thread::scope(|scope| {
                let _tells = content;
                scope.spawn(|| {
                    let is_content = is_content;
                    let pause = || {
                        is_content.recv_timeout(Duration::from_millis(1000))
                            == Err(RecvTimeoutError::Timeout)
                    };
                    while pause() {
                        slot.remove();
                        if pause() {
                            slot.place(&card);
                        }
                    }
                });
                let deadline = Instant::now() + LIMIT;
                encoder.select(CardWait::Fresh, deadline, &stop).unwrap();
            });
        },
    );
}
