//! Waking up, frames, registers, speed, sleep.

use std::time::Duration;

use super::{ACK, Bench, WAKE_UP, card, host_frame};
use crate::card::Noise;
use crate::pn532::chip::Speeds;

#[test]
fn a_sleeping_chip_loses_the_command_that_wakes_it() {
    let mut bench = Bench::asleep();
    assert!(bench.send("02").is_empty());
    assert_eq!(bench.ask("02"), "0332010607");
}

#[test]
fn both_ways_to_wake_it_work_before_the_very_next_frame() {
    for wake_up in [&WAKE_UP[..], &[0; 10], &[0x55, 0x55, 0, 0, 0]] {
        let mut bench = Bench::asleep();
        let bytes = [wake_up, &host_frame("14 01 00")].concat();
        assert_eq!(
            bench.raw(&bytes),
            [ACK, "0000ff02fed5151600"],
            "{wake_up:02X?}"
        );
    }
}

#[test]
fn before_the_sam_is_configured_no_card_is_found() {
    let mut bench = Bench::asleep();
    bench.raw(&WAKE_UP);
    bench.slot.place(&card("04A1B2C3"));
    assert_eq!(bench.send("4a 01 00"), [ACK]);
    assert_eq!(bench.ask("14 01 00"), "15");
    assert!(bench.ask("4a 01 00").starts_with("4b01"));
}

#[test]
fn the_chip_echoes_the_line_test_and_says_what_it_is() {
    let mut bench = Bench::ready();
    assert_eq!(bench.ask("00 00 6c69626e6663"), "01006c69626e6663");
    assert_eq!(bench.ask("02"), "0332010607");
    assert_eq!(bench.ask("04"), "0500000000");
}

#[test]
fn a_long_answer_comes_in_the_extended_form() {
    let mut bench = Bench::ready();
    let body: Vec<u8> = [&[0xD4, 0x00, 0x00][..], &[0x77; 262]].concat();
    let length = [0x01, 0x09];
    let sum = body.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
    let mut frame = vec![0x00, 0x00, 0xFF, 0xFF, 0xFF, length[0], length[1], 0xF6];
    frame.extend(&body);
    frame.extend([sum.wrapping_neg(), 0x00]);
    let frames = bench.raw(&frame);
    assert_eq!(frames[0], ACK);
    assert!(
        frames[1].starts_with("0000ffffff0109f6d50100777777"),
        "{}",
        frames[1]
    );
}

#[test]
fn commands_that_make_no_sense_get_an_error_frame() {
    let mut bench = Bench::ready();
    for command in [
        "03",
        "99",
        "14",
        "14 00",
        "14 05 00",
        "12",
        "10",
        "10 09",
        "4a",
        "4a 03 00",
        "4a 01 05",
        "4a 01 00 aabb",
        "06",
        "06 63",
        "08 6302",
        "32",
        "32 05 ff",
        "32 77",
        "00",
        "00 09",
        "40",
        "60 00 01 00",
        "44",
    ] {
        assert_eq!(bench.ask(command), "error", "{command}");
    }
}

#[test]
fn the_last_response_is_sent_again_on_nack() {
    let mut bench = Bench::ready();
    bench.ask("02");
    assert_eq!(
        bench.raw(&hex::decode("0000ffff0000").unwrap()),
        ["0000ff06fad50332010607e800"]
    );
}

#[test]
fn registers_hold_what_is_written() {
    let mut bench = Bench::ready();
    assert_eq!(bench.ask("08 630d10 633d07"), "09");
    assert_eq!(bench.ask("06 630d 633d 6339"), "07100700");
}

#[test]
fn the_speed_changes_only_once_the_host_has_acknowledged() {
    let mut bench = Bench::ready();
    let speeds = |current, next| Speeds { current, next };
    assert_eq!(bench.chip.speeds(), speeds(115_200, None));
    assert_eq!(bench.ask("10 07"), "11");
    assert_eq!(bench.chip.speeds(), speeds(115_200, Some(921_600)));
    assert!(bench.raw(&hex::decode(ACK).unwrap()).is_empty());
    assert_eq!(bench.chip.speeds(), speeds(921_600, None));

    assert_eq!(bench.ask("10 04"), "11");
    assert_eq!(bench.ask("02"), "0332010607");
    bench.raw(&hex::decode(ACK).unwrap());
    // Another command came instead of the acknowledgement.
    assert_eq!(bench.chip.speeds(), speeds(921_600, None));
}

#[test]
fn a_chip_powered_down_is_woken_by_the_line_if_that_was_allowed() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("16 10"), "1700");
    assert!(!bench.slot.is_field_on());
    assert!(bench.raw(&WAKE_UP).is_empty());
    assert_eq!(bench.ask("02"), "0332010607");

    assert_eq!(bench.ask("16 20"), "1700");
    bench.raw(&WAKE_UP);
    assert!(bench.send("02").is_empty());
}

#[test]
fn no_noise_on_the_line_upsets_the_chip() {
    let mut noise = Noise::new(7);
    for _ in 0..200 {
        let mut bench = Bench::with_card("04A1B2C3");
        let mut bytes = vec![0; 400];
        noise.fill(&mut bytes);
        // Plausible commands among the noise, whose parameters are noise.
        for start in (0..400).step_by(40) {
            let length = usize::from(noise.byte() % 20) + 1;
            let body = hex::encode(&bytes[start..start + length]);
            bench.send(&body);
            bench.raw(&bytes[start..start + 40]);
            bench.pass(Duration::from_millis(1));
        }
    }
}
