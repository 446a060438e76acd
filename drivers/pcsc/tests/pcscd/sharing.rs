//! Other programs at the same reader: each gets its turn, and none is waited for without a limit.

use std::error::Error as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command as Process, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use driver_pcsc::PcscDriver;
use encoder::{
    Access, BlockEncoder, CardWait, Driver as _, Encoder, Error, ErrorKind, Opening, Signal, Stop,
    Value,
};
use pcsc::ShareMode;

use crate::rig::{LIMIT, Rig, another_program, open_as, refusal, select, with_pcscd};

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
            assert_eq!(threads("pcsc take"), 1);
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

/// Threads of this process with this name.
fn threads(name: &str) -> usize {
    std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|thread| thread.trim() == name)
        .count()
}

/// Tells the program that a test runs to hold a reader which one.
const HOLDS: &str = "CARDBRIDGE_TEST_HOLDS";

/// Holds a reader until the input ends.
fn hold(reader: &str) {
    let _held = another_program(reader, ShareMode::Exclusive).unwrap();
    std::io::stderr().write_all(b"held\n").unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_program_that_has_the_reader_for_itself_is_named() {
    const NAME: &str = "sharing::a_program_that_has_the_reader_for_itself_is_named";
    if let Ok(reader) = std::env::var(HOLDS) {
        return hold(&reader);
    }
    with_pcscd(NAME, || {
        let rig = Rig::new();
        rig.place("04A1B2C3");
        let mut encoder = rig.open();
        let mut other = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(HOLDS, &rig.pcscd.name)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(other.stderr.take().unwrap());
        let held = said.lines().any(|line| line.unwrap().contains("held"));
        assert!(held, "it has the reader");
        let error = failure(encoder.as_mut(), Instant::now() + LIMIT, &Stop::default());
        assert_held(&error);
        let named = format!("(process {})", other.id());
        let source = error.source().unwrap().to_string();
        assert!(source.contains(&named), "{source}");
        let listing = PcscDriver::default().look_up(&rig.selector());
        assert!(format!("{:?}", listing.access).contains(&named));
        drop(other.stdin.take());
        other.wait().unwrap();
        select(encoder.as_mut());
    });
}

#[test]
fn signals_that_nobody_answers_cost_one_thread_and_no_job() {
    with_pcscd(
        "sharing::signals_that_nobody_answers_cost_one_thread_and_no_job",
        || {
            let rig = Rig::new();
            rig.place("04A1B2C3");
            let settings = [
                ("model".to_owned(), Value::Text("acr122u".to_owned())),
                ("feedback".to_owned(), Value::Boolean(true)),
            ];
            let how = Opening {
                settings: settings.into_iter().collect(),
                recorder: None,
            };
            let mut encoder = open_as(&rig.selector(), &how).unwrap();
            let mut other = rig.another_program(ShareMode::Shared).unwrap();
            let transaction = other.transaction().unwrap();
            for _ in 0..3 {
                encoder.signal(Signal::Failure);
            }
            assert_eq!(threads("pcsc signal"), 1);
            drop(transaction);
            drop(other);
            drop(select(encoder.as_mut()));
            encoder.signal(Signal::Success);
        },
    );
}
