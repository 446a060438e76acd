//! Copies of several sectors: how many a card is prepared for, what fits it then, and that nothing beside them is touched.

use card::{Condition, Credential, Purpose, Refusal};

use crate::encode::encoded;
use crate::field::Field;
use crate::model::{Size, transport_trailer};
use crate::site::{guest, opened_rooms, with_doors};

/// The trailers of the sectors that are ours, in the order of the card.
pub(crate) fn prepared(field: &Field) -> Vec<u8> {
    (0..32)
        .filter(|sector| {
            let trailer = sector * 4 + 3;
            field.card.memory[trailer][6..9] == [0x78, 0x77, 0x88]
        })
        .map(|sector| sector as u8)
        .collect()
}

/// A card on which these were encoded one after the other.
pub(crate) fn holding(size: Size, credentials: &[Credential]) -> Field {
    let mut field = Field::blank_of(size);
    for credential in credentials {
        field.present(None);
        field.encode(credential).ended.done().unwrap();
    }
    field.present(None);
    field
}

/// No key was refused twice.
pub(crate) fn assert_no_key_refused_twice(field: &Field) {
    for (at, (block, kind, key)) in field.card.refused.iter().enumerate() {
        let again = field.card.refused[..at]
            .iter()
            .any(|(_, other_kind, other)| (other_kind, other) == (kind, key));
        assert!(!again, "the key of block {block} was refused twice");
    }
}

#[test]
fn a_blank_card_is_prepared_for_as_many_sectors_as_its_first_credential_takes_and_two_for_a_tlcode()
{
    let even_without_16 = (2..=14).step_by(2).chain((18..=28).step_by(2));
    let mut thirteen_each: Vec<u8> = (1..=25).step_by(2).chain(even_without_16).collect();
    thirteen_each.sort_unstable();
    for (size, credential, sectors) in [
        (Size::Mini, guest(1, 101), vec![1, 2]),
        (Size::Mini, with_doors(1, 101, 0), vec![1, 2, 3, 4]),
        (Size::Mini, with_doors(1, 101, 21), vec![1, 2, 3, 4]),
        (Size::OneK, guest(1, 101), vec![1, 2]),
        (Size::OneK, with_doors(1, 101, 0), vec![1, 2, 3, 4]),
        (Size::OneK, with_doors(1, 101, 100), (1..=12).collect()),
        (Size::OneK, with_doors(1, 101, 140), (1..=14).collect()),
        (Size::FourK, guest(1, 101), vec![1, 2]),
        (Size::FourK, with_doors(1, 101, 280), thirteen_each),
    ] {
        let case = format!("{size:?}, {} doors", credential.doors.additional.len());
        for mut field in [Field::blank_of(size), Field::blank_with_long_uid(size)] {
            let before = field.card.memory;
            field.encode(&credential).ended.done().unwrap();
            assert_no_key_refused_twice(&field);
            assert_eq!(prepared(&field), sectors, "{case}");
            assert_eq!(opened_rooms(&field), [101], "{case}");
            for (block, held) in before.iter().enumerate() {
                let sector = (block / 4) as u8;
                if block >= 128 || !sectors.contains(&sector) {
                    assert_eq!(field.card.memory[block], *held, "{case}, block {block}");
                }
            }
            field.present(None);
            let found = field.inspect(Purpose::Scan).done().unwrap();
            assert_eq!(found.credential(), Some(&credential), "{case}");
        }
    }
}

#[test]
fn a_short_tlcode_goes_where_an_rfid48_was_and_the_other_way_round() {
    let mut short = with_doors(2, 102, 0);
    short.doors.common = card::CommonDoors::default();
    let mut field = holding(Size::OneK, &[guest(1, 101), short.clone()]);
    assert_eq!(prepared(&field), [1, 2]);
    assert_eq!(opened_rooms(&field), [102]);
    for credential in [guest(3, 103), short, guest(4, 104)] {
        field.present(None);
        field.encode(&credential).ended.done().unwrap();
        field.present(None);
        let found = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(found.credential(), Some(&credential));
    }
    let mut field = holding(Size::OneK, &[with_doors(1, 101, 0), guest(2, 102)]);
    assert_eq!(prepared(&field), [1, 2, 3, 4]);
    for doors in [1, 21, 0] {
        field.present(None);
        let credential = with_doors(3, 103, doors);
        field.encode(&credential).ended.done().unwrap();
        assert_eq!(opened_rooms(&field), [103]);
    }
}

/// Encodes and expects that nothing is written.
fn refused(field: &mut Field, credential: &Credential) -> Refusal {
    let before = field.card.memory;
    field.present(None);
    let refused = field.encode(credential).ended.done().unwrap_err();
    assert_eq!(field.card.memory, before);
    assert!(field.written.is_empty());
    assert_no_key_refused_twice(field);
    refused
}

#[test]
fn a_card_with_a_credential_is_never_prepared_further_and_says_what_would_fit() {
    for history in [vec![guest(1, 101)], vec![guest(1, 101), guest(2, 102)]] {
        let mut field = holding(Size::OneK, &history);
        assert_eq!(
            refused(&mut field, &with_doors(9, 109, 0)).to_string(),
            "the credential does not fit this card: this card was prepared for 1 sector per copy, which hold 48 bytes, and the credential takes 52; leave out doors or use a blank card"
        );
        assert_eq!(opened_rooms(&field), [100 + history.len() as u32]);
    }
    let mut field = holding(Size::OneK, &[with_doors(1, 101, 60)]);
    assert_eq!(
        refused(&mut field, &with_doors(9, 109, 100)).to_string(),
        "the credential does not fit this card: this card was prepared for 4 sectors per copy, which hold 192 bytes, and the credential takes 254; leave out doors or use a blank card"
    );
    assert_eq!(opened_rooms(&field), [101]);
}

#[test]
fn what_no_such_card_could_hold_is_refused_before_anything_is_sent_to_it() {
    for (size, doors, expected) in [
        (
            Size::Mini,
            22,
            "it takes 98 bytes, and a MIFARE Classic Mini holds 96; leave out doors, or use a card with more room, as a MIFARE Classic 4K with its 672 bytes",
        ),
        (
            Size::OneK,
            141,
            "it takes 338 bytes, and a MIFARE Classic 1K holds 336; leave out doors, or use a card with more room, as a MIFARE Classic 4K with its 672 bytes",
        ),
    ] {
        let mut field = Field::blank_of(size);
        let refusal = refused(&mut field, &with_doors(1, 101, doors)).to_string();
        assert_eq!(
            refusal,
            format!("the credential does not fit this card: {expected}")
        );
        assert_eq!(field.exchanges, 0);
    }
}

#[test]
fn blank_is_judged_on_every_sector_that_will_be_used_and_on_no_other() {
    type Make = fn(&mut Field);
    let cases: [(&str, Make); 5] = [
        ("data in sector 3", |field| {
            field.card.memory[14][3] = 1;
        }),
        ("an NDEF message in sector 4", |field| {
            field.card.memory[16][..3].copy_from_slice(&[0x03, 0x00, 0xFE]);
        }),
        ("another key A in sector 3", |field| {
            field.card.memory[15][0] = 0;
        }),
        ("another key B in sector 4", |field| {
            field.card.memory[19][15] = 0;
        }),
        ("other access bits in sector 4", |field| {
            field.card.memory[19][6..9].copy_from_slice(&[0x7F, 0x07, 0x88]);
        }),
    ];
    for (what, make) in cases {
        let mut field = Field::blank();
        make(&mut field);
        let refusal = refused(&mut field, &with_doors(1, 101, 0));
        assert!(matches!(refusal, Refusal::Foreign { .. }), "{what}");
        field.present(None);
        field.encode(&guest(1, 101)).ended.done().unwrap();
        assert_eq!(opened_rooms(&field), [101], "{what}");
        field.present(None);
        assert_eq!(prepared(&field), [1, 2], "{what}");
    }
}

#[test]
fn a_card_that_was_prepared_in_part_is_prepared_on_from_there_whatever_comes_next() {
    let order = [7, 11, 15, 19, 23, 27];
    let whole = holding(Size::OneK, &[with_doors(1, 101, 40)]);
    assert_eq!(prepared(&whole), [1, 2, 3, 4, 5, 6]);
    for done in 1..=order.len() {
        let mut half = Field::blank();
        for trailer in &order[..done] {
            half.card.memory[*trailer] = whole.card.memory[*trailer];
        }
        let found = half.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(found.condition(), Condition::Torn);
        for (credential, least) in [
            (guest(2, 102), 2),
            (with_doors(2, 102, 0), 4),
            (with_doors(2, 102, 40), 6),
            (with_doors(2, 102, 60), 8),
        ] {
            let case = format!("{done} trailers, then {} sectors", least);
            let mut field = half.clone();
            field.present(None);
            field.encode(&credential).ended.done().unwrap();
            assert_eq!(opened_rooms(&field), [102], "{case}");
            assert_eq!(prepared(&field).len(), done.max(least), "{case}");
            let again: Vec<&usize> = order[..done]
                .iter()
                .filter(|trailer| field.written.contains(&(**trailer as u8)))
                .collect();
            // The last that is needed may have been in flight.
            assert_eq!(again, [&order[done.min(least) - 1]], "{case}");
            assert_no_key_refused_twice(&field);
        }
    }
}

#[test]
fn a_copy_whose_further_sector_is_lost_is_void_and_its_card_still_takes_an_rfid48() {
    let mut field = holding(Size::OneK, &[with_doors(1, 101, 0)]);
    field.card.memory[19] = transport_trailer();
    assert_eq!(opened_rooms(&field), [] as [u32; 0]);
    let found = field.inspect(Purpose::Scan).done().unwrap();
    assert_eq!(found.condition(), Condition::Torn);
    field.present(None);
    field.encode(&guest(2, 102)).ended.done().unwrap();
    assert_eq!(opened_rooms(&field), [102]);
}

#[test]
fn a_sector_that_refused_its_keys_is_not_asked_again_when_it_was_going_to_be_written() {
    let long = with_doors(1, 101, 0);
    for history in [
        vec![long.clone()],
        vec![long.clone(), with_doors(2, 102, 0)],
    ] {
        let mut field = holding(Size::OneK, &history);
        // The copy that counts loses its second sector, so that the other one would be void or be written.
        let lost = if history.len() == 1 { 19 } else { 15 };
        field.card.memory[lost] = [0x5A; 16];
        refused(&mut field, &with_doors(9, 109, 0));
    }
}

#[test]
fn a_card_that_refused_the_transport_key_once_is_not_asked_for_it_again() {
    let whole = holding(Size::OneK, &[with_doors(1, 101, 0)]);
    let mut field = Field::blank();
    // No preparation of ours is broken off like that.
    field.card.memory[15] = whole.card.memory[15];
    field.card.memory[19] = [0x5A; 16];
    let refusal = refused(&mut field, &with_doors(9, 109, 0));
    assert!(matches!(refusal, Refusal::Foreign { .. }), "{refusal}");
}

#[test]
fn nothing_beside_the_sectors_of_a_long_credential_changes_whatever_it_is() {
    let mut field = Field::blank_of(Size::FourK);
    let ours = |block: usize| (4..28).contains(&block);
    for (block, held) in field.card.memory.iter_mut().enumerate() {
        if !ours(block) {
            *held = [block as u8 ^ 0xA5; 16];
        }
    }
    let before = field.card.memory;
    for (number, doors) in [(1, 40), (2, 45), (3, 0), (4, 45)] {
        field.present(None);
        let credential = with_doors(number, 100 + number, doors);
        field.encode(&credential).ended.done().unwrap();
        assert_eq!(opened_rooms(&field), [100 + number]);
        for (block, held) in before.iter().enumerate().filter(|(block, _)| !ours(*block)) {
            assert_eq!(field.card.memory[block], *held, "block {block}");
        }
    }
    refused(&mut field, &with_doors(9, 109, 46));
}

#[test]
fn a_header_that_asks_for_more_than_the_card_has_is_void() {
    let mut field = Field::blank_of(Size::Mini);
    field.encode(&with_doors(1, 101, 21)).ended.done().unwrap();
    for length in [80_u16, 655, 656, u16::MAX] {
        field.card.memory[8][7..9].copy_from_slice(&length.to_be_bytes());
        field.present(None);
        let found = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(found.condition(), Condition::Torn, "{length}");
        assert_eq!(opened_rooms(&field), [] as [u32; 0], "{length}");
    }
}

/// The rest of a voided long image lies in the further sectors; a shorter one does not bring it back.
#[test]
fn a_shorter_credential_leaves_nothing_of_a_longer_one_that_counts() {
    let mut field = holding(
        Size::OneK,
        &[with_doors(1, 101, 40), with_doors(2, 102, 40)],
    );
    for (number, doors) in [(3, 0), (4, 39), (5, 1), (6, 40)] {
        field.present(None);
        let credential = with_doors(number, 100 + number, doors);
        field.encode(&credential).ended.done().unwrap();
        assert_eq!(opened_rooms(&field), [100 + number]);
    }
    assert_eq!(encoded(0).card.memory[0], field.card.memory[0]);
}
