//! The chip as a host meets it, frame by frame, with the time as an argument.

use std::time::{Duration, Instant};

use super::Chip;
use crate::card::Noise;
use crate::slot::{Moment, Slot};
use crate::{Card, Cards, Origin, Technology};

const ACK: &str = "0000ff00ff00";
const ERROR: &str = "0000ff01ff7f8100";
const WAKE_UP: [u8; 16] = [0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A chip, its slot, and a clock that only the test moves.
struct Bench {
    chip: Chip,
    slot: Slot,
    now: Instant,
}

impl Bench {
    /// As after power-on.
    fn asleep() -> Bench {
        let slot = Slot::new();
        Bench {
            chip: Chip::new(slot.clone()),
            slot,
            now: Instant::now(),
        }
    }

    /// Woken and configured.
    fn ready() -> Bench {
        let mut bench = Bench::asleep();
        assert!(bench.raw(&WAKE_UP).is_empty());
        assert_eq!(bench.ask("14 01 00"), "15");
        bench
    }

    fn with_card(uid: &str) -> Bench {
        let bench = Bench::ready();
        bench.slot.place(&card(uid));
        bench
    }

    /// With the card listed as target 1.
    fn with_target(uid: &str) -> Bench {
        let mut bench = Bench::with_card(uid);
        assert!(bench.ask("4a 01 00").starts_with("4b01"));
        bench
    }

    /// With sector 1 open by key A.
    fn opened() -> Bench {
        let mut bench = Bench::with_target("04A1B2C3");
        assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4100");
        bench
    }

    fn raw(&mut self, bytes: &[u8]) -> Vec<String> {
        self.chip
            .receive(bytes, self.now)
            .into_iter()
            .map(hex::encode)
            .collect()
    }

    /// Sends a command and returns the frames that come at once.
    fn send(&mut self, command: &str) -> Vec<String> {
        self.raw(&host_frame(command))
    }

    /// Sends a command that answers at once and returns the response without its frame.
    fn ask(&mut self, command: &str) -> String {
        let frames = self.send(command);
        let [ack, response] = &frames[..] else {
            panic!("{command} brought {frames:?}")
        };
        assert_eq!(ack, ACK);
        response_in(response)
    }

    /// Lets time pass and returns the frame that came of it, if any.
    fn pass(&mut self, time: Duration) -> Option<String> {
        self.now += time;
        self.chip
            .wake(self.now)
            .pop()
            .map(|frame| response_in(&hex::encode(frame)))
    }
}

fn card(uid: &str) -> Card {
    Cards::new()
        .card(
            Technology::MifareClassic1k,
            uid.parse().unwrap(),
            Origin::Factory,
        )
        .unwrap()
}

fn host_frame(command: &str) -> Vec<u8> {
    let mut body = vec![0xD4];
    body.extend(hex::decode(command.replace(' ', "")).unwrap());
    let len = u8::try_from(body.len()).unwrap();
    let sum = body.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
    let mut frame = vec![0x00, 0x00, 0xFF, len, len.wrapping_neg()];
    frame.extend(body);
    frame.extend([sum.wrapping_neg(), 0x00]);
    frame
}

/// Code and data of a response frame in the normal form; an error frame as `error`.
fn response_in(frame: &str) -> String {
    if frame == ERROR {
        return "error".to_owned();
    }
    let (head, body) = frame.split_at(10);
    assert!(head.starts_with("0000ff"), "{frame}");
    body.strip_prefix("d5")
        .expect("a response")
        .strip_suffix("00")
        .map(|rest| rest[..rest.len() - 2].to_owned())
        .unwrap()
}

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
    assert!(bench.chip.understands(115_200) && !bench.chip.understands(921_600));
    assert_eq!(bench.ask("10 07"), "11");
    assert!(bench.chip.understands(115_200));
    assert!(bench.raw(&hex::decode(ACK).unwrap()).is_empty());
    assert!(bench.chip.understands(921_600) && !bench.chip.understands(115_200));

    assert_eq!(bench.ask("10 04"), "11");
    assert_eq!(bench.ask("02"), "0332010607");
    bench.raw(&hex::decode(ACK).unwrap());
    assert!(
        bench.chip.understands(921_600),
        "another command came instead of the ACK"
    );
}

#[test]
fn a_card_is_listed_with_its_answers() {
    let mut bench = Bench::with_card("04A1B2C3");
    assert_eq!(
        bench.ask("4a 01 00"),
        "4b010100040804 04a1b2c3".replace(' ', "")
    );
    let mut bench = Bench::with_card("04A1B2C3D4E5F6");
    assert_eq!(
        bench.ask("4a 01 00"),
        "4b010100440807 04a1b2c3d4e5f6".replace(' ', "")
    );
}

#[test]
fn a_listed_card_is_found_again_and_by_its_uid() {
    let mut bench = Bench::with_target("04A1B2C3D4E5F6");
    assert!(bench.ask("4a 01 00").starts_with("4b01"));
    assert!(bench.ask("4a 01 00 8804a1b2c3d4e5f6").starts_with("4b01"));
    assert_eq!(bench.send("4a 01 00 04a1b2c3"), [ACK]);
}

#[test]
fn two_cards_are_listed_together_and_selected_in_turn() {
    let mut bench = Bench::with_card("04A1B2C3");
    bench.slot.add(&card("02A1B2C3"));
    let listed = bench.ask("4a 02 00");
    assert_eq!(
        listed,
        "4b02 01 0004 08 04 04a1b2c3 02 0004 08 04 02a1b2c3".replace(' ', "")
    );
    assert_eq!(bench.ask("40 01 60 00 ffffffffffff 04a1b2c3"), "4100");
    assert_eq!(bench.ask("40 02 60 00 ffffffffffff 02a1b2c3"), "4100");
    assert_eq!(
        bench.ask("40 01 30 00"),
        "4113",
        "selecting the other one ended the authentication"
    );
}

#[test]
fn a_search_without_limit_lasts_until_a_card_comes() {
    let mut bench = Bench::ready();
    assert_eq!(bench.send("4a 01 00"), [ACK]);
    assert_eq!(bench.chip.deadline(), None);
    assert_eq!(bench.pass(Duration::from_hours(1)), None);
    bench.slot.place(&card("04A1B2C3"));
    assert_eq!(
        bench.pass(Duration::ZERO).as_deref(),
        Some("4b01010004080404a1b2c3")
    );
    assert_eq!(bench.pass(Duration::ZERO), None);
}

#[test]
fn a_search_with_limit_ends_at_its_deadline() {
    for kind in ["00", "01 00ffff0100", "03 00", "04"] {
        let mut bench = Bench::ready();
        assert_eq!(bench.ask("32 05 ff 01 02"), "33");
        assert_eq!(bench.send(&format!("4a 01 {kind}")), [ACK]);
        let deadline = bench.chip.deadline().unwrap();
        assert!(deadline > bench.now && deadline < bench.now + Duration::from_millis(100));
        assert_eq!(bench.pass(Duration::from_millis(1)), None);
        assert_eq!(
            bench.pass(Duration::from_millis(99)).as_deref(),
            Some("4b00")
        );
    }
}

#[test]
fn polling_by_itself_finds_a_card_in_its_own_form() {
    let mut bench = Bench::ready();
    assert_eq!(bench.send("60 01 01 00 11"), [ACK]);
    bench.slot.place(&card("04A1B2C3"));
    assert_eq!(
        bench.pass(Duration::ZERO).as_deref(),
        Some(
            "6101 10 09 01 0004 08 04 04a1b2c3"
                .replace(' ', "")
                .as_str()
        )
    );
}

#[test]
fn a_search_is_ended_by_ack_and_by_the_next_command() {
    let mut bench = Bench::ready();
    bench.send("4a 01 00");
    bench.raw(&hex::decode(ACK).unwrap());
    bench.slot.place(&card("04A1B2C3"));
    assert_eq!(bench.pass(Duration::ZERO), None);

    bench.slot.remove();
    bench.send("4a 01 00");
    assert_eq!(bench.ask("02"), "0332010607");
    bench.slot.place(&card("04A1B2C3"));
    assert_eq!(bench.pass(Duration::ZERO), None);
}

#[test]
fn an_exchange_without_target_is_out_of_context() {
    let mut bench = Bench::with_card("04A1B2C3");
    assert_eq!(bench.ask("40 01 30 00"), "4127");
    assert_eq!(bench.ask("54 01"), "5527");
    assert_eq!(bench.ask("00 06"), "0127");
    let mut bench = Bench::with_target("04A1B2C3");
    assert_eq!(bench.ask("52 00"), "5300");
    assert_eq!(bench.ask("40 01 30 00"), "4127");
}

#[test]
fn a_block_is_written_and_read_back() {
    let mut bench = Bench::opened();
    assert_eq!(
        bench.ask("40 01 a0 04 00112233445566778899aabbccddeeff"),
        "4100"
    );
    assert_eq!(
        bench.ask("40 01 30 04"),
        "410000112233445566778899aabbccddeeff"
    );
    let log = bench.slot.log();
    assert_eq!(
        (log.exchanges(), log.writes().len()),
        (3, 1),
        "both halves of a write are one exchange"
    );
}

#[test]
fn a_write_given_up_for_an_authentication_is_still_the_exchange_at_which_the_card_leaves() {
    let mut bench = Bench::opened();
    bench.slot.remove_after_exchanges(1);
    assert_eq!(bench.ask("08 630300"), "09");
    assert_eq!(bench.ask("42 a004"), "43000a");
    assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4101");
    assert!(bench.slot.cards().is_empty());
}

#[test]
fn a_value_is_incremented_in_one_command() {
    let mut bench = Bench::opened();
    assert_eq!(
        bench.ask("40 01 a0 04 64000000 9bffffff 64000000 04fb04fb"),
        "4100"
    );
    assert_eq!(bench.ask("40 01 c1 04 05000000"), "4100");
    assert_eq!(bench.ask("40 01 b0 04"), "4100");
    assert_eq!(
        bench.ask("40 01 30 04"),
        "4100 69000000 96ffffff 69000000 04fb04fb".replace(' ', "")
    );
}

#[test]
fn after_a_failed_authentication_the_card_is_mute_until_it_is_listed_again() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("40 01 60 04 a0a1a2a3a4a5 04a1b2c3"), "4114");
    assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4101");
    assert_eq!(bench.ask("40 01 30 04"), "4101");
    assert!(bench.ask("4a 01 00").starts_with("4b01"));
    assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4100");
}

#[test]
fn after_a_refused_command_the_card_is_mute_too() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("40 01 30 08"), "4113");
    assert_eq!(bench.ask("40 01 30 04"), "4101");
}

#[test]
fn a_card_that_is_gone_times_out() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("00 06"), "0100");
    bench.slot.remove();
    assert_eq!(bench.ask("40 01 30 04"), "4101");
    assert_eq!(bench.ask("00 06"), "0101");
}

#[test]
fn a_card_torn_away_in_a_write_times_out() {
    for moment in [Moment::Before, Moment::Torn { seed: 1 }, Moment::Unanswered] {
        let mut bench = Bench::opened();
        bench.slot.remove_at(1, moment);
        assert_eq!(
            bench.ask("40 01 a0 04 00112233445566778899aabbccddeeff"),
            "4101",
            "{moment:?}"
        );
        assert!(bench.slot.cards().is_empty());
    }
}

#[test]
fn a_deselected_target_is_selected_again_and_a_released_one_is_not() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("44 01"), "4500");
    assert_eq!(bench.ask("54 01"), "5500");
    assert_eq!(bench.ask("40 01 60 04 ffffffffffff 04a1b2c3"), "4100");
    assert_eq!(bench.ask("44 02"), "4527");
    assert_eq!(bench.ask("52 01"), "5300");
    assert_eq!(bench.ask("54 01"), "5527");
}

#[test]
fn a_card_that_lost_its_field_is_mute_until_it_is_selected_again() {
    let mut bench = Bench::opened();
    assert_eq!(bench.ask("32 01 00"), "33");
    assert!(!bench.slot.is_field_on());
    assert_eq!(bench.ask("32 01 01"), "33");
    assert_eq!(bench.ask("40 01 30 04"), "4101");
    assert!(bench.ask("4a 01 00").starts_with("4b01"));
    assert_eq!(bench.ask("40 01 30 04"), "4113", "not authenticated");
}

#[test]
fn raw_frames_pass_as_the_registers_say() {
    let mut bench = Bench::ready();
    bench.slot.place(&card("04A1B2C3"));
    bench.ask("32 01 01");
    // REQA: seven bits, no checksum in either direction.
    assert_eq!(bench.ask("08 630200 630300 633d07"), "09");
    assert_eq!(bench.ask("42 26"), "43000400");
    assert_eq!(bench.ask("08 633d00"), "09");
    assert_eq!(bench.ask("42 9320"), "430004a1b2c3d4");
    // The chip makes and checks the checksum from here on.
    assert_eq!(bench.ask("08 630280 630380"), "09");
    assert_eq!(bench.ask("42 937004a1b2c3d4"), "430008");
    assert_eq!(bench.ask("42 5000"), "4301", "a halt is not answered");
    assert_eq!(bench.ask("08 630200 630300 633d07"), "09");
    assert_eq!(bench.ask("42 26"), "4301", "a halted card hears no REQA");
    assert_eq!(bench.ask("42 52"), "43000400");
}

#[test]
fn a_raw_nak_tells_its_four_bits() {
    let mut bench = Bench::with_target("04A1B2C3");
    assert_eq!(bench.ask("08 630300"), "09");
    assert_eq!(bench.ask("42 3004"), "430004");
    assert_eq!(bench.ask("06 633c"), "0714");
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
