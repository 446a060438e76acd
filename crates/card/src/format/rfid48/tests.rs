//! What may and may not be read as an `rfid48`.

use proptest::prelude::*;

use super::super::tests::{here, keys, sealed, tagged};
use super::super::{Void, length, open};
use super::*;
use crate::{CardFunction, KeyVersion};

fn door(number: u32) -> DoorNumber {
    DoorNumber::new(number).unwrap()
}

proptest! {
    #[test]
    fn noise_under_a_right_tag_never_panics_and_reads_back_as_itself(
        noise in prop::collection::vec(any::<u8>(), BODY),
    ) {
        let mut body = noise;
        body[0] = FORMAT;
        body[1] = KeyVersion::FIRST.get();
        body[5..7].copy_from_slice(&keys().site_mark().bytes());
        let image = tagged(&body);
        if let Ok(opened) = open(&image, &keys(), &here()) {
            body[2..4].copy_from_slice(&[0, 1]);
            prop_assert_eq!(sealed(&opened.credential), tagged(&body));
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
fn what_the_format_does_not_have_is_void_even_under_a_right_tag() {
    let whole = sealed(&a_credential());
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
        let mut body = whole[..BODY].to_vec();
        body[at..at + bytes.len()].copy_from_slice(bytes);
        let image = tagged(&body);
        assert_eq!(open(&image, &keys(), &here()), Err(Void::Content), "{what}");
    }
}

#[test]
fn an_eighth_additional_door_is_refused_with_what_would_fit() {
    let with_doors = |count| {
        let mut credential = a_credential();
        credential.doors.additional = (1..=count)
            .map(|at| AdditionalDoor::Guest(door(at * 2)))
            .collect();
        length(&credential)
    };
    assert_eq!(with_doors(7), Ok(LENGTH));
    let Err(refused) = with_doors(8) else {
        panic!("eight additional doors fit nowhere")
    };
    assert_eq!(
        refused.to_string(),
        "the credential does not fit this card: it opens 8 doors beside one range of rooms and the common doors 0 to 27, and rfid48 holds 7; choose consecutive rooms or fewer doors, or the format TLCode"
    );
}
