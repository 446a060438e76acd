//! The site of the cases: its keys, and a guest's credential.

use card::{
    CardFormat, CardFunction, CommonDoors, Credential, CredentialNumber, DoorNumber, Doors,
    Entropy, IssueNumber, KeyVersion, Minute, RoomRange, SiteKey, SiteKeys, Validity,
};

/// A minute in September 2025, at which the guest arrives.
const ARRIVAL: u32 = 3_000_000;
/// Ten hours.
const STAY: u32 = 600;

/// The keys of the site. Every byte is another, so that a part of it is known wherever it turns up.
pub(super) fn keys() -> SiteKeys {
    site(0x51)
}

/// The keys of another site.
pub(super) fn other_keys() -> SiteKeys {
    site(0xA3)
}

/// The bytes of the site's own key, to look for them.
pub(super) fn site_key_in_plain() -> [u8; 32] {
    key(0x51)
}

fn site(first: u8) -> SiteKeys {
    SiteKeys::new(KeyVersion::FIRST, SiteKey::new(key(first)))
}

fn key(first: u8) -> [u8; 32] {
    let mut byte = first;
    [0; 32].map(|_: u8| {
        byte = byte.wrapping_mul(5).wrapping_add(0x3B);
        byte
    })
}

/// The credential of the guest in a room.
pub(super) fn credential(room: u16) -> Credential {
    let fits = "numbers of this file fit a card";
    let minute = |minutes| Minute::new(minutes).expect(fits);
    Credential {
        format: CardFormat::Rfid48,
        number: CredentialNumber::new(room.into()).expect(fits),
        function: CardFunction::Guest,
        validity: Validity::new(minute(ARRIVAL), Some(minute(ARRIVAL + STAY))).expect(fits),
        issue: IssueNumber::new(ARRIVAL).expect(fits),
        doors: Doors {
            rooms: RoomRange::new(DoorNumber::new(room.into()).expect(fits), 1).ok(),
            common: CommonDoors::from_bits(0b1001).expect(fits),
            additional: Vec::new(),
        },
    }
}

/// The same randomness for every procedure: what is written to a card of a known content is known, too.
pub(super) fn entropy() -> Entropy {
    Entropy::new([0xE5; 32])
}
