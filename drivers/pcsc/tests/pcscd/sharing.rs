//! Other programs at the same reader: each gets its turn, and none is waited for without a limit.

use std::error::Error as _;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use driver_pcsc::PcscDriver;
use encoder::{
    Access, BlockEncoder, CardWait, Driver as _, Encoder, Error, ErrorKind, Opening, Stop,
};
use pcsc::ShareMode;

use crate::rig::{LIMIT, Rig, another_program, refusal, select, with_pcscd};

#[test]
fn another_program_gets_the_reader_after_a_session_and_not_in_it() {
    with_pcscd(
        "sharing::another_program_gets_the_reader_after_a_session_and_not_in_it",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let session = select(encoder.as_mut());
            std::thread::scope(|scope| {
                let (tx, turn) = channel();
                let name = &rig.pcscd.name;
                scope.spawn(move || tx.send(another_program(name, ShareMode::Shared).map(drop)));
                let waits = turn.recv_timeout(Duration::from_millis(200));
                assert_eq!(waits, Err(RecvTimeoutError::Timeout));
                drop(session);
                turn.recv_timeout(LIMIT).unwrap().unwrap();
            });
            // Nor is it kept between two sessions.
            rig.another_program(ShareMode::Exclusive).unwrap();
        },
    );
}

#[test]
fn a_reader_that_another_program_has_for_itself_is_refused_at_once() {
    with_pcscd(
        "sharing::a_reader_that_another_program_has_for_itself_is_refused_at_once",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let held = rig.another_program(ShareMode::Exclusive).unwrap();
            let error = failure(encoder.as_mut(), Instant::now() + LIMIT, &Stop::default());
            assert_held(&error);
            let listing = PcscDriver::default().look_up(&rig.selector());
            assert!(matches!(listing.access, Access::Inaccessible { .. }));
            drop(held);
            select(encoder.as_mut());
        },
    );
}

#[test]
fn a_transaction_of_another_program_is_waited_for_until_the_deadline_or_a_stop() {
    with_pcscd(
        "sharing::a_transaction_of_another_program_is_waited_for_until_the_deadline_or_a_stop",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut encoder = rig.open();
            let mut other = rig.another_program(ShareMode::Shared).unwrap();
            let transaction = other.transaction().unwrap();

            let soon = Instant::now() + Duration::from_millis(100);
            assert_held(&failure(encoder.as_mut(), soon, &Stop::default()));
            let stop = Stop::default();
            std::thread::scope(|scope| {
                scope.spawn(|| stop.raise());
                let kind = refusal(encoder.as_mut(), CardWait::Resting, 20_000, &stop);
                assert_eq!(kind, ErrorKind::Cancelled);
            });

            drop(transaction);
            drop(select(encoder.as_mut()));
            // Whatever was begun for those who gave up was let go.
            drop(other);
            rig.another_program(ShareMode::Exclusive).unwrap();
        },
    );
}

#[test]
fn a_transaction_that_does_not_end_costs_one_thread_however_often_the_reader_is_opened() {
    with_pcscd(
        "sharing::a_transaction_that_does_not_end_costs_one_thread_however_often_the_reader_is_opened",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let mut other = rig.another_program(ShareMode::Shared).unwrap();
            let transaction = other.transaction().unwrap();
            let driver = PcscDriver::default();
            for _ in 0..3 {
                let Encoder::Block(mut encoder) =
                    driver.open(&rig.selector(), &Opening::default()).unwrap()
                else {
                    panic!("an encoder of another kind");
                };
                assert_held(&failure(encoder.as_mut(), Instant::now(), &Stop::default()));
            }
            assert_eq!(waiting_threads(), 1);
            drop(transaction);
        },
    );
}

fn failure(encoder: &mut dyn BlockEncoder, deadline: Instant, stop: &Stop) -> Error {
    encoder
        .select(CardWait::Resting, deadline, stop)
        .err()
        .expect("no card is lent")
}

/// The error says that somebody has the reader, and what to do.
fn assert_held(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Held, "{error:?}");
    let source = error.source().expect("a cause").to_string();
    assert!(
        source.contains("another program has this reader"),
        "{source}"
    );
    assert!(source.contains("close it"), "{source}");
}

/// Threads of this process that wait at a reader.
fn waiting_threads() -> usize {
    std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.trim() == "pcsc take")
        .count()
}
