//! What may and may not be read as a `TLCode`.

use proptest::prelude::*;

use super::super::tests::{here, keys, sealed, tagged};
use super::super::{Void, open};
use super::*;

/// An image of these fields under a right tag, whatever they say.
fn seal_fields(fields: &[u8]) -> Vec<u8> {
    let mut body = vec![FORMAT, 1, 0, 1, 0];
    body.extend(keys().site_mark().bytes());
    body.extend((fields.len() as u16).to_be_bytes());
    body.extend(fields);
    tagged(&body)
}

proptest! {
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
    let instead = |at: usize, field: &[u8]| {
        let mut fields = FIELDS_OF_A_GUEST;
        fields[at] = field;
        fields.concat()
    };
    let full_of_doors = [&[8, 254][..], &[0, 1].repeat(127)].concat();
    assert!(open(&seal_fields(&with(&full_of_doors)), &keys(), &here()).is_ok());
    for (what, fields) in [
        ("no field at all", Vec::new()),
        ("no number", FIELDS_OF_A_GUEST[1..].concat()),
        ("no issue number", FIELDS_OF_A_GUEST[..4].concat()),
        ("number 0", instead(0, &[1, 4, 0, 0, 0, 0])),
        ("a number of three bytes", instead(0, &[1, 3, 0, 0, 7])),
        ("function 2", instead(1, &[2, 1, 2])),
        (
            "a start that never comes",
            instead(2, &[3, 3, 0xFF, 0xFF, 0xFF]),
        ),
        ("an end before the start", instead(3, &[4, 3, 0, 0, 99])),
        (
            "an end that stands for none",
            instead(3, &[4, 3, 0xFF, 0xFF, 0xFF]),
        ),
        ("an end of four bytes", instead(3, &[4, 4, 0, 0, 0, 200])),
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
        ("room 0", with(&[6, 3, 0, 0, 1])),
        ("a room past 32767", with(&[6, 3, 0x7F, 0xFF, 2])),
        ("half a field", with(&[6])),
        (
            "common doors before the rooms",
            with(&[7, 4, 0, 0, 0, 1, 6, 3, 0, 1, 1]),
        ),
        ("common doors past 27", with(&[7, 4, 0x10, 0, 0, 0])),
        ("common doors, but none", with(&[7, 4, 0, 0, 0, 0])),
    ] {
        let image = seal_fields(&fields);
        assert_eq!(open(&image, &keys(), &here()), Err(Void::Content), "{what}");
    }
}

#[test]
fn a_sequence_of_0_and_a_fourth_byte_that_is_not_0_are_void_even_under_a_right_tag() {
    let image = seal_fields(&FIELDS_OF_A_GUEST.concat());
    for (at, byte, void) in [(3, 0, Void::Content), (4, 1, Void::Header)] {
        let mut body = image[..image.len() - TAG].to_vec();
        body[at] = byte;
        assert_eq!(
            open(&tagged(&body), &keys(), &here()),
            Err(void),
            "byte {at}"
        );
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
fn what_no_card_could_hold_is_refused_with_what_would_fit() {
    let mut opened = open(&seal_fields(&FIELDS_OF_A_GUEST.concat()), &keys(), &here()).unwrap();
    let mut with_doors = |count| {
        let door = AdditionalDoor::Guest(DoorNumber::new(5).unwrap());
        opened.credential.doors.additional = vec![door; count];
        length(&opened.credential)
    };
    assert_eq!(with_doors(312), Ok(671));
    assert_eq!(
        with_doors(320).unwrap_err().to_string(),
        "the credential does not fit this card: it opens 320 single doors and takes 687 bytes, and no card holds more than 672; leave out at least 8 of these doors"
    );
}
