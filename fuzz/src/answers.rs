//! Seeds for what decodes one answer: golden vectors and files, and the examples of the documents.

use std::fs;

use card::fuzzing::tagged;
use serde_json::Value;

use crate::{repository, write};

const TAG: usize = 8;
/// Of one file of golden vectors.
const MOST_IMAGES: usize = 10;

pub(crate) fn write_all() {
    images();
    versions();
    protected();
    frames();
    readers();
    messages();
}

/// The images of the golden vectors, tagged anew under the targets' key.
fn images() {
    for file in files("crates/card/tests/data") {
        let golden: Value = serde_json::from_slice(&fs::read(&file).expect("it can be read"))
            .expect("golden vectors are JSON");
        let cards = golden["cards"].as_array().into_iter().flatten();
        let images = cards.flat_map(|card| ["A", "B"].map(|copy| &card["copies"][copy]["image"]));
        let lone = golden["images"].as_array().into_iter().flatten();
        // Half of them are made to be void, which a mutation finds soon enough.
        let valid = lone.filter(|image| !image["fields"].is_null());
        let images = images.chain(valid.map(|image| &image["image"]));
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        for (at, image) in images
            .filter_map(Value::as_str)
            .enumerate()
            .take(MOST_IMAGES)
        {
            let image = hex::decode(image).expect("images are in hex");
            // Some golden cards are void or torn.
            let Some(body) = body(&image) else { continue };
            let place = u8::try_from(at % 84).expect("it is below 84");
            let body = [&[place][..], body].concat();
            let name = format!("{stem}-{at}");
            write("card_tagged_image", &name, &body);
            let image = tagged(&body).expect("a golden image is long enough");
            write("card_image", &name, &image);
        }
    }
}

/// An image without its tag, as long as its own header says (docs/card-format.md, sections 2 and 3).
fn body(image: &[u8]) -> Option<&[u8]> {
    let length = match *image {
        [0x48, ..] => 48,
        [0x54, _, _, _, _, _, _, high, low, ..] => {
            17 + usize::from(u16::from_be_bytes([high, low]))
        }
        _ => return None,
    };
    image.get(..length - TAG)
}

/// Of DESFire and NTAG 424 DNA in three frames, and of EV1 and NTAG in one (the vendors' data sheets, GetVersion).
fn versions() {
    let uid = [0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6];
    for (name, kind, major, storage) in [
        ("desfire-ev1", 0x01, 0x01, 0x18),
        ("desfire-ev2", 0x01, 0x12, 0x1A),
        ("desfire-ev3", 0x01, 0x33, 0x1A),
        ("ntag-424-dna", 0x04, 0x30, 0x11),
    ] {
        let part = [0x04, kind, 0x01, major, 0x00, storage, 0x05, 0x91, 0xAF];
        let third = [&uid[..], &[0, 0, 0, 0, 0, 0x22, 0x16, 0x91, 0x00]].concat();
        let frames: [&[u8]; 3] = [&part, &part, &third];
        write("card_version", name, &with_lengths(&frames));
    }
    for (name, kind, sub, storage) in [
        ("ultralight-ev1-48", 0x03, 0x01, 0x0B),
        ("ultralight-ev1-128", 0x03, 0x01, 0x0E),
        ("ntag213", 0x04, 0x02, 0x0F),
        ("ntag215", 0x04, 0x02, 0x11),
        ("ntag216", 0x04, 0x02, 0x13),
    ] {
        let version = [0x00, 0x04, kind, sub, 0x01, 0x00, storage, 0x03];
        write("card_version", name, &version);
    }
}

fn with_lengths(parts: &[&[u8]]) -> Vec<u8> {
    let part = |part: &&[u8]| [&[part.len() as u8][..], part].concat();
    parts.iter().flat_map(part).collect()
}

/// Content that a card protects, in both sessions, in clear and enciphered.
fn protected() {
    for choice in 4..8u8 {
        for length in [0, 16, 48] {
            let answer = [&[choice][..], &vec![0xC5; length]].concat();
            write(
                "card_protected_answer",
                &format!("{choice}-{length}"),
                &answer,
            );
        }
    }
}

/// What a PN532 says (UM0701-02, 6.2.1 and 7.3.5).
fn frames() {
    for (name, frame) in [
        ("ack", "0000ff00ff00"),
        ("nack", "0000ffff0000"),
        ("syntax-error", "0000ff01ff7f8100"),
        ("firmware", "0000ff06fad50332010607e800"),
        ("configured", "0000ff02fed5151600"),
        ("extended", "0000ffffff0002fed5151600"),
        ("ack-then-answer", "0000ff00ff000000ff02fed5151600"),
        ("noise-then-answer", "55aa00ff12340000ff02fed5151600"),
    ] {
        write("pn532_frames", name, &bytes(frame));
    }
    for (name, answer) in [
        ("classic-1k", "01010004080404a1b2c3"),
        ("ntag213", "01010044000704a1b2c3d4e5f6"),
        ("desfire", "01010344200704a1b2c3d4e5f6067577810280"),
    ] {
        write("pn532_answers", name, &bytes(answer));
    }
}

/// What readers say (PC/SC part 3, 3.1.3.2.3 and its supplement, 3.2; ISO/IEC 7816-4, 5.3.4).
fn readers() {
    for (name, answer) in [
        (
            "transparent",
            "c00300900092010096020000970800040402010 00f03",
        ),
        ("transparent-ack", "c00300900092010496020000 97010a"),
        ("transparent-long", "c003009000978102aabb"),
        ("direct", "d5430000040402010 00f03"),
        ("direct-ack", "d543000a"),
        ("direct-nak", "d5430004"),
    ] {
        write("pcsc_raw_answer", name, &bytes(answer));
    }
    for (name, atr) in [
        ("classic-1k", "3b8f8001804f0ca000000306030001000000006a"),
        ("ultralight", "3b8f8001804f0ca0000003060300030000000068"),
        ("desfire", "3b8180018080"),
        ("without-historical-bytes", "3b80800101"),
    ] {
        write("pcsc_atr", name, &bytes(atr));
    }
    for (name, parts) in [
        ("whole", &["0102039000"][..]),
        ("two-parts", &["01026102", "03049000"]),
        ("wrong-le", &["6c03", "0708099000"]),
    ] {
        let parts: Vec<_> = parts.iter().map(|part| bytes(part)).collect();
        let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        write("pcsc_answer_in_parts", name, &with_lengths(&parts));
    }
}

fn messages() {
    for file in files("crates/protocol/tests/golden/link") {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let message: Value = serde_json::from_slice(&fs::read(&file).expect("it can be read"))
            .expect("golden files are JSON");
        write("link_message", &name, message.to_string().as_bytes());
    }
}

fn files(folder: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(repository().join(folder)).expect("the folder is there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .collect();
    files.sort();
    files
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).expect("it is hex")
}
