//! The card is taken away at every exchange of an encode. Whatever happens, a lock sees the credential that was there or the
//! new one; nothing else on the card changes; and the same credential presented again is finished.

use card::CardFormat;

use crate::encode::{GENERATIONS, blank, encoded};
use crate::field::{Ended, Fault, Field};
use crate::model::{Application, CardKey, Desfire};
use crate::site::{FORMATS, guest, opened_rooms, ring};

struct Start {
    name: String,
    field: Field<Desfire>,
}

/// Blank cards, cards half prepared at each step, and cards of ours.
fn starts(generation: u8, format: CardFormat) -> Vec<Start> {
    let mut starts: Vec<Start> = Vec::new();
    let mut add = |name: &str, mut field: Field<Desfire>| {
        field.present(None);
        starts.push(Start {
            name: format!("EV{generation}, {format}, {name}"),
            field,
        });
    };
    for (hides_uid, versions) in [(false, &[1][..]), (true, &[1]), (false, &[1, 2])] {
        let mut start = blank(generation);
        start.card.hides_uid = hides_uid;
        start.keys = ring(versions);
        start.card.applications.push(Application {
            id: [9, 9, 9],
            settings: 0x0F,
            kind: 0x82,
            keys: vec![([8; 16], 8); 2],
            file: None,
        });
        start.present(None);
        let clean = {
            let mut field = start.clone();
            field.encode(&guest(format, 7, 107)).ended.done().unwrap();
            field
        };
        let kind = format!("hides its UID: {hides_uid}, versions {versions:?}");
        add(&format!("blank, {kind}"), start.clone());
        // How far a card is prepared has nothing to do with the format.
        let steps = clean
            .writes_at
            .iter()
            .filter(|_| format == CardFormat::Rfid48);
        for (step, (at, _)) in steps.enumerate() {
            let mut field = start.clone();
            field.present(Some((*at, Fault::RemovedAfter)));
            assert!(matches!(
                field.encode(&guest(format, 7, 107)).ended,
                Ended::Gone
            ));
            add(&format!("broken off after write {step}, {kind}"), field);
        }
        for times in [1, 2] {
            let mut field = start.clone();
            for number in 1..=times {
                field.present(None);
                field
                    .encode(&guest(format, number, 100 + number))
                    .ended
                    .done()
                    .unwrap();
            }
            add(&format!("encoded {times} times, {kind}"), field);
        }
    }
    for other in FORMATS {
        add("of any format", encoded(generation, other, 1));
    }
    let mut aes = blank(generation);
    aes.card.card_key = CardKey::DeliveredAes;
    aes.card.hides_uid = true;
    add("blank with an AES master key, hides its UID", aes);
    starts
}

fn exchanges(field: &Field<Desfire>, format: CardFormat) -> usize {
    let mut field = field.clone();
    field.present(None);
    field.encode(&guest(format, 9, 109)).ended.done().unwrap();
    field.exchanges
}

fn assert_nothing_else_changed(before: &Desfire, after: &Desfire, case: &str) {
    let others = |card: &Desfire| -> Vec<Application> {
        let ours = card.ours();
        let all = card.applications.iter();
        all.filter(|app| Some(*app) != ours).cloned().collect()
    };
    assert_eq!(others(before), others(after), "{case}");
    assert_eq!(
        (before.settings, before.card_key),
        (after.settings, after.card_key),
        "{case}"
    );
}

#[test]
fn an_ev1_pulled_at_any_exchange_holds_the_old_credential_or_the_new_one_and_is_finished_later() {
    pull_at_every_exchange(1);
}

#[test]
fn an_ev2_pulled_at_any_exchange_holds_the_old_credential_or_the_new_one_and_is_finished_later() {
    pull_at_every_exchange(2);
}

#[test]
fn an_ev3_pulled_at_any_exchange_holds_the_old_credential_or_the_new_one_and_is_finished_later() {
    pull_at_every_exchange(3);
}

fn pull_at_every_exchange(generation: u8) {
    for format in FORMATS {
        let mut cases = 0;
        for start in starts(generation, format) {
            let old = opened_rooms(&start.field);
            for at in 0..exchanges(&start.field, format) {
                for fault in [Fault::RemovedBefore, Fault::RemovedAfter] {
                    let case = format!("{}, {fault:?} at exchange {at}", start.name);
                    let mut field = start.field.clone();
                    field.present(Some((at, fault)));
                    let encode = field.encode(&guest(format, 9, 109));
                    assert!(matches!(encode.ended, Ended::Gone), "{case}");
                    let opened = opened_rooms(&field);
                    assert!(opened == old || opened == [109], "{case}: {opened:?}");
                    if !field.committing {
                        assert_eq!(opened, old, "{case}: before the commit");
                    }
                    assert_nothing_else_changed(&start.field.card, &field.card, &case);
                    let mut again = field.clone();
                    again.present(None);
                    let ended = again
                        .encode_doubting(&guest(format, 9, 109), encode.suspects)
                        .ended;
                    ended
                        .done()
                        .unwrap_or_else(|refusal| panic!("{case}: {refusal}"));
                    assert_eq!(opened_rooms(&again), [109], "{case}, again");
                    if opened == [109] {
                        assert!(again.writes_at.is_empty(), "{case}: written twice");
                    }
                    assert_nothing_else_changed(&field.card, &again.card, &case);
                    cases += 1;
                }
            }
        }
        #[expect(clippy::print_stdout, reason = "the count is what one wants to see")]
        {
            println!("EV{generation}, {format}: {cases} cases");
        }
        assert!(cases > 300, "only {cases} cases");
    }
}

#[test]
fn a_card_pulled_again_and_again_is_finished_in_the_end() {
    for generation in GENERATIONS {
        let mut field = blank(generation);
        let total = exchanges(&field, CardFormat::Rfid48);
        for at in (0..total).chain(0..total) {
            field.present(Some((at, Fault::RemovedAfter)));
            let _ = field.encode(&guest(CardFormat::Rfid48, 9, 109));
        }
        field.present(None);
        field
            .encode(&guest(CardFormat::Rfid48, 9, 109))
            .ended
            .done()
            .unwrap();
        assert_eq!(opened_rooms(&field), [109]);
    }
}

/// The ring got a newer version while the card was half prepared: all its keys are of one version all the same.
#[test]
fn a_half_prepared_card_is_finished_under_the_version_that_it_was_begun_with() {
    for generation in GENERATIONS {
        for at in 0..25 {
            let mut field = blank(generation);
            field.present(Some((at, Fault::RemovedAfter)));
            let _ = field.encode(&guest(CardFormat::Rfid48, 9, 109));
            field.keys = ring(&[1, 2]);
            field.present(None);
            field
                .encode(&guest(CardFormat::Rfid48, 9, 109))
                .ended
                .done()
                .unwrap();
            assert_eq!(opened_rooms(&field), [109]);
            let keys = &field.card.ours().unwrap().keys;
            assert!(keys.iter().all(|key| key.1 == keys[0].1), "exchange {at}");
        }
    }
}
