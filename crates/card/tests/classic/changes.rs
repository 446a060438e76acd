//! What a plan says it would write, beside what is written then.

use card::{Change, Content, Credential, PlanOptions, Purpose, plan};

use crate::encode::encoded;
use crate::field::Field;
use crate::model::Size;
use crate::sectors::holding;
use crate::site::{guest, keys, with_doors};

/// What the next encode would change, and nothing of it done.
fn previewed(field: &mut Field, credential: &Credential) -> Vec<Change> {
    let before = field.card.memory;
    let purpose = Purpose::encode(credential).unwrap();
    let inspected = field.inspect(purpose).done().unwrap();
    let plan = plan(&inspected, credential, &keys(), &PlanOptions::default()).unwrap();
    let changes = plan.changes(&inspected);
    assert_eq!(field.card.memory, before);
    field.present(None);
    changes
}

/// Whether that is what a block holds, wherever it is not secret.
fn shows(content: &Content, block: [u8; 16]) -> bool {
    let Content::Bytes(bytes) = content else {
        return false;
    };
    bytes.len() == 16
        && bytes
            .iter()
            .zip(block)
            .all(|(shown, held)| shown.is_none_or(|shown| shown == held))
}

#[test]
fn every_block_that_is_written_was_foretold_with_what_it_held_and_will_hold() {
    let long = [with_doors(1, 101, 40), with_doors(2, 102, 40)];
    let rfid48 = (0..3).map(|times| (times, encoded(times), guest(9, 109)));
    let tlcode = (0..3).map(|times| {
        let field = holding(Size::OneK, &long[..times as usize]);
        (times, field, with_doors(9, 109, 39))
    });
    for (times, mut field, credential) in rfid48.chain(tlcode) {
        let before = field.card.memory;
        let changes = previewed(&mut field, &credential);
        field.encode(&credential).ended.done().unwrap();
        let of_data = changes
            .iter()
            .filter(|change| !change.location.contains("trailer"));
        let hidden = of_data.map(|change| change.after.to_string().matches("••").count());
        assert_eq!(hidden.sum::<usize>(), 8, "the tag is left out");
        let blocks: Vec<u8> = changes
            .iter()
            .map(|change| {
                let number = change.location.strip_prefix("block ").unwrap();
                number.split_once(' ').unwrap().0.parse().unwrap()
            })
            .collect();
        assert_eq!(blocks, field.written, "after {times} encodes");
        for (change, block) in changes.iter().zip(blocks) {
            let block = usize::from(block);
            assert!(shows(&change.after, field.card.memory[block]), "{change:?}");
            if let Some(held) = &change.before {
                assert!(shows(held, before[block]), "{change:?}");
            }
        }
    }
}

#[test]
fn a_blank_card_shows_both_trailers_without_their_keys_and_the_image_without_its_tag() {
    let told: Vec<_> = previewed(&mut encoded(0), &guest(9, 109))
        .into_iter()
        .map(|change| (change.location, change.before, change.after.to_string()))
        .collect();
    let before = told.iter().map(|(_, before, _)| before.as_ref().unwrap());
    let before: Vec<_> = before.map(Content::to_string).collect();
    let secret = "••".repeat(6);
    for (at, location) in [
        "block 7 (sector 1, trailer)",
        "block 11 (sector 2, trailer)",
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(told[at].0, *location);
        assert_eq!(before[at], format!("{secret}FF078069{secret}"));
        assert_eq!(told[at].2, format!("{secret}78778869{secret}"));
    }
    assert_eq!(told[2].0, "block 9 (sector 2, copy B)");
    assert_eq!(before[2], "0".repeat(32));
    let (rest, tag) = told[3].2.split_at(16);
    assert_eq!(told[3].0, "block 10 (sector 2, copy B)");
    assert!(
        !rest.contains('•') && tag == "••".repeat(8),
        "{}",
        told[3].2
    );
    assert!(told[4].2.starts_with("4801"), "{}", told[4].2);
}

#[test]
fn an_unchanged_credential_changes_nothing() {
    let mut field = encoded(0);
    field.encode(&guest(9, 109)).ended.done().unwrap();
    field.present(None);
    assert_eq!(previewed(&mut field, &guest(9, 109)), []);
}
