//! Cards and readers across a roll of the site key: what was prepared under one version is read, written and opened with it.

use card::{Condition, CopyIndex, KeyVersion, Purpose, Refusal, SiteKeys};

use crate::encode::encoded;
use crate::field::Field;
use crate::model::Size;
use crate::sectors::{assert_no_key_refused_twice, holding, prepared};
use crate::site::{guest, keys, opened_rooms, ring, with_doors};

fn version(number: u8) -> KeyVersion {
    KeyVersion::new(number).unwrap()
}

/// The same card before an encoder and a lock with other keys.
fn under(field: &Field, keys: &SiteKeys) -> Field {
    let mut field = field.clone();
    field.keys = keys.clone();
    field.present(None);
    field
}

#[test]
fn a_card_that_was_prepared_before_a_roll_is_read_written_and_opened_after_it() {
    let rolled = ring(&[1, 2]);
    for credential in [guest(1, 101), with_doors(1, 101, 0), with_doors(1, 101, 40)] {
        let old = holding(Size::OneK, std::slice::from_ref(&credential));
        let trailers = prepared(&old);
        let mut field = under(&old, &rolled);
        assert_eq!(opened_rooms(&field), [101]);
        let found = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(found.credential(), Some(&credential));
        assert_eq!(found.active().unwrap().1.key_version, version(1));
        assert_no_key_refused_twice(&field);

        field.present(None);
        let mut new = credential.clone();
        new.number = guest(2, 102).number;
        let before = field.card.memory;
        field.encode(&new).ended.done().unwrap();
        assert_no_key_refused_twice(&field);
        assert_eq!(opened_rooms(&field), [101]);
        for sector in trailers {
            let trailer = usize::from(sector) * 4 + 3;
            assert_eq!(field.card.memory[trailer], before[trailer]);
        }
        field.present(None);
        let found = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(found.active().unwrap().1.key_version, version(2));
        // A lock that was not visited yet does not take what is sealed under the new version.
        assert_eq!(opened_rooms(&under(&field, &keys())), [] as [u32; 0]);
    }
}

#[test]
fn a_card_of_the_newest_version_costs_no_more_with_older_ones_held() {
    let all = ring(&[1, 2, 3]);
    let mut field = under(&encoded(0), &all);
    let counts = |field: &mut Field| {
        let exchanges = field.exchanges;
        field.present(None);
        exchanges
    };
    field.encode(&guest(1, 101)).ended.done().unwrap();
    assert_eq!(
        counts(&mut field),
        22 + 2,
        "two older keys refused on a blank card"
    );
    field.inspect(Purpose::Scan).done().unwrap();
    assert_eq!(counts(&mut field), 6);
    field.encode(&guest(1, 101)).ended.done().unwrap();
    assert_eq!(counts(&mut field), 6);
    field.encode(&guest(2, 102)).ended.done().unwrap();
    assert_eq!(counts(&mut field), 15);
}

#[test]
fn each_older_version_costs_one_refused_key_on_a_card_that_was_prepared_under_it() {
    let old = encoded(1);
    for (versions, exchanges) in [(&[1][..], 6), (&[1, 2], 7), (&[1, 2, 3], 8)] {
        let mut field = under(&old, &ring(versions));
        let found = field.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(found.condition(), Condition::Ours);
        assert_eq!(field.exchanges, exchanges);
        assert_eq!(field.card.refused.len(), versions.len() - 1);
    }
}

#[test]
fn an_unchanged_credential_is_sealed_anew_after_a_roll() {
    let mut field = under(&encoded(1), &ring(&[1, 2]));
    let done = field.encode(&guest(1, 101)).ended.done().unwrap();
    assert_eq!((done.copy, done.sequence.get()), (CopyIndex::A, 2));
    field.present(None);
    let done = field.encode(&guest(1, 101)).ended.done().unwrap();
    assert_eq!(done.writes, 0);
}

#[test]
fn a_preparation_that_was_broken_off_before_a_roll_is_finished_under_the_new_version() {
    let whole = holding(Size::OneK, &[with_doors(1, 101, 0)]);
    let order = [7, 11, 15, 19];
    for done in 1..order.len() {
        let mut field = under(&encoded(0), &ring(&[1, 2]));
        for trailer in &order[..done] {
            field.card.memory[*trailer] = whole.card.memory[*trailer];
        }
        field.encode(&with_doors(2, 102, 0)).ended.done().unwrap();
        assert_no_key_refused_twice(&field);
        assert_eq!(opened_rooms(&field), [102], "{done} trailers before");
        field.present(None);
        field.encode(&with_doors(3, 103, 1)).ended.done().unwrap();
        assert_eq!(opened_rooms(&field), [103], "{done} trailers before");
    }
}

#[test]
fn a_card_of_a_version_that_is_gone_is_foreign() {
    let mut field = under(&encoded(1), &ring(&[2, 3]));
    let refused = field.encode(&guest(2, 102)).ended.done().unwrap_err();
    assert!(matches!(refused, Refusal::Foreign { .. }), "{refused}");
    assert_no_key_refused_twice(&field);
    assert_eq!(
        field.card.refused.len(),
        3,
        "two versions and the transport key"
    );
    assert_eq!(opened_rooms(&field), [] as [u32; 0]);
}
