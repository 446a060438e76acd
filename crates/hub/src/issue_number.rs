//! Which issue number a credential gets: override or joiner (CARDS §4). Pure. Fixed at creation; a new start or a new
//! guest door gives it anew.
//!
//! At a guest door a higher issue number locks out the lower ones, an equal one shares the room. A stay is an override
//! with all that joined it, also by way of other joiners: they have one number and keep having one.

mod change;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub(crate) use self::change::{Change, doors_of_stay, reassign};
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
    /// Whether somebody asked for that start; a joiner begins with its stay else.
    pub(crate) is_start_given: bool,
    pub(crate) ends_at: Option<Moment>,
    pub(crate) guest_doors: BTreeSet<EntranceId>,
}

/// A credential that shares a guest door with the wish, or that it wants to join, or that is of such a one's stay.
#[derive(Debug, Clone)]
pub(crate) struct Neighbour {
    pub(crate) id: CredentialId,
    /// The override whose number it has; its own id for an override.
    pub(crate) stay: CredentialId,
    pub(crate) function: CardFunction,
    pub(crate) issue_number: u32,
    pub(crate) starts_at: Moment,
    pub(crate) ends_at: Option<Moment>,
    pub(crate) guest_doors: BTreeSet<EntranceId>,
    /// On a card.
    pub(crate) is_issued: bool,
    /// Its doors were taken over, or its card is another's or empty by now.
    pub(crate) is_void: bool,
    /// Its doors were taken over, for good.
    pub(crate) is_overridden: bool,
    pub(crate) is_deleted: bool,
}

/// What a credential gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issue {
    pub(crate) number: u32,
    pub(crate) starts_at: Moment,
    /// The stay that it joins; `None` for one of its own.
    pub(crate) stay: Option<CredentialId>,
    pub(crate) is_override: bool,
    pub(crate) joined: Vec<CredentialId>,
}

/// Why a credential cannot get an issue number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoIssueNumber {
    #[error(
        "the credential to join is deleted; name one of the stay that is not, or ask for an override"
    )]
    DeletedStay,
    #[error(
        "the credential to join is void: its card was overridden, wiped or encoded with another one; name another one \
         of the stay, or ask for an override"
    )]
    VoidStay,
    #[error("the credentials to join belong to different stays; name those of one stay")]
    SeveralStays,
    /// The doors that the stay does not have.
    #[error("a joiner opens guest doors of the stay that it joins and no others")]
    DoorsBeyondStay(BTreeSet<EntranceId>),
    /// The doors that the newest stay does not have.
    #[error(
        "valid cards exist on some of these doors, but no single stay has them all; ask for an override, or name the \
         credentials to join in joiner_acs_credential_ids"
    )]
    NoStayCoversDoors(BTreeSet<EntranceId>),
    #[error("the stay to join is over when this credential starts; ask for an override")]
    StayOver,
    #[error(
        "a joiner begins no earlier than the stay that it joins, which begins at {0}; ask for that or for later"
    )]
    StartsBeforeStay(protocol::api::Time),
    #[error(
        "staff cards belong to no stay: locks neither compare nor remember them; name guest credentials only"
    )]
    StaffInStay,
    #[error("there is no valid card on these doors to join; ask for an override")]
    NothingToJoin,
    #[error("the issue numbers of these doors are used up, or the start lies outside 2020 to 2051")]
    OutOfRange,
    #[error(
        "so many cards were issued for these doors that this one would lock out the stay after it, from {0} on; delete \
         that stay's credentials and create them again after this one"
    )]
    LocksOutNextStay(protocol::api::Time),
    #[error(
        "the doors of this credential were taken over by an override, and a new start or guest door would take them \
         back; create a new credential"
    )]
    Overridden,
    #[error(
        "a joiner of this credential ends before it would begin; delete that joiner or give it a later end first"
    )]
    JoinerEndsBefore,
}

/// Assigns the issue number. `neighbours` are all credentials of the site that share a guest door with the wish,
/// those that it wants to join, and all of their stays; what [`crate::store::credentials::before_new`] leaves out makes
/// no difference.
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
            let named: Vec<&Neighbour> = neighbours
                .iter()
                .filter(|other| ids.contains(&other.id))
                .collect();
            joining(wish, &named, neighbours, now)
        }
        Mode::Auto | Mode::JoinExisting => {
            let valid: Vec<&Neighbour> = neighbours
                .iter()
                .filter(|other| is_valid_card_on_doors(other, wish, now))
                .collect();
            match (valid.is_empty(), &wish.mode) {
                (true, Mode::JoinExisting) => Err(NoIssueNumber::NothingToJoin),
                (true, _) => overriding(wish, neighbours),
                (false, _) => joining_newest(wish, &valid, neighbours, now),
            }
        }
    }
}

fn overriding(wish: &Wish, neighbours: &[Neighbour]) -> Result<Issue, NoIssueNumber> {
    Ok(Issue {
        number: fresh_number(wish, neighbours, 0)?,
        starts_at: wish.starts_at,
        stay: None,
        is_override: wish.function == CardFunction::Guest && !wish.guest_doors.is_empty(),
        joined: Vec::new(),
    })
}

/// The number of an override: above all before it on its doors, and no lower than `floor`, which its locks may know.
fn fresh_number(wish: &Wish, neighbours: &[Neighbour], floor: u32) -> Result<u32, NoIssueNumber> {
    let on_doors = || neighbours.iter().filter(|other| shares_a_door(other, wish));
    let number = on_doors()
        .filter(|other| starts_before_end(other, wish))
        .map(|other| i64::from(other.issue_number) + 1)
        .chain([wish.starts_at.minutes() - CARD_EPOCH_MINUTES, floor.into()])
        .max()
        .unwrap_or(-1);
    if wish.starts_at.minutes() < CARD_EPOCH_MINUTES || number > LAST_CARD_MINUTE {
        return Err(NoIssueNumber::OutOfRange);
    }
    let number = u32::try_from(number).map_err(|_| NoIssueNumber::OutOfRange)?;
    // A stay that begins later must lock this one out, not the other way round.
    let next_stay = on_doors()
        .filter(|other| !starts_before_end(other, wish) && other.function == CardFunction::Guest)
        .filter(|other| !other.is_void && !other.is_deleted && other.issue_number <= number)
        .min_by_key(|other| other.issue_number);
    match next_stay {
        Some(next) if wish.function == CardFunction::Guest => {
            Err(NoIssueNumber::LocksOutNextStay(next.starts_at.into()))
        }
        _ => Ok(number),
    }
}

/// Joins the stay with the highest number among these valid cards; of several with that number one that has the doors.
fn joining_newest(
    wish: &Wish,
    valid: &[&Neighbour],
    neighbours: &[Neighbour],
    now: Moment,
) -> Result<Issue, NoIssueNumber> {
    let newest = valid.iter().map(|card| card.issue_number).max();
    let candidates: BTreeSet<CredentialId> = valid
        .iter()
        .filter(|card| Some(card.issue_number) == newest)
        .map(|card| card.stay)
        .collect();
    let mut missing = wish.guest_doors.clone();
    for stay in candidates {
        let cards: Vec<&Neighbour> = valid
            .iter()
            .copied()
            .filter(|card| card.stay == stay)
            .collect();
        match joining(wish, &cards, neighbours, now) {
            Ok(issue) => return Ok(issue),
            Err(NoIssueNumber::DoorsBeyondStay(doors)) => missing = doors,
            Err(_) => {}
        }
    }
    Err(NoIssueNumber::NoStayCoversDoors(missing))
}

fn joining(
    wish: &Wish,
    named: &[&Neighbour],
    neighbours: &[Neighbour],
    now: Moment,
) -> Result<Issue, NoIssueNumber> {
    let Some(first) = named.first() else {
        return Err(NoIssueNumber::NothingToJoin);
    };
    if named.iter().any(|other| other.is_deleted) {
        return Err(NoIssueNumber::DeletedStay);
    }
    if named
        .iter()
        .any(|other| other.function == CardFunction::Staff)
    {
        return Err(NoIssueNumber::StaffInStay);
    }
    if named.iter().any(|other| other.is_void) {
        return Err(NoIssueNumber::VoidStay);
    }
    // An override for the next guest may have taken the doors since: the lock would refuse this one.
    if !named.iter().any(|other| is_current(other, wish, now)) {
        return Err(NoIssueNumber::StayOver);
    }
    if named.iter().any(|other| other.stay != first.stay) {
        return Err(NoIssueNumber::SeveralStays);
    }
    let beyond = doors_beyond(&wish.guest_doors, neighbours, first.stay);
    if !beyond.is_empty() {
        return Err(NoIssueNumber::DoorsBeyondStay(beyond));
    }
    Ok(Issue {
        number: first.issue_number,
        starts_at: start_of_joiner(wish, neighbours, first.stay)?,
        stay: Some(first.stay),
        is_override: false,
        joined: named.iter().map(|other| other.id).collect(),
    })
}

/// When a joiner begins: no earlier than its stay, whose number would lock out whoever has the room until then.
fn start_of_joiner(
    wish: &Wish,
    neighbours: &[Neighbour],
    stay: CredentialId,
) -> Result<Moment, NoIssueNumber> {
    let members = neighbours.iter().filter(|other| other.stay == stay);
    let start_of_stay = members.map(|other| other.starts_at).min();
    match start_of_stay {
        Some(start) if wish.starts_at.minutes() >= start.minutes() => Ok(wish.starts_at),
        Some(start) if wish.is_start_given => Err(NoIssueNumber::StartsBeforeStay(start.into())),
        Some(start) => Ok(start),
        None => Ok(wish.starts_at),
    }
}

/// Which of these doors no live credential of the stay has.
fn doors_beyond(
    doors: &BTreeSet<EntranceId>,
    neighbours: &[Neighbour],
    stay: CredentialId,
) -> BTreeSet<EntranceId> {
    let live = || {
        neighbours
            .iter()
            .filter(|other| other.stay == stay && !other.is_void && !other.is_deleted)
    };
    doors
        .iter()
        .filter(|door| !live().any(|other| other.guest_doors.contains(door)))
        .copied()
        .collect()
}

fn shares_a_door(other: &Neighbour, wish: &Wish) -> bool {
    !other.guest_doors.is_disjoint(&wish.guest_doors)
}

fn starts_before_end(other: &Neighbour, wish: &Wish) -> bool {
    wish.ends_at.is_none_or(|end| other.starts_at < end)
}

fn is_valid_card_on_doors(other: &Neighbour, wish: &Wish, now: Moment) -> bool {
    other.is_issued
        && !other.is_void
        && !other.is_deleted
        && other.function == CardFunction::Guest
        && shares_a_door(other, wish)
        && is_current(other, wish, now)
        && starts_before_end(other, wish)
}

/// Whether it has not ended yet, and will not have when the wish starts.
fn is_current(other: &Neighbour, wish: &Wish, now: Moment) -> bool {
    other
        .ends_at
        .is_none_or(|end| end > now && end > wish.starts_at)
}
