//! The card as its data sheet has it: who may do what, and what happens to those who may not.

use super::content::{trailer, value_block};
use super::{Authentication, Classic, Key};
use crate::air::Frame;
use crate::card::{Eeprom, Outcome, Technology, Uid};
use crate::slot::KeyType::{self, A, B};

const KEY_A: [u8; 6] = [0xA1; 6];
const KEY_B: [u8; 6] = [0xB1; 6];
const PRODUCTION: [u8; 4] = [0x78, 0x77, 0x88, 0x69];
const TRANSPORT: [u8; 4] = [0xFF, 0x07, 0x80, 0x69];
const DATA: u8 = 4;
const TRAILER: u8 = 7;

fn uid() -> Uid {
    "04A1B2C3".parse().unwrap()
}

/// What came of a command.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    Data(Vec<u8>),
    Ack,
    Nak(u8),
    Silence,
}

struct Bench {
    card: Classic,
}

impl Bench {
    /// A card whose sector 1 has these access bits, and the two keys above.
    fn with_access(access: [u8; 4]) -> Bench {
        let mut card = Classic::factory(Technology::MifareClassic1k, &uid());
        card.blocks
            .put(TRAILER.into(), trailer(KEY_A, access, KEY_B));
        Bench { card }
    }

    fn open(access: [u8; 4], key_type: KeyType) -> Bench {
        let mut bench = Bench::with_access(access);
        assert!(bench.authenticate(key_type, if key_type == A { KEY_A } else { KEY_B }));
        bench
    }

    fn authenticate(&mut self, key_type: KeyType, key: [u8; 6]) -> bool {
        let asked = Authentication {
            block: DATA,
            key_type,
            key: Key(key),
            uid: uid().last_four(),
        };
        self.card.authenticate(&asked, uid().last_four())
    }

    fn outcome(&mut self, body: &[u8]) -> Outcome {
        self.card
            .receive(&Frame::with_crc(body), &mut Eeprom::powered())
    }

    fn send(&mut self, body: &[u8]) -> Came {
        came(&self.outcome(body))
    }

    fn read(&mut self, block: u8) -> Came {
        self.send(&[0x30, block])
    }

    fn write(&mut self, block: u8, content: [u8; 16]) -> Came {
        match self.send(&[0xA0, block]) {
            Came::Ack => self.send(&content),
            refused => refused,
        }
    }

    fn stored(&self, block: u8) -> [u8; 16] {
        self.card.block(block).unwrap()
    }
}

fn came(outcome: &Outcome) -> Came {
    let came = match &outcome.reaction.answer {
        None => Came::Silence,
        Some(frame) => match frame.short(4) {
            Some(0xA) => Came::Ack,
            Some(nak) => Came::Nak(nak),
            None => Came::Data(frame.body().unwrap().to_vec()),
        },
    };
    assert_eq!(
        outcome.stays_selected,
        !matches!(came, Came::Nak(_)),
        "a card that refuses drops out"
    );
    came
}

#[test]
fn a_card_as_delivered_has_its_manufacturer_block_and_transport_keys() {
    let card = Classic::factory(Technology::MifareClassic1k, &uid());
    let memory = card.memory();
    assert_eq!(memory.len(), 1024);
    assert_eq!(
        memory[..8],
        [
            0x04,
            0xA1,
            0xB2,
            0xC3,
            0x04 ^ 0xA1 ^ 0xB2 ^ 0xC3,
            0x08,
            0x04,
            0x00
        ]
    );
    for sector in memory.chunks(64) {
        assert_eq!(
            hex::encode(&sector[48..]),
            "ffffffffffffff078069ffffffffffff"
        );
    }
    assert!(memory[16..48].iter().all(|&byte| byte == 0));

    let long: Uid = "04A1B2C3D4E5F6".parse().unwrap();
    let memory = Classic::factory(Technology::MifareClassic4k, &long).memory();
    assert_eq!(memory.len(), 4096);
    assert_eq!(
        memory[..10],
        [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x18, 0x42, 0x00]
    );
}

#[test]
fn a_foreign_card_opens_with_no_known_key_and_is_always_the_same() {
    let mut card = Classic::foreign(Technology::MifareClassic1k, &uid());
    assert_eq!(
        card.memory(),
        Classic::foreign(Technology::MifareClassic1k, &uid()).memory()
    );
    for key in [
        [0xFF; 6],
        [0; 6],
        [0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5],
        [0xD3, 0xF7, 0xD3, 0xF7, 0xD3, 0xF7],
    ] {
        for block in (0..64).step_by(4) {
            let asked = Authentication {
                block,
                key_type: A,
                key: Key(key),
                uid: uid().last_four(),
            };
            assert!(!card.authenticate(&asked, uid().last_four()));
        }
    }
}

#[test]
fn nothing_is_read_or_written_without_authentication() {
    let mut bench = Bench::with_access(TRANSPORT);
    assert_eq!(bench.read(DATA), Came::Nak(4));
    assert_eq!(bench.write(DATA, [1; 16]), Came::Nak(4));
}

#[test]
fn an_authentication_opens_its_own_sector_only() {
    let mut bench = Bench::open(TRANSPORT, A);
    assert_eq!(bench.read(DATA), Came::Data(vec![0; 16]));
    assert_eq!(bench.read(8), Came::Nak(4));
}

#[test]
fn a_wrong_key_or_uid_ends_an_earlier_authentication() {
    let mut bench = Bench::open(PRODUCTION, A);
    assert!(!bench.authenticate(A, KEY_B));
    assert_eq!(bench.read(DATA), Came::Nak(4));
    let asked = Authentication {
        block: DATA,
        key_type: A,
        key: Key(KEY_A),
        uid: [0; 4],
    };
    assert!(!bench.card.authenticate(&asked, uid().last_four()));
}

#[test]
fn in_production_key_a_reads_and_key_b_writes() {
    let mut bench = Bench::open(PRODUCTION, A);
    assert_eq!(bench.read(DATA), Came::Data(vec![0; 16]));
    assert_eq!(bench.write(DATA, [1; 16]), Came::Nak(4));

    let mut bench = Bench::open(PRODUCTION, B);
    assert_eq!(bench.write(DATA, [1; 16]), Came::Ack);
    assert_eq!(bench.read(DATA), Came::Data(vec![1; 16]));
}

#[test]
fn key_a_is_never_read_and_key_b_only_where_it_is_data() {
    let mut bench = Bench::open(PRODUCTION, B);
    assert_eq!(
        bench.read(TRAILER),
        Came::Data(trailer([0; 6], PRODUCTION, [0; 6]).to_vec())
    );
    let mut bench = Bench::open(TRANSPORT, A);
    assert_eq!(
        bench.read(TRAILER),
        Came::Data(trailer([0; 6], TRANSPORT, KEY_B).to_vec())
    );
}

#[test]
fn a_readable_key_b_is_accepted_and_then_opens_nothing() {
    let mut bench = Bench::open(TRANSPORT, B);
    assert_eq!(bench.read(DATA), Came::Nak(4));
    let mut bench = Bench::open(TRANSPORT, B);
    assert_eq!(bench.write(DATA, [1; 16]), Came::Nak(4));
    let mut bench = Bench::open(TRANSPORT, B);
    assert_eq!(bench.read(TRAILER), Came::Nak(4));
}

#[test]
fn a_trailer_takes_only_what_the_key_may_change() {
    // All conditions 000: key A changes both keys, and nobody the access bits.
    let locked = [0xFF, 0x0F, 0x00, 0x69];
    let mut bench = Bench::open(locked, A);
    let asked = trailer([0x11; 6], [0x78, 0x77, 0x88, 0x55], [0x22; 6]);
    assert_eq!(bench.write(TRAILER, asked), Came::Ack);
    assert_eq!(bench.stored(TRAILER), trailer([0x11; 6], locked, [0x22; 6]));

    let mut bench = Bench::open(PRODUCTION, A);
    assert_eq!(bench.write(TRAILER, asked), Came::Nak(4));
}

#[test]
fn invalid_access_bits_block_the_sector_for_ever() {
    let mut bench = Bench::open(PRODUCTION, B);
    let broken = trailer(KEY_A, [0x78, 0x77, 0x89, 0x69], KEY_B);
    assert_eq!(bench.write(TRAILER, broken), Came::Ack);
    assert_eq!(bench.read(DATA), Came::Nak(4));
    assert!(!bench.authenticate(A, KEY_A));
    assert!(!bench.authenticate(B, KEY_B));
    assert_eq!(
        bench.write(TRAILER, trailer(KEY_A, PRODUCTION, KEY_B)),
        Came::Nak(4)
    );
}

#[test]
fn the_manufacturer_block_is_read_and_never_written() {
    let mut card = Classic::factory(Technology::MifareClassic1k, &uid());
    let asked = Authentication {
        block: 0,
        key_type: A,
        key: Key([0xFF; 6]),
        uid: uid().last_four(),
    };
    assert!(card.authenticate(&asked, uid().last_four()));
    let mut bench = Bench { card };
    let before = bench.stored(0);
    assert_eq!(bench.read(0), Came::Data(before.to_vec()));
    assert_eq!(bench.write(0, [0; 16]), Came::Nak(4));
    assert_eq!(bench.stored(0), before);
}

#[test]
fn a_raw_image_leaves_the_manufacturer_block_alone() {
    let mut card = Classic::factory(Technology::MifareClassic1k, &uid());
    let before = card.memory();
    card.set_memory(&[0x5A; 1024]).unwrap();
    let after = card.memory();
    assert_eq!(after[..16], before[..16]);
    assert_eq!(after[16..], [0x5A; 1008]);
    assert_eq!(card.set_memory(&[0; 1023]), Err(1024));
    assert_eq!(card.memory(), after);
}

#[test]
fn a_value_is_charged_and_spent_and_appears_with_the_transfer() {
    // 110 for data: key B recharges, both spend.
    let access = [0x08, 0x77, 0x8F, 0x69];
    let mut bench = Bench::open(access, B);
    bench.card.blocks.put(DATA.into(), value_block(100, 9));

    assert_eq!(bench.send(&[0xC1, DATA]), Came::Ack);
    assert_eq!(bench.send(&5_i32.to_le_bytes()), Came::Silence);
    assert_eq!(
        bench.stored(DATA),
        value_block(100, 9),
        "before the transfer nothing is written"
    );
    assert_eq!(bench.send(&[0xB0, DATA]), Came::Ack);
    assert_eq!(
        hex::encode(bench.stored(DATA)),
        "6900000096ffffff6900000009f609f6"
    );

    assert_eq!(bench.send(&[0xC0, DATA]), Came::Ack);
    assert_eq!(bench.send(&200_i32.to_le_bytes()), Came::Silence);
    assert_eq!(bench.send(&[0xB0, 5]), Came::Ack);
    assert_eq!(bench.stored(5), value_block(-95, 9));
}

#[test]
fn what_is_no_value_block_is_not_computed_with_and_an_overflow_is_refused() {
    let access = [0x08, 0x77, 0x8F, 0x69];
    let mut bench = Bench::open(access, B);
    assert_eq!(bench.send(&[0xC1, DATA]), Came::Nak(4));

    let mut bench = Bench::open(access, B);
    bench.card.blocks.put(DATA.into(), value_block(i32::MAX, 0));
    assert_eq!(bench.send(&[0xC1, DATA]), Came::Ack);
    assert_eq!(bench.send(&1_i32.to_le_bytes()), Came::Nak(4));
    let mut bench = Bench::open(access, B);
    assert_eq!(
        bench.send(&[0xB0, DATA]),
        Came::Nak(4),
        "without an operation there is nothing to transfer"
    );
}

#[test]
fn a_damaged_frame_is_refused_as_such() {
    let mut bench = Bench::open(TRANSPORT, A);
    let outcome = bench.card.receive(
        &Frame::whole([0x30, DATA, 0x00, 0x00]),
        &mut Eeprom::powered(),
    );
    assert_eq!(came(&outcome), Came::Nak(5));
}

#[test]
fn a_write_whose_data_is_too_short_changes_nothing() {
    let mut bench = Bench::open(TRANSPORT, A);
    assert_eq!(bench.send(&[0xA0, DATA]), Came::Ack);
    assert_eq!(bench.send(&[1; 15]), Came::Nak(4));
    assert_eq!(bench.stored(DATA), [0; 16]);
}

#[test]
fn blocks_beyond_the_card_are_refused() {
    let mut bench = Bench::open(TRANSPORT, A);
    assert_eq!(bench.read(64), Came::Nak(4));
    let asked = Authentication {
        block: 200,
        key_type: A,
        key: Key([0xFF; 6]),
        uid: uid().last_four(),
    };
    assert!(!bench.card.authenticate(&asked, uid().last_four()));
}
