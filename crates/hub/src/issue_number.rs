//! Which issue number a new credential gets: override or joiner (CARDS §4). Pure; fixed at creation.
//!
//! At a guest door a higher issue number locks out the lower ones, an equal one shares the room.

#[cfg(test)]
mod tests;

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
