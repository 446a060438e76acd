//! The card is taken away at every exchange, or loses power inside a write, which may leave its cells half charged.

use card::{CardFormat, Suspects};

use super::encode::{blank, encoded};
use super::model::Ntag424;
use crate::field::{Ended, Fault, Field, Model};
use crate::site::{FORMATS, guest, opened_rooms, ring};

const REMOVED: [Fault; 2] = [Fault::RemovedBefore, Fault::RemovedAfter];
const TORN: [Fault; 7] = [
    Fault::TornMix(1),
    Fault::TornMix(2),
    Fault::TornMix(3),
    Fault::TornNoise(1),
    Fault::TornNoise(2),
    Fault::WeakOld,
    Fault::WeakNew,
];

#[derive(Clone)]
struct Start {
    name: String,
    field: Field<Ntag424>,
    suspects: Suspects,
}

fn starts(format: CardFormat) -> Vec<Start> {
    let mut starts: Vec<Start> = Vec::new();
    let mut add = |name: String, mut field: Field<Ntag424>, suspects| {
        field.present(None);
        starts.push(Start {
            name: format!("{format}, {name}"),
            field,
            suspects,
        });
    };
    for versions in [&[1][..], &[1, 2]] {
        let mut start = blank();
        start.keys = ring(versions);
        add(
            format!("blank, {versions:?}"),
            start.clone(),
            Suspects::NONE,
        );
        let mut clean = start.clone();
        clean.present(None);
        clean.encode(&guest(format, 7, 107)).ended.done().unwrap();
        for (step, (at, _)) in clean.writes_at.iter().enumerate() {
            let mut field = start.clone();
            field.present(Some((*at, Fault::RemovedAfter)));
            let encode = field.encode(&guest(format, 7, 107));
            assert!(matches!(encode.ended, Ended::Gone));
            add(
                format!("broken off after write {step}"),
                field,
                encode.suspects,
            );
        }
    }
    for times in [1, 2] {
        let field = encoded(format, times);
        add(
            format!("encoded {times} times"),
            field.clone(),
            Suspects::NONE,
        );
        let mut both = field;
        let total = exchanges(&both, format, Suspects::NONE);
        both.present(Some((total - 2, Fault::RemovedBefore)));
        let encode = both.encode(&guest(format, 8, 102));
        add("two valid copies".to_owned(), both.clone(), Suspects::NONE);
        add(
            "two valid copies, one suspect".to_owned(),
            both,
            encode.suspects,
        );
    }
    for other in FORMATS {
        add(
            format!("with an older {other}"),
            encoded(other, 1),
            Suspects::NONE,
        );
    }
    starts
}

fn exchanges(field: &Field<Ntag424>, format: CardFormat, suspects: Suspects) -> usize {
    let mut field = field.clone();
    field.present(None);
    let encode = field.encode_doubting(&guest(format, 9, 109), suspects);
    encode.ended.done().unwrap();
    field.exchanges
}

fn faults(start: &Start, format: CardFormat) -> Vec<(usize, Fault)> {
    let mut field = start.field.clone();
    field.present(None);
    let encode = field.encode_doubting(&guest(format, 9, 109), start.suspects);
    encode.ended.done().unwrap();
    let removed = (0..field.exchanges).flat_map(|at| REMOVED.map(|fault| (at, fault)));
    let committing = field.writes_at.iter();
    let torn = committing
        .filter(|(_, effect)| *effect == card::Effect::Commits)
        .flat_map(|(at, _)| TORN.map(|fault| (*at, fault)));
    removed.chain(torn).collect()
}

fn assert_only_the_placing_changed(before: &Ntag424, after: &Ntag424, case: &str) {
    assert_eq!(before.settings, after.settings, "{case}");
    for number in [1, 4] {
        assert_eq!(before.keys[number], after.keys[number], "{case}");
    }
    for number in [0, 2, 3] {
        let was_ours = before.keys[number].1 != 0;
        assert!(
            !was_ours || before.keys[number] == after.keys[number],
            "{case}"
        );
    }
}

/// Whatever the weak cells read as now and later, the card opens what it may.
fn opened_now_and_later(field: &Field<Ntag424>) -> [Vec<u32>; 2] {
    let mut later = field.clone();
    later.card.turn_weak_cells();
    [opened_rooms(field), opened_rooms(&later)]
}

#[test]
fn a_card_pulled_or_torn_at_any_exchange_holds_the_old_credential_the_new_one_or_none() {
    for format in FORMATS {
        let mut cases = 0;
        for start in starts(format) {
            let old = opened_rooms(&start.field);
            for (at, fault) in faults(&start, format) {
                let case = format!("{}, {fault:?} at exchange {at}", start.name);
                let mut field = start.field.clone();
                field.present(Some((at, fault)));
                let encode = field.encode_doubting(&guest(format, 9, 109), start.suspects);
                assert!(matches!(encode.ended, Ended::Gone), "{case}");
                for opened in opened_now_and_later(&field) {
                    let is_allowed = opened == old || opened == [109];
                    assert!(is_allowed, "{case}: {old:?} before, {opened:?} after");
                }
                assert_only_the_placing_changed(&start.field.card, &field.card, &case);
                finish(&field, format, encode.suspects, &case);
                cases += 1;
            }
        }
        println!("NTAG 424 DNA, {format}: {cases} cases");
        assert!(cases > 600, "only {cases} cases");
    }
}

/// Presenting the card again finishes it, and then nothing weak can change what it opens.
fn finish(field: &Field<Ntag424>, format: CardFormat, suspects: Suspects, case: &str) {
    for turned in [false, true] {
        let mut again = field.clone();
        if turned {
            again.card.turn_weak_cells();
        }
        again.present(None);
        let ended = again
            .encode_doubting(&guest(format, 9, 109), suspects)
            .ended;
        ended
            .done()
            .unwrap_or_else(|refusal| panic!("{case}: {refusal}"));
        for opened in opened_now_and_later(&again) {
            assert_eq!(opened, [109], "{case}, again");
        }
    }
}

#[test]
fn a_card_torn_twice_in_a_row_never_shows_the_guest_before_the_last() {
    let format = CardFormat::Rfid48;
    let mut cases = 0;
    let ours = starts(format).into_iter().filter(|start| {
        start.name.ends_with("encoded 1 times") || start.name.ends_with("one suspect")
    });
    for start in ours {
        let telling = [
            Fault::RemovedAfter,
            Fault::TornMix(1),
            Fault::WeakOld,
            Fault::WeakNew,
        ];
        let first_faults = faults(&start, format);
        let first_faults = first_faults
            .into_iter()
            .filter(|(_, fault)| telling.contains(fault));
        for (at, fault) in first_faults {
            let mut field = start.field.clone();
            field.present(Some((at, fault)));
            let first = field.encode_doubting(&guest(format, 8, 103), start.suspects);
            if first.suspects == start.suspects {
                continue;
            }
            let again = Start {
                name: start.name.clone(),
                suspects: first.suspects,
                field,
            };
            let before = opened_now_and_later(&again.field);
            for (at, fault) in faults(&again, format) {
                let case = format!("{}, torn twice, {fault:?} at exchange {at}", start.name);
                let mut field = again.field.clone();
                field.present(Some((at, fault)));
                let second = field.encode_doubting(&guest(format, 9, 109), again.suspects);
                let opened = opened_rooms(&field);
                assert!(
                    before.contains(&opened) || opened == [109],
                    "{case}: {before:?} before, {opened:?} after"
                );
                finish(&field, format, second.suspects, &case);
                cases += 1;
            }
        }
    }
    assert!(cases > 500, "only {cases} cases");
}
