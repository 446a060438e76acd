//! A credential is created: its doors are placed, its number and issue number given, all in the caller's transaction.

use std::collections::BTreeSet;

use crate::doors::{CardFormat, DoorCategory};
use crate::id::{CredentialId, EntranceId, UserId};
use crate::issue_number::{self, Mode, Neighbour, Wish};
use crate::moment::Moment;
use crate::store::Db;
use crate::store::credentials::{self, CardFunction, CredentialWithDoors, NewCredential};
use crate::store::entrances::Entrance;
use crate::store::sites::{self, Site};
use crate::transactions::not_granted::{self, NotGranted};

/// What is asked for; all of one site.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) user: Option<UserId>,
    pub(crate) entrances: Vec<Entrance>,
    pub(crate) card_function: CardFunction,
    /// `None` leaves it to the doors.
    pub(crate) card_format: Option<CardFormat>,
    /// `None` is now, or with the stay that it joins.
    pub(crate) starts_at: Option<Moment>,
    pub(crate) ends_at: Option<Moment>,
    pub(crate) mode: Mode,
    /// What the caller said of `auto_join`, to be echoed.
    pub(crate) auto_join: Option<bool>,
}

/// Creates a credential.
pub(crate) async fn create(
    db: &mut Db,
    site: &Site,
    order: Order,
    now: Moment,
) -> Result<CredentialWithDoors, NotGranted> {
    let id = CredentialId::new();
    not_granted::check_calendar(order.starts_at.unwrap_or(now), order.ends_at)?;
    not_granted::check_doors(&order.entrances, order.card_format)?;
    let issue = issue(db, site, &order, now).await?;
    not_granted::check_calendar(issue.starts_at, order.ends_at)?;
    let number = sites::take_credential_number(db, site.acs_system_id)
        .await?
        .ok_or(NotGranted::NumbersUsedUp)?;
    let new = NewCredential {
        acs_credential_id: id,
        acs_system_id: site.acs_system_id,
        acs_user_id: order.user,
        number,
        display_name: display_name(&order.entrances, number),
        card_function: order.card_function,
        starts_at: issue.starts_at,
        ends_at: order.ends_at,
        card_format: order.card_format,
        issue_number: issue.number,
        stay: issue.stay,
        is_override: issue.is_override,
        auto_join: order.auto_join,
        joined: issue.joined,
        entrances: order
            .entrances
            .iter()
            .map(|entrance| entrance.acs_entrance_id)
            .collect(),
    };
    credentials::insert(db, &new, now).await?;
    Ok(credentials::get(db, id)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?)
}

async fn issue(
    db: &mut Db,
    site: &Site,
    order: &Order,
    now: Moment,
) -> Result<issue_number::Issue, NotGranted> {
    let named: &[CredentialId] = match &order.mode {
        Mode::Joiner(ids) => ids,
        Mode::Override | Mode::Auto | Mode::JoinExisting => &[],
    };
    let wish = Wish {
        mode: order.mode.clone(),
        function: order.card_function,
        starts_at: order.starts_at.unwrap_or(now),
        is_start_given: order.starts_at.is_some(),
        ends_at: order.ends_at,
        guest_doors: guest_doors(&order.entrances),
    };
    let found = credentials::before(db, &wish, named, None, now).await?;
    for id in named {
        let joined = found
            .iter()
            .map(|other| &other.credential)
            .find(|other| other.acs_credential_id == *id)
            .filter(|other| other.workspace_id == site.workspace_id)
            .ok_or(NotGranted::JoinedNotFound(*id))?;
        if joined.acs_system_id != site.acs_system_id {
            return Err(NotGranted::JoinedElsewhere(*id));
        }
    }
    let neighbours: Vec<Neighbour> = found.iter().map(CredentialWithDoors::neighbour).collect();
    issue_number::assign(&wish, &neighbours, now)
        .map_err(|error| not_granted::with_door_names(error, &order.entrances))
}

/// The ids of those that are guest doors.
pub(super) fn guest_doors(entrances: &[Entrance]) -> BTreeSet<EntranceId> {
    entrances
        .iter()
        .filter(|entrance| entrance.category == DoorCategory::Guest)
        .map(|entrance| entrance.acs_entrance_id)
        .collect()
}

/// What people call a credential: its doors.
pub(super) fn display_name(entrances: &[Entrance], number: u32) -> String {
    if entrances.is_empty() {
        return format!("Card {number}");
    }
    let names: Vec<&str> = entrances
        .iter()
        .map(|entrance| entrance.name.as_str())
        .collect();
    names.join(", ")
}
