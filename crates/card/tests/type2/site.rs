//! The site of these tests: its keys, its credentials, its doors.

use std::sync::LazyLock;

use card::{
    AdditionalDoor, CardFormat, CardFunction, CommonDoorNumber, CommonDoors, Credential,
    CredentialNumber, Door, DoorNumber, Doors, Entropy, IssueNumber, KeyVersion, Lock, Minute,
    RoomRange, SiteKey, SiteKeys, Validity,
};

use crate::field::Field;

/// A minute within the validity of every credential here.
pub(crate) const NOON: u32 = 3_000_000;

pub(crate) fn keys() -> SiteKeys {
    static KEYS: LazyLock<SiteKeys> = LazyLock::new(|| ring(&[1]));
    KEYS.clone()
}

/// The keys of the same site with these versions.
pub(crate) fn ring(versions: &[u8]) -> SiteKeys {
    let versions = versions.iter().map(|version| {
        let key = SiteKey::new([0x5D + version; 32]);
        (KeyVersion::new(*version).unwrap(), key)
    });
    SiteKeys::ring(versions.collect(), None).unwrap()
}

pub(crate) fn entropy() -> Entropy {
    Entropy::new([0xE5; 32])
}

pub(crate) fn door(number: u32) -> DoorNumber {
    DoorNumber::new(number).unwrap()
}

fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).unwrap()
}

/// A guest's credential for one room and common door 3, good around [`NOON`]. As `TLCode` it takes 62 bytes, so that it
/// is longer than an `rfid48`.
pub(crate) fn guest(format: CardFormat, number: u32, room: u32) -> Credential {
    let additional = match format {
        CardFormat::Rfid48 => Vec::new(),
        CardFormat::TlCode => (201..205)
            .map(|number| AdditionalDoor::Guest(door(number)))
            .collect(),
    };
    Credential {
        format,
        number: CredentialNumber::new(number).unwrap(),
        function: CardFunction::Guest,
        validity: Validity::new(minute(NOON - 600), Some(minute(NOON + 600))).unwrap(),
        issue: IssueNumber::new(NOON - 600).unwrap(),
        doors: Doors {
            rooms: RoomRange::new(door(room), 1).ok(),
            common: CommonDoors::from_bits(1 << 3).unwrap(),
            additional,
        },
    }
}

/// Which of the rooms of these tests the card opens. Every credential opens the common door besides, so that a card that
/// does not opens nothing.
pub(crate) fn opened_rooms(field: &Field) -> Vec<u32> {
    let read = field.read_as_lock();
    let opens = |door| {
        let lock = Lock::new(field.keys.lock_keys(), door, IssueNumber::MIN);
        lock.decide(&read, Some(minute(NOON))).is_open()
    };
    let rooms = [101, 102, 103, 108, 109].into_iter();
    if opens(Door::Common(CommonDoorNumber::new(3).unwrap())) {
        rooms
            .filter(|room| opens(Door::Guest(door(*room))))
            .collect()
    } else {
        Vec::new()
    }
}
