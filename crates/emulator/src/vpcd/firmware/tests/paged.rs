//! Type 2 cards: pages, and the host's own frames.

use super::Bench;
use crate::air::crc_a;
use crate::{Cards, Origin, RawFrames, ReaderSettings, Technology};

const UID: &str = "04A1B2C3D4E5F6";

fn bench(technology: Technology, raw_frames: RawFrames) -> Bench {
    let settings = ReaderSettings::default().with_raw_frames(raw_frames);
    Bench::over(technology, UID, settings)
}

#[test]
fn every_type_2_card_has_the_answer_to_reset_of_an_ultralight() {
    for technology in [
        Technology::MifareUltralight,
        Technology::MifareUltralightC,
        Technology::MifareUltralightEv1_128,
        Technology::Ntag216,
    ] {
        let bench = bench(technology, RawFrames::None);
        assert_eq!(
            hex::encode(bench.firmware.atr().unwrap()),
            "3b8f8001804f0ca0000003060300030000000068"
        );
    }
}

#[test]
fn pages_are_read_by_four_and_written_one_by_one() {
    let mut bench = bench(Technology::Ntag213, RawFrames::None);
    assert_eq!(bench.send("FF CA 00 00 00"), "04a1b2c3d4e5f69000");
    assert_eq!(
        bench.send("FF B0 00 03 10"),
        "e11012000103a00c340300fe000000009000"
    );
    assert_eq!(bench.send("FF B0 00 03 04"), "e11012009000");
    assert_eq!(bench.send("FF D6 00 08 04 01020304"), "9000");
    assert_eq!(
        bench.send("FF B0 00 08 00"),
        format!("01020304{}9000", "00".repeat(12))
    );
    for (apdu, status) in [
        ("FF B0 00 03 11", "6c10"),
        ("FF B0 01 03 10", "6a82"),
        ("FF D6 00 08 03 010203", "6700"),
        ("FF D6 00 08 10 00112233445566778899AABBCCDDEEFF", "6700"),
        ("FF D7 00 05 05 00 00000064", "6a81"),
        ("FF B1 00 05 04", "6a81"),
        ("FF 00 00 00 03 D4 42 60", "6d00"),
        ("FF C2 00 00 02 81 00 00", "6d00"),
    ] {
        assert_eq!(bench.send(apdu), status, "{apdu}");
    }
    assert_eq!(bench.slot.log().exchanges(), 4);
}

#[test]
fn what_the_card_refuses_fails_and_it_is_mute_until_it_is_powered_again() {
    let mut bench = bench(Technology::Ntag213, RawFrames::None);
    assert_eq!(bench.send("FF B0 00 2D 10"), "6300");
    assert_eq!(bench.send("FF B0 00 04 10"), "6300");
    bench.firmware.power_on();
    assert_eq!(bench.send("FF B0 00 2C 04"), "000000009000");
    assert_eq!(bench.send("FF D6 00 00 04 00000000"), "6300");
}

#[test]
fn frames_go_through_the_chip_of_an_acr122u() {
    let mut bench = bench(Technology::Ntag213, RawFrames::DirectTransmit);
    assert_eq!(
        bench.send("FF 00 00 00 03 D4 42 60"),
        "d5430000040402010 00f039000".replace(' ', "")
    );
    assert_eq!(
        bench.send("FF 00 00 00 07 D4 42 1B FFFFFFFF"),
        "d5430000009000"
    );
    assert_eq!(
        bench.send("FF 00 00 00 05 D4 40 01 30 2C"),
        "d541000000000004a1b29fc3d4e5f6044800009000"
    );
    assert_eq!(
        bench.send("FF 00 00 00 09 D4 40 01 A2 08 01020304"),
        "d541009000"
    );
    // Four bits where a checksum is awaited are a fault to the chip; the card did it all the same.
    assert_eq!(
        bench.send("FF 00 00 00 08 D4 42 A2 08 05060708"),
        "d543029000"
    );
    assert_eq!(bench.send("FF B0 00 08 04"), "050607089000");
    assert_eq!(bench.send("FF 00 00 00 07 D4 42 1B 00000000"), "d543029000");
    assert_eq!(
        bench.send("FF 00 00 00 03 D4 42 60"),
        "d543019000",
        "it is mute now"
    );
    assert_eq!(
        bench.send("FF 00 00 00 04 D4 4A 01 00"),
        "d54b010100440007 04a1b2c3d4e5f69000".replace(' ', "")
    );
    assert_eq!(
        bench.send("FF 00 00 00 05 D4 40 01 30 08"),
        format!("d5410005060708{}9000", "00".repeat(12))
    );
    assert_eq!(bench.send("FF 00 00 00 02 12 34"), "6301");
    assert_eq!(bench.send("FF 00 01 00 03 D4 42 60"), "6b00");
}

#[test]
fn an_ultralight_c_is_asked_for_its_challenge_as_on_an_acr122u() {
    // The same bytes as in forums.nfc-tools.org, post 4875, where the card was a real one.
    let mut bench = bench(Technology::MifareUltralightC, RawFrames::DirectTransmit);
    let said = bench.send("FF 00 00 00 04 D4 42 1A 00");
    assert!(
        said.starts_with("d54300af") && said.ends_with("9000"),
        "{said}"
    );
    assert_eq!(said.len(), 2 * (4 + 8 + 2));
}

#[test]
fn frames_go_through_a_transparent_session() {
    let mut bench = bench(Technology::Ntag213, RawFrames::TransparentSession);
    assert_eq!(
        bench.send("FF C2 00 01 03 95 01 60 00"),
        "6985",
        "no session yet"
    );
    assert_eq!(bench.send("FF C2 00 00 02 81 00 00"), "c0030090009000");
    assert_eq!(
        bench.send("FF C2 00 01 03 95 01 60 00"),
        "c003009000 920100 96020000 9708 0004040201000f03 9000".replace(' ', "")
    );
    assert_eq!(
        bench.send("FF C2 00 01 08 95 06 A2 08 01020304 00"),
        "c003009000 920104 96020000 97010a 9000".replace(' ', ""),
        "a card's yes has four bits"
    );
    assert_eq!(
        bench.send("FF C2 00 01 07 95 05 1B 00000000 00"),
        "c003009000 920104 96020000 970100 9000".replace(' ', "")
    );
    assert_eq!(
        bench.send("FF C2 00 01 03 95 01 60 00"),
        "c0030164019000",
        "it is mute now"
    );
    assert_eq!(
        bench.send("FF C2 00 02 04 8F 02 00 03 00"),
        "c003009000 8f0100 9000".replace(' ', "")
    );
    assert_eq!(
        bench.send("FF C2 00 01 0C 90 02 00 03 5F 46 04 00 00 01 00 95 01"),
        "6a80",
        "the objects must fill the data"
    );
    // READ 08 with a checksum of the host's own, which then gets the card's as well.
    let [low, high] = crc_a(&[0x30, 0x08]);
    let said = bench.send(&format!(
        "FF C2 00 01 0A 90 02 00 03 95 04 30 08 {low:02X} {high:02X} 00"
    ));
    assert!(said.starts_with("c003009000920100960200009712"), "{said}");
    assert!(said.contains("01020304000000"), "{said}");
    assert_eq!(bench.send("FF C2 00 00 02 82 00 00"), "c0030090009000");
    assert_eq!(bench.send("FF C2 00 01 03 95 01 60 00"), "6985");
}

#[test]
fn a_session_ends_with_the_supply_and_unknown_objects_are_named_by_their_place() {
    let mut bench = bench(Technology::Ntag213, RawFrames::TransparentSession);
    assert_eq!(bench.send("FF C2 00 00 02 81 00 00"), "c0030090009000");
    assert_eq!(
        bench.send("FF C2 00 01 07 90 02 00 00 AA 01 00 00"),
        "c003026a819000"
    );
    assert_eq!(bench.send("FF C2 00 05 02 81 00 00"), "6b00");
    bench.firmware.power_on();
    assert_eq!(bench.send("FF C2 00 01 03 95 01 60 00"), "6985");
}

#[test]
fn of_two_cards_the_reader_takes_one_and_stays_with_it() {
    let bench = &mut bench(Technology::Ntag213, RawFrames::None);
    let other = Cards::new().card(
        Technology::MifareClassic1k,
        "02A1B2C3".parse().unwrap(),
        Origin::Factory,
    );
    bench.slot.add(&other.unwrap());
    bench.firmware.power_on();
    let uid = bench.send("FF CA 00 00 00");
    let atr = hex::encode(bench.firmware.atr().unwrap());
    if uid == "02a1b2c39000" {
        assert!(
            atr.ends_with("00010000 00006a".replace(' ', "").as_str()),
            "{atr}"
        );
        bench.send("FF 82 00 00 06 FFFFFFFFFFFF");
        assert_eq!(bench.send("FF 86 00 00 05 01 00 04 60 00"), "9000");
    } else {
        assert_eq!(uid, "04a1b2c3d4e5f69000");
        assert!(
            atr.ends_with("00030000 000068".replace(' ', "").as_str()),
            "{atr}"
        );
        assert_eq!(bench.send("FF B0 00 03 04"), "e11012009000");
    }
    assert_eq!(bench.slot.log().exchanges(), 1);
}
