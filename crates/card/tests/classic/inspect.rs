//! What an inspection says of cards of every kind, and that it changes none.

use card::{Condition, CopyIndex, Credential, PlanOptions, Purpose, Refusal};

use crate::encode::encoded;
use crate::field::Field;
use crate::site::{ENCODE, entropy, guest};

const PURPOSES: [Purpose; 2] = [Purpose::Scan, ENCODE];

fn condition(field: &mut Field, purpose: Purpose) -> Condition {
    field.present(None);
    let before = field.card.memory;
    let found = field.inspect(purpose).done().unwrap();
    assert_eq!(field.card.memory, before, "an inspection changes nothing");
    found.condition()
}

#[test]
fn a_scan_of_our_card_takes_six_exchanges_and_tells_the_credential() {
    for times in [1, 2] {
        let mut field = encoded(times);
        let found = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(field.exchanges, 6);
        assert_eq!(found.condition(), Condition::Ours);
        assert_eq!(found.credential(), Some(&guest(times, 100 + times)));
        let (copy, active) = found.active().unwrap();
        assert_eq!(u32::from(active.sequence.get()), times);
        assert_eq!(copy, [CopyIndex::A, CopyIndex::B][times as usize % 2]);
        assert_eq!(found.copy(copy.other()), None);
    }
}

#[test]
fn a_blank_card_costs_eleven_exchanges_to_be_sure_of() {
    for purpose in PURPOSES {
        let mut field = encoded(0);
        assert_eq!(condition(&mut field, purpose), Condition::Blank);
        assert_eq!(field.exchanges, 11);
    }
}

/// A MIFARE Plus can be told to hide its UID: what would be written to it could never be read again.
#[test]
fn a_card_that_shows_another_uid_each_time_is_left_alone() {
    for purpose in PURPOSES {
        let mut field = encoded(0);
        field.uid = "08A1B2C3".parse().unwrap();
        let refusal = field.inspect(purpose).done().unwrap_err();
        assert!(matches!(refusal, Refusal::Foreign { .. }), "{refusal}");
        assert_eq!(field.exchanges, 0);
    }
}

#[test]
fn whatever_is_not_as_delivered_and_not_ours_is_foreign_and_refused() {
    type Make = fn(&mut Field);
    let cases: [(&str, Make); 9] = [
        ("other keys in both sectors", |field| {
            for trailer in [7, 11] {
                field.card.memory[trailer][..6]
                    .copy_from_slice(&[0xD3, 0xF7, 0xD3, 0xF7, 0xD3, 0xF7]);
            }
        }),
        ("another key A in sector 1", |field| {
            field.card.memory[7][0] = 0
        }),
        ("another key A in sector 2", |field| {
            field.card.memory[11][5] = 0
        }),
        ("another key B", |field| field.card.memory[11][10] = 0),
        ("access bits that lock key A out of writing", |field| {
            field.card.memory[7][6..9].copy_from_slice(&[0x7F, 0x07, 0x88]);
        }),
        ("data in the first block", |field| {
            field.card.memory[4][0] = 1
        }),
        ("data in the last block", |field| {
            field.card.memory[10][15] = 1
        }),
        ("an NDEF message", |field| {
            field.card.memory[4][..4].copy_from_slice(&[0x03, 0x05, 0xD1, 0x01]);
        }),
        ("blocks that key A may not read", |field| {
            field.card.memory[7][6..9].copy_from_slice(&[0x8F, 0x0F, 0x07]);
        }),
    ];
    for (what, make) in cases {
        for purpose in PURPOSES {
            let mut field = encoded(0);
            make(&mut field);
            let found = condition(&mut field, purpose);
            assert!(
                matches!(found, Condition::Foreign { .. }),
                "{what}: {found:?}"
            );
        }
        let mut field = encoded(0);
        make(&mut field);
        let refused = field.encode(&guest(1, 101)).ended.done().unwrap_err();
        assert!(
            matches!(refused, Refusal::Foreign { .. }),
            "{what}: {refused}"
        );
        assert!(field.written.is_empty(), "{what}");
    }
}

#[test]
fn a_card_of_another_site_is_foreign() {
    let mut field = encoded(1);
    for trailer in [7, 11] {
        for at in (0..6).chain(10..16) {
            field.card.memory[trailer][at] ^= 0x55;
        }
    }
    for purpose in PURPOSES {
        assert!(matches!(
            condition(&mut field, purpose),
            Condition::Foreign { .. }
        ));
    }
}

#[test]
fn our_card_with_one_dead_sector_is_still_read_but_not_written() {
    for (dead, times) in [(7, 1), (11, 2)] {
        let mut field = encoded(times);
        field.card.memory[dead] = [0x5A; 16];
        let found = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(found.condition(), Condition::Ours);
        assert_eq!(found.credential(), Some(&guest(times, 100 + times)));
        field.present(None);
        let refused = field.encode(&guest(9, 109)).ended.done().unwrap_err();
        assert!(matches!(refused, Refusal::Foreign { .. }));
        assert!(field.written.is_empty());
    }
}

#[test]
fn a_trailer_is_never_written_beside_a_credential() {
    for (as_delivered, times) in [(7, 1), (11, 2)] {
        let mut field = encoded(times);
        field.card.memory[as_delivered] = crate::model::transport_trailer();
        let older = as_delivered - 3;
        field.card.memory[older..as_delivered].fill([0; 16]);
        let before = field.card.memory;
        let refused = field.encode(&guest(9, 109)).ended.done().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "this card belongs to another system (a part of it has delivery keys beside a credential of this site); use a blank card or one of this site"
        );
        assert_eq!(field.card.memory, before);
    }
}

#[test]
fn a_prepared_card_without_a_valid_copy_is_torn() {
    let mut field = encoded(1);
    for content in [[0; 16], [0x48; 16], [0xEE; 16]] {
        field.card.memory[8] = content;
        for purpose in PURPOSES {
            assert_eq!(condition(&mut field, purpose), Condition::Torn);
        }
    }
}

#[test]
fn two_valid_copies_with_equal_sequences_are_ambiguous_and_have_no_credential() {
    // The same card written with sequence 2 in copy A, and with sequence 2 in copy B.
    let in_a = encoded(2);
    let mut in_b = encoded(2);
    in_b.card.memory[4] = [0xEE; 16];
    in_b.present(None);
    // Both void, B clean: starts over at 1 in copy A; then 2 in copy B.
    for at in 0..2 {
        in_b.present(None);
        in_b.encode(&guest(7, 107 + at)).ended.done().unwrap();
    }
    let mut field = in_a.clone();
    field.card.memory[8..11].copy_from_slice(&in_b.card.memory[8..11]);
    field.present(None);
    let found = field.inspect(Purpose::Scan).done().unwrap();
    assert!(found.is_ambiguous());
    assert_eq!(found.condition(), Condition::Ours);
    assert_eq!(found.credential(), None::<&Credential>);
    assert!(found.copy(CopyIndex::A).is_some() && found.copy(CopyIndex::B).is_some());
    assert_eq!(crate::site::opened_rooms(&field), [] as [u32; 0]);
    field.present(None);
    let done = field.encode(&guest(3, 103)).ended.done().unwrap();
    assert_eq!(done.sequence.get(), 1);
    assert_eq!(crate::site::opened_rooms(&field), [103]);
}

#[test]
fn a_swap_in_the_middle_of_an_inspection_is_noticed() {
    use card::{Command, Inspect, PresentedCard, Procedure, Reply, Step};
    let card = encoded(0).presented();
    let mut inspect =
        Inspect::new(card.clone(), &crate::site::keys(), Purpose::Scan, entropy()).unwrap();
    assert!(matches!(inspect.next(None), Step::Exchange(..)));
    let Step::Exchange(Command::Reselect, _) = inspect.next(Some(Reply::Refused)) else {
        panic!("after a refused key the card is selected again")
    };
    let other = PresentedCard {
        uid: "04000001".parse().unwrap(),
        ..card
    };
    assert!(matches!(
        inspect.next(Some(Reply::Reselected(other))),
        Step::Done(Err(Refusal::Swapped))
    ));
}

#[test]
fn a_swap_before_a_lock_is_noticed() {
    use card::{Command, PresentedCard, Procedure, ReadCopies, Reply, Step};
    let card = encoded(0).presented();
    let keys = crate::site::keys().lock_keys();
    let mut read = ReadCopies::new(card.clone(), keys, entropy()).unwrap();
    assert!(matches!(read.next(None), Step::Exchange(..)));
    let Step::Exchange(Command::Reselect, _) = read.next(Some(Reply::Refused)) else {
        panic!("after a refused key the card is selected again")
    };
    let other = PresentedCard {
        uid: "04000001".parse().unwrap(),
        ..card
    };
    assert!(matches!(
        read.next(Some(Reply::Reselected(other))),
        Step::Done(Err(Refusal::Swapped))
    ));
}

#[test]
fn an_unsupported_card_is_named_before_anything_is_sent() {
    let mut card = encoded(0).presented();
    card.answer = card::SelectAnswer::Iso14443a {
        atqa: [0x00, 0x44],
        sak: 0x10,
        ats: Vec::new(),
    };
    let refused = card::Inspect::new(card, &crate::site::keys(), Purpose::Scan, entropy()).err();
    assert_eq!(
        refused.map(|refused| refused.to_string()).as_deref(),
        Some(
            "this card is a MIFARE Plus 2K in security level 2, which cannot hold a credential here; use a card of a supported type"
        )
    );
}

#[test]
fn a_plan_for_a_scanned_card_opens_the_sectors_for_writing_first() {
    let mut field = encoded(1);
    let found = field.inspect(Purpose::Scan).done().unwrap();
    let options = PlanOptions::default();
    let planned = card::plan(&found, &guest(2, 102), &crate::site::keys(), &options).unwrap();
    field
        .run(&mut card::Write::new(
            planned,
            &crate::site::keys(),
            crate::site::entropy(),
        ))
        .done()
        .unwrap();
    assert_eq!(crate::site::opened_rooms(&field), [102]);
}
