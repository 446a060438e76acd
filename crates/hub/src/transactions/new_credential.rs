//! A credential is created: its doors are placed, its number and issue number given, all in the caller's transaction.

use std::collections::BTreeSet;

use crate::doors::{self, DoorCategory, TooManyRooms};
use crate::id::{CredentialId, EntranceId, UserId};
use crate::issue_number::{self, CARD_EPOCH_MINUTES, LAST_CARD_MINUTE, Mode, NoIssueNumber, Wish};
use crate::moment::Moment;
use crate::store::Db;
use crate::store::credentials::{self, CardFunction, CredentialWithDoors, NewCredential};
use crate::store::entrances::Entrance;
use crate::store::sites::{self, Site};

/// What is asked for; all of one site.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) user: Option<UserId>,
    pub(crate) entrances: Vec<Entrance>,
    pub(crate) card_function: CardFunction,
    pub(crate) starts_at: Moment,
    pub(crate) ends_at: Option<Moment>,
    pub(crate) mode: Mode,
    /// What the caller said of `auto_join`, to be echoed.
    pub(crate) auto_join: Option<bool>,
}

/// Why a credential was not created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCreated {
    #[error(
        "a card in rfid48 holds up to 33 consecutive rooms and 7 more; of these {asked} rooms it would hold {} ({})",
        fitting.len(),
        fitting.join(", ")
    )]
    DoesNotFit { asked: usize, fitting: Vec<String> },
    #[error("a card holds times from 2020-01-01 to 2051-11-24; choose others")]
    OutsideCalendar,
    #[error(transparent)]
    NoIssueNumber(#[from] NoIssueNumber),
    #[error("acs_credential not found")]
    JoinedNotFound(CredentialId),
    #[error("all credential numbers of this site are used up")]
    NumbersUsedUp,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Creates a credential.
pub(crate) async fn create(
    db: &mut Db,
    site: &Site,
    order: Order,
    now: Moment,
) -> Result<CredentialWithDoors, NotCreated> {
    let id = CredentialId::new();
    for time in [Some(order.starts_at), order.ends_at].into_iter().flatten() {
        if !(0..=LAST_CARD_MINUTE).contains(&(time.minutes() - CARD_EPOCH_MINUTES)) {
            return Err(NotCreated::OutsideCalendar);
        }
    }
    let doors: Vec<doors::Door> = order.entrances.iter().map(Entrance::door).collect();
    doors::place(&doors).map_err(|too_many| does_not_fit(&order.entrances, &too_many))?;
    let issue = issue(db, site, &order, now).await?;
    let number = sites::take_credential_number(db, site.acs_system_id)
        .await?
        .ok_or(NotCreated::NumbersUsedUp)?;
    let new = NewCredential {
        acs_credential_id: id,
        acs_system_id: site.acs_system_id,
        acs_user_id: order.user,
        number,
        display_name: display_name(&order.entrances, number),
        card_function: order.card_function,
        starts_at: order.starts_at,
        ends_at: order.ends_at,
        issue_number: issue.number,
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
) -> Result<issue_number::Issue, NotCreated> {
    let guest_doors: BTreeSet<EntranceId> = order
        .entrances
        .iter()
        .filter(|entrance| entrance.category == DoorCategory::Guest)
        .map(|entrance| entrance.acs_entrance_id)
        .collect();
    let joined: &[CredentialId] = match &order.mode {
        Mode::Joiner(ids) => ids,
        Mode::Override | Mode::Auto | Mode::JoinExisting => &[],
    };
    let neighbours: Vec<_> = credentials::before_new(
        db,
        site.acs_system_id,
        &guest_doors,
        order.ends_at,
        joined,
        now,
    )
    .await?
    .iter()
    .map(CredentialWithDoors::neighbour)
    .collect();
    let missing = joined
        .iter()
        .find(|id| !neighbours.iter().any(|other| other.id == **id));
    if let Some(missing) = missing {
        return Err(NotCreated::JoinedNotFound(*missing));
    }
    let wish = Wish {
        mode: order.mode.clone(),
        function: order.card_function,
        starts_at: order.starts_at,
        ends_at: order.ends_at,
        guest_doors,
    };
    Ok(issue_number::assign(&wish, &neighbours, now)?)
}

fn does_not_fit(entrances: &[Entrance], too_many: &TooManyRooms) -> NotCreated {
    let rooms = entrances
        .iter()
        .filter(|entrance| entrance.category == DoorCategory::Guest);
    NotCreated::DoesNotFit {
        asked: rooms.clone().count(),
        fitting: rooms
            .filter(|entrance| too_many.fitting.contains(&entrance.door))
            .map(|entrance| entrance.name.clone())
            .collect(),
    }
}

fn display_name(entrances: &[Entrance], number: u32) -> String {
    if entrances.is_empty() {
        return format!("Card {number}");
    }
    let names: Vec<&str> = entrances
        .iter()
        .map(|entrance| entrance.name.as_str())
        .collect();
    names.join(", ")
}
