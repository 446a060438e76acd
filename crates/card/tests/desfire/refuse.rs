//! What is refused, and that nothing has changed then.

use card::{CardFormat, PlanOptions, Purpose, Refusal};

use crate::encode::{GENERATIONS, blank, encoded};
use crate::field::Field;
use crate::model::{Application, Desfire, File};
use crate::site::{guest, ring};

pub(crate) fn refused(mut field: Field<Desfire>) -> Refusal {
    let before = field.card.memory();
    field.present(None);
    let refusal = field
        .encode(&guest(CardFormat::Rfid48, 9, 109))
        .ended
        .done()
        .unwrap_err();
    assert!(field.card.memory() == before, "{refusal}: the card changed");
    refusal
}

#[test]
fn a_card_whose_owner_left_no_room_is_left_alone() {
    for (settings, detail) in [(0x0B, "not left room"), (0x08, "not left room")] {
        let mut field = blank(2);
        field.card.settings = settings;
        assert!(refused(field).to_string().contains(detail));
    }
    let mut full = blank(2);
    full.card.free = 511;
    let refusal = refused(full);
    assert!(matches!(refusal, Refusal::DoesNotFit { .. }), "{refusal}");
    // The memory that an application takes beside its file is not published: then the card itself says no.
    let mut nearly = blank(2);
    nearly.card.free = 530;
    let refusal = nearly
        .encode(&guest(CardFormat::Rfid48, 9, 109))
        .ended
        .done()
        .unwrap_err();
    assert!(refusal.to_string().contains("no memory left"), "{refusal}");
}

#[test]
fn blank_cards_are_refused_where_the_configuration_forbids_to_prepare_them() {
    let mut field = blank(3);
    let options = PlanOptions {
        personalise_blank: false,
        ..PlanOptions::default()
    };
    let credential = guest(CardFormat::Rfid48, 1, 101);
    let refusal = field.plan(&credential, &options).done().unwrap_err();
    assert_eq!(refusal, Refusal::BlankNotAllowed);
}

#[test]
fn an_application_of_somebody_else_with_our_name_is_foreign_and_left_alone() {
    let whole = encoded(2, CardFormat::Rfid48, 1);
    let with = |change: &dyn Fn(&mut Application)| {
        let mut field = whole.clone();
        change(field.card.ours_mut());
        field
    };
    let others = [
        with(&|app| app.keys[2] = ([9; 16], 1)),
        with(&|app| app.keys[2] = ([9; 16], 7)),
        with(&|app| app.keys = vec![([9; 16], 0); 4]),
        with(&|app| app.keys = vec![([0; 16], 0); 4]),
        with(&|app| {
            app.keys = vec![([0; 16], 0); 4];
            app.file = None;
            app.settings = 0x0F;
        }),
        with(&|app| {
            app.keys = vec![([9; 16], 0); 4];
            app.file = None;
        }),
        with(&|app| {
            app.keys[0] = ([9; 16], 1);
            app.file = None;
        }),
        with(&|app| {
            app.keys[1..].fill(([9; 16], 1));
            app.keys[0] = ([0; 16], 0);
            app.file = None;
        }),
        with(&|app| app.file.as_mut().unwrap().content.truncate(32)),
        with(&|app| {
            let file = File {
                settings: [0x01, 0x00, 0x00, 0x00, 0x01, 0x00],
                content: vec![0; 256],
            };
            app.file = Some(file);
        }),
        with(&|app| app.kind = 0x04),
        with(&|app| {
            app.keys[3].1 = 2;
            app.file = None;
        }),
    ];
    for (at, other) in others.into_iter().enumerate() {
        for versions in [&[1][..], &[1, 2]] {
            let mut field = other.clone();
            field.keys = ring(versions);
            let refusal = refused(field);
            assert!(
                matches!(refusal, Refusal::Foreign { .. }),
                "{at}: {refusal}"
            );
        }
    }
}

#[test]
fn a_card_without_an_answer_in_its_form_is_refused_and_never_makes_anything_panic() {
    for generation in GENERATIONS {
        let start = encoded(generation, CardFormat::Rfid48, 1);
        for garbage in [
            &[][..],
            &[0x91],
            &[0x91, 0xAF],
            &[0x90, 0x00],
            &[0x91, 0x00],
            &[7; 300],
        ] {
            for at in 0..7 {
                let mut field = start.clone();
                field.present(None);
                let keys = field.keys.clone();
                let mut inspect = card::Inspect::new(
                    field.presented.clone(),
                    &keys,
                    Purpose::Scan,
                    card::Entropy::new([1; 32]),
                )
                .unwrap();
                let mut last = None;
                for exchange in 0..400 {
                    match card::Procedure::next(&mut inspect, last.take()) {
                        card::Step::Done(result) => {
                            assert!(!result.is_ok_and(|found| found.credential().is_some()));
                            break;
                        }
                        card::Step::Exchange(card::Command::Iso(apdu), _) => {
                            use crate::field::Model;
                            let answer = field.card.apdu(apdu.expose());
                            let wrong = exchange >= at;
                            last = Some(card::Reply::Data(if wrong {
                                garbage.to_vec()
                            } else {
                                answer
                            }));
                        }
                        card::Step::Exchange(..) => panic!("another command"),
                    }
                    assert!(exchange < 399, "it never ends");
                }
            }
        }
    }
}
