//! Faults of the line, as a host meets them.

use std::time::{Duration, Instant};

use super::{Bench, CONFIGURED, Host, VERSION, VERSION_ANSWER, WAKE_UP_AND_CONFIGURE};
use crate::{Cards, Fault, FaultKind, Origin, Technology, When};

const LIST: &str = "0000ff04fcd44a0100e100";
pub(super) const CONFIGURE: &str = "0000ff05fbd4140100001700";
const ACK: &str = "0000ff00ff00";
const ERROR: &str = "0000ff01ff7f8100";
const VERSION_ALONE: &str = "0000ff06fad50332010607e800";

/// An encoder whose host has woken and configured it.
pub(super) fn ready() -> (Bench, Host) {
    let bench = Bench::new();
    let mut host = bench.open();
    host.send(WAKE_UP_AND_CONFIGURE);
    host.expect(CONFIGURED);
    (bench, host)
}

/// The same, with these faults from now on.
fn faulty(faults: &[Fault]) -> (Bench, Host) {
    let (bench, host) = ready();
    bench.encoder.faults().set(faults.to_vec());
    (bench, host)
}

fn place(bench: &Bench) {
    let uid = "04A1B2C3".parse().unwrap();
    let card = Cards::new().card(Technology::MifareClassic1k, uid, Origin::Factory);
    bench.encoder.slot().place(&card.unwrap());
}

fn at_frame(kind: FaultKind, n: u64) -> Fault {
    Fault::new(kind, When::AtFrame(n))
}

/// What comes of asking for the version, with a fault that is over then.
fn asked(fault: Fault) -> String {
    let (bench, mut host) = faulty(&[fault]);
    host.send(VERSION);
    let met = host.take_until(CONFIGURED, CONFIGURE);
    assert_eq!(bench.encoder.faults().happened(), 1, "{fault:?}");
    met
}

#[test]
fn a_frame_to_the_host_is_lost_cut_refused_or_sent_twice() {
    for (kind, frame, expected) in [
        (FaultKind::Drop, 1, VERSION_ALONE.to_owned()),
        (FaultKind::Drop, 2, ACK.to_owned()),
        (FaultKind::Truncate, 2, format!("{ACK}0000ff06fad503")),
        (FaultKind::Nak, 2, format!("{ACK}{ERROR}")),
        // The chip refuses no acknowledgement: the answer is meant.
        (FaultKind::Nak, 1, format!("{ACK}{ERROR}")),
        (
            FaultKind::Duplicate,
            1,
            format!("{ACK}{ACK}{VERSION_ALONE}"),
        ),
        (
            FaultKind::Duplicate,
            2,
            format!("{ACK}{VERSION_ALONE}{VERSION_ALONE}"),
        ),
        (
            FaultKind::Delay(Duration::from_millis(5)),
            1,
            format!("{ACK}{VERSION_ALONE}"),
        ),
    ] {
        assert_eq!(asked(at_frame(kind, frame)), expected, "{kind:?} {frame}");
    }
}

#[test]
fn a_garbled_or_oversize_frame_is_not_what_was_sent() {
    for frame in 1..=2 {
        let garbled = asked(at_frame(FaultKind::Garble, frame));
        let sound = format!("{ACK}{VERSION_ALONE}");
        assert_eq!(garbled.len(), sound.len());
        assert_ne!(garbled, sound);
        let oversize = asked(at_frame(FaultKind::Oversize, frame));
        assert!(oversize.len() > 2 * 1024);
    }
}

#[test]
fn a_frame_of_the_hosts_is_lost_damaged_refused_or_heard_twice() {
    for (kind, expected) in [
        (FaultKind::Drop, String::new()),
        (FaultKind::Garble, String::new()),
        (FaultKind::Nak, format!("{ACK}{ERROR}")),
        (
            FaultKind::Duplicate,
            format!("{ACK}{VERSION_ALONE}{ACK}{VERSION_ALONE}"),
        ),
        (
            FaultKind::Delay(Duration::from_millis(5)),
            format!("{ACK}{VERSION_ALONE}"),
        ),
    ] {
        let fault = at_frame(kind, 1).from_host();
        assert_eq!(asked(fault), expected, "{kind:?}");
    }
}

#[test]
fn a_cut_command_takes_the_beginning_of_the_next_along_and_a_later_one_is_heard() {
    let (_bench, mut host) = faulty(&[at_frame(FaultKind::Truncate, 1).from_host()]);
    host.send(VERSION);
    host.send(VERSION);
    host.send(VERSION);
    let met = host.take_until(CONFIGURED, CONFIGURE);
    assert!(met.ends_with(&VERSION_ANSWER.replace(' ', "")), "{met}");
}

#[test]
fn a_refused_command_is_not_carried_out() {
    let refused = Fault::new(FaultKind::Nak, When::AtExchange(1)).from_host();
    let (bench, mut host) = faulty(&[refused]);
    place(&bench);
    host.send(LIST);
    host.take(6 + 19);
    host.send("0000ff05fbd4400130 04b700");
    host.expect(ACK);
    host.expect(ERROR);
    assert_eq!(bench.encoder.slot().log().exchanges(), 0);
}

#[test]
fn a_late_frame_is_late_and_overtaken_by_none() {
    // Later than an answer comes by itself.
    let late = Duration::from_millis(50);
    let delay = FaultKind::Delay(late);
    for fault in [at_frame(delay, 2), at_frame(delay, 1).from_host()] {
        let (_bench, mut host) = faulty(&[fault]);
        let sent = Instant::now();
        host.send(VERSION);
        host.send(CONFIGURE);
        host.expect(VERSION_ANSWER);
        assert!(sent.elapsed() >= late, "{fault:?}");
        host.expect(CONFIGURED);
    }
}

#[test]
fn another_uid_is_told_once_and_then_the_true_one() {
    let (bench, mut host) = faulty(&[at_frame(FaultKind::WrongUid, 1)]);
    place(&bench);
    for told in ["04a1b2c2b5", "04a1b2c3b4"] {
        host.send(LIST);
        host.expect(ACK);
        host.expect(&format!("0000ff0cf4 d54b010100040804 {told} 00"));
    }
    assert_eq!(bench.encoder.faults().happened(), 1);
}

#[test]
fn a_fault_at_an_exchange_meets_its_answer_and_nothing_before() {
    let lost_answer = Fault::new(FaultKind::Drop, When::AtExchange(2));
    let lost_command = lost_answer.from_host();
    // Two authentications and a read: the second lacks its answer, or never comes to the card.
    for (fault, expected, exchanges) in [
        (lost_answer, "A 4100 A A 41 ", 3),
        (lost_command, "A 4100 A 41 ", 2),
    ] {
        let (bench, mut host) = faulty(&[fault]);
        place(&bench);
        host.send(LIST);
        host.take(6 + 19);
        for _ in 0..2 {
            host.send("0000ff0ff1 d440016004ffffffffffff04a1b2c3 73 00");
        }
        host.send("0000ff05fbd4400130 04b700");
        let answers = expected
            .replace("A ", ACK)
            .replace("4100 ", "0000ff03fdd54100ea00")
            .replace("41 ", "0000ff13edd54100");
        host.expect(&answers);
        assert_eq!(bench.encoder.slot().log().exchanges(), exchanges);
    }
}

#[test]
fn a_stalled_encoder_swallows_everything_until_it_is_plugged_in_anew() {
    let (bench, mut host) = faulty(&[at_frame(FaultKind::Stall, 1)]);
    let faults = bench.encoder.faults();
    host.send(VERSION);
    host.wait_until(|| faults.is_stalled());
    host.send(VERSION);
    drop(host);
    let mut host = bench.open();
    host.send(WAKE_UP_AND_CONFIGURE);
    host.send(VERSION);
    bench.encoder.unplug();
    bench.encoder.plug().unwrap();
    let mut host = bench.open();
    host.send(WAKE_UP_AND_CONFIGURE);
    host.expect(CONFIGURED);
    assert_eq!(faults.happened(), 1);
}

#[test]
fn a_stalled_encoder_goes_on_when_its_faults_are_set_anew() {
    let (bench, mut host) = faulty(&[at_frame(FaultKind::Stall, 1).from_host()]);
    let faults = bench.encoder.faults();
    host.send(VERSION);
    host.wait_until(|| faults.is_stalled());
    faults.set(Vec::new());
    host.send(VERSION);
    host.expect(VERSION_ANSWER);
}

#[test]
fn frames_are_counted_on_a_sound_line_too() {
    let (bench, mut host) = ready();
    let before = bench.encoder.faults().frames();
    host.send(VERSION);
    host.expect(VERSION_ANSWER);
    assert_eq!(bench.encoder.faults().frames() - before, 2);
    assert_eq!(bench.encoder.faults().happened(), 0);
}
