//! What may and may not be read as a `TLCode`.

use proptest::prelude::*;

use super::super::{Opened, Void, open, seal};
use super::*;
use crate::keys::LockKeys;
use crate::placing::Place;
use crate::{CardFunction, CopyIndex, KeyVersion, Sequence, SiteKey, SiteKeys, Technology};

fn keys() -> LockKeys {
    SiteKeys::new(KeyVersion::FIRST, SiteKey::new([0x11; 32])).lock_keys()
}

fn here() -> Place {
    Place {
        technology: Technology::Ntag215,
        uid: "04A1B2C3D4E5F6".parse().unwrap(),
        copy: CopyIndex::B,
    }
}

fn sealed(credential: &Credential) -> Vec<u8> {
    seal(
        &keys(),
        KeyVersion::FIRST,
        &here(),
        Sequence::FIRST,
        credential,
    )
    .unwrap()
    .bytes()
    .to_vec()
}

/// Seals these fields, whatever they say.
fn seal_fields(fields: &[u8]) -> Vec<u8> {
    use cmac::Mac;
    let mut bytes = vec![FORMAT, 1, 0, 1, 0];
    bytes.extend(keys().site_mark().bytes());
    bytes.extend((fields.len() as u16).to_be_bytes());
    bytes.extend(fields);
    let tag = keys().tag(KeyVersion::FIRST, &here(), &bytes).unwrap();
    bytes.extend(&tag.finalize().into_bytes()[..TAG]);
    bytes
}

prop_compose! {
    fn credential()(
        number in 1..=u32::MAX,
        staff in any::<bool>(),
        start in 0..=0xFF_FFFEu32,
        length in proptest::option::of(0..=0xFF_FFFEu32),
        issue in 0..=0xFF_FFFFu32,
        rooms in (1..=0x7FDFu32, 0..=RoomRange::MAX_COUNT),
        common in 0..1u32 << CommonDoors::COUNT,
        additional in prop::collection::vec((any::<bool>(), 1..=0x7FFFu32), 0..300),
    ) -> Credential {
        let start = Minute::new(start).unwrap();
        let end = length.map(|length| Minute::new((start.get() + length).min(0xFF_FFFE)).unwrap());
        Credential {
            format: CardFormat::TlCode,
            number: CredentialNumber::new(number).unwrap(),
            function: if staff { CardFunction::Staff } else { CardFunction::Guest },
            validity: Validity::new(start, end).unwrap(),
            issue: IssueNumber::new(issue).unwrap(),
            doors: Doors {
                rooms: RoomRange::new(DoorNumber::new(rooms.0).unwrap(), rooms.1).ok(),
                common: CommonDoors::from_bits(common).unwrap(),
                additional: additional
                    .into_iter()
                    .map(|(guest, number)| door(number as u16 | if guest { 0x8000 } else { 0 }).unwrap())
                    .collect(),
            },
        }
    }
}

proptest! {
    #[test]
    fn every_credential_survives_the_way_to_bytes_and_back(credential in credential()) {
        let image = sealed(&credential);
        prop_assert_eq!(length(&credential).unwrap(), image.len());
        let opened = Opened { sequence: Sequence::FIRST, key_version: KeyVersion::FIRST, credential };
        prop_assert_eq!(open(&image, &keys(), &here()), Ok(opened));
    }

    #[test]
    fn a_flipped_bit_anywhere_makes_the_image_void(credential in credential(), bit in any::<prop::sample::Index>()) {
        let mut image = sealed(&credential);
        let bit = bit.index(image.len() * 8);
        image[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(open(&image, &keys(), &here()).is_err());
    }

    #[test]
    fn noise_under_a_right_tag_never_panics_and_reads_back_as_itself(
        noise in prop::collection::vec(prop_oneof![0..=9u8, any::<u8>()], 0..64),
    ) {
        let image = seal_fields(&noise);
        if let Ok(opened) = open(&image, &keys(), &here()) {
            prop_assert_eq!(sealed(&opened.credential), image);
        }
    }
}

/// Number 7, guest, from minute 100 to 200, issue number 100.
const FIELDS_OF_A_GUEST: [&[u8]; 5] = [
    &[1, 4, 0, 0, 0, 7],
    &[2, 1, 0],
    &[3, 3, 0, 0, 100],
    &[4, 3, 0, 0, 200],
    &[5, 3, 0, 0, 100],
];

#[test]
fn what_the_format_does_not_have_is_void_even_under_a_right_tag() {
    let guest = FIELDS_OF_A_GUEST.concat();
    assert!(open(&seal_fields(&guest), &keys(), &here()).is_ok());
    let with = |more: &[u8]| [&guest, more].concat();
    let full_of_doors = [&[8, 254][..], &[0, 1].repeat(127)].concat();
    assert!(open(&seal_fields(&with(&full_of_doors)), &keys(), &here()).is_ok());
    for (what, fields) in [
        ("no field at all", Vec::new()),
        ("no number", FIELDS_OF_A_GUEST[1..].concat()),
        ("a field twice", with(&[5, 3, 0, 0, 100])),
        ("a field out of order", [&[2, 1, 0][..], &guest].concat()),
        ("an unknown type", with(&[9, 0])),
        ("a value that goes on after the end", with(&[8, 4, 0, 1])),
        ("half a door", with(&[8, 3, 0, 1, 0])),
        ("an empty list", with(&[8, 0])),
        (
            "a list that went on although it was not full",
            with(&[8, 2, 0, 1, 8, 2, 0, 2]),
        ),
        ("door 0", with(&[8, 2, 0x80, 0])),
        ("34 rooms", with(&[6, 3, 0, 1, 34])),
        ("no rooms", with(&[6, 3, 0, 1, 0])),
        ("common doors past 27", with(&[7, 4, 0x10, 0, 0, 0])),
        ("common doors, but none", with(&[7, 4, 0, 0, 0, 0])),
    ] {
        let image = seal_fields(&fields);
        assert_eq!(open(&image, &keys(), &here()), Err(Void::Content), "{what}");
    }
}

#[test]
fn a_length_that_the_bytes_do_not_have_is_void() {
    let image = seal_fields(&FIELDS_OF_A_GUEST.concat());
    for length in [0_u16, 1, 30, 656, u16::MAX] {
        let mut changed = image.clone();
        changed[7..9].copy_from_slice(&length.to_be_bytes());
        assert!(open(&changed, &keys(), &here()).is_err(), "{length}");
    }
    for end in 0..image.len() {
        assert!(open(&image[..end], &keys(), &here()).is_err(), "{end}");
    }
}

#[test]
fn what_no_card_could_hold_is_refused() {
    let mut opened = open(&seal_fields(&FIELDS_OF_A_GUEST.concat()), &keys(), &here()).unwrap();
    opened.credential.doors.additional =
        vec![AdditionalDoor::Guest(DoorNumber::new(5).unwrap()); 320];
    let refused = length(&opened.credential).unwrap_err();
    assert!(matches!(refused, Refusal::DoesNotFit { .. }), "{refused}");
}
