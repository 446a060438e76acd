//! The golden vectors: computed from docs/card-format.md by a reader that shares no code with this crate, and frozen.
//! Every value must come out here too, from keys to decisions.

mod cards;
mod file;
mod images;
mod model;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::classic::{Sector, SectorTrailer, sector_key};
use crate::format::{self, Image, Opened};
use crate::placing::Place;
use crate::{
    AdditionalDoor, CardFormat, CardFunction, CommonDoorNumber, CopiesRead, CopyIndex, Decision,
    Door, DoorNumber, IssueNumber, KeyVersion, Lock, Minute, RoomRange, Sequence, SiteKey,
    SiteKeys, Technology, Uid, an10922,
};

const VECTORS: &str = include_str!("../tests/data/rfid48-mifare-classic-1k.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    hex::decode(text(value)).unwrap().try_into().unwrap()
}

/// One card of the file.
struct Golden {
    value: Value,
    uid: Uid,
    keys: SiteKeys,
}

impl Golden {
    fn all() -> Vec<Self> {
        let cards = vectors()["cards"].as_array().unwrap().clone();
        cards.into_iter().map(Self::new).collect()
    }

    fn new(value: Value) -> Self {
        assert_eq!(value["technology"], Technology::MifareClassic1k.slug());
        let version = KeyVersion::new(number(&value["key_version"]).try_into().unwrap()).unwrap();
        let key = SiteKey::from_hex(text(&value["site_key"])).unwrap();
        Self {
            uid: text(&value["uid"]).parse().unwrap(),
            keys: SiteKeys::new(version, key),
            value,
        }
    }

    fn name(&self) -> &str {
        text(&self.value["name"])
    }

    fn place(&self, copy: CopyIndex) -> Place {
        Place {
            technology: Technology::MifareClassic1k,
            uid: self.uid,
            copy,
        }
    }

    fn copy(&self, copy: CopyIndex) -> &Value {
        &self.value["copies"][match copy {
            CopyIndex::A => "A",
            CopyIndex::B => "B",
        }]
    }

    fn image(&self, copy: CopyIndex) -> Image {
        Image::new(bytes::<48>(&self.copy(copy)["image"]).to_vec())
    }

    fn open(&self, copy: CopyIndex) -> Option<Opened> {
        let image = self.image(copy);
        format::open(image.bytes(), self.keys.lock(), &self.place(copy)).ok()
    }
}

#[test]
fn keys_marks_and_trailers_are_those_of_the_page() {
    for golden in Golden::all() {
        let (name, keys, value) = (golden.name(), &golden.keys, &golden.value);
        assert_eq!(
            keys.site_mark().bytes(),
            bytes(&value["site_mark"]),
            "{name}"
        );
        assert_eq!(
            keys.check_values().next().unwrap().1,
            bytes(&value["check_value"]),
            "{name}"
        );
        for copy in CopyIndex::BOTH {
            let index = Sector::of(copy, 0).number();
            let (version, technology) = (keys.newest(), Technology::MifareClassic1k);
            let trailer = SectorTrailer {
                key_a: sector_key(keys.read_key(version, &golden.uid, technology, index)),
                key_b: sector_key(keys.write_key(version, &golden.uid, technology, index)),
            };
            let expected: [u8; 16] = bytes(&golden.copy(copy)["trailer"]);
            assert_eq!(*trailer.to_block().expose(), expected, "{name}");
        }
    }
}

#[test]
fn every_image_says_what_the_page_says_and_is_written_as_it_was_read() {
    for golden in Golden::all() {
        for copy in CopyIndex::BOTH {
            let name = format!("{}, copy {copy:?}", golden.name());
            let expected = &golden.copy(copy)["fields"];
            let Some(opened) = golden.open(copy) else {
                assert!(expected.is_null(), "{name} is void");
                continue;
            };
            assert_fields(&opened, expected, &name);
            let place = golden.place(copy);
            let again = format::seal(
                golden.keys.lock(),
                golden.keys.newest(),
                &place,
                opened.sequence,
                &opened.credential,
            );
            assert_eq!(
                again.unwrap().bytes(),
                golden.image(copy).bytes(),
                "{name}, written again"
            );
        }
    }
}

fn assert_fields(opened: &Opened, expected: &Value, name: &str) {
    let credential = &opened.credential;
    let guest: Vec<u16> = credential
        .doors
        .guest_doors()
        .map(DoorNumber::get)
        .collect();
    let common: Vec<u16> = credential
        .doors
        .common_doors()
        .map(CommonDoorNumber::get)
        .collect();
    let found = serde_json::json!({
        "sequence": opened.sequence.get(),
        "number": credential.number.get(),
        "function": match credential.function {
            CardFunction::Guest => "guest",
            CardFunction::Staff => "staff",
        },
        "start": credential.validity.start().get(),
        "end": credential.validity.end().map(Minute::get),
        "issue": credential.issue.get(),
        "guest_doors": guest,
        "common_doors": common,
    });
    assert_eq!(found, *expected, "{name}");
}

#[test]
fn the_lock_decides_as_the_page_says() {
    for golden in Golden::all() {
        let card = CopiesRead {
            uid: golden.uid,
            technology: Technology::MifareClassic1k,
            copies: CopyIndex::BOTH
                .map(|copy| Some(Zeroizing::new(golden.image(copy).bytes().to_vec()))),
        };
        for case in golden.value["decisions"].as_array().unwrap() {
            let door = number(&case["door"]["number"]);
            let door = match text(&case["door"]["kind"]) {
                "guest" => Door::Guest(DoorNumber::new(door).unwrap()),
                _ => Door::Common(CommonDoorNumber::new(door).unwrap()),
            };
            let highest = IssueNumber::new(number(&case["highest_issue"])).unwrap();
            let now = case["now"]
                .as_u64()
                .map(|now| Minute::new(now as u32).unwrap());
            let lock = Lock::new(golden.keys.lock_keys(), door, highest);
            let decision = match lock.decide(&card, now) {
                Decision::Open { remember: None } => "open".to_owned(),
                Decision::Open {
                    remember: Some(issue),
                } => format!("open, remember {}", issue.get()),
                Decision::Denied(denial) => denial.slug().to_owned(),
            };
            assert_eq!(
                decision,
                text(&case["decision"]),
                "{}: {case}",
                golden.name()
            );
        }
    }
}

#[test]
fn the_published_diversification_vectors_of_the_file_come_out() {
    for vector in vectors()["an10922"].as_array().unwrap() {
        let input = hex::decode(text(&vector["input"])).unwrap();
        let derived = an10922::diversify(&bytes(&vector["master"]), &input);
        assert_eq!(*derived, bytes(&vector["derived"]));
    }
}

/// docs/card-format.md works the first card of the file out; its figures must be the file's.
#[test]
fn the_worked_example_of_the_page_is_the_first_card_of_the_file() {
    let page = include_str!("../../../docs/card-format.md");
    let example = page
        .split("### `rfid48` on a MIFARE Classic 1K")
        .nth(1)
        .unwrap();
    let digits: String = example.split_whitespace().collect();
    let first = &vectors()["cards"][0];
    let mut figures = vec![
        text(&first["site_key"]),
        text(&first["site_mark"]),
        text(&first["check_value"]),
        text(&first["uid"]),
    ];
    figures.extend(["read", "write", "tag"].map(|purpose| text(&first["masters"][purpose])));
    for copy in ["A", "B"] {
        let copy = &first["copies"][copy];
        let trailer = text(&copy["trailer"]);
        figures.extend([
            trailer,
            &trailer[..12],
            &trailer[20..],
            text(&copy["tag_key"]),
        ]);
    }
    let image = text(&first["copies"]["B"]["image"]);
    figures.extend([&image[..32], &image[32..64], &image[64..], &image[..80]]);
    for figure in figures {
        assert!(digits.contains(figure), "{figure} is not in the example");
    }
}

/// docs/card-format.md works a `TLCode` out on the same card; its bytes must be what is written.
#[test]
fn the_tlcode_of_the_page_is_what_is_written() {
    let page = include_str!("../../../docs/card-format.md");
    let example = page.split("### `TLCode` on a MIFARE Classic 1K").nth(1);
    let digits: String = example.unwrap().split_whitespace().collect();
    let golden = Golden::all().remove(0);
    let mut credential = golden.open(CopyIndex::B).unwrap().credential;
    credential.format = CardFormat::TlCode;
    credential.doors.rooms = RoomRange::new(DoorNumber::new(101).unwrap(), 3).ok();
    credential.doors.additional = vec![
        AdditionalDoor::Guest(DoorNumber::new(205).unwrap()),
        AdditionalDoor::Common(DoorNumber::new(400).unwrap()),
    ];
    let place = golden.place(CopyIndex::B);
    let (lock, version) = (golden.keys.lock(), golden.keys.newest());
    let image = format::seal(lock, version, &place, Sequence::FIRST, &credential).unwrap();
    let figures = (0..image.units::<16>()).map(|block| image.unit::<16>(block));
    for figure in figures.map(hex::encode_upper) {
        assert!(digits.contains(&figure), "{figure} is not in the example");
    }
    for nth in 0..2 {
        let sector = Sector::of(CopyIndex::B, nth);
        let index = sector.number();
        let technology = Technology::MifareClassic1k;
        let trailer = SectorTrailer {
            key_a: sector_key(
                golden
                    .keys
                    .read_key(version, &golden.uid, technology, index),
            ),
            key_b: sector_key(
                golden
                    .keys
                    .write_key(version, &golden.uid, technology, index),
            ),
        };
        let figure = hex::encode_upper(trailer.to_block().expose());
        assert!(digits.contains(&figure), "{figure} is not in the example");
    }
}
