//! The cards as their data sheets have them: who may do what, and what happens to those who may not.

mod counting;
mod locking;
mod protecting;
mod reading;

use std::collections::BTreeSet;

use super::Type2;
use crate::air::Frame;
use crate::card::{Eeprom, Outcome, Technology};

const EV1: Technology = Technology::MifareUltralightEv1_128;
const C: Technology = Technology::MifareUltralightC;

/// Every kind of Type 2 card with the number of its last page.
const KINDS: [(Technology, u8); 7] = [
    (Technology::MifareUltralight, 15),
    (Technology::MifareUltralightEv1_48, 19),
    (Technology::MifareUltralightEv1_128, 40),
    (Technology::MifareUltralightC, 47),
    (Technology::Ntag213, 44),
    (Technology::Ntag215, 134),
    (Technology::Ntag216, 230),
];

/// What came of a command.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    Data(Vec<u8>),
    Ack,
    Nak(u8),
    Silence,
}

use Came::{Ack, Nak};

struct Bench {
    card: Type2,
}

impl Bench {
    fn new(technology: Technology) -> Bench {
        let uid = "04A1B2C3D4E5F6".parse().unwrap();
        Bench {
            card: Type2::factory(technology, super::model::of(technology).unwrap(), &uid),
        }
    }

    fn foreign(technology: Technology) -> Bench {
        let uid = "04A1B2C3D4E5F6".parse().unwrap();
        Bench {
            card: Type2::foreign(technology, super::model::of(technology).unwrap(), &uid),
        }
    }

    fn send(&mut self, body: &[u8]) -> Came {
        self.send_with(body, &mut Eeprom::powered())
    }

    fn send_with(&mut self, body: &[u8], eeprom: &mut Eeprom) -> Came {
        let outcome = self.card.receive(&Frame::with_crc(body), eeprom);
        let came = came(&outcome);
        if matches!(came, Nak(_) | Came::Silence) {
            // As the selection does with a card that drops out.
            self.card.deselected();
        }
        came
    }

    fn hex(&mut self, body: &str) -> Came {
        self.send(&hex::decode(body.replace(' ', "")).unwrap())
    }

    fn read(&mut self, page: u8) -> Came {
        self.send(&[0x30, page])
    }

    fn write(&mut self, page: u8, [a, b, c, d]: [u8; 4]) -> Came {
        self.send(&[0xA2, page, a, b, c, d])
    }

    /// What really lies in a page.
    fn stored(&self, page: u8) -> [u8; 4] {
        let at = usize::from(page) * 4;
        self.card.memory()[at..at + 4].try_into().unwrap()
    }
}

fn data(hex: &str) -> Came {
    Came::Data(hex::decode(hex.replace(' ', "")).unwrap())
}

fn came(outcome: &Outcome) -> Came {
    let came = match &outcome.reaction.answer {
        None => Came::Silence,
        Some(answer) => match answer.short(4) {
            Some(0xA) => Ack,
            Some(nak) => Nak(nak),
            None => Came::Data(answer.body().unwrap().to_vec()),
        },
    };
    assert_eq!(
        outcome.stays_selected,
        !matches!(came, Nak(_) | Came::Silence),
        "a card that refuses drops out"
    );
    came
}

#[test]
fn every_kind_has_the_pages_and_the_version_of_its_data_sheet() {
    for (technology, last) in KINDS {
        let mut bench = Bench::new(technology);
        assert_eq!(bench.card.memory().len(), (usize::from(last) + 1) * 4);
        let version = match technology {
            Technology::MifareUltralightEv1_48 => data("0004030101000b03"),
            Technology::MifareUltralightEv1_128 => data("0004030101000e03"),
            Technology::Ntag213 => data("0004040201000f03"),
            Technology::Ntag215 => data("0004040201001103"),
            Technology::Ntag216 => data("0004040201001303"),
            C => Nak(0),
            _ => Came::Silence,
        };
        assert_eq!(bench.send(&[0x60]), version, "{technology}");
    }
}

#[test]
fn newer_commands_are_refused_by_c_and_ignored_by_the_first_ultralight() {
    for (technology, said) in [(C, Nak(0)), (Technology::MifareUltralight, Came::Silence)] {
        for body in [
            "3a0004",
            "3c00",
            "3902",
            "a50001000000",
            "3e00",
            "1bffffffff",
            "ff",
        ] {
            assert_eq!(
                Bench::new(technology).hex(body),
                said,
                "{technology} {body}"
            );
        }
    }
    for (technology, _) in KINDS {
        let has_a_challenge = matches!(Bench::new(technology).hex("1a00"), Came::Data(_));
        assert_eq!(has_a_challenge, technology == C, "{technology}");
    }
}

#[test]
fn a_signature_belongs_to_its_card_and_stays() {
    let mut bench = Bench::new(Technology::Ntag213);
    let Came::Data(signature) = bench.send(&[0x3C, 0x00]) else {
        panic!("a signature")
    };
    assert_eq!(signature.len(), 32);
    assert_eq!(bench.send(&[0x3C, 0x00]), Came::Data(signature));
    assert_eq!(bench.send(&[0x3C, 0x01]), Nak(0));
}

#[test]
fn commands_of_a_wrong_length_or_with_a_damaged_checksum_are_refused() {
    let mut bench = Bench::new(Technology::Ntag213);
    for body in [
        "",
        "30",
        "300400",
        "a2040000",
        "a20400000000ff",
        "3a04",
        "6000",
        "1bffffff",
        "ff",
    ] {
        assert_eq!(bench.hex(body), Nak(0), "{body}");
    }
    let damaged = Frame::whole([0x30, 0x04, 0x00, 0x00]);
    let outcome = bench.card.receive(&damaged, &mut Eeprom::powered());
    assert_eq!(came(&outcome), Nak(1));
}

#[test]
fn an_image_comes_and_goes_but_the_serial_number_stays() {
    for (technology, _) in KINDS {
        let mut bench = Bench::new(technology);
        let before = bench.card.memory();
        let image = vec![0x5A; before.len()];
        bench.card.set_memory(&image).unwrap();
        let after = bench.card.memory();
        assert_eq!(after[..10], before[..10], "{technology}");
        assert_eq!(after[10..], image[10..], "{technology}");
        assert_eq!(bench.card.set_memory(&image[1..]), Err(before.len()));
    }
}

#[test]
fn a_torn_page_of_data_is_a_mixture_and_a_weak_one_reads_differently() {
    let mut bench = Bench::new(Technology::Ntag213);
    assert_eq!(bench.write(8, [0x0F; 4]), Ack);
    bench.send_with(&[0xA2, 8, 0xF0, 0xF0, 0xF0, 0xF0], &mut Eeprom::tearing(2));
    let torn = bench.stored(8);
    assert!(torn != [0x0F; 4] && torn != [0xF0; 4]);
    assert_eq!(bench.stored(8), torn);

    bench.send_with(
        &[0xA2, 8, 0x55, 0x55, 0x55, 0x55],
        &mut Eeprom::weakening(2),
    );
    let seen: BTreeSet<_> = (0..50).map(|_| bench.stored(8)).collect();
    assert!(seen.len() > 1 && seen.contains(&[0x55; 4]));
    assert_eq!(bench.write(8, [1, 2, 3, 4]), Ack);
    assert!((0..50).all(|_| bench.stored(8) == [1, 2, 3, 4]));
}

#[test]
fn lock_bits_and_one_way_bits_are_never_torn() {
    for (technology, _) in KINDS {
        for page in [2, 3] {
            let mut bench = Bench::new(technology);
            let before = bench.stored(page);
            bench.send_with(&[0xA2, page, 0, 0, 0xFF, 0xFF], &mut Eeprom::tearing(1));
            assert_eq!(bench.stored(page), before, "{technology}");
        }
    }
}
