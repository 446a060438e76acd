//! `cardbridge encode --dry-run`: what it shows is what an encode would write, and nothing of it is done.

use e2e::{EncoderPc, Hub};
use serde_json::Value;

use crate::technician::{Desk, UID, daemon, encode, scan};

/// What `encode --dry-run` would change, with the card's bytes unchanged by it.
async fn previewed(desk: &Desk, pc: &EncoderPc, doors: &[&str], arguments: &[&str]) -> Value {
    let before = desk.lab.memory(UID).await;
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--dry-run"]).collect();
    let preview = encode(pc, doors, &arguments).done();
    assert_eq!(desk.lab.memory(UID).await, before);
    preview
}

fn locations(preview: &Value) -> Vec<&str> {
    let changes = preview["changes"].as_array().unwrap().iter();
    changes
        .map(|change| change["location"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_dry_run_shows_what_an_encode_would_change_and_changes_nothing() {
    let desk = Desk::start();
    let hub = Hub::start("30s");
    let pc = desk.pc(&hub.section());
    let mut running = daemon(&pc).await;
    hub.encoder("Front Desk").await;
    desk.lab.place("front-desk", UID).await;
    let blank = previewed(&desk, &pc, &["101"], &[]).await;
    assert_eq!(blank["condition"], "blank");
    assert_eq!(blank["held"], Value::Null);
    let places = locations(&blank);
    assert_eq!(places[0], "block 7 (sector 1, trailer)");
    assert_eq!(places.len(), 5, "{places:?}");
    let trailer = &blank["changes"][0];
    let keys = "••".repeat(6);
    assert_eq!(trailer["before"], format!("{keys}FF078069{keys}"));
    assert_eq!(trailer["after"], format!("{keys}78778869{keys}"));
    assert_eq!(scan(&pc, &[]).done()["condition"], "blank");
    assert!(running.terminate().success());

    let alone = desk.pc("");
    let encoded = encode(&alone, &["101"], &[]).done();
    let ours = previewed(&desk, &alone, &["102"], &["--override"]).await;
    assert_eq!(ours["condition"], "ours");
    assert_eq!(ours["held"], encoded["credential"]);
    assert_eq!(ours["key_version"], 1);
    let data = |place: &&str| !place.contains("trailer");
    assert!(locations(&ours).iter().all(data), "{ours}");
    // Nobody can write what a dry run shows: the end of the image is its tag.
    let shown = ours["changes"].to_string();
    assert!(shown.contains(&"••".repeat(8)), "{shown}");
    assert_eq!(
        scan(&alone, &[]).done()["credential"],
        encoded["credential"]
    );
}

/// Where in the memory of a card a change lies, for cards whose memory is blocks or pages.
fn place(location: &str) -> std::ops::Range<usize> {
    let number = location.split(' ').nth(1).unwrap();
    let (start, length) = match number.strip_suffix('h') {
        Some(page) => (usize::from_str_radix(page, 16).unwrap() * 4, 4),
        None => (number.parse::<usize>().unwrap() * 16, 16),
    };
    start..start + length
}

/// Whether a content as it is shown is these bytes, secret ones aside.
fn shows(content: &Value, bytes: &[u8]) -> bool {
    let characters: Vec<char> = content.as_str().unwrap().chars().collect();
    characters.len() == 2 * bytes.len()
        && characters.chunks(2).zip(bytes).all(|(shown, byte)| {
            let shown: String = shown.iter().collect();
            shown == "••" || shown == format!("{byte:02X}")
        })
}

#[tokio::test]
async fn what_a_dry_run_foretells_is_what_an_encode_writes_and_all_that_it_writes() {
    let desk = Desk::start();
    let pc = desk.pc("");
    let _running = daemon(&pc).await;
    for (at, technology) in [
        "mifare_classic_1k",
        "mifare_ultralight",
        "mifare_ultralight_c",
        "ntag213",
    ]
    .into_iter()
    .enumerate()
    {
        let uid = format!("04A1B2C3D4E5{at:02X}");
        desk.lab.place_a("front-desk", technology, &uid).await;
        // With its start said, the card gets the same numbers in the dry run and afterwards.
        for doors in [["101"], ["102"], ["103"]] {
            let card = ["--override", "--starts-at", "2026-01-01T12:00Z"];
            let before = desk.lab.memory(&uid).await;
            let dry: Vec<&str> = card.into_iter().chain(["--dry-run"]).collect();
            let preview = encode(&pc, &doors, &dry).done();
            assert_eq!(desk.lab.memory(&uid).await, before, "{technology}");
            let _ = encode(&pc, &doors, &card).done();
            let mut expected = desk.lab.memory(&uid).await;
            for change in preview["changes"].as_array().unwrap() {
                let location = change["location"].as_str().unwrap();
                let held = &before[place(location)];
                let holds = &expected[place(location)];
                assert!(shows(&change["after"], holds), "{technology} {change}");
                assert!(
                    change["before"].is_null() || shows(&change["before"], held),
                    "{technology} {change}"
                );
            }
            // Put back what was foretold: nothing else may differ.
            for change in preview["changes"].as_array().unwrap() {
                let location = change["location"].as_str().unwrap();
                expected[place(location)].copy_from_slice(&before[place(location)]);
            }
            assert_eq!(expected, before, "{technology}");
        }
    }
}
