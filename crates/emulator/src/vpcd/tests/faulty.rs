//! Faults of the reader's wire, as `pcscd` meets them.

use std::time::{Duration, Instant};

use super::{ATR, Bench, LIMIT, Vpcd};
use crate::{Fault, FaultKind, Way, When};

const UID: &str = "FFCA000000";
const LOAD_KEY: &str = "FF820000 06 FFFFFFFFFFFF";
const AUTHENTICATE: &str = "FF860000 05 0100046000";
const READ: &str = "FFB0000410";
/// Later than an answer comes by itself.
const LATE: Duration = Duration::from_millis(50);

fn faulty(faults: &[Fault]) -> (Bench, Vpcd) {
    let bench = Bench::new();
    bench.reader.slot().place(&bench.card);
    let mut vpcd = bench.accept();
    assert_eq!(vpcd.ask("04"), ATR);
    bench.reader.faults().set(faults.to_vec());
    (bench, vpcd)
}

fn first(kind: FaultKind, way: Way) -> Fault {
    Fault {
        kind,
        when: When::AtFrame(1),
        way,
    }
}

fn wait_until_stalled(bench: &Bench) {
    let deadline = Instant::now() + LIMIT;
    while !bench.reader.faults().is_stalled() {
        assert!(Instant::now() < deadline, "it does not stall");
        std::thread::yield_now();
    }
}

#[test]
fn an_answer_is_refused_cut_late_or_tells_another_uid_and_the_next_is_sound() {
    for (kind, way, expected) in [
        (FaultKind::Nak, Way::ToHost, "6300"),
        (FaultKind::Nak, Way::FromHost, "6d00"),
        (FaultKind::Truncate, Way::ToHost, "04a1b2"),
        (FaultKind::Truncate, Way::FromHost, "6700"),
        (FaultKind::WrongUid, Way::ToHost, "04a1b2c29000"),
        (FaultKind::Oversize, Way::FromHost, "6700"),
        (FaultKind::Delay(LATE), Way::ToHost, "04a1b2c39000"),
        (FaultKind::Delay(LATE), Way::FromHost, "04a1b2c39000"),
    ] {
        let (bench, mut vpcd) = faulty(&[first(kind, way)]);
        let asked = Instant::now();
        assert_eq!(vpcd.ask(UID), expected, "{kind:?} {way:?}");
        let is_late = asked.elapsed() >= LATE;
        assert!(is_late || kind != FaultKind::Delay(LATE), "{way:?}");
        assert_eq!(vpcd.ask(UID), "04a1b2c39000");
        assert_eq!(bench.reader.faults().happened(), 1);
    }
}

#[test]
fn a_garbled_or_oversize_answer_is_not_what_was_sent() {
    let (_bench, mut vpcd) = faulty(&[first(FaultKind::Garble, Way::ToHost)]);
    let garbled = vpcd.ask(UID);
    assert_eq!(garbled.len(), 12);
    assert_ne!(garbled, "04a1b2c39000");
    let (_bench, mut vpcd) = faulty(&[first(FaultKind::Oversize, Way::ToHost)]);
    let oversize = vpcd.ask(UID);
    assert!(oversize.len() > 2 * 1024 && oversize.ends_with("9000"));
}

#[test]
fn a_card_whose_answer_or_command_is_lost_is_seen_to_leave_and_to_come_back() {
    for way in [Way::ToHost, Way::FromHost] {
        let (bench, mut vpcd) = faulty(&[first(FaultKind::Drop, way)]);
        vpcd.send(UID);
        assert!(vpcd.is_closed());
        assert_eq!(bench.accept().ask(UID), "04a1b2c39000");
    }
}

#[test]
fn nothing_is_told_twice() {
    let (bench, mut vpcd) = faulty(&[first(FaultKind::Duplicate, Way::ToHost)]);
    assert_eq!(vpcd.ask(UID), "04a1b2c39000");
    assert_eq!(vpcd.ask("04"), ATR);
    assert_eq!(bench.reader.faults().happened(), 0);
}

#[test]
fn a_fault_at_an_exchange_meets_its_answer_and_nothing_before() {
    for (way, exchanges) in [(Way::ToHost, 2), (Way::FromHost, 1)] {
        let fault = Fault {
            kind: FaultKind::Nak,
            when: When::AtExchange(2),
            way,
        };
        let (bench, mut vpcd) = faulty(&[fault]);
        assert_eq!(vpcd.ask(LOAD_KEY), "9000");
        assert_eq!(vpcd.ask(UID), "04a1b2c39000");
        assert_eq!(vpcd.ask(AUTHENTICATE), "9000");
        assert_eq!(vpcd.ask(UID), "04a1b2c39000");
        assert!(["6300", "6d00"].contains(&&vpcd.ask(READ)[..]), "{way:?}");
        assert_eq!(bench.reader.slot().log().exchanges(), exchanges);
        assert!(vpcd.ask(READ).ends_with("9000"));
    }
}

#[test]
fn a_stalled_reader_answers_nothing_until_it_is_plugged_in_or_its_faults_are_set_anew() {
    let cures: [fn(&Bench); 2] = [
        |bench| {
            bench.reader.unplug();
            bench.reader.plug();
        },
        |bench| bench.reader.faults().set(Vec::new()),
    ];
    for cure in cures {
        let (bench, mut vpcd) = faulty(&[first(FaultKind::Stall, Way::ToHost)]);
        vpcd.send(UID);
        wait_until_stalled(&bench);
        // Another card is not noticed.
        bench.reader.slot().remove();
        assert!(vpcd.is_closed());
        bench.reader.slot().place(&bench.card);
        assert!(bench.reader.faults().is_stalled());
        cure(&bench);
        assert_eq!(bench.accept().ask(UID), "04a1b2c39000");
    }
}

#[test]
fn a_host_that_waits_for_a_stalled_reader_is_let_go_when_faults_are_set_anew() {
    let (bench, mut vpcd) = faulty(&[first(FaultKind::Stall, Way::FromHost)]);
    vpcd.send(UID);
    wait_until_stalled(&bench);
    bench.reader.faults().set(Vec::new());
    assert!(vpcd.is_closed());
    assert_eq!(bench.accept().ask(UID), "04a1b2c39000");
}
