//! The rule of the issue number by examples.

mod any_history;
mod change;

use super::*;

const DAY: i64 = 24 * 60;
const ROOM_101: u128 = 101;
const ROOM_102: u128 = 102;
const ROOM_103: u128 = 103;

/// A minute of the card's calendar.
fn at(minute: i64) -> Moment {
    let millis = (minute + CARD_EPOCH_MINUTES) * 60_000;
    jiff::Timestamp::from_millisecond(millis).unwrap().into()
}

fn doors(rooms: &[u128]) -> BTreeSet<EntranceId> {
    rooms
        .iter()
        .map(|room| EntranceId(uuid::Uuid::from_u128(*room)))
        .collect()
}

fn wish(mode: Mode, rooms: &[u128], from: i64, to: i64) -> Wish {
    Wish {
        mode,
        function: CardFunction::Guest,
        starts_at: at(from),
        is_start_given: true,
        ends_at: Some(at(to)),
        guest_doors: doors(rooms),
    }
}

fn card(id: u128, number: u32, rooms: &[u128], from: i64, to: i64) -> Neighbour {
    Neighbour {
        id: CredentialId(uuid::Uuid::from_u128(id)),
        stay: CredentialId(uuid::Uuid::from_u128(id)),
        function: CardFunction::Guest,
        issue_number: number,
        starts_at: at(from),
        ends_at: Some(at(to)),
        guest_doors: doors(rooms),
        is_issued: true,
        is_void: false,
        is_overridden: false,
        is_deleted: false,
    }
}

fn check(wish: &Wish, neighbours: &[Neighbour], expect: Result<(u32, bool), NoIssueNumber>) {
    let issue = assign(wish, neighbours, at(DAY));
    assert_eq!(issue.map(|issue| (issue.number, issue.is_override)), expect);
}

#[test]
fn the_calendar_of_the_card_begins_in_2020() {
    assert_eq!(at(0).timestamp().to_string(), "2020-01-01T00:00:00Z");
    assert_eq!(
        at(LAST_CARD_MINUTE).timestamp().to_string(),
        "2051-11-24T20:14:00Z"
    );
}

#[test]
fn an_override_gets_its_start_minute_or_one_above_its_neighbours() {
    let tonight = wish(Mode::Override, &[ROOM_101], DAY, 2 * DAY);
    check(&tonight, &[], Ok((1440, true)));
    check(
        &tonight,
        &[card(1, 5, &[ROOM_101], 0, DAY)],
        Ok((1440, true)),
    );
    check(
        &tonight,
        &[card(1, 1440, &[ROOM_101], 0, DAY)],
        Ok((1441, true)),
    );
    check(
        &tonight,
        &[card(1, 9000, &[ROOM_102], 0, DAY)],
        Ok((1440, true)),
    );
    check(
        &tonight,
        &[card(1, 9000, &[ROOM_101], 2 * DAY, 3 * DAY)],
        Ok((1440, true)),
    );
}

#[test]
fn numbers_of_void_and_unissued_neighbours_count_too() {
    let mut before = card(1, 2000, &[ROOM_101], 0, DAY);
    before.is_void = true;
    before.is_issued = false;
    check(
        &wish(Mode::Override, &[ROOM_101], DAY, 2 * DAY),
        &[before],
        Ok((2001, true)),
    );
}

#[test]
fn a_joiner_takes_the_number_of_its_stay_and_no_more_doors() {
    let stay = card(1, 1500, &[ROOM_101, ROOM_102], 0, 3 * DAY);
    let join = |rooms: &[u128]| wish(Mode::Joiner(vec![stay.id]), rooms, DAY, 2 * DAY);
    check(
        &join(&[ROOM_101]),
        std::slice::from_ref(&stay),
        Ok((1500, false)),
    );
    check(
        &join(&[ROOM_101, ROOM_103]),
        std::slice::from_ref(&stay),
        Err(NoIssueNumber::DoorsBeyondStay(doors(&[ROOM_103]))),
    );
    let mut void = stay.clone();
    void.is_void = true;
    check(&join(&[ROOM_101]), &[void], Err(NoIssueNumber::VoidStay));
}

#[test]
fn credentials_of_two_stays_cannot_be_joined_together() {
    let cards = [
        card(1, 1500, &[ROOM_101], 0, 3 * DAY),
        card(2, 1600, &[ROOM_102], 0, 3 * DAY),
    ];
    let ids = cards.iter().map(|card| card.id).collect();
    check(
        &wish(Mode::Joiner(ids), &[ROOM_101, ROOM_102], DAY, 2 * DAY),
        &cards,
        Err(NoIssueNumber::SeveralStays),
    );
}

#[test]
fn auto_join_overrides_only_where_no_valid_card_exists() {
    let auto = wish(Mode::Auto, &[ROOM_101], DAY, 3 * DAY);
    let valid = card(1, 1500, &[ROOM_101], 0, 2 * DAY);
    check(&auto, &[], Ok((1440, true)));
    check(&auto, std::slice::from_ref(&valid), Ok((1500, false)));
    for spoil in [
        (|card| card.is_issued = false) as fn(&mut Neighbour),
        |card| card.is_void = true,
        |card| card.is_deleted = true,
        |card| card.ends_at = Some(at(DAY)),
    ] {
        let mut spoilt = valid.clone();
        spoil(&mut spoilt);
        check(&auto, &[spoilt], Ok((1501, true)));
    }
}

#[test]
fn auto_join_joins_the_newest_stay_or_says_why_not() {
    let older = card(1, 1000, &[ROOM_101], 0, 2 * DAY);
    let newer = card(2, 1200, &[ROOM_101], 0, 2 * DAY);
    let auto = wish(Mode::Auto, &[ROOM_101], DAY, 3 * DAY);
    check(&auto, &[older, newer.clone()], Ok((1200, false)));
    check(
        &wish(Mode::Auto, &[ROOM_101, ROOM_102], DAY, 3 * DAY),
        &[newer],
        Err(NoIssueNumber::NoStayCoversDoors(doors(&[ROOM_102]))),
    );
    check(
        &wish(Mode::JoinExisting, &[ROOM_101], DAY, 3 * DAY),
        &[],
        Err(NoIssueNumber::NothingToJoin),
    );
}

#[test]
fn a_staff_card_is_nobodys_stay() {
    let mut staff = card(1, 1500, &[ROOM_101], 0, 9 * DAY);
    staff.function = CardFunction::Staff;
    let guest = wish(Mode::Auto, &[ROOM_101], DAY, 3 * DAY);
    check(&guest, std::slice::from_ref(&staff), Ok((1501, true)));
    let joiner = wish(Mode::Joiner(vec![staff.id]), &[ROOM_101], DAY, 3 * DAY);
    check(
        &joiner,
        std::slice::from_ref(&staff),
        Err(NoIssueNumber::StaffInStay),
    );

    let stay = card(2, 1600, &[ROOM_101], 0, 9 * DAY);
    let mut housekeeping = wish(Mode::Auto, &[ROOM_101, ROOM_102], DAY, 3 * DAY);
    housekeeping.function = CardFunction::Staff;
    check(
        &housekeeping,
        std::slice::from_ref(&stay),
        Ok((1601, false)),
    );
    housekeeping.mode = Mode::Joiner(vec![stay.id]);
    check(&housekeeping, &[stay], Err(NoIssueNumber::StaffInStay));
}

#[test]
fn a_stay_that_is_over_cannot_be_joined() {
    let stay = card(1, 1500, &[ROOM_101], 0, 2 * DAY);
    let join = |from| wish(Mode::Joiner(vec![stay.id]), &[ROOM_101], from, 9 * DAY);
    check(
        &join(2 * DAY - 1),
        std::slice::from_ref(&stay),
        Ok((1500, false)),
    );
    check(
        &join(2 * DAY),
        std::slice::from_ref(&stay),
        Err(NoIssueNumber::StayOver),
    );
}

#[test]
fn a_card_without_guest_doors_overrides_nothing() {
    check(&wish(Mode::Auto, &[], DAY, 2 * DAY), &[], Ok((1440, false)));
}

#[test]
fn numbers_beyond_24_bits_are_refused() {
    let wish = wish(Mode::Override, &[ROOM_101], DAY, 2 * DAY);
    let full = card(
        1,
        u32::try_from(LAST_CARD_MINUTE).unwrap(),
        &[ROOM_101],
        0,
        DAY,
    );
    check(&wish, &[full], Err(NoIssueNumber::OutOfRange));
}
