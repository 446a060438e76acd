//! What may and may not be read as an `rfid48`.

use proptest::prelude::*;

use cmac::Mac;

use super::super::{Image, Opened, Void, open, seal};
use super::*;
use crate::keys::LockKeys;
use crate::placing::Place;
use crate::{CardFunction, CopyIndex, KeyVersion, Sequence, SiteKey, SiteKeys, Technology};

fn keys() -> LockKeys {
    SiteKeys::new(KeyVersion::FIRST, SiteKey::new([0x11; 32])).lock_keys()
}

fn place(uid: &str, copy: CopyIndex) -> Place {
    Place {
        technology: Technology::MifareClassic1k,
        uid: uid.parse().unwrap(),
        copy,
    }
}

fn door(number: u32) -> DoorNumber {
    DoorNumber::new(number).unwrap()
}

fn here() -> Place {
    place("04A1B2C3", CopyIndex::A)
}

fn sealed(place: &Place, sequence: Sequence, credential: &Credential) -> Result<Image, Refusal> {
    seal(&keys(), KeyVersion::FIRST, place, sequence, credential)
}

fn seal_anything(bytes: &mut [u8], keys: &LockKeys, place: &Place) {
    let tag = keys
        .tag(KeyVersion::FIRST, place, &bytes[..BODY])
        .unwrap()
        .finalize()
        .into_bytes();
    bytes[BODY..].copy_from_slice(&tag[..8]);
}

prop_compose! {
    fn doors()(
        first in 1..=0x7FDFu32,
        count in 0..=RoomRange::MAX_COUNT,
        common in 0..1u32 << CommonDoors::COUNT,
        additional in prop::collection::vec((any::<bool>(), 1..=0x7FFFu32), 0..=ADDITIONAL_DOORS),
    ) -> Doors {
        Doors {
            // No rooms is no range.
            rooms: RoomRange::new(door(first), count).ok(),
            common: CommonDoors::from_bits(common).unwrap(),
            additional: additional
                .into_iter()
                .map(|(guest, number)| match guest {
                    true => AdditionalDoor::Guest(door(number)),
                    false => AdditionalDoor::Common(door(number)),
                })
                .collect(),
        }
    }
}

prop_compose! {
    fn credential()(
        number in 1..=u32::MAX,
        staff in any::<bool>(),
        start in 0..=0xFF_FFFEu32,
        length in proptest::option::of(0..=0xFF_FFFEu32),
        issue in 0..=0xFF_FFFFu32,
        doors in doors(),
    ) -> Credential {
        let start = Minute::new(start).unwrap();
        let end = length.map(|length| Minute::new((start.get() + length).min(0xFF_FFFE)).unwrap());
        Credential {
            format: CardFormat::Rfid48,
            number: CredentialNumber::new(number).unwrap(),
            function: if staff { CardFunction::Staff } else { CardFunction::Guest },
            validity: Validity::new(start, end).unwrap(),
            issue: IssueNumber::new(issue).unwrap(),
            doors,
        }
    }
}

proptest! {
    #[test]
    fn every_credential_survives_the_way_to_bytes_and_back(
        credential in credential(),
        sequence in 1..=u16::MAX,
    ) {
        let sequence = Sequence::new(sequence).unwrap();
        let image = sealed(&here(), sequence, &credential).unwrap();
        prop_assert_eq!(open(image.bytes(), &keys(), &here()), Ok(Opened { sequence, key_version: KeyVersion::FIRST, credential }));
    }

    #[test]
    fn a_flipped_bit_anywhere_makes_the_image_void(credential in credential(), bit in 0..48 * 8usize) {
        let image = sealed(&here(), Sequence::FIRST, &credential).unwrap();
        let mut bytes = image.bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(open(&bytes, &keys(), &here()).is_err());
    }

    #[test]
    fn noise_is_void_and_never_panics(noise in prop::collection::vec(any::<u8>(), 48)) {
        prop_assert!(open(&noise, &keys(), &here()).is_err());
    }

    #[test]
    fn noise_under_a_right_tag_never_panics_and_reads_back_as_itself(
        noise in prop::collection::vec(any::<u8>(), 48),
    ) {
        let keys = keys();
        let mut bytes = noise;
        bytes[0] = FORMAT;
        bytes[1] = KeyVersion::FIRST.get();
        bytes[5..7].copy_from_slice(&keys.site_mark().bytes());
        seal_anything(&mut bytes, &keys, &here());
        if let Ok(opened) = open(&bytes, &keys, &here()) {
            let again = sealed(&here(), opened.sequence, &opened.credential).unwrap();
            prop_assert_eq!(again.bytes(), bytes);
        }
    }
}

fn a_credential() -> Credential {
    Credential {
        format: CardFormat::Rfid48,
        number: CredentialNumber::new(7).unwrap(),
        function: CardFunction::Guest,
        validity: Validity::new(Minute::new(100).unwrap(), Minute::new(200).ok()).unwrap(),
        issue: IssueNumber::new(100).unwrap(),
        doors: Doors {
            rooms: RoomRange::new(door(101), 1).ok(),
            ..Doors::default()
        },
    }
}

#[test]
fn an_image_is_void_on_another_card_in_another_copy_and_at_another_site() {
    let image = sealed(&here(), Sequence::FIRST, &a_credential()).unwrap();
    assert!(open(image.bytes(), &keys(), &here()).is_ok());
    for elsewhere in [
        place("04A1B2C4", CopyIndex::A),
        place("04A1B2C3", CopyIndex::B),
        place("04A1B2C3000000", CopyIndex::A),
    ] {
        assert_eq!(open(image.bytes(), &keys(), &elsewhere), Err(Void::Tag));
    }
    let other_site = SiteKeys::new(KeyVersion::FIRST, SiteKey::new([0x12; 32])).lock_keys();
    assert!(open(image.bytes(), &other_site, &here()).is_err());
    let other_version =
        SiteKeys::new(KeyVersion::new(2).unwrap(), SiteKey::new([0x11; 32])).lock_keys();
    assert_eq!(
        open(image.bytes(), &other_version, &here()),
        Err(Void::Header)
    );
}

#[test]
fn what_the_format_does_not_have_is_void_even_under_a_right_tag() {
    let keys = keys();
    let whole = sealed(&here(), Sequence::FIRST, &a_credential()).unwrap();
    for (what, at, bytes) in [
        ("sequence 0", 2, &[0, 0][..]),
        ("function 2", 4, &[0x81]),
        ("function 3", 4, &[0xC1]),
        ("34 rooms", 4, &[34]),
        ("a first room without rooms", 4, &[0]),
        ("credential number 0", 7, &[0, 0, 0, 0]),
        ("a start that never comes", 11, &[0xFF, 0xFF, 0xFF]),
        ("an end before the start", 14, &[0, 0, 99]),
        ("room 0", 20, &[0, 0]),
        ("room 32768", 20, &[0x80, 0]),
        ("a flag", 22, &[0x10]),
        ("an additional door after an empty place", 28, &[0, 5]),
        ("additional guest door 0", 26, &[0x80, 0]),
    ] {
        let mut image = whole.bytes().to_vec();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        seal_anything(&mut image, &keys, &here());
        assert_eq!(open(&image, &keys, &here()), Err(Void::Content), "{what}");
    }
}

#[test]
fn an_eighth_additional_door_is_refused_with_what_would_fit() {
    let with_doors = |count| {
        let mut credential = a_credential();
        credential.doors.additional = (1..=count)
            .map(|at| AdditionalDoor::Guest(door(at * 2)))
            .collect();
        sealed(&here(), Sequence::FIRST, &credential)
    };
    assert!(with_doors(7).is_ok());
    let Err(refused) = with_doors(8) else {
        panic!("eight additional doors fit nowhere")
    };
    assert_eq!(
        refused.to_string(),
        "the credential does not fit this card: it opens 8 doors beside one range of rooms and the common doors 0 to 27, and rfid48 holds 7; choose consecutive rooms or fewer doors, or the format TLCode"
    );
}
