//! A credential is changed: its times and doors, and with them its issue number and that of its stay. The card keeps
//! what it has until it is encoded again.

use crate::decisions::card_image;
use crate::issue_number::{self, Change, Mode, Neighbour, Wish};
use crate::moment::Moment;
use crate::store::Db;
use crate::store::credentials::{self, Changed, CredentialWithDoors};
use crate::store::entrances::Entrance;
use crate::transactions::new_credential::{display_name, guest_doors};
use crate::transactions::not_granted::{self, NotGranted};

/// What is to be changed; what is `None` stays.
#[derive(Debug, Default)]
pub(crate) struct Amendment {
    pub(crate) starts_at: Option<Moment>,
    pub(crate) ends_at: Option<Moment>,
    /// All of the credential's site.
    pub(crate) entrances: Option<Vec<Entrance>>,
}

/// Changes a credential and returns it as it is then, all in the caller's transaction.
pub(crate) async fn change(
    db: &mut Db,
    before: &CredentialWithDoors,
    amendment: Amendment,
    now: Moment,
) -> Result<CredentialWithDoors, NotGranted> {
    let mut after = before.clone();
    after.credential.starts_at = amendment.starts_at.unwrap_or(after.credential.starts_at);
    after.credential.ends_at = amendment.ends_at.or(after.credential.ends_at);
    after.entrances = amendment.entrances.unwrap_or(after.entrances);
    let issue = issue(db, before, &after, now).await?;
    after.credential.issue_number = issue.number;
    let id = before.credential.acs_credential_id;
    let is_other_image = card_image::for_the_card(before) != card_image::for_the_card(&after);
    if is_other_image || times(before) != times(&after) {
        let changed = Changed {
            is_other_image,
            starts_at: after.credential.starts_at,
            ends_at: after.credential.ends_at,
            display_name: display_name(&after.entrances, after.credential.number),
            issue_number: issue.number,
            is_override: issue.is_override,
            entrances: after
                .entrances
                .iter()
                .map(|entrance| entrance.acs_entrance_id)
                .collect(),
        };
        credentials::set_changed(db, id, &changed, now).await?;
        if before.credential.stay_id == id {
            let begin = after.credential.starts_at;
            credentials::set_followers(db, id, issue.number, begin, now).await?;
        }
    }
    Ok(credentials::get(db, id)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?)
}

/// To the millisecond; a card has minutes.
fn times(found: &CredentialWithDoors) -> (Moment, Option<Moment>) {
    (found.credential.starts_at, found.credential.ends_at)
}

/// The issue number after the change; refuses what no card could hold.
async fn issue(
    db: &mut Db,
    before: &CredentialWithDoors,
    after: &CredentialWithDoors,
    now: Moment,
) -> Result<issue_number::Issue, NotGranted> {
    let credential = &before.credential;
    let (starts_at, ends_at) = (after.credential.starts_at, after.credential.ends_at);
    not_granted::check_calendar(starts_at, ends_at)?;
    not_granted::check_doors(&after.entrances, credential.card_format)?;
    let wish = Wish {
        mode: Mode::Auto,
        function: credential.card_function,
        starts_at,
        is_start_given: true,
        ends_at,
        guest_doors: guest_doors(&after.entrances),
    };
    let stay = credential.stay_id;
    let own = before.neighbour();
    let members = as_neighbours(&credentials::of_stay(db, stay).await?);
    let mut of_stay = wish.clone();
    of_stay.guest_doors = issue_number::doors_of_stay(&own, &wish.guest_doors, &members);
    let found = credentials::before(db, &of_stay, &[], Some(stay), now).await?;
    let neighbours = as_neighbours(&found);
    let change = Change {
        own: &own,
        wish: &wish,
        may_be_known: credentials::may_be_known(db, stay).await?,
    };
    issue_number::reassign(&change, &neighbours, now)
        .map_err(|error| not_granted::with_door_names(error, &after.entrances))
}

fn as_neighbours(found: &[CredentialWithDoors]) -> Vec<Neighbour> {
    found.iter().map(CredentialWithDoors::neighbour).collect()
}
