//! The issue number of a credential that is changed: a new start or guest door gives it anew, all else keeps it.

use std::collections::BTreeSet;

use super::{
    Issue, Neighbour, NoIssueNumber, Wish, doors_beyond, fresh_number, is_current, start_of_joiner,
};
use crate::id::EntranceId;
use crate::moment::Moment;
use crate::store::credentials::CardFunction;

/// A credential that is to become as `wish` says, whose mode does not count: what it was it stays.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(crate) own: &'a Neighbour,
    pub(crate) wish: &'a Wish,
    /// Whether any card of its stay may have been written, so that locks may know its number.
    pub(crate) may_be_known: bool,
}

/// Assigns the number after a change. `neighbours` are as for [`super::assign`] and may hold the credential itself. A
/// stay has one number: who changes an override's has to change its joiners'.
pub(crate) fn reassign(
    change: &Change<'_>,
    neighbours: &[Neighbour],
    now: Moment,
) -> Result<Issue, NoIssueNumber> {
    let Change { own, wish, .. } = change;
    let gained: BTreeSet<EntranceId> = wish
        .guest_doors
        .difference(&own.guest_doors)
        .copied()
        .collect();
    let has_new_start = own.starts_at.to_the_minute() != wish.starts_at.to_the_minute();
    let mut issue = Issue {
        number: own.issue_number,
        starts_at: wish.starts_at,
        stay: (own.stay != own.id).then_some(own.stay),
        is_override: own.stay == own.id
            && own.function == CardFunction::Guest
            && !wish.guest_doors.is_empty(),
        joined: Vec::new(),
    };
    if !has_new_start && gained.is_empty() {
        return Ok(issue);
    }
    if own.is_overridden {
        return Err(NoIssueNumber::Overridden);
    }
    let others: Vec<Neighbour> = neighbours
        .iter()
        .filter(|other| other.id != own.id)
        .cloned()
        .collect();
    if issue.stay.is_some() {
        let beyond = doors_beyond(&gained, &others, own.stay);
        if !beyond.is_empty() {
            return Err(NoIssueNumber::DoorsBeyondStay(beyond));
        }
        let is_over = !others.iter().any(|other| {
            other.stay == own.stay && !other.is_deleted && is_current(other, wish, now)
        });
        if has_new_start && is_over {
            return Err(NoIssueNumber::StayOver);
        }
        if has_new_start {
            issue.starts_at = start_of_joiner(wish, &others, own.stay)?;
        }
        return Ok(issue);
    }
    let ends_before = |joiner: &Neighbour| {
        joiner
            .ends_at
            .is_some_and(|end| !wish.starts_at.is_a_minute_before(end))
    };
    if has_new_start && followers(own, &others).any(ends_before) {
        return Err(NoIssueNumber::JoinerEndsBefore);
    }
    let mut of_stay = Wish::clone(wish);
    of_stay.guest_doors = doors_of_stay(own, &wish.guest_doors, &others);
    let other_stays: Vec<Neighbour> = others
        .into_iter()
        .filter(|other| other.stay != own.stay)
        .collect();
    let floor = if change.may_be_known {
        own.issue_number
    } else {
        0
    };
    issue.number = fresh_number(&of_stay, &other_stays, floor)?;
    Ok(issue)
}

/// The doors at which the number of a stay counts once its override has these: the joiners' are among them.
pub(crate) fn doors_of_stay(
    own: &Neighbour,
    doors: &BTreeSet<EntranceId>,
    members: &[Neighbour],
) -> BTreeSet<EntranceId> {
    followers(own, members)
        .flat_map(|other| &other.guest_doors)
        .chain(doors)
        .copied()
        .collect()
}

/// The others of its stay, which keep having its number and begin no earlier. One that was overridden has had its turn: a
/// new number would take its doors back.
fn followers<'a>(own: &Neighbour, members: &'a [Neighbour]) -> impl Iterator<Item = &'a Neighbour> {
    let (stay, id) = (own.stay, own.id);
    members.iter().filter(move |other| {
        other.stay == stay && other.id != id && !other.is_deleted && !other.is_overridden
    })
}
