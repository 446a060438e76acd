//! A card or an encoder that answers anything: a procedure ends, never panics, and writes nothing outside the placing but
//! the keys of a card without a credential; and nothing that was read shows itself in a message.

use card::{
    CardFormat, Command, Inspect, PlanOptions, PresentedCard, Procedure, Purpose, ReadCopies,
    Reply, Step, Type2Command, Write, plan,
};
use proptest::prelude::*;

use crate::encode::{encoded, placings};
use crate::field::Field;
use crate::model::SHEETS;
use crate::site::{entropy, guest, keys, ring};

const RFID48: CardFormat = CardFormat::Rfid48;

fn reply(same: PresentedCard) -> impl Strategy<Value = Reply> {
    let other = PresentedCard {
        uid: "04000000000001".parse().unwrap(),
        ..same.clone()
    };
    prop_oneof![
        4 => Just(Reply::Done),
        6 => prop::collection::vec(any::<u8>(), 60).prop_map(Reply::Data),
        6 => Just(Reply::Data(vec![0; 60])),
        3 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Reply::Data),
        3 => Just(Reply::Refused),
        4 => Just(Reply::Reselected(same)),
        1 => Just(Reply::Reselected(other)),
    ]
}

/// Lets the card answer `honest` times and then feeds the answers in; after 400 it should have ended.
fn feed<P: Procedure>(mut procedure: P, field: &mut Field, honest: usize, replies: &[Reply]) {
    let presented = field.presented();
    let has_credential = field.clone().inspect(Purpose::Scan).done().unwrap();
    let has_credential = has_credential.credential().is_some();
    let mut last = None;
    for at in 0..400 {
        let command = match procedure.next(last.take()) {
            Step::Done(_) => return,
            Step::Exchange(command, _) => command,
        };
        if let Command::Type2(Type2Command::Write { page, .. }) = &command {
            assert!(
                may_be_written(field, *page, has_credential),
                "page {page:02X}h"
            );
        }
        last = Some(match &command {
            Command::Type2(command) if at < honest => match field.card.obey(command) {
                Ok(Some(bytes)) => Reply::Data(bytes),
                Ok(None) => Reply::Done,
                Err(_) => Reply::Refused,
            },
            Command::Reselect if at < honest => {
                field.card.select();
                Reply::Reselected(presented.clone())
            }
            _ => replies[at % replies.len()].clone(),
        });
    }
    panic!("it never ends");
}

fn may_be_written(field: &Field, page: u8, has_credential: bool) -> bool {
    let is_key = match field.card.sheet.cfg0 {
        Some(cfg0) => [cfg0, cfg0 + 2, cfg0 + 3].contains(&page),
        None => page == 0x2A || (0x2C..0x30).contains(&page),
    };
    (4..=field.card.sheet.user).contains(&page) || (is_key && !has_credential)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_procedure_ends_whatever_it_is_answered(
        replies in prop::collection::vec(reply(Field::blank(SHEETS[0].technology).presented()), 40),
        honest in 0..24_usize,
        times in 0..3_u32,
        sheet in prop::sample::select(SHEETS.to_vec()),
    ) {
        let start = encoded(sheet.technology, RFID48, times);
        for ring in [keys(), ring(&[1, 2])] {
            let credential = guest(RFID48, 9, 109);
            let encode = Purpose::encode(&credential).unwrap();
            for purpose in [Purpose::Scan, encode] {
                let mut field = start.clone();
                let inspect = Inspect::new(field.presented(), &ring, purpose, entropy()).unwrap();
                feed(inspect, &mut field, honest, &replies);
            }
            let mut field = start.clone();
            let read = ReadCopies::new(field.presented(), ring.lock_keys(), entropy()).unwrap();
            feed(read, &mut field, honest, &replies);
            let mut field = start.clone();
            field.keys = ring.clone();
            let found = field.inspect(encode).done().unwrap();
            let planned = plan(&found, &credential, &ring, &PlanOptions::default()).unwrap();
            let write = Write::new(planned, &ring, entropy());
            feed(write, &mut field, honest, &replies);
        }
    }
}

/// A tag that stands in a log is a credential that somebody could write.
#[test]
fn neither_an_inspection_nor_a_plan_prints_what_is_on_the_card_or_will_be() {
    for (technology, format) in placings() {
        let mut field = encoded(technology, format, 1);
        let new = guest(format, 9, 109);
        let found = field
            .inspect(Purpose::encode(&new).unwrap())
            .done()
            .unwrap();
        let planned = plan(&found, &new, &field.keys, &PlanOptions::default()).unwrap();
        let printed = format!("{found:?}{planned:?}");
        field.present(None);
        let before = field.clone();
        field.encode(&new).ended.done().unwrap();
        for card in [&before, &field] {
            for copy in card.read_as_lock().copies.into_iter().flatten() {
                for page in copy[..48].chunks(4).filter(|page| **page != [0; 4]) {
                    let [a, b, c, d] = page else { panic!() };
                    let bytes = format!("{a}, {b}, {c}, {d}");
                    assert!(!printed.contains(&bytes), "{technology}: {bytes}");
                }
            }
        }
    }
}
