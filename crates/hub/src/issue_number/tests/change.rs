//! What a change does to the number, by examples.

use super::*;

/// Changes a credential that holds 101 from day 5 on under the number 7200, which is that minute.
fn check(
    wish: &Wish,
    others: &[Neighbour],
    may_be_known: bool,
    expect: Result<u32, NoIssueNumber>,
) {
    let own = card(1, 7200, &[ROOM_101], 5 * DAY, 6 * DAY);
    let change = Change {
        own: &own,
        wish,
        may_be_known,
    };
    let issue = reassign(&change, others, at(DAY));
    assert_eq!(issue.map(|issue| issue.number), expect);
}

#[test]
fn another_end_and_fewer_doors_keep_the_number() {
    let newer = card(2, 9000, &[ROOM_101], 5 * DAY, 6 * DAY);
    let longer = wish(Mode::Auto, &[ROOM_101], 5 * DAY, 9 * DAY);
    check(&longer, std::slice::from_ref(&newer), true, Ok(7200));
    let without_doors = wish(Mode::Auto, &[], 5 * DAY, 6 * DAY);
    check(&without_doors, &[newer], true, Ok(7200));
}

#[test]
fn a_new_start_gives_a_new_number_but_none_below_what_locks_may_know() {
    let later = wish(Mode::Auto, &[ROOM_101], 7 * DAY, 8 * DAY);
    check(&later, &[], true, Ok(10_080));
    let earlier = wish(Mode::Auto, &[ROOM_101], 3 * DAY, 4 * DAY);
    check(&earlier, &[], false, Ok(4320));
    check(&earlier, &[], true, Ok(7200));
}

#[test]
fn the_doors_of_joiners_count_for_the_new_number_of_their_stay() {
    let mut joiner = card(2, 7200, &[ROOM_102], 5 * DAY, 8 * DAY);
    joiner.stay = CredentialId(uuid::Uuid::from_u128(1));
    let stranger = card(3, 20_000, &[ROOM_102], 5 * DAY, 6 * DAY);
    let later = wish(Mode::Auto, &[ROOM_101], 7 * DAY, 8 * DAY);
    check(
        &later,
        &[joiner.clone(), stranger.clone()],
        true,
        Ok(20_001),
    );
    joiner.is_deleted = true;
    check(&later, &[joiner, stranger], true, Ok(10_080));
}

#[test]
fn a_joiner_that_was_overridden_stays_behind_and_its_doors_count_no_more() {
    let mut joiner = card(2, 7200, &[ROOM_102], 5 * DAY, 6 * DAY);
    joiner.stay = CredentialId(uuid::Uuid::from_u128(1));
    joiner.is_overridden = true;
    joiner.is_void = true;
    let next = card(3, 20_000, &[ROOM_102], 5 * DAY, 6 * DAY);
    let later = wish(Mode::Auto, &[ROOM_101], 7 * DAY, 8 * DAY);
    check(&later, &[joiner, next], true, Ok(10_080));
}

#[test]
fn a_stay_does_not_begin_after_the_end_of_one_of_its_joiners() {
    let mut joiner = card(2, 7200, &[ROOM_101], 5 * DAY, 7 * DAY);
    joiner.stay = CredentialId(uuid::Uuid::from_u128(1));
    let later = |start| wish(Mode::Auto, &[ROOM_101], start, 8 * DAY);
    let refused = Err(NoIssueNumber::JoinerEndsBefore);
    check(
        &later(7 * DAY),
        std::slice::from_ref(&joiner),
        true,
        refused,
    );
    check(
        &later(7 * DAY - 1),
        std::slice::from_ref(&joiner),
        true,
        Ok(10_079),
    );
    joiner.is_deleted = true;
    check(&later(7 * DAY), &[joiner], true, Ok(10_080));
}

#[test]
fn an_overridden_credential_takes_nothing_back() {
    let mut own = card(1, 7200, &[ROOM_101], 5 * DAY, 6 * DAY);
    own.is_overridden = true;
    let reassigned = |wish: &Wish| {
        let change = Change {
            own: &own,
            wish,
            may_be_known: true,
        };
        reassign(&change, &[], at(DAY)).map(|issue| issue.number)
    };
    let new_door = wish(Mode::Auto, &[ROOM_101, ROOM_102], 5 * DAY, 6 * DAY);
    assert_eq!(reassigned(&new_door), Err(NoIssueNumber::Overridden));
    let longer = wish(Mode::Auto, &[ROOM_101], 5 * DAY, 9 * DAY);
    assert_eq!(reassigned(&longer), Ok(7200));
}

#[test]
fn a_joiner_keeps_its_number_and_gains_only_doors_of_its_stay() {
    let mut own = card(1, 7200, &[ROOM_101], 5 * DAY, 6 * DAY);
    own.stay = CredentialId(uuid::Uuid::from_u128(2));
    let stay = card(2, 7200, &[ROOM_101, ROOM_102], 5 * DAY, 6 * DAY);
    let reassigned = |wish: &Wish| {
        let change = Change {
            own: &own,
            wish,
            may_be_known: true,
        };
        reassign(&change, std::slice::from_ref(&stay), at(DAY)).map(|issue| issue.number)
    };
    let both = wish(Mode::Auto, &[ROOM_101, ROOM_102], 5 * DAY + 1, 6 * DAY);
    assert_eq!(reassigned(&both), Ok(7200));
    let beyond = wish(Mode::Auto, &[ROOM_101, ROOM_103], 5 * DAY, 6 * DAY);
    assert_eq!(
        reassigned(&beyond),
        Err(NoIssueNumber::DoorsBeyondStay(doors(&[ROOM_103])))
    );
    let too_early = wish(Mode::Auto, &[ROOM_101], 4 * DAY, 6 * DAY);
    assert!(matches!(
        reassigned(&too_early),
        Err(NoIssueNumber::StartsBeforeStay(_))
    ));
    let too_late = wish(Mode::Auto, &[ROOM_101], 6 * DAY, 7 * DAY);
    assert_eq!(reassigned(&too_late), Err(NoIssueNumber::StayOver));
}
