//! The site of these tests: its keys, its credentials, its doors.

use card::{
    AdditionalDoor, CardFormat, CardFunction, CommonDoors, Credential, CredentialNumber, Door,
    DoorNumber, Doors, IssueNumber, KeyVersion, Lock, Minute, RoomRange, SiteKey, SiteKeys,
    Validity,
};

use crate::field::{Field, Model};

/// A minute within the validity of every credential here.
pub(crate) const NOON: u32 = 3_000_000;
pub(crate) const FORMATS: [CardFormat; 2] = [CardFormat::Rfid48, CardFormat::TlCode];

/// The keys of a site with these versions.
pub(crate) fn ring(versions: &[u8]) -> SiteKeys {
    let keys = versions
        .iter()
        .map(|version| {
            (
                KeyVersion::new(*version).unwrap(),
                SiteKey::new([0x5E ^ *version; 32]),
            )
        })
        .collect();
    let first = SiteKeys::new(KeyVersion::FIRST, SiteKey::new([0x5E ^ 1; 32]));
    SiteKeys::ring(keys, Some(first.site_mark())).unwrap()
}

pub(crate) fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).unwrap()
}

pub(crate) fn door(number: u32) -> DoorNumber {
    DoorNumber::new(number).unwrap()
}

/// A guest's credential for one room and common door 3, good around [`NOON`].
pub(crate) fn guest(format: CardFormat, number: u32, room: u32) -> Credential {
    Credential {
        format,
        number: CredentialNumber::new(number).unwrap(),
        function: CardFunction::Guest,
        validity: Validity::new(minute(NOON - 600), Some(minute(NOON + 600))).unwrap(),
        issue: IssueNumber::new(NOON - 600).unwrap(),
        doors: Doors {
            rooms: RoomRange::new(door(room), 1).ok(),
            common: CommonDoors::from_bits(1 << 3).unwrap(),
            additional: Vec::new(),
        },
    }
}

/// The same with more single doors.
pub(crate) fn with_doors(mut credential: Credential, doors: u32) -> Credential {
    credential.doors.additional = (0..doors)
        .map(|number| AdditionalDoor::Guest(door(500 + number)))
        .collect();
    credential
}

/// Which of the rooms of these tests the card opens.
pub(crate) fn opened_rooms<M: Model>(field: &Field<M>) -> Vec<u32> {
    let read = field.read_as_lock();
    [101, 102, 103, 104, 107, 109]
        .into_iter()
        .filter(|room| {
            let lock = Lock::new(
                field.keys.lock_keys(),
                Door::Guest(door(*room)),
                IssueNumber::MIN,
            );
            lock.decide(&read, Some(minute(NOON))).is_open()
        })
        .collect()
}
