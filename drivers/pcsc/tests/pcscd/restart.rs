//! A service that stops takes its readers with it and brings them back.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use card::{Apdu, Command, Reply};
use driver_pcsc::PcscDriver;
use emulator::{ReaderSettings, Technology};
use encoder::{
    Abandoned, Access, CardWait, Driver as _, Encoder, EncoderThread, Error, ErrorKind, Opening,
    Probing, Selector, Stop,
};

use crate::rig::{
    LIMIT, Rig, RunningPcscd, TRANSPORT, authenticate, open, read, refusal, select, with_pcscd,
};

#[test]
fn a_pcscd_that_stops_takes_the_reader_with_it_and_brings_it_back() {
    with_pcscd(
        "restart::a_pcscd_that_stops_takes_the_reader_with_it_and_brings_it_back",
        || {
            let (tx, changes) = channel();
            let changed = Arc::new(move || tx.send(()).unwrap_or_default());
            // Begun before there is a service at all.
            let watch = PcscDriver::default().watch(&[], changed).unwrap();
            let becomes = |wanted: bool| {
                let end = Instant::now() + LIMIT;
                while PcscDriver::default()
                    .list(Probing::Forbidden, &[])
                    .is_empty()
                    == wanted
                {
                    let left = end.saturating_duration_since(Instant::now());
                    changes.recv_timeout(left).expect("a change is told");
                }
            };
            let missing = Selector::Reader("None 00 00".to_owned());
            assert_eq!(open(&missing).err().unwrap().kind(), ErrorKind::Absent);

            let mut rig = Rig::new();
            becomes(true);
            let listing = PcscDriver::default().look_up(&rig.selector());
            assert_eq!(listing.access, Access::Accessible);
            let listing = PcscDriver::default().look_up(&rig.lasting_selector());
            assert_eq!(listing.access, Access::Accessible);
            assert!(
                PcscDriver::default()
                    .list(Probing::Forbidden, &[])
                    .contains(&listing)
            );
            assert_eq!(open(&missing).err().unwrap().kind(), ErrorKind::Absent);

            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let mut session = select(encoder.as_mut());
            let Rig { pcscd, .. } = rig;
            pcscd.stop();
            let error = session.exchange(&authenticate(7, TRANSPORT)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Absent);
            drop(session);
            let kind = refusal(encoder.as_mut(), CardWait::Resting, 1000, &Stop::default());
            assert_eq!(kind, ErrorKind::Absent);
            becomes(false);

            rig = Rig::new();
            becomes(true);
            rig.place("04A1B2C3");
            select(encoder.as_mut());
            drop(watch);
            // The callback, and with it the sender, goes when the watch's thread ends.
            while changes.recv_timeout(LIMIT) != Err(RecvTimeoutError::Disconnected) {}
        },
    );
}

/// Does something at the reader until the service is gone, and says how it ended. The service is killed soon after the
/// act calls what it was given.
fn until_killed(rig: &Rig, act: impl FnOnce(&Rig, &dyn Fn()) -> Error + Send) -> Error {
    let (begun, has_begun) = channel();
    std::thread::scope(|scope| {
        let acting = scope.spawn(move || act(rig, &|| begun.send(()).unwrap_or_default()));
        has_begun.recv_timeout(LIMIT).unwrap();
        // Into whatever comes next.
        let soon = Duration::from_millis(30);
        let _ = has_begun.recv_timeout(soon);
        rig.pcscd.kill();
        acting.join().unwrap()
    })
}

#[test]
fn a_pcscd_that_stops_in_the_middle_of_a_session_says_that_the_encoder_is_gone() {
    with_pcscd(
        "restart::a_pcscd_that_stops_in_the_middle_of_a_session_says_that_the_encoder_is_gone",
        || {
            let version = Command::Iso(Apdu::new(vec![0x90, 0x60, 0x00, 0x00, 0x00]));
            for (technology, commands) in [
                (
                    Technology::MifareClassic1k,
                    [authenticate(7, TRANSPORT), read(5)],
                ),
                (Technology::DesfireEv2, [version, Command::Reselect]),
            ] {
                let rig = Rig::new();
                rig.place_new(technology);
                let error = until_killed(&rig, |rig, begin| {
                    let mut encoder = rig.open();
                    let mut session = select(encoder.as_mut());
                    begin();
                    loop {
                        for command in &commands {
                            match session.exchange(command) {
                                Ok(Reply::Refused) => panic!("no card refused {command:?}"),
                                Ok(_) => {}
                                Err(error) => return error,
                            }
                        }
                    }
                });
                assert_eq!(error.kind(), ErrorKind::Absent, "{error:?}");
                rig.pcscd.stop();
            }
        },
    );
}

#[test]
fn a_pcscd_that_stops_during_a_wait_for_a_card_ends_it() {
    with_pcscd(
        "restart::a_pcscd_that_stops_during_a_wait_for_a_card_ends_it",
        || {
            let error = until_killed(&Rig::new(), |rig, begin| {
                let deadline = Instant::now() + 2 * LIMIT;
                let mut encoder = rig.open();
                begin();
                let waited = encoder.select(CardWait::Resting, deadline, &Stop::default());
                waited.err().unwrap()
            });
            assert_eq!(error.kind(), ErrorKind::Absent, "{error:?}");
        },
    );
}

#[test]
fn a_pcscd_that_stops_while_another_program_is_waited_for_ends_the_wait() {
    with_pcscd(
        "restart::a_pcscd_that_stops_while_another_program_is_waited_for_ends_the_wait",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let error = until_killed(&rig, |rig, begin| {
                let mut other = rig.another_program(pcsc::ShareMode::Shared).unwrap();
                let transaction = other.transaction().unwrap();
                let deadline = Instant::now() + 2 * LIMIT;
                let mut encoder = rig.open();
                begin();
                let waited = encoder.select(CardWait::Resting, deadline, &Stop::default());
                let error = waited.err().unwrap();
                drop(transaction);
                error
            });
            assert_eq!(error.kind(), ErrorKind::Absent, "{error:?}");
        },
    );
}

#[test]
fn a_reader_is_back_after_each_of_five_restarts_of_pcscd() {
    with_pcscd(
        "restart::a_reader_is_back_after_each_of_five_restarts_of_pcscd",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let driver = PcscDriver::default();
            let opened = driver.open(&rig.lasting_selector(), &Opening::default());
            let Ok(Encoder::Block(mut encoder)) = opened else {
                panic!("it is there");
            };
            let Rig {
                mut pcscd, slot, ..
            } = rig;
            for _ in 0..5 {
                drop(select(encoder.as_mut()));
                pcscd.stop();
                let kind = refusal(encoder.as_mut(), CardWait::Resting, 1000, &Stop::default());
                assert_eq!(kind, ErrorKind::Absent);
                pcscd = RunningPcscd::start(&slot, ReaderSettings::default());
            }
            drop(select(encoder.as_mut()));
        },
    );
}

#[test]
fn a_pcscd_that_hangs_costs_the_threads_that_asked_it_and_lets_them_go_when_it_goes_on() {
    with_pcscd(
        "restart::a_pcscd_that_hangs_costs_the_threads_that_asked_it_and_lets_them_go_when_it_goes_on",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let (abandoned, driver) = (Abandoned::default(), PcscDriver::default());
            let (tx, news) = channel();
            let (selector, opens) = (rig.selector(), driver.clone());
            let open = move || opens.open(&selector, &Opening::default());
            let opened = {
                let tx = tx.clone();
                move |opened: Result<_, Error>| tx.send(opened.map(drop)).unwrap_or_default()
            };
            let thread = EncoderThread::start("reader", &abandoned, open, opened);
            news.recv_timeout(LIMIT).unwrap().unwrap();

            rig.pcscd.signal("STOP");
            let deadline = Instant::now() + LIMIT;
            thread.select(
                CardWait::Resting,
                deadline,
                Stop::default(),
                move |selected| {
                    tx.send(selected.map(drop)).unwrap_or_default();
                },
            );
            let (listed, is_listed) = channel();
            std::thread::spawn(move || listed.send(driver.list(Probing::Forbidden, &[]).len()));
            let hangs = is_listed.recv_timeout(Duration::from_millis(300));
            assert_eq!(hangs, Err(RecvTimeoutError::Timeout));
            // Whoever has lost patience gets an answer at once.
            thread.abandon();
            let error = news.recv_timeout(LIMIT).unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unresponsive);
            assert_eq!(abandoned.count(), 1);

            rig.pcscd.signal("CONT");
            assert!(is_listed.recv_timeout(LIMIT).unwrap() > 0);
            let end = Instant::now() + LIMIT;
            while abandoned.count() > 0 {
                assert!(
                    Instant::now() < end,
                    "the abandoned thread does not come back"
                );
                std::thread::yield_now();
            }
            drop(select(rig.open().as_mut()));
        },
    );
}
