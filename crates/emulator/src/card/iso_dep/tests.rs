//! The block protocol from the reader's end, block by block.

use super::{IsoDep, Sense, Step};
use crate::air::Frame;

const ATS: [u8; 6] = [0x06, 0x75, 0x77, 0x81, 0x02, 0x80];

/// A card that answers every command with itself, turned round.
struct Bench {
    card: IsoDep,
}

impl Bench {
    fn selected() -> Bench {
        Bench {
            card: IsoDep::new(ATS.to_vec()),
        }
    }

    fn active() -> Bench {
        let mut bench = Bench::selected();
        assert_eq!(bench.send("E050"), Some(hex::encode(ATS)));
        bench
    }

    fn send(&mut self, block: &str) -> Option<String> {
        self.send_frame(&Frame::with_crc(
            &hex::decode(block.replace(' ', "")).unwrap(),
        ))
    }

    fn send_frame(&mut self, frame: &Frame) -> Option<String> {
        let reaction = match self.card.receive(frame) {
            Step::Done(reaction) | Step::Halts(reaction) => reaction,
            Step::FallsBack => return None,
            Step::Command(mut command) => {
                command.reverse();
                self.card.answer(command)
            }
        };
        assert_eq!(reaction.goes_on, self.card.goes_on());
        reaction
            .answer
            .map(|frame| hex::encode(frame.body().expect("a whole frame")))
    }
}

#[test]
fn a_command_and_its_answer_fit_in_one_block_each() {
    let mut bench = Bench::active();
    assert_eq!(bench.send("02 0102").as_deref(), Some("020201"));
    assert_eq!(bench.send("03 0304").as_deref(), Some("030403"));
    assert_eq!(bench.send("02 05").as_deref(), Some("0205"));
}

#[test]
fn before_activation_only_rats_is_heard() {
    let mut bench = Bench::selected();
    assert_eq!(bench.send("02 01"), None);
    let mut bench = Bench::selected();
    assert_eq!(
        bench.card.sense(&Frame::with_crc(&[0x02, 1])),
        Sense::Nonsense
    );
    assert_eq!(
        bench.card.sense(&Frame::with_crc(&[0xE0, 1])),
        Sense::Protocol
    );
    assert!(!bench.card.is_active());
    bench.send("E0 50");
    assert!(bench.card.is_active());
}

#[test]
fn parameters_are_chosen_once_and_only_at_once() {
    let mut bench = Bench::active();
    assert_eq!(bench.send("D0 11 00").as_deref(), Some("d0"));
    assert_eq!(bench.send("02 01").as_deref(), Some("0201"));
    assert_eq!(bench.send("D0 11 00"), None);
    assert_eq!(bench.send("03 01").as_deref(), Some("0301"));
}

#[test]
fn a_long_command_comes_in_a_chain_and_is_one_command() {
    let mut bench = Bench::active();
    assert_eq!(
        bench.card.sense(&Frame::with_crc(&[0x12, 1, 2])),
        Sense::Begins(&[1, 2])
    );
    assert_eq!(bench.send("12 0102").as_deref(), Some("a2"));
    assert_eq!(
        bench.card.sense(&Frame::with_crc(&[0x13, 3])),
        Sense::Continues
    );
    assert_eq!(bench.send("13 03").as_deref(), Some("a3"));
    assert_eq!(bench.send("02 04").as_deref(), Some("0204030201"));
}

#[test]
fn a_long_answer_goes_out_in_a_chain_of_the_readers_frames() {
    let mut bench = Bench::selected();
    bench.send("E0 00");
    // 16 bytes a frame: 13 of data.
    let answer = bench.send("12 000102030405060708090A0B0C");
    assert_eq!(answer.as_deref(), Some("a2"));
    let answer = bench.send("03 0D0E0F");
    assert_eq!(answer.as_deref(), Some("130f0e0d0c0b0a09080706050403"));
    assert_eq!(
        bench.card.sense(&Frame::with_crc(&[0xA2])),
        Sense::Continues
    );
    assert_eq!(bench.send("A2").as_deref(), Some("02020100"));
    assert_eq!(bench.send("03 01").as_deref(), Some("0301"));
}

#[test]
fn a_lost_answer_is_sent_again_and_the_command_not_done_again() {
    let mut bench = Bench::active();
    assert_eq!(bench.send("02 0102").as_deref(), Some("020201"));
    // R(NAK) with the number of the block that was not heard.
    assert_eq!(bench.send("B2").as_deref(), Some("020201"));
    assert_eq!(bench.card.sense(&Frame::with_crc(&[0xB2])), Sense::Protocol);
    assert_eq!(bench.send("03 01").as_deref(), Some("0301"));
}

#[test]
fn a_lost_receipt_within_a_chain_is_sent_again() {
    let mut bench = Bench::active();
    assert_eq!(bench.send("12 01").as_deref(), Some("a2"));
    assert_eq!(bench.send("B2").as_deref(), Some("a2"));
    assert_eq!(bench.send("03 02").as_deref(), Some("030201"));
}

#[test]
fn a_presence_check_is_acknowledged_and_changes_nothing() {
    let mut bench = Bench::active();
    assert_eq!(bench.send("B2").as_deref(), Some("a3"));
    assert_eq!(bench.send("02 01").as_deref(), Some("0201"));
    assert_eq!(bench.send("B3").as_deref(), Some("a2"));
    assert_eq!(bench.send("03 01").as_deref(), Some("0301"));
}

#[test]
fn a_disturbed_block_is_answered_by_silence_and_may_be_repeated() {
    let mut bench = Bench::active();
    let mut disturbed = Frame::with_crc(&[0x02, 0x01]).bytes().to_vec();
    disturbed[1] ^= 0x40;
    assert_eq!(bench.send_frame(&Frame::whole(disturbed)), None);
    assert_eq!(bench.send("B2").as_deref(), Some("a3"), "it has not come");
    assert_eq!(bench.send("02 01").as_deref(), Some("0201"));
}

#[test]
fn a_card_with_a_number_answers_by_its_number_only() {
    let mut bench = Bench::selected();
    assert_eq!(bench.send("E0 55"), Some(hex::encode(ATS)));
    assert_eq!(bench.send("02 01"), None);
    assert_eq!(bench.send("0A 04 01"), None);
    assert_eq!(bench.send("0A 05 01").as_deref(), Some("0a0501"));
    assert_eq!(bench.send("CA 05").as_deref(), Some("ca05"));
}

#[test]
fn deselecting_is_answered_and_then_it_sleeps() {
    let mut bench = Bench::active();
    let frame = Frame::with_crc(&[0xC2]);
    assert!(matches!(bench.card.receive(&frame), Step::Halts(_)));
}

#[test]
fn noise_never_panics() {
    let mut noise = crate::card::Noise::new(5);
    for _ in 0..2_000 {
        let mut bench = Bench::active();
        for _ in 0..4 {
            let mut body = vec![0; usize::from(noise.byte() % 9)];
            noise.fill(&mut body);
            bench.send_frame(&Frame::with_crc(&body));
        }
    }
}
