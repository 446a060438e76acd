//! What the golden files have in common: the site, fields of an image, decisions of a lock.

use std::cell::Cell;
use std::fmt;

use serde_json::{Value, json};

use crate::format::Opened;
use crate::{
    AdditionalDoor, CardFormat, CardFunction, CommonDoorNumber, CopiesRead, Decision, Door,
    DoorNumber, IssueNumber, KeyVersion, Lock, Minute, SiteKey, SiteKeys, SiteMark, Technology,
};

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(super) fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

pub(super) fn hexadecimal(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

pub(super) fn technology(value: &Value) -> Technology {
    let named = |technology: &Technology| technology.slug() == text(value);
    Technology::ALL.into_iter().find(named).unwrap()
}

/// Compares, and counts what it compared.
#[derive(Default)]
pub(super) struct Checked(Cell<usize>);

impl Checked {
    pub(super) fn equal<T: PartialEq + fmt::Debug>(&self, what: &str, found: T, expected: T) {
        assert_eq!(found, expected, "{what}");
        self.0.set(self.0.get() + 1);
    }

    /// Files that are frozen cannot have lost a value.
    pub(super) fn total(&self, expected: usize) {
        println!("{} golden values agree", self.0.get());
        assert_eq!(self.0.get(), expected, "how many values were compared");
    }
}

/// The keys of the file's site, as far as `held` names them.
pub(super) fn site(block: &Value, held: &[u8]) -> SiteKeys {
    let keys = list(&block["versions"]).iter().filter_map(|entry| {
        let version = number(&entry["version"]) as u8;
        let key = SiteKey::from_hex(text(&entry["site_key"])).unwrap();
        held.contains(&version)
            .then(|| (KeyVersion::new(version).unwrap(), key))
    });
    let mark = hexadecimal(&block["site_mark"]).try_into().unwrap();
    SiteKeys::ring(keys.collect(), Some(SiteMark::new(mark))).unwrap()
}

/// Masters, site mark and check values. A ring that holds version 1 takes no other mark than that version's.
pub(super) fn check_site(block: &Value, checked: &Checked) {
    let keys = site(block, &[1, 2]);
    checked.equal(
        "site mark",
        keys.site_mark().bytes().to_vec(),
        hexadecimal(&block["site_mark"]),
    );
    let lock = keys.lock_keys();
    for entry in list(&block["versions"]) {
        let version = KeyVersion::new(number(&entry["version"]) as u8).unwrap();
        let masters = lock.expose().find(|masters| masters.version == version);
        let masters = masters.unwrap();
        let value = keys.check_values().find(|(of, _)| *of == version).unwrap();
        for (what, found) in [
            ("read", &masters.read[..]),
            ("tag", &masters.tag[..]),
            ("check_value", &value.1[..]),
        ] {
            checked.equal(what, found.to_vec(), hexadecimal(&entry[what]));
        }
    }
}

/// The fields of an image as the files write them.
pub(super) fn fields(opened: &Opened) -> Value {
    let credential = &opened.credential;
    let doors = &credential.doors;
    let additional = doors.additional.iter().map(|door| match door {
        AdditionalDoor::Guest(door) => format!("guest {}", door.get()),
        AdditionalDoor::Common(door) => format!("common {}", door.get()),
    });
    json!({
        "format": match credential.format {
            CardFormat::Rfid48 => "rfid48",
            CardFormat::TlCode => "TLCode",
        },
        "key_version": opened.key_version.get(),
        "sequence": opened.sequence.get(),
        "number": credential.number.get(),
        "function": match credential.function {
            CardFunction::Guest => "guest",
            CardFunction::Staff => "staff",
        },
        "start": credential.validity.start().get(),
        "end": credential.validity.end().map(Minute::get),
        "issue": credential.issue.get(),
        "rooms": doors.rooms.map(|rooms| (rooms.first().get(), rooms.count())),
        "common_doors": doors.common.iter().map(CommonDoorNumber::get).collect::<Vec<_>>(),
        "additional": additional.collect::<Vec<_>>(),
    })
}

/// What the lock of `case` decides, as the files write it.
pub(super) fn decision(keys: &SiteKeys, card: &CopiesRead, case: &Value) -> String {
    let (kind, door) = text(&case["door"]).split_once(' ').unwrap();
    let door = door.parse().unwrap();
    let door = match kind {
        "guest" => Door::Guest(DoorNumber::new(door).unwrap()),
        _ => Door::Common(CommonDoorNumber::new(door).unwrap()),
    };
    let highest = IssueNumber::new(number(&case["highest_issue"])).unwrap();
    let now = case["now"]
        .as_u64()
        .map(|now| Minute::new(now as u32).unwrap());
    match Lock::new(keys.lock_keys(), door, highest).decide(card, now) {
        Decision::Open { remember: None } => "open".to_owned(),
        Decision::Open {
            remember: Some(issue),
        } => format!("open, remember {}", issue.get()),
        Decision::Denied(denial) => denial.slug().to_owned(),
    }
}
