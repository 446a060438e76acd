//! Each row of the table of quirks against a reader that behaves as the row says: its first guess is right. And the row
//! for all others against each of them: asking finds the same.

use card::{Command, KeyType, Reply, Type2Command};
use emulator::{KeyStructures, RawFrames, ReaderSettings, Technology};
use encoder::{Opening, Recorder, Secrets, Value};
use tempfile::NamedTempFile;

use crate::rig::{Rig, TRANSPORT, authenticate_with, open_as, read, select, with_pcscd, write};

/// How readers of each model behave, by their makers' documents, which the table cites.
const MODELS: [(&str, KeyStructures, RawFrames); 6] = [
    (
        "acr122u",
        KeyStructures::Volatile,
        RawFrames::DirectTransmit,
    ),
    (
        "acr1252u",
        KeyStructures::Volatile,
        RawFrames::TransparentSession,
    ),
    (
        "omnikey-5022",
        KeyStructures::Persistent,
        RawFrames::TransparentSession,
    ),
    (
        "omnikey-5422",
        KeyStructures::Persistent,
        RawFrames::TransparentSession,
    ),
    ("utrust-3700f", KeyStructures::ByKeyType, RawFrames::None),
    ("twn4", KeyStructures::Both, RawFrames::None),
];

/// What passes in one encoding with both types of keys and, where raw frames are sent, in asking a card of pages who it
/// is.
fn recorded(model: &str, keys: KeyStructures, raw: RawFrames) -> String {
    let settings = ReaderSettings::default()
        .with_key_structures(keys)
        .with_raw_frames(raw);
    let rig = Rig::with(settings);
    let file = NamedTempFile::new().unwrap();
    let recorder = Recorder::to(file.reopen().unwrap(), Secrets::Masked).unwrap();
    let named = ("model".to_owned(), Value::Text(model.to_owned()));
    let how = Opening {
        settings: [named].into_iter().collect(),
        recorder: Some(recorder),
    };
    let mut encoder = open_as(&rig.selector(), &how).unwrap();
    let card = rig.card("04A1B2C3");
    let mut memory = card.memory();
    // Key B opens sector 1 as well.
    memory[7 * 16 + 6..7 * 16 + 9].copy_from_slice(&[0x78, 0x77, 0x88]);
    card.set_memory(&memory).unwrap();
    rig.slot.place(&card);
    let mut session = select(encoder.as_mut());
    for key_type in [KeyType::A, KeyType::B] {
        let open = authenticate_with(7, key_type, TRANSPORT);
        assert_eq!(session.exchange(&open).unwrap(), Reply::Done, "{model}");
    }
    assert_eq!(
        session.exchange(&write(5, [0x5A; 16])).unwrap(),
        Reply::Done
    );
    let data = session.exchange(&read(5)).unwrap();
    assert_eq!(data, Reply::Data(vec![0x5A; 16]), "{model}");
    drop(session);
    if raw != RawFrames::None {
        let (context, mut states) = rig.watched();
        let present = states[0].event_count();
        rig.slot.remove();
        crate::rig::await_news(&context, &mut states, present);
        rig.place_new(Technology::Ntag213);
        let mut session = select(encoder.as_mut());
        let version = Command::Type2(Type2Command::GetVersion);
        assert!(
            matches!(session.exchange(&version), Ok(Reply::Data(_))),
            "{model}"
        );
    }
    rig.pcscd.stop();
    let all = std::fs::read_to_string(file.path()).unwrap();
    assert!(
        all.contains("06????????????") && !all.contains("5A5A"),
        "{all}"
    );
    all
}

/// How many commands begin so.
fn count(recording: &str, begin: &str) -> usize {
    let sent = format!("> {begin}");
    recording
        .lines()
        .filter(|line| line.contains(&sent))
        .count()
}

#[test]
fn under_pcscd_the_first_guess_of_each_row_is_right() {
    with_pcscd(
        "models::under_pcscd_the_first_guess_of_each_row_is_right",
        || {
            for (model, keys, raw) in MODELS {
                // Two keys; then what the reader was given is overwritten, one for each place.
                let loads = if keys == KeyStructures::ByKeyType {
                    4
                } else {
                    3
                };
                let recording = recorded(model, keys, raw);
                assert_eq!(count(&recording, "FF82"), loads, "{recording}");
                let other_way = match raw {
                    RawFrames::DirectTransmit => "FFC2",
                    _ => "FF000000",
                };
                assert_eq!(count(&recording, other_way), 0, "{recording}");
            }
        },
    );
}

#[test]
fn under_pcscd_an_unknown_reader_is_asked_until_it_takes_a_key() {
    with_pcscd(
        "models::under_pcscd_an_unknown_reader_is_asked_until_it_takes_a_key",
        || {
            for (keys, loads) in [
                (KeyStructures::Persistent, 3),
                (KeyStructures::Volatile, 4),
                (KeyStructures::ByKeyType, 6),
            ] {
                let recording = recorded("generic", keys, RawFrames::DirectTransmit);
                assert_eq!(count(&recording, "FF82"), loads, "{recording}");
            }
        },
    );
}
