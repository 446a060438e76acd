//! Which issue number a new credential gets: override or joiner (CARDS §4). Pure; fixed at creation.
//!
//! At a guest door a higher issue number locks out the lower ones, an equal one shares the room.

use std::collections::BTreeSet;

use crate::id::{CredentialId, EntranceId};
use crate::moment::Moment;
use crate::store::credentials::CardFunction;

/// Minutes from 1970 to 2020-01-01 UTC, where the card's count of minutes begins (CARDS §1).
pub(crate) const CARD_EPOCH_MINUTES: i64 = 26_297_280;
/// The highest minute and issue number; the one above means "no end".
pub(crate) const LAST_CARD_MINUTE: i64 = 0xFF_FFFE;

/// How a credential relates to the cards before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Locks the cards before it out.
    Override,
    /// Shares the rooms of these credentials.
    Joiner(Vec<CredentialId>),
    /// Override when no valid card exists on the doors, else joiner.
    Auto,
    /// Joiner of the valid cards on the doors, whichever they are.
    JoinExisting,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) mode: Mode,
    pub(crate) function: CardFunction,
    pub(crate) starts_at: Moment,
    pub(crate) ends_at: Option<Moment>,
    pub(crate) guest_doors: BTreeSet<EntranceId>,
}

/// A credential that shares a guest door with the wish, or that it wants to join.
#[derive(Debug, Clone)]
pub(crate) struct Neighbour {
    pub(crate) id: CredentialId,
    pub(crate) function: CardFunction,
    pub(crate) issue_number: u32,
    pub(crate) starts_at: Moment,
    pub(crate) ends_at: Option<Moment>,
    pub(crate) guest_doors: BTreeSet<EntranceId>,
    /// On a card.
    pub(crate) is_issued: bool,
    /// Overridden or overwritten.
    pub(crate) is_void: bool,
}

/// What a credential gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issue {
    pub(crate) number: u32,
    pub(crate) is_override: bool,
    pub(crate) joined: Vec<CredentialId>,
}

/// Why a credential cannot get an issue number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoIssueNumber {
    #[error("the credential to join is void: its card was overridden or encoded with another one")]
    VoidStay,
    #[error("the credentials to join belong to different stays; name those of one stay")]
    SeveralStays,
    #[error(
        "a joiner opens guest doors of the stay that it joins and no others; ask for fewer doors, or for an override"
    )]
    DoorsBeyondStay,
    #[error(
        "valid cards exist on some of these doors, but no single stay has them all; ask for an override, or name the \
         credentials to join in joiner_acs_credential_ids"
    )]
    NoStayCoversDoors,
    #[error("the stay to join is over when this credential starts; ask for an override")]
    StayOver,
    #[error(
        "staff cards belong to no stay: locks neither compare nor remember them; name guest credentials only"
    )]
    StaffInStay,
    #[error("there is no valid card on these doors to join; ask for an override")]
    NothingToJoin,
    #[error("the issue numbers of these doors are used up, or the start lies outside 2020 to 2051")]
    OutOfRange,
}

/// Assigns the issue number. `neighbours` are all credentials of the site that share a guest door with the wish,
/// and those that it wants to join.
pub(crate) fn assign(
    wish: &Wish,
    neighbours: &[Neighbour],
    now: Moment,
) -> Result<Issue, NoIssueNumber> {
    if wish.function == CardFunction::Staff {
        // A lock neither compares the number of a staff card nor remembers it (CARDS §4).
        return match &wish.mode {
            Mode::Joiner(_) | Mode::JoinExisting => Err(NoIssueNumber::StaffInStay),
            Mode::Override | Mode::Auto => overriding(wish, neighbours),
        };
    }
    match &wish.mode {
        Mode::Override => overriding(wish, neighbours),
        Mode::Joiner(ids) => {
            let stay: Vec<&Neighbour> = neighbours
                .iter()
                .filter(|other| ids.contains(&other.id))
                .collect();
            joining(wish, &stay, now)
        }
        Mode::Auto | Mode::JoinExisting => {
            let valid: Vec<&Neighbour> = neighbours
                .iter()
                .filter(|other| is_valid_card_on_doors(other, wish, now))
                .collect();
            let Some(newest) = valid.iter().map(|card| card.issue_number).max() else {
                return match wish.mode {
                    Mode::JoinExisting => Err(NoIssueNumber::NothingToJoin),
                    _ => overriding(wish, neighbours),
                };
            };
            let stay: Vec<&Neighbour> = valid
                .into_iter()
                .filter(|card| card.issue_number == newest)
                .collect();
            joining(wish, &stay, now).map_err(|_| NoIssueNumber::NoStayCoversDoors)
        }
    }
}

fn overriding(wish: &Wish, neighbours: &[Neighbour]) -> Result<Issue, NoIssueNumber> {
    let above = neighbours
        .iter()
        .filter(|other| shares_a_door(other, wish))
        .filter(|other| wish.ends_at.is_none_or(|end| other.starts_at < end))
        .map(|other| i64::from(other.issue_number) + 1)
        .max()
        .unwrap_or(0);
    let number = above.max(wish.starts_at.minutes() - CARD_EPOCH_MINUTES);
    if !(0..=LAST_CARD_MINUTE).contains(&number) {
        return Err(NoIssueNumber::OutOfRange);
    }
    Ok(Issue {
        number: u32::try_from(number).map_err(|_| NoIssueNumber::OutOfRange)?,
        is_override: wish.function == CardFunction::Guest && !wish.guest_doors.is_empty(),
        joined: Vec::new(),
    })
}

fn joining(wish: &Wish, stay: &[&Neighbour], now: Moment) -> Result<Issue, NoIssueNumber> {
    let Some(first) = stay.first() else {
        return Err(NoIssueNumber::NothingToJoin);
    };
    if stay.iter().any(|other| other.is_void) {
        return Err(NoIssueNumber::VoidStay);
    }
    if stay
        .iter()
        .any(|other| other.function == CardFunction::Staff)
    {
        return Err(NoIssueNumber::StaffInStay);
    }
    // An override for the next guest may have taken the doors since: the lock would refuse this one.
    if !stay.iter().any(|other| is_current(other, wish, now)) {
        return Err(NoIssueNumber::StayOver);
    }
    if stay
        .iter()
        .any(|other| other.issue_number != first.issue_number)
    {
        return Err(NoIssueNumber::SeveralStays);
    }
    let covered = wish
        .guest_doors
        .iter()
        .all(|door| stay.iter().any(|other| other.guest_doors.contains(door)));
    if !covered {
        return Err(NoIssueNumber::DoorsBeyondStay);
    }
    Ok(Issue {
        number: first.issue_number,
        is_override: false,
        joined: stay.iter().map(|other| other.id).collect(),
    })
}

fn shares_a_door(other: &Neighbour, wish: &Wish) -> bool {
    !other.guest_doors.is_disjoint(&wish.guest_doors)
}

fn is_valid_card_on_doors(other: &Neighbour, wish: &Wish, now: Moment) -> bool {
    other.is_issued
        && !other.is_void
        && other.function == CardFunction::Guest
        && shares_a_door(other, wish)
        && is_current(other, wish, now)
        && wish.ends_at.is_none_or(|end| other.starts_at < end)
}

/// Whether it has not ended yet, and will not have when the wish starts.
fn is_current(other: &Neighbour, wish: &Wish, now: Moment) -> bool {
    other
        .ends_at
        .is_none_or(|end| end > now && end > wish.starts_at)
}

#[cfg(test)]
mod tests {
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
            ends_at: Some(at(to)),
            guest_doors: doors(rooms),
        }
    }

    fn card(id: u128, number: u32, rooms: &[u128], from: i64, to: i64) -> Neighbour {
        Neighbour {
            id: CredentialId(uuid::Uuid::from_u128(id)),
            function: CardFunction::Guest,
            issue_number: number,
            starts_at: at(from),
            ends_at: Some(at(to)),
            guest_doors: doors(rooms),
            is_issued: true,
            is_void: false,
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
            Err(NoIssueNumber::DoorsBeyondStay),
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
            Err(NoIssueNumber::NoStayCoversDoors),
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
}
