//! The site of these tests: its key, its guests, and its locks.

use card::{
    CardFormat, CardFunction, CommonDoors, Credential, CredentialNumber, Door, DoorNumber, Doors,
    Entropy, IssueNumber, KeyVersion, Lock, Minute, ReadCopies, RoomRange, SiteKey, SiteKeys,
    Validity,
};
use emulator::{Card, Slot};
use encoder::{BlockEncoder as _, CardWait, Stop, drive};
use jiff::Timestamp;
use protocol::link;
use std::sync::LazyLock;
use std::time::Instant;
use uuid::Uuid;

use crate::encode::InMemory;

/// The site key, as a configuration has it.
pub const KEY: &str = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e";

/// A minute within the validity of every credential here.
const NOON: u32 = 3_000_000;
const HALF_A_DAY: u32 = 600;
/// A common door that every guest may open.
const LOBBY: u8 = 3;

/// The keys of the site.
#[must_use]
pub fn keys() -> SiteKeys {
    static KEYS: LazyLock<SiteKeys> =
        LazyLock::new(|| SiteKeys::new(KeyVersion::FIRST, SiteKey::from_hex(KEY).unwrap()));
    KEYS.clone()
}

/// A guest with one room; the credential's number is the room's less 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    /// 101 to 109.
    pub room: u16,
}

/// Who held the card before.
pub const OLD: Guest = Guest { room: 107 };
/// Who is to hold it now.
pub const NEW: Guest = Guest { room: 109 };

impl Guest {
    fn number(self) -> u32 {
        u32::from(self.room) - 100
    }

    /// The credential as it goes on a card.
    #[must_use]
    pub fn on_card(self) -> Credential {
        Credential {
            format: CardFormat::Rfid48,
            number: CredentialNumber::new(self.number()).unwrap(),
            function: CardFunction::Guest,
            validity: Validity::new(minute(NOON - HALF_A_DAY), Some(minute(NOON + HALF_A_DAY)))
                .unwrap(),
            issue: IssueNumber::new(NOON - HALF_A_DAY).unwrap(),
            doors: Doors {
                rooms: RoomRange::new(door(self.room), 1).ok(),
                common: CommonDoors::from_bits(1 << LOBBY).unwrap(),
                additional: Vec::new(),
            },
        }
    }

    /// The same credential as a hub offers it.
    #[must_use]
    pub fn on_link(self) -> link::Credential {
        let moment = |minutes| Timestamp::from_second(minute(minutes).unix_seconds()).unwrap();
        link::Credential {
            acs_credential_id: Uuid::from_u128(self.number().into()),
            number: self.number(),
            format: link::CardFormat::Rfid48,
            function: link::CardFunction::Guest,
            starts_at: moment(NOON - HALF_A_DAY),
            ends_at: Some(moment(NOON + HALF_A_DAY)),
            issue_number: NOON - HALF_A_DAY,
            first_room: self.room,
            room_count: 1,
            common_doors: vec![LOBBY],
            additional_doors: Vec::new(),
        }
    }
}

/// Which of the rooms 101 to 109 the card opens at noon. Shown is a twin, so that the card itself stays where it lies.
#[must_use]
pub fn opened_rooms(card: &Card) -> Vec<u16> {
    let slot = Slot::new();
    slot.place(&card.twin());
    let mut antenna = InMemory::over(slot);
    let mut session = antenna
        .select(CardWait::Resting, Instant::now(), &Stop::default())
        .unwrap();
    let lock_keys = keys().lock_keys();
    let reading = ReadCopies::new(session.card().clone(), lock_keys.clone(), entropy()).unwrap();
    let read = drive(session.as_mut(), reading).unwrap();
    (101..=109)
        .filter(|room| {
            let lock = Lock::new(
                lock_keys.clone(),
                Door::Guest(door(*room)),
                IssueNumber::MIN,
            );
            lock.decide(&read, Some(minute(NOON))).is_open()
        })
        .collect()
}

/// The same randomness for every procedure, so that a case can be run again.
#[must_use]
pub fn entropy() -> Entropy {
    Entropy::new([0xE5; 32])
}

fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).unwrap()
}

fn door(number: u16) -> DoorNumber {
    DoorNumber::new(number.into()).unwrap()
}
