//! What an inspection says, what it costs, and what an encode leaves on the card.

use card::{CardFormat, Condition, CopyIndex, Purpose, Refusal};

use super::model::Ntag424;
use crate::field::{Fault, Field};
use crate::site::{FORMATS, guest, opened_rooms, ring, with_doors};

const PAGE: &str = include_str!("../../../../../docs/performance.md");

pub(crate) fn blank() -> Field<Ntag424> {
    Field::new(Ntag424::blank(), ring(&[1]))
}

pub(crate) fn encoded(format: CardFormat, times: u32) -> Field<Ntag424> {
    let mut field = blank();
    for number in 1..=times {
        field.present(None);
        let credential = guest(format, number, 100 + number);
        field.encode(&credential).ended.done().unwrap();
    }
    field.present(None);
    field
}

#[test]
fn a_blank_card_becomes_one_of_the_site_and_opens_its_room() {
    for format in FORMATS {
        let mut field = blank();
        let scan = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(scan.condition(), Condition::Blank);
        field.present(None);
        field.encode(&guest(format, 1, 101)).ended.done().unwrap();
        assert_eq!(opened_rooms(&field), [101]);
        let versions = field.card.keys.map(|key| key.1);
        assert_eq!(versions, [1, 0, 1, 1, 0]);
        field.present(None);
        let scan = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(scan.credential(), Some(&guest(format, 1, 101)));
        assert_eq!(field.card.failures, 0);
    }
}

/// The figures of docs/performance.md.
#[test]
fn every_procedure_takes_the_fewest_exchanges() {
    for format in FORMATS {
        let row = format!("| NTAG 424 DNA | `{format}` | 8 | 8 | 12 | 20 |");
        assert!(
            PAGE.contains(&row),
            "docs/performance.md does not say\n{row}"
        );
        let mut field = blank();
        field.encode(&guest(format, 1, 101)).ended.done().unwrap();
        assert_eq!(field.exchanges, 20, "{format}: first encode");
        field.present(None);
        field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(field.exchanges, 8, "{format}: scan");
        field.present(None);
        let done = field.encode(&guest(format, 1, 101)).ended.done().unwrap();
        assert_eq!(
            (done.writes, field.exchanges),
            (0, 8),
            "{format}: unchanged"
        );
        field.present(None);
        field.encode(&guest(format, 2, 102)).ended.done().unwrap();
        assert_eq!(field.exchanges, 12, "{format}: encode");
    }
}

#[test]
fn the_older_copy_is_void_when_an_encode_is_done() {
    let mut field = encoded(CardFormat::TlCode, 1);
    for number in 2..=4 {
        field.present(None);
        let format = FORMATS[number as usize % 2];
        let credential = guest(format, number, 100 + number);
        let done = field.encode(&credential).ended.done().unwrap();
        assert_eq!(u32::from(done.sequence.get()), number);
        let other = usize::from(done.copy.other().number()) * 64;
        assert_eq!(field.card.file[other..other + 64], [0; 64]);
        assert_eq!(opened_rooms(&field), [100 + number]);
    }
}

#[test]
fn a_credential_that_does_not_fit_is_refused_before_anything_is_written() {
    let most = with_doors(guest(CardFormat::TlCode, 1, 101), 5);
    let too_many = with_doors(guest(CardFormat::TlCode, 1, 101), 6);
    for mut field in [blank(), encoded(CardFormat::Rfid48, 1)] {
        let before = field.card.memory();
        let refusal = field.encode(&too_many).ended.done().unwrap_err();
        assert!(matches!(refusal, Refusal::DoesNotFit { .. }), "{refusal}");
        assert_eq!(field.card.memory(), before);
        field.present(None);
        field.encode(&most).ended.done().unwrap();
    }
}

#[test]
fn somebody_elses_card_is_left_alone_and_costs_it_at_most_one_failure() {
    let with = |start: &Field<Ntag424>, change: &dyn Fn(&mut Ntag424)| {
        let mut field = start.clone();
        change(&mut field.card);
        field
    };
    let (new, ours) = (blank(), encoded(CardFormat::Rfid48, 1));
    let others = [
        (with(&new, &|card| card.file[100] = 1), 0),
        (with(&new, &|card| card.settings[2] = 0x00), 0),
        (with(&new, &|card| card.settings[3] = 0xE3), 0),
        (with(&new, &|card| card.keys[0] = ([9; 16], 0)), 1),
        (with(&new, &|card| card.keys[3] = ([9; 16], 0)), 1),
        (with(&new, &|card| card.keys[0].1 = 3), 0),
        (with(&new, &|card| card.keys[2] = ([9; 16], 9)), 0),
        (with(&new, &|card| card.keys[3] = ([9; 16], 9)), 0),
        (with(&new, &|card| card.keys[3] = ([9; 16], 1)), 1),
        (with(&ours, &|card| card.keys[3].0 = [9; 16]), 1),
        (with(&new, &|card| card.uid = vec![0x08, 1, 2, 3]), 0),
    ];
    for (at, (mut field, failures)) in others.into_iter().enumerate() {
        let before = field.card.memory();
        field.present(None);
        let credential = guest(CardFormat::Rfid48, 9, 109);
        let refusal = field.encode(&credential).ended.done().unwrap_err();
        assert!(
            matches!(refusal, Refusal::Foreign { .. }),
            "{at}: {refusal}"
        );
        assert_eq!(field.card.memory(), before, "{at}");
        assert_eq!(field.card.failures, failures, "{at}");
    }
}

#[test]
fn keys_on_the_card_keep_their_version_and_the_credential_takes_the_newest() {
    let mut field = encoded(CardFormat::Rfid48, 1);
    field.keys = ring(&[1, 2]);
    field
        .encode(&guest(CardFormat::Rfid48, 1, 101))
        .ended
        .done()
        .unwrap();
    field.present(None);
    let found = field.inspect(Purpose::Scan).done().unwrap();
    assert_eq!(found.active().unwrap().1.key_version.get(), 2);
    assert_eq!(field.card.keys[3].1, 1);
    assert_eq!(opened_rooms(&field), [101]);
}

#[test]
fn a_copy_is_good_in_its_own_place_only() {
    let mut field = encoded(CardFormat::Rfid48, 1);
    let (first, second) = field.card.file.split_at_mut(64);
    first.swap_with_slice(second);
    assert_eq!(opened_rooms(&field), [] as [u32; 0]);
    let found = field.inspect(Purpose::Scan).done().unwrap();
    assert!(
        CopyIndex::BOTH
            .iter()
            .all(|copy| found.copy(*copy).is_none())
    );
}

#[test]
fn a_session_that_the_encoder_lost_before_the_first_write_is_opened_again() {
    let mut field = encoded(CardFormat::Rfid48, 1);
    field.present(Some((8, Fault::Renewed)));
    field
        .encode(&guest(CardFormat::Rfid48, 2, 102))
        .ended
        .done()
        .unwrap();
    assert_eq!(opened_rooms(&field), [102]);
}

#[test]
fn an_answer_that_changed_on_the_way_never_shows_anything_else() {
    for at in 3..12 {
        let mut field = encoded(CardFormat::Rfid48, 1);
        field.present(Some((at, Fault::Garbled)));
        if let Ok(found) = field.inspect(Purpose::Scan).done() {
            let is_true = found.credential() == Some(&guest(CardFormat::Rfid48, 1, 101));
            assert!(is_true || found.credential().is_none(), "exchange {at}");
        }
        let mut field = encoded(CardFormat::Rfid48, 1);
        field.present(Some((at, Fault::Garbled)));
        let _ = field.encode(&guest(CardFormat::Rfid48, 2, 102));
        assert!([[101], [102]].contains(&opened_rooms(&field).try_into().unwrap()));
    }
}
