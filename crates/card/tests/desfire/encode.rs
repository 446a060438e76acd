//! What an inspection says, what it costs, and what an encode leaves on the card.

use card::{CardFormat, Condition, Purpose, Refusal};

use crate::field::{Fault, Field};
use crate::model::{Application, CardKey, Desfire, ID};
use crate::refuse::refused;
use crate::site::{FORMATS, guest, opened_rooms, ring, with_doors};

const PAGE: &str = include_str!("../../../../docs/performance.md");

pub(crate) const GENERATIONS: [u8; 3] = [1, 2, 3];

pub(crate) fn blank(generation: u8) -> Field<Desfire> {
    Field::new(Desfire::blank(generation), ring(&[1]))
}

/// A card that was encoded so many times, for rooms 101, 102 and so on.
pub(crate) fn encoded(generation: u8, format: CardFormat, times: u32) -> Field<Desfire> {
    let mut field = blank(generation);
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
    for generation in GENERATIONS {
        for format in FORMATS {
            let mut field = blank(generation);
            let scan = field.inspect(Purpose::Scan).done().unwrap();
            assert_eq!(scan.condition(), Condition::Blank);
            field.present(None);
            let done = field.encode(&guest(format, 1, 101)).ended.done().unwrap();
            assert_eq!(done.sequence.get(), 1);
            assert_eq!(opened_rooms(&field), [101]);
            let ours = field.card.ours().unwrap();
            assert_eq!((ours.settings, ours.kind), (0x0B, 0x84));
            assert!(
                ours.keys
                    .iter()
                    .all(|(key, version)| *key != [0; 16] && *version == 1)
            );
            let file = ours.file.as_ref().unwrap();
            assert_eq!(file.settings, [0x01, 0x20, 0x12, 0x00, 0x01, 0x00]);
            field.present(None);
            let scan = field.inspect(Purpose::Scan).done().unwrap();
            assert_eq!(scan.condition(), Condition::Ours);
            assert_eq!(scan.credential(), Some(&guest(format, 1, 101)));
        }
    }
}

/// The figures of docs/performance.md.
#[test]
fn every_procedure_takes_the_fewest_exchanges() {
    for generation in GENERATIONS {
        for (format, doors, scan, unchanged, encode, first) in [
            (CardFormat::Rfid48, 0, 7, 7, 11, 24),
            (CardFormat::TlCode, 0, 8, 8, 13, 25),
            (CardFormat::TlCode, 101, 11, 11, 22, 31),
        ] {
            let length = match Purpose::encode(&with_doors(guest(format, 1, 101), doors)) {
                Ok(Purpose::Encode { image_length, .. }) => image_length,
                other => panic!("{other:?}"),
            };
            let name = match format {
                CardFormat::Rfid48 => "`rfid48`".to_owned(),
                CardFormat::TlCode => format!("`TLCode` of {length} bytes"),
            };
            let row =
                format!("| MIFARE DESFire | {name} | {scan} | {unchanged} | {encode} | {first} |");
            assert!(
                PAGE.contains(&row),
                "docs/performance.md does not say\n{row}"
            );
            let of = |number, room| with_doors(guest(format, number, room), doors);
            let mut field = blank(generation);
            field.encode(&of(1, 101)).ended.done().unwrap();
            let case = format!("EV{generation}, {format}, {doors} single doors");
            assert_eq!(field.exchanges, first, "{case}: first encode");
            field.present(None);
            field.inspect(Purpose::Scan).done().unwrap();
            assert_eq!(field.exchanges, scan, "{case}: scan");
            field.present(None);
            let done = field.encode(&of(1, 101)).ended.done().unwrap();
            assert_eq!((done.writes, field.exchanges), (0, unchanged), "{case}");
            field.present(None);
            field.encode(&of(2, 102)).ended.done().unwrap();
            assert_eq!(field.exchanges, encode, "{case}: encode");
        }
    }
}

#[test]
fn an_encode_replaces_what_was_there_with_the_next_sequence_whatever_the_format() {
    for generation in GENERATIONS {
        let mut field = encoded(generation, CardFormat::TlCode, 2);
        let new = guest(CardFormat::Rfid48, 3, 103);
        let done = field.encode(&new).ended.done().unwrap();
        assert_eq!((done.sequence.get(), done.writes), (3, 2));
        assert_eq!(opened_rooms(&field), [103]);
    }
}

#[test]
fn keys_on_the_card_keep_their_version_and_the_credential_takes_the_newest() {
    for generation in GENERATIONS {
        let mut field = encoded(generation, CardFormat::Rfid48, 1);
        field.keys = ring(&[1, 2]);
        field
            .encode(&guest(CardFormat::Rfid48, 1, 101))
            .ended
            .done()
            .unwrap();
        field.present(None);
        let found = field.inspect(Purpose::Scan).done().unwrap();
        let (_, copy) = found.active().unwrap();
        assert_eq!(copy.key_version.get(), 2);
        assert_eq!(field.exchanges, 8, "one more: the version of the key");
        assert!(field.card.ours().unwrap().keys.iter().all(|key| key.1 == 1));
        assert_eq!(opened_rooms(&field), [101]);

        field.keys = ring(&[2]);
        assert!(matches!(refused(field), Refusal::Foreign { .. }));
    }
}

#[test]
fn a_credential_that_does_not_fit_is_refused_before_anything_is_written() {
    for generation in GENERATIONS {
        let fits = with_doors(guest(CardFormat::TlCode, 1, 101), 101);
        let too_long = with_doors(guest(CardFormat::TlCode, 1, 101), 102);
        for mut field in [
            blank(generation),
            encoded(generation, CardFormat::Rfid48, 1),
        ] {
            let before = field.card.memory();
            let refusal = field.encode(&too_long).ended.done().unwrap_err();
            assert!(matches!(refusal, Refusal::DoesNotFit { .. }), "{refusal}");
            assert!(field.card.memory() == before);
            field.present(None);
            field.encode(&fits).ended.done().unwrap();
        }
    }
}

#[test]
fn a_card_that_hides_its_uid_is_bound_to_the_real_one() {
    for generation in GENERATIONS {
        for card_key in [CardKey::DeliveredDes, CardKey::DeliveredAes] {
            for versions in [&[1][..], &[1, 2]] {
                let mut field = blank(generation);
                field.keys = ring(versions);
                field.card.hides_uid = true;
                field.card.card_key = card_key;
                field.present(None);
                field
                    .encode(&guest(CardFormat::Rfid48, 1, 101))
                    .ended
                    .done()
                    .unwrap();
                assert_eq!(opened_rooms(&field), [101]);
                field.present(None);
                let found = field.inspect(Purpose::Scan).done().unwrap();
                assert_eq!(found.uid().as_bytes(), field.card.uid);
                assert_ne!(found.presented().uid, found.uid());
                field.present(None);
                field
                    .encode(&guest(CardFormat::TlCode, 2, 102))
                    .ended
                    .done()
                    .unwrap();
                assert_eq!(opened_rooms(&field), [102]);
                // Shown openly, it is the same card.
                field.card.hides_uid = false;
                assert_eq!(opened_rooms(&field), [102]);
            }
        }
        let mut field = blank(generation);
        field.card.hides_uid = true;
        field.card.card_key = CardKey::SomebodyElses;
        assert!(refused(field).to_string().contains("hides its UID"));
    }
}

#[test]
fn what_is_on_one_card_is_void_on_another() {
    for generation in GENERATIONS {
        let field = encoded(generation, CardFormat::Rfid48, 1);
        let mut other = encoded(generation, CardFormat::Rfid48, 0);
        other.card.uid[3] ^= 1;
        other.present(None);
        other
            .encode(&guest(CardFormat::Rfid48, 1, 102))
            .ended
            .done()
            .unwrap();
        other.card.ours_mut().file = field.card.ours().unwrap().file.clone();
        assert_eq!(opened_rooms(&other), [] as [u32; 0]);
        other.present(None);
        let found = other.inspect(Purpose::Scan).done().unwrap();
        assert_eq!(found.condition(), Condition::Torn);
    }
}

#[test]
fn a_session_that_the_encoder_lost_before_the_first_write_is_opened_again() {
    for generation in GENERATIONS {
        let mut field = encoded(generation, CardFormat::Rfid48, 1);
        let inspection = 7;
        field.present(Some((inspection, Fault::Renewed)));
        let done = field
            .encode(&guest(CardFormat::Rfid48, 2, 102))
            .ended
            .done()
            .unwrap();
        assert_eq!(done.sequence.get(), 2);
        assert_eq!(opened_rooms(&field), [102]);
        // Later it is not.
        field.present(Some((inspection + 2, Fault::Renewed)));
        field
            .encode(&guest(CardFormat::Rfid48, 3, 103))
            .ended
            .done()
            .unwrap_err();
        assert_eq!(opened_rooms(&field), [102]);
    }
}

#[test]
fn an_answer_that_changed_on_the_way_ends_the_procedure() {
    for generation in GENERATIONS {
        for format in FORMATS {
            let start = encoded(generation, format, 1);
            for at in 3..14 {
                let mut field = start.clone();
                field.present(Some((at, Fault::Garbled)));
                let ended = field.inspect(Purpose::Scan).done();
                if let Ok(found) = ended {
                    let is_true = found.credential() == Some(&guest(format, 1, 101));
                    assert!(is_true || found.credential().is_none(), "exchange {at}");
                }
                let mut field = start.clone();
                field.present(Some((at, Fault::Garbled)));
                let _ = field.encode(&guest(format, 2, 102));
                assert!([[101], [102]].contains(&opened_rooms(&field).try_into().unwrap()));
            }
        }
    }
}

#[test]
fn other_applications_stay_as_they_are() {
    let mut field = blank(1);
    let other = Application {
        id: [1, 2, 3],
        settings: 0x0F,
        kind: 0x81,
        keys: vec![([3; 16], 4)],
        file: None,
    };
    field.card.applications.push(other.clone());
    field
        .encode(&guest(CardFormat::Rfid48, 1, 101))
        .ended
        .done()
        .unwrap();
    assert_eq!(field.card.applications[0], other);
    assert_eq!(field.card.applications[1].id, ID);
}
