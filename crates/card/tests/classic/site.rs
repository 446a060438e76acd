//! The site of these tests: its keys, its credentials, its doors.

use std::sync::LazyLock;

use card::{
    AdditionalDoor, CardFormat, CardFunction, CommonDoorNumber, CommonDoors, Credential,
    CredentialNumber, Decision, Denial, Door, DoorNumber, Doors, Entropy, IssueNumber, KeyVersion,
    Lock, Minute, Purpose, RoomRange, SiteKey, SiteKeys, Validity,
};

use crate::field::Field;

/// A minute within the validity of every credential here.
pub(crate) const NOON: u32 = 3_000_000;

pub(crate) fn keys() -> SiteKeys {
    static KEYS: LazyLock<SiteKeys> =
        LazyLock::new(|| SiteKeys::new(KeyVersion::FIRST, SiteKey::new([0x5E; 32])));
    KEYS.clone()
}

/// To write an `rfid48`.
pub(crate) const ENCODE: Purpose = Purpose::Encode {
    format: CardFormat::Rfid48,
    image_length: 48,
};

pub(crate) fn entropy() -> Entropy {
    Entropy::new([0xE5; 32])
}

pub(crate) fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).unwrap()
}

pub(crate) fn door(number: u32) -> DoorNumber {
    DoorNumber::new(number).unwrap()
}

pub(crate) fn common(number: u32) -> CommonDoorNumber {
    CommonDoorNumber::new(number).unwrap()
}

/// A guest's credential for one room and common door 3, good around [`NOON`].
pub(crate) fn guest(number: u32, room: u32) -> Credential {
    Credential {
        format: CardFormat::Rfid48,
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

/// The same as a `TLCode` with that many single doors, 1000 and up, beside the room.
pub(crate) fn with_doors(number: u32, room: u32, doors: u32) -> Credential {
    let mut credential = guest(number, room);
    credential.format = CardFormat::TlCode;
    credential.doors.additional = (1_000..1_000 + doors)
        .map(|number| AdditionalDoor::Guest(door(number)))
        .collect();
    credential
}

/// Keys of these versions of the same site.
pub(crate) fn ring(versions: &[u8]) -> SiteKeys {
    let key = |version: &u8| {
        let bytes = match version {
            1 => [0x5E; 32],
            later => [*later; 32],
        };
        (KeyVersion::new(*version).unwrap(), SiteKey::new(bytes))
    };
    let mark = keys().site_mark();
    SiteKeys::ring(versions.iter().map(key).collect(), Some(mark)).unwrap()
}

/// Which of the rooms 101 to 109 the card opens.
pub(crate) fn opened_rooms(field: &Field) -> Vec<u32> {
    let read = field.read_as_lock();
    let decide = |room| {
        let door = Door::Guest(door(room));
        Lock::new(field.keys.lock_keys(), door, IssueNumber::MIN).decide(&read, Some(minute(NOON)))
    };
    let rooms = 101..=109;
    if decide(101) == Decision::Denied(Denial::NoCredential) {
        return Vec::new();
    }
    rooms.filter(|room| decide(*room).is_open()).collect()
}
