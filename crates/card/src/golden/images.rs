//! Single images with the right tag: values on both sides of every limit of a format.

use serde_json::Value;

use super::file::{Checked, check_site, fields, hexadecimal, list, site, technology, text};
use crate::CopyIndex;
use crate::format;
use crate::placing::Place;

const FILES: [&str; 2] = [
    include_str!("../../tests/data/rfid48-images.json"),
    include_str!("../../tests/data/tlcode-images.json"),
];

/// How many values the files hold.
const VALUES: usize = 140;

#[test]
fn every_golden_image_says_what_the_page_says_or_is_void() {
    let checked = Checked::default();
    for file in FILES {
        let file: Value = serde_json::from_str(file).unwrap();
        check_site(&file["site"], &checked);
        for image in list(&file["images"]) {
            check(image, &file["site"], &checked);
        }
    }
    checked.total(VALUES);
}

fn check(image: &Value, block: &Value, checked: &Checked) {
    let keys = site(block, &[1, 2]);
    let place = Place {
        technology: technology(&image["technology"]),
        uid: text(&image["uid"]).parse().unwrap(),
        copy: match text(&image["copy"]) {
            "A" => CopyIndex::A,
            _ => CopyIndex::B,
        },
    };
    let (name, bytes) = (text(&image["name"]), hexadecimal(&image["image"]));
    let opened = format::open(&bytes, keys.lock(), &place).ok();
    let found = opened.as_ref().map_or(Value::Null, fields);
    checked.equal(name, found, image["fields"].clone());
    if let Some(opened) = opened {
        let (version, sequence) = (opened.key_version, opened.sequence);
        let again = format::seal(keys.lock(), version, &place, sequence, &opened.credential);
        checked.equal(name, again.unwrap().bytes(), &bytes[..]);
    }
}
