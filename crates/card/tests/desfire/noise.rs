//! A card or an encoder that answers anything: a procedure ends, never panics, and asks for nothing but what it knows.

use card::{
    CardFormat, Command, Entropy, Inspect, PlanOptions, PresentedCard, Procedure, Purpose,
    ReadCopies, Reply, Step, Write, plan,
};
use proptest::prelude::*;

use crate::encode::{GENERATIONS, encoded};
use crate::field::{Field, Model};
use crate::ntag424::encode::encoded as encoded_ntag424;
use crate::site::{guest, ring};

/// Status words that lead on, that refuse, and that nobody expects.
const STATUSES: [[u8; 2]; 9] = [
    [0x91, 0x00],
    [0x91, 0x00],
    [0x91, 0xAF],
    [0x90, 0x00],
    [0x91, 0xAE],
    [0x91, 0x9D],
    [0x91, 0xA0],
    [0x6A, 0x82],
    [0xFF, 0xFF],
];

fn frame() -> impl Strategy<Value = Reply> {
    let length = prop::sample::select(vec![0, 1, 2, 3, 7, 8, 14, 16, 32, 59, 300]);
    (length, prop::sample::select(STATUSES.to_vec())).prop_flat_map(|(length, status)| {
        prop::collection::vec(any::<u8>(), length).prop_map(move |mut bytes| {
            bytes.extend(status);
            Reply::Data(bytes)
        })
    })
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        12 => frame(),
        1 => prop::collection::vec(any::<u8>(), 0..3).prop_map(Reply::Data),
        1 => Just(Reply::Done),
        1 => Just(Reply::Refused),
    ]
}

/// Lets the card answer `honest` times and then feeds the answers in; after 600 it should have ended.
fn feed<P: Procedure, M: Model>(
    mut procedure: P,
    field: &mut Field<M>,
    honest: usize,
    replies: &[Reply],
) {
    let mut last = None;
    for at in 0..600 {
        match procedure.next(last.take()) {
            Step::Done(_) => return,
            Step::Exchange(Command::Iso(apdu), _) => {
                let bytes = apdu.expose();
                assert!(bytes.len() >= 5, "no APDU");
                last = Some(if at < honest {
                    Reply::Data(field.card.apdu(bytes))
                } else {
                    replies[at % replies.len()].clone()
                });
            }
            Step::Exchange(command, _) => panic!("{command:?}"),
        }
    }
    panic!("it never ends");
}

fn every_procedure<M: Model>(mut field: Field<M>, honest: usize, replies: &[Reply]) {
    let entropy = || Entropy::new([1; 32]);
    for versions in [&[1][..], &[1, 2]] {
        let keys = ring(versions);
        let credential = guest(CardFormat::Rfid48, 9, 109);
        for purpose in [Purpose::Scan, Purpose::encode(&credential).unwrap()] {
            field.present(None);
            let card: PresentedCard = field.presented.clone();
            let inspect = Inspect::new(card, &keys, purpose, entropy()).unwrap();
            feed(inspect, &mut field, honest, replies);
        }
        field.present(None);
        let card = field.presented.clone();
        let read = ReadCopies::new(card, keys.lock_keys(), entropy()).unwrap();
        feed(read, &mut field, honest, replies);
        field.present(None);
        field.keys = keys.clone();
        let purpose = Purpose::encode(&credential).unwrap();
        let found = field.inspect(purpose).done().unwrap();
        let planned = plan(&found, &credential, &keys, &PlanOptions::default()).unwrap();
        let write = Write::new(planned, &keys, entropy());
        feed(write, &mut field, honest, replies);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_procedure_on_a_desfire_ends_whatever_it_is_answered(
        replies in prop::collection::vec(reply(), 40),
        honest in 0..16_usize,
        times in 0..2_u32,
        generation in prop::sample::select(GENERATIONS.to_vec()),
    ) {
        every_procedure(encoded(generation, CardFormat::Rfid48, times), honest, &replies);
    }

    #[test]
    fn every_procedure_on_an_ntag_424_ends_whatever_it_is_answered(
        replies in prop::collection::vec(reply(), 40),
        honest in 0..16_usize,
        times in 0..2_u32,
    ) {
        every_procedure(encoded_ntag424(CardFormat::Rfid48, times), honest, &replies);
    }
}
