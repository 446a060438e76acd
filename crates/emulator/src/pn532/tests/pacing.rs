//! The time that the line takes.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use super::faulty::{CONFIGURE, ready};
use super::{Bench, CONFIGURED, Host, LineBench, VERSION, VERSION_ANSWER, WAKE_UP_AND_CONFIGURE};
use crate::{Cards, Fault, FaultKind, LinePace, Origin, Pace, Technology, When};

/// Asking for the version and being told it: 9 bytes from the host, 6 and 13 to it.
const BYTES: u64 = 28;

fn baud(baud: u32) -> LinePace {
    LinePace::Baud(NonZeroU32::new(baud).unwrap())
}

/// Asks for the version; how long the line says that it took, and how long it did.
fn asked(bench: &Bench, host: &mut Host) -> (Duration, Duration) {
    let slot = bench.encoder.slot();
    let before = slot.log().imposed_by_line();
    let began = Instant::now();
    host.send(VERSION);
    host.expect(VERSION_ANSWER);
    (slot.log().imposed_by_line() - before, began.elapsed())
}

/// Within what rounding of single reads to nanoseconds may come to.
fn assert_near(time: Duration, micros: u64) {
    let difference = time.abs_diff(Duration::from_micros(micros));
    assert!(
        difference < Duration::from_micros(2),
        "{time:?}, not {micros} µs"
    );
}

#[test]
fn a_paced_line_takes_ten_bits_a_byte_in_both_directions_and_counts_them() {
    let (bench, mut host) = ready();
    bench.encoder.set_line_pace(baud(9_600));
    assert_eq!(bench.encoder.line_pace(), baud(9_600));
    let (imposed, took) = asked(&bench, &mut host);
    assert_near(imposed, BYTES * 10 * 1_000_000 / 9_600);
    // The padding behind the command comes while the chip answers.
    let padding = Duration::from_micros(10 * 1_000_000 / 9_600 + 2);
    assert!(took + padding >= imposed, "{took:?} of {imposed:?}");
}

#[test]
fn a_line_at_once_counts_its_time_all_the_same() {
    let (bench, mut host) = ready();
    assert_eq!(bench.encoder.line_pace(), LinePace::Instant);
    let (imposed, _) = asked(&bench, &mut host);
    assert_near(imposed, BYTES * 10 * 1_000_000 / 115_200);
}

#[test]
fn the_pace_is_the_slower_of_what_was_set_and_what_the_chip_is_set_to() {
    for (pace, code, speed, slower) in [
        (460_800, "0000ff03fdd410071500", 921_600, 460_800),
        (460_800, "0000ff03fdd410051700", 230_400, 230_400),
        (115_200, "0000ff03fdd410071500", 921_600, 115_200),
    ] {
        let mut bench = LineBench::new();
        let mut host = bench.raised(code, speed);
        bench.controls.set_pace(baud(pace));
        let before = bench.controls.slot.log().imposed_by_line();
        host.send(VERSION);
        bench.carry();
        host.expect(VERSION_ANSWER);
        let imposed = bench.controls.slot.log().imposed_by_line() - before;
        assert_near(imposed, BYTES * 10 * 1_000_000 / slower);
    }
}

#[test]
fn bytes_sent_at_once_are_answered_in_order_and_none_is_lost_on_a_slow_line() {
    let (bench, mut host) = ready();
    bench.encoder.set_line_pace(baud(57_600));
    for _ in 0..4 {
        host.send(VERSION);
        host.send(CONFIGURE);
    }
    // Each command ends the one before, whose answer is on the line already.
    for _ in 0..4 {
        host.expect(VERSION_ANSWER);
        host.expect(CONFIGURED);
    }
}

#[test]
fn a_delay_comes_on_top_of_the_pace() {
    let (bench, mut host) = ready();
    bench.encoder.set_line_pace(baud(115_200));
    let late = Duration::from_millis(20);
    let fault = Fault::new(FaultKind::Delay(late), When::AtFrame(2));
    bench.encoder.faults().set(vec![fault]);
    let (imposed, took) = asked(&bench, &mut host);
    // What a fault costs is not the line's.
    assert_near(imposed, BYTES * 10 * 1_000_000 / 115_200);
    assert!(took >= late + imposed - Duration::from_micros(600));
}

#[test]
fn a_cards_own_pace_and_the_lines_are_both_kept() {
    let (bench, mut host) = ready();
    let slot = bench.encoder.slot();
    bench.encoder.set_line_pace(baud(115_200));
    slot.set_pace(Pace::Real);
    let uid = "04A1B2C3".parse().unwrap();
    let card = Cards::new().card(Technology::MifareClassic1k, uid, Origin::Factory);
    slot.place(&card.unwrap());
    host.send("0000ff04fcd44a0100e100");
    host.take(6 + 19);
    let before = slot.log();
    let began = Instant::now();
    host.send("0000ff0ff1 d440016004ffffffffffff04a1b2c3 73 00");
    host.expect("0000ff00ff00 0000ff03fdd54100ea00");
    host.send("0000ff05fbd4400130 04b700");
    host.take(6 + 26);
    let took = began.elapsed();
    let log = slot.log();
    let card = log.imposed() - before.imposed();
    let line = log.imposed_by_line() - before.imposed_by_line();
    assert!(card > Duration::from_millis(2) && line > Duration::from_millis(5));
    assert!(
        took + Duration::from_micros(200) >= card + line,
        "{took:?}, {card:?}, {line:?}"
    );
}

#[test]
fn a_chip_keeps_its_speed_when_its_host_dies_and_the_next_must_find_it() {
    let mut bench = LineBench::new();
    drop(bench.raised("0000ff03fdd410071500", 921_600));
    let mut host = Host::open(bench.line.path().as_ref());
    host.set_baud(115_200);
    host.send(WAKE_UP_AND_CONFIGURE);
    bench.carry();
    assert!(!host.is_addressed());
    host.set_baud(921_600);
    host.send(WAKE_UP_AND_CONFIGURE);
    bench.carry();
    host.expect(CONFIGURED);
}

#[test]
fn a_chip_that_was_unplugged_is_back_at_the_speed_of_reset() {
    let (bench, mut host) = ready();
    host.send("0000ff03fdd410071500");
    host.expect("0000ff00ff00 0000ff02fed5111a00");
    host.send("0000ff00ff00");
    host.set_baud(921_600);
    host.send(VERSION);
    host.expect(VERSION_ANSWER);
    bench.encoder.unplug();
    bench.encoder.plug().unwrap();
    let mut host = bench.open();
    host.send(WAKE_UP_AND_CONFIGURE);
    host.expect(CONFIGURED);
}

#[test]
fn a_host_that_switches_though_its_acknowledgement_was_lost_is_not_understood() {
    let mut bench = LineBench::new();
    let mut host = Host::open(bench.line.path().as_ref());
    host.send(WAKE_UP_AND_CONFIGURE);
    host.send("0000ff03fdd410071500");
    bench.carry();
    host.expect(CONFIGURED);
    host.expect("0000ff00ff00 0000ff02fed5111a00");
    let lost = Fault::new(FaultKind::Drop, When::AtFrame(1)).from_host();
    bench.controls.faults.set(vec![lost]);
    host.send("0000ff00ff00");
    bench.carry();
    host.set_baud(921_600);
    host.send(VERSION);
    bench.carry();
    assert!(!host.is_addressed());
    host.set_baud(115_200);
    host.send(VERSION);
    bench.carry();
    host.expect(VERSION_ANSWER);
}
