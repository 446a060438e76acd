//! The reference lock before real images: which card opens which door, and when.

use card::{
    AdditionalDoor, CardFunction, Credential, Decision, Denial, Door, IssueNumber, Lock, Minute,
    RoomRange, Validity,
};

use crate::encode::encoded;
use crate::field::Field;
use crate::model::{Classic, Size};
use crate::site::{NOON, common, door, guest, keys, minute};

fn issue(number: u32) -> IssueNumber {
    IssueNumber::new(number).unwrap()
}

fn lock(door: Door, highest: u32) -> Lock {
    Lock::new(keys().lock_keys(), door, issue(highest))
}

fn room(number: u32, highest: u32) -> Lock {
    lock(Door::Guest(door(number)), highest)
}

fn card_with(credential: &Credential) -> Field {
    let mut field = Field::blank();
    field.encode(credential).ended.done().unwrap();
    field
}

fn at(lock: &Lock, field: &Field, now: impl Into<Option<u32>>) -> Decision {
    lock.decide(&field.read_as_lock(), now.into().map(minute))
}

const OPEN: Decision = Decision::Open { remember: None };

fn denied(denial: Denial) -> Decision {
    Decision::Denied(denial)
}

#[test]
fn a_door_opens_to_a_card_that_names_it_and_to_no_other() {
    let field = card_with(&guest(1, 101));
    assert!(at(&room(101, 0), &field, NOON).is_open());
    for other in [
        room(102, 0),
        lock(Door::Common(common(101)), 0),
        lock(Door::Common(common(4)), 0),
        room(3, 0),
    ] {
        assert_eq!(at(&other, &field, NOON), denied(Denial::WrongDoor));
    }
    assert_eq!(at(&lock(Door::Common(common(3)), 0), &field, NOON), OPEN);
}

#[test]
fn a_card_opens_from_15_minutes_before_its_start_to_15_minutes_after_its_end() {
    let mut credential = guest(1, 101);
    credential.validity = Validity::new(minute(1_000), Some(minute(2_000))).unwrap();
    let field = card_with(&credential);
    for (now, denial) in [
        (984, Some(Denial::NotYetValid)),
        (985, None),
        (1_000, None),
        (2_015, None),
        (2_016, Some(Denial::Expired)),
    ] {
        let decision = at(&room(101, 0), &field, now);
        match denial {
            Some(denial) => assert_eq!(decision, denied(denial), "{now}"),
            None => assert!(decision.is_open(), "{now}"),
        }
    }
}

#[test]
fn a_card_without_end_opens_until_the_calendar_ends() {
    let mut credential = guest(1, 101);
    credential.validity = Validity::new(minute(0), None).unwrap();
    let field = card_with(&credential);
    assert!(at(&room(101, 0), &field, Minute::MAX.get()).is_open());
    assert!(at(&room(101, 0), &field, 0).is_open());
}

#[test]
fn a_lock_that_does_not_know_the_time_stays_shut() {
    let field = card_with(&guest(1, 101));
    assert_eq!(at(&room(101, 0), &field, None), denied(Denial::ClockUnset));
}

#[test]
fn a_later_stay_overrides_an_earlier_one_once_the_door_has_seen_it() {
    let mut earlier = guest(1, 101);
    earlier.issue = issue(500);
    let mut later = guest(2, 101);
    later.issue = issue(501);
    let (earlier, later) = (card_with(&earlier), card_with(&later));
    let mut door = room(101, 0);
    for (card, remember) in [(&earlier, 500), (&later, 501)] {
        assert_eq!(
            at(&door, card, NOON),
            Decision::Open {
                remember: Some(issue(remember))
            }
        );
        door.remember(issue(remember));
        assert_eq!(
            at(&door, card, NOON),
            OPEN,
            "equal opens and stores nothing"
        );
    }
    assert_eq!(at(&door, &earlier, NOON), denied(Denial::Overridden));
    assert_eq!(door.highest_issue(), issue(501));
    assert!(at(&room(101, 500), &later, NOON).is_open());
}

#[test]
fn overriding_one_of_several_rooms_leaves_the_others_open() {
    let mut earlier = guest(1, 101);
    earlier.doors.rooms = RoomRange::new(door(101), 2).ok();
    earlier.doors.additional = vec![AdditionalDoor::Guest(door(107))];
    earlier.issue = issue(500);
    let field = card_with(&earlier);
    assert_eq!(
        at(&room(101, 501), &field, NOON),
        denied(Denial::Overridden)
    );
    for open in [102, 107] {
        assert!(at(&room(open, 0), &field, NOON).is_open());
    }
}

#[test]
fn common_doors_and_staff_cards_neither_compare_nor_store() {
    let mut low = guest(1, 101);
    low.issue = issue(1);
    low.doors.additional = vec![AdditionalDoor::Common(door(400))];
    let field = card_with(&low);
    for number in [3, 400] {
        let lobby = lock(Door::Common(common(number)), 1_000);
        assert_eq!(at(&lobby, &field, NOON), OPEN);
    }
    let mut staff = low;
    staff.function = CardFunction::Staff;
    assert_eq!(at(&room(101, 1_000), &card_with(&staff), NOON), OPEN);
    staff.issue = issue(2_000);
    assert_eq!(at(&room(101, 1_000), &card_with(&staff), NOON), OPEN);
}

#[test]
fn the_tag_comes_before_the_time_the_time_before_the_door_and_the_door_before_the_issue_number() {
    let mut field = card_with(&guest(1, 101));
    let issue_too_high = 0xFF_FFFF;
    assert_eq!(
        at(&room(101, issue_too_high), &field, NOON),
        denied(Denial::Overridden)
    );
    assert_eq!(
        at(&room(102, issue_too_high), &field, NOON),
        denied(Denial::WrongDoor)
    );
    assert_eq!(
        at(&room(102, issue_too_high), &field, NOON + 700),
        denied(Denial::Expired)
    );
    field.card.memory[10][15] ^= 1;
    assert_eq!(
        at(&room(102, issue_too_high), &field, None),
        denied(Denial::NoCredential)
    );
}

#[test]
fn what_a_lock_read_of_a_card_is_not_shown_in_messages() {
    let shown = format!("{:?}", card_with(&guest(1, 101)).read_as_lock());
    assert_eq!(
        shown,
        "CopiesRead { uid: Uid(04A1B2C3), technology: MifareClassic1k, copies: [None, Some(\"…\")] }"
    );
}

#[test]
fn no_flipped_bit_of_a_copy_opens_any_door() {
    let field = card_with(&guest(1, 101));
    let read = field.read_as_lock();
    for bit in 0..48 * 8 {
        let mut flipped = read.clone();
        flipped.copies[1].as_mut().unwrap()[bit / 8] ^= 1 << (bit % 8);
        for door in [Door::Guest(door(101)), Door::Common(common(3))] {
            assert_eq!(
                lock(door, 0).decide(&flipped, Some(minute(NOON))),
                denied(Denial::NoCredential),
                "bit {bit}"
            );
        }
    }
}

#[test]
fn an_image_on_another_card_or_in_the_other_copy_opens_nothing() {
    let field = card_with(&guest(1, 101));
    let read = field.read_as_lock();
    let mut swapped = read.clone();
    swapped.copies.swap(0, 1);
    let mut elsewhere = read.clone();
    elsewhere.uid = "04A1B2C4".parse().unwrap();
    for copied in [swapped, elsewhere] {
        assert_eq!(
            room(101, 0).decide(&copied, Some(minute(NOON))),
            denied(Denial::NoCredential)
        );
    }
    // The whole memory, sector keys included, on a card with another UID.
    let mut clone = Classic::blank(Size::OneK, &[0x04, 0xA1, 0xB2, 0xC4]);
    clone.memory[1..].copy_from_slice(&field.card.memory[1..]);
    assert_eq!(
        at(&room(101, 0), &Field::new(clone), NOON),
        denied(Denial::NoCredential)
    );
}

#[test]
fn an_old_image_restored_to_its_own_card_is_overridden() {
    let mut first = guest(1, 101);
    first.issue = issue(500);
    let mut field = card_with(&first);
    let image = field.card.memory;
    let mut second = guest(2, 101);
    second.issue = issue(501);
    field.present(None);
    field.encode(&second).ended.done().unwrap();
    let mut door = room(101, 0);
    let Decision::Open {
        remember: Some(issue),
    } = at(&door, &field, NOON)
    else {
        panic!("the second guest gets in")
    };
    door.remember(issue);
    field.card.memory = image;
    assert_eq!(at(&door, &field, NOON), denied(Denial::Overridden));
}

#[test]
fn a_blank_card_and_a_foreign_one_open_nothing() {
    assert_eq!(
        at(&room(101, 0), &encoded(0), NOON),
        denied(Denial::NoCredential)
    );
}
