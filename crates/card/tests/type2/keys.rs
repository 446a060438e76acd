//! Passwords and keys: which one a card gets, that old versions still open it, and what it takes to finish a card that was
//! being prepared.

use card::{CardFormat, Suspects, Technology};

use crate::encode::encoded;
use crate::field::{Fault, Field};
use crate::model::SHEETS;
use crate::site::{guest, opened_rooms, ring};

const RFID48: CardFormat = CardFormat::Rfid48;

fn protected() -> impl Iterator<Item = Technology> {
    let all = SHEETS.into_iter().map(|sheet| sheet.technology);
    all.filter(|technology| *technology != Technology::MifareUltralight)
}

#[test]
fn a_prepared_card_asks_for_its_key_before_it_is_written_and_its_settings_are_as_delivered() {
    for technology in protected() {
        let field = encoded(technology, RFID48, 1);
        let blank = Field::blank(technology);
        let settings = match field.card.sheet.cfg0 {
            Some(cfg0) => usize::from(cfg0),
            None => 0x2A,
        };
        let mut expected = blank.card.memory[settings];
        expected[if technology == Technology::MifareUltralightC {
            0
        } else {
            3
        }] = 0x04;
        assert_eq!(field.card.memory[settings], expected, "{technology}");
        assert_eq!(
            field.card.memory[settings + 1],
            blank.card.memory[settings + 1],
            "{technology}: CFG1 or AUTH1"
        );
        assert_ne!(
            field.card.memory[settings + 2],
            blank.card.memory[settings + 2]
        );
        assert!(!field.card.may_write(4), "{technology}");
    }
}

#[test]
fn a_card_prepared_under_an_older_version_is_written_under_the_newest_and_keeps_its_key() {
    for technology in protected() {
        let mut field = encoded(technology, RFID48, 1);
        let keys = field.card.memory[usize::from(field.card.sheet.user) + 1..].to_vec();
        field.keys = ring(&[1, 2]);
        for tries in [2, 2] {
            field.present(None);
            field.encode(&guest(RFID48, 1, 101)).ended.done().unwrap();
            assert!(field.card.tries <= tries, "{technology}");
            assert_eq!(opened_rooms(&field), [101]);
            assert_eq!(
                field.card.memory[usize::from(field.card.sheet.user) + 1..],
                keys
            );
        }
        assert_eq!(
            field.written,
            [] as [u8; 0],
            "{technology}: nothing left to do"
        );
    }
}

#[test]
fn a_card_whose_version_is_no_longer_held_is_not_written() {
    for technology in protected() {
        let mut field = encoded(technology, RFID48, 1);
        let before = field.card.memory.clone();
        field.keys = ring(&[1, 2, 3]);
        let mark = field.keys.site_mark();
        let kept = vec![(
            card::KeyVersion::new(3).unwrap(),
            card::SiteKey::new([0x60; 32]),
        )];
        field.keys = card::SiteKeys::ring(kept, Some(mark)).unwrap();
        field.present(None);
        field
            .encode(&guest(RFID48, 9, 109))
            .ended
            .done()
            .unwrap_err();
        assert_eq!(field.card.memory, before, "{technology}");
        assert!(field.card.tries <= 1, "{technology}");
    }
}

/// A password keeps the version that the card was prepared under, which the credential does not tell: on a card that counts
/// wrong ones, each guess could be one too many.
#[test]
fn no_password_is_tried_where_wrong_ones_are_counted() {
    let has_password = |technology: &Technology| *technology != Technology::MifareUltralightC;
    for technology in protected().filter(has_password) {
        for versions in [&[1][..], &[1, 2]] {
            let mut ours = encoded(technology, RFID48, 1);
            ours.keys = ring(&[1]);
            let cfg0 = usize::from(ours.card.sheet.cfg0.unwrap());
            ours.card.memory[cfg0 + 1][0] |= 0x01;
            let mut empty = ours.clone();
            empty.card.memory[4..16].fill([0; 4]);
            for mut field in [ours.clone(), empty] {
                field.keys = ring(versions);
                let before = field.card.memory.clone();
                let refused = field.encode(&guest(RFID48, 9, 109)).ended.done();
                let refusal = refused.unwrap_err().to_string();
                assert!(refusal.contains("counts wrong ones"), "{refusal}");
                assert_eq!(field.card.tries, 0, "{technology}");
                assert!(field.card.memory == before, "{technology}");
            }
            ours.present(None);
            let verified = ours.encode(&guest(RFID48, 1, 101)).ended.done();
            assert_eq!(verified.unwrap().writes, 0, "{technology}");
        }
    }
}

#[test]
fn an_encoder_that_lost_the_authentication_meanwhile_proves_itself_again() {
    let mut field = encoded(Technology::MifareUltralightC, RFID48, 1);
    let credential = guest(RFID48, 9, 109);
    let options = card::PlanOptions::default();
    let plan = field.plan(&credential, &options).done().unwrap();
    field.reselected_at = Some(field.exchanges);
    field.write(plan, Suspects::NONE).ended.done().unwrap();
    assert_eq!(opened_rooms(&field), [109]);
}

/// A card that was pulled while it was being prepared, and pulled again while that was made up for.
#[test]
fn a_card_pulled_twice_while_it_is_prepared_is_finished_or_at_worst_a_blank_card_is_lost() {
    let new = guest(RFID48, 9, 109);
    let (mut finished, mut lost) = (0, 0);
    for technology in protected() {
        let mut clean = Field::blank(technology);
        clean.encode(&new).ended.done().unwrap();
        let is_key = |(page, _): &(&u8, &usize)| **page > clean.card.sheet.user;
        let writes: Vec<usize> = clean
            .written
            .iter()
            .zip(&clean.writes_at)
            .filter(is_key)
            .map(|(_, at)| *at)
            .collect();
        let faults = [
            Fault::TornMix(3),
            Fault::TornNoise(3),
            Fault::WeakOld,
            Fault::WeakNew,
        ];
        for (first, fault) in writes
            .iter()
            .flat_map(|at| faults.map(|fault| (*at, fault)))
        {
            let mut field = Field::blank(technology);
            field.present(Some((first, fault)));
            field.encode(&new);
            for second in 0..clean.exchanges {
                let mut twice = field.clone();
                twice.present(Some((second, Fault::TornNoise(4))));
                twice.encode(&new);
                twice.card.turn_weak_cells();
                twice.present(None);
                match twice.encode(&new).ended.done() {
                    Ok(_) => {
                        assert_eq!(opened_rooms(&twice), [109]);
                        finished += 1;
                    }
                    Err(_) => {
                        assert_eq!(opened_rooms(&twice), [] as [u32; 0]);
                        assert_eq!(twice.card.memory[4], [0; 4], "no credential was on it");
                        lost += 1;
                    }
                }
            }
        }
    }
    assert!(
        finished > 1_000 && lost * 50 < finished,
        "{finished} finished, {lost} lost"
    );
}
