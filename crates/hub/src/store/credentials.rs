//! Credentials and the doors they open. Deleted ones stay: locks may know their numbers, and cards may hold them.

mod changes;
mod neighbours;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use sqlx::Row;

pub(crate) use self::changes::{
    Changed, set_changed, set_deleted, set_discarded, set_followers, set_issued, set_overridden,
    set_overwritten,
};
pub(crate) use self::neighbours::{before, is_locked_out, locked_out_by, of_stay};
use super::entrances::Entrance;
use super::{Db, Page, like_pattern};
use crate::doors::{CardFormat, Door, DoorCategory};
use crate::id::{AccountId, CredentialId, EntranceId, SiteId, UserId, WorkspaceId};
use crate::issue_number::Neighbour;
use crate::moment::Moment;

/// What a card is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "snake_case")]
pub(crate) enum CardFunction {
    Guest,
    Staff,
}

/// A credential.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Credential {
    pub(crate) seq: i64,
    pub(crate) acs_credential_id: CredentialId,
    pub(crate) acs_system_id: SiteId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) connected_account_id: AccountId,
    pub(crate) acs_user_id: Option<UserId>,
    pub(crate) number: u32,
    pub(crate) display_name: String,
    pub(crate) card_function: CardFunction,
    pub(crate) starts_at: Moment,
    pub(crate) ends_at: Option<Moment>,
    pub(crate) issue_number: u32,
    pub(crate) is_override: bool,
    pub(crate) auto_join: Option<bool>,
    /// JSON list of ids.
    pub(crate) joiner_ids: String,
    pub(crate) created_at: Moment,
    pub(crate) issued_at: Option<Moment>,
    pub(crate) card_uid: Option<String>,
    pub(crate) is_overridden: bool,
    pub(crate) is_overwritten: bool,
    /// Its card was found wiped.
    pub(crate) is_discarded: bool,
    pub(crate) deleted_at: Option<Moment>,
    /// What was asked for; without one the hub picks what the doors fit in.
    pub(crate) card_format: Option<CardFormat>,
    /// The override whose issue number it has; its own id for an override.
    pub(crate) stay_id: CredentialId,
    /// Counts the changes of what is to be on the card.
    pub(crate) revision: i64,
    /// When what is to be on the card last changed.
    pub(crate) changed_at: Option<Moment>,
    /// What was last written on the card, or an older state than that.
    pub(crate) written_revision: Option<i64>,
    /// A card that may or may not hold it, after an outcome that nobody knows.
    pub(crate) doubtful_uid: Option<String>,
    pub(crate) doubtful_since: Option<Moment>,
}

impl Credential {
    /// On a card.
    pub(crate) fn is_issued(&self) -> bool {
        self.issued_at.is_some()
    }

    /// Issued, and neither overridden, overwritten, discarded nor cancelled.
    pub(crate) fn is_valid(&self) -> bool {
        self.is_issued() && !self.is_void() && !self.is_deleted()
    }

    /// Overridden, overwritten or discarded.
    pub(crate) fn is_void(&self) -> bool {
        self.is_overridden || self.is_overwritten || self.is_discarded
    }

    /// Deleted, which cards call cancelled.
    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }
}

/// A credential with its doors, in the order in which they were added to the site.
#[derive(Debug, Clone)]
pub(crate) struct CredentialWithDoors {
    pub(crate) credential: Credential,
    pub(crate) entrances: Vec<Entrance>,
}

impl CredentialWithDoors {
    /// The ids of its doors of one kind.
    pub(crate) fn entrance_ids(&self, category: DoorCategory) -> Vec<EntranceId> {
        self.entrances
            .iter()
            .filter(|entrance| entrance.category == category)
            .map(|entrance| entrance.acs_entrance_id)
            .collect()
    }

    /// Its doors as locks and cards know them.
    pub(crate) fn doors(&self) -> Vec<Door> {
        self.entrances.iter().map(Entrance::door).collect()
    }

    fn guest_doors(&self) -> BTreeSet<EntranceId> {
        self.entrance_ids(DoorCategory::Guest).into_iter().collect()
    }

    /// As the issue number rule sees it.
    pub(crate) fn neighbour(&self) -> Neighbour {
        Neighbour {
            id: self.credential.acs_credential_id,
            stay: self.credential.stay_id,
            function: self.credential.card_function,
            issue_number: self.credential.issue_number,
            starts_at: self.credential.starts_at,
            ends_at: self.credential.ends_at,
            guest_doors: self.guest_doors(),
            is_issued: self.credential.is_issued(),
            is_void: self.credential.is_void(),
            is_overridden: self.credential.is_overridden,
            is_deleted: self.credential.is_deleted(),
        }
    }
}

/// A credential to be.
#[derive(Debug)]
pub(crate) struct NewCredential {
    pub(crate) acs_credential_id: CredentialId,
    pub(crate) acs_system_id: SiteId,
    pub(crate) acs_user_id: Option<UserId>,
    pub(crate) number: u32,
    pub(crate) display_name: String,
    pub(crate) card_function: CardFunction,
    pub(crate) starts_at: Moment,
    pub(crate) ends_at: Option<Moment>,
    pub(crate) card_format: Option<CardFormat>,
    pub(crate) issue_number: u32,
    /// The stay that it joins; `None` for one of its own.
    pub(crate) stay: Option<CredentialId>,
    pub(crate) is_override: bool,
    pub(crate) auto_join: Option<bool>,
    pub(crate) joined: Vec<CredentialId>,
    pub(crate) entrances: Vec<EntranceId>,
}

/// A statement on credentials, each with the oldest doubt about it. The index of the grants holds those that bind:
/// SQLite uses it only for a statement that says that it wants no released one.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.seq, c.acs_credential_id, c.acs_system_id, s.workspace_id, s.connected_account_id, \
             c.acs_user_id, c.number, c.display_name, c.card_function, c.starts_at, c.ends_at, c.issue_number, \
             c.is_override, c.auto_join, c.joiner_ids, c.created_at, c.issued_at, c.card_uid, c.is_overridden, \
             c.is_overwritten, c.is_discarded, c.deleted_at, c.card_format, c.stay_id, c.revision, c.changed_at, \
             c.written_revision, g.uid AS doubtful_uid, g.granted_at AS doubtful_since \
             FROM credentials c JOIN sites s USING (acs_system_id) LEFT JOIN grants g ON g.seq = \
             (SELECT d.seq FROM grants d WHERE d.acs_credential_id = c.acs_credential_id AND d.state = 'doubtful' \
             AND d.state <> 'released' ORDER BY d.granted_at, d.seq LIMIT 1) ",
            $rest
        )
    };
}

use select;

// What every card takes. Lists of ids are one parameter, a JSON list: SQLite limits how many parameters there are.
const BY_ID: &str = select!("WHERE c.acs_credential_id = ?1");
const BY_NUMBER: &str = select!("WHERE c.acs_system_id = ?1 AND c.number = ?2");
const ON_CARD: &str = select!(
    "WHERE c.acs_credential_id IN (SELECT acs_credential_id FROM grants \
     WHERE acs_system_id = ?1 AND uid = ?2 AND state <> 'released') ORDER BY c.seq"
);
const ISSUED_OF_STAY: &str =
    "SELECT COUNT(*) FROM credentials WHERE stay_id = ? AND issued_at IS NOT NULL";
const DOORS: &str = "SELECT ce.acs_credential_id, e.seq, e.acs_entrance_id, e.acs_system_id, \
    s.connected_account_id, e.name, e.category, e.door, e.created_at \
    FROM credential_entrances ce JOIN entrances e USING (acs_entrance_id) JOIN sites s USING (acs_system_id) \
    WHERE ce.acs_credential_id IN (SELECT value FROM json_each(?1)) ORDER BY e.seq";

/// What a list is narrowed to.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) site: Option<SiteId>,
    pub(crate) user: Option<UserId>,
    pub(crate) created_before: Option<Moment>,
    pub(crate) search: Option<String>,
}

pub(crate) async fn insert(db: &mut Db, new: &NewCredential, now: Moment) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO credentials (acs_credential_id, acs_system_id, acs_user_id, number, display_name, card_function, \
         starts_at, ends_at, card_format, issue_number, stay_id, is_override, auto_join, joiner_ids, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.acs_credential_id)
    .bind(new.acs_system_id)
    .bind(new.acs_user_id)
    .bind(new.number)
    .bind(&new.display_name)
    .bind(new.card_function)
    .bind(new.starts_at)
    .bind(new.ends_at)
    .bind(new.card_format)
    .bind(new.issue_number)
    .bind(new.stay.unwrap_or(new.acs_credential_id))
    .bind(new.is_override)
    .bind(new.auto_join)
    .bind(json_list(new.joined.iter().map(|id| id.0)))
    .bind(now)
    .execute(&mut *db)
    .await?;
    insert_doors(db, new.acs_credential_id, &new.entrances).await
}

async fn insert_doors(db: &mut Db, id: CredentialId, entrances: &[EntranceId]) -> sqlx::Result<()> {
    for entrance in entrances {
        sqlx::query(
            "INSERT INTO credential_entrances (acs_credential_id, acs_entrance_id) VALUES (?, ?)",
        )
        .bind(id)
        .bind(*entrance)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// The credential, deleted or not.
pub(crate) async fn get(
    db: &mut Db,
    id: CredentialId,
) -> sqlx::Result<Option<CredentialWithDoors>> {
    let found = sqlx::query_as(BY_ID).bind(id).fetch_all(&mut *db).await?;
    Ok(with_doors(db, found).await?.pop())
}

/// The credential, if it is of that workspace and not deleted.
pub(crate) async fn get_in(
    db: &mut Db,
    workspace: WorkspaceId,
    id: CredentialId,
) -> sqlx::Result<Option<CredentialWithDoors>> {
    Ok(get(db, id)
        .await?
        .filter(|found| found.credential.workspace_id == workspace)
        .filter(|found| !found.credential.is_deleted()))
}

/// The credential with that number on its card, deleted or not.
pub(crate) async fn by_number(
    db: &mut Db,
    site: SiteId,
    number: u32,
) -> sqlx::Result<Option<CredentialWithDoors>> {
    let found = sqlx::query_as(BY_NUMBER)
        .bind(site)
        .bind(number)
        .fetch_all(&mut *db)
        .await?;
    Ok(with_doors(db, found).await?.pop())
}

pub(crate) async fn list(
    db: &mut Db,
    workspace: WorkspaceId,
    filter: &Filter,
    page: Page,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let mut query = sqlx::QueryBuilder::new(select!(""));
    query.push(" WHERE s.workspace_id = ").push_bind(workspace);
    query
        .push(" AND c.deleted_at IS NULL AND c.seq > ")
        .push_bind(page.after);
    if let Some(site) = filter.site {
        query.push(" AND c.acs_system_id = ").push_bind(site);
    }
    if let Some(user) = filter.user {
        query.push(" AND c.acs_user_id = ").push_bind(user);
    }
    if let Some(before) = filter.created_before {
        query.push(" AND c.created_at < ").push_bind(before);
    }
    if let Some(words) = &filter.search {
        let pattern = like_pattern(words);
        query
            .push(" AND (c.display_name LIKE ")
            .push_bind(pattern.clone());
        query
            .push(" ESCAPE '\\' OR c.card_uid LIKE ")
            .push_bind(pattern)
            .push(" ESCAPE '\\')");
    }
    query.push(" ORDER BY c.seq LIMIT ").push_bind(page.fetch());
    let found = query.build_query_as().fetch_all(&mut *db).await?;
    with_doors(db, found).await
}

/// How many cards of a stay were issued.
pub(crate) async fn issued_of_stay(db: &mut Db, stay: CredentialId) -> sqlx::Result<u32> {
    sqlx::query_scalar(ISSUED_OF_STAY)
        .bind(stay)
        .fetch_one(db)
        .await
}

/// Whether a card of the stay may have been written or is about to be, so that locks may know its number.
pub(crate) async fn may_be_known(db: &mut Db, stay: CredentialId) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM credentials c JOIN grants g USING (acs_credential_id) \
         WHERE c.stay_id = ?1 AND g.state <> 'released') \
         OR EXISTS (SELECT 1 FROM credentials c JOIN attempts a USING (acs_credential_id) \
         WHERE c.stay_id = ?1 AND a.status = 'pending')",
    )
    .bind(stay)
    .fetch_one(db)
    .await
}

/// The credentials that a card of the site held or may have held.
pub(crate) async fn on_card(
    db: &mut Db,
    site: SiteId,
    uid: &str,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let found = sqlx::query_as(ON_CARD)
        .bind(site)
        .bind(uid)
        .fetch_all(&mut *db)
        .await?;
    with_doors(db, found).await
}

async fn with_doors(
    db: &mut Db,
    credentials: Vec<Credential>,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let ids = json_list(credentials.iter().map(|found| found.acs_credential_id.0));
    let mut doors: HashMap<CredentialId, Vec<Entrance>> = HashMap::new();
    for row in sqlx::query(DOORS).bind(ids).fetch_all(db).await? {
        let entrance = <Entrance as sqlx::FromRow<_>>::from_row(&row)?;
        doors
            .entry(row.try_get("acs_credential_id")?)
            .or_default()
            .push(entrance);
    }
    Ok(credentials
        .into_iter()
        .map(|credential| CredentialWithDoors {
            entrances: doors
                .remove(&credential.acs_credential_id)
                .unwrap_or_default(),
            credential,
        })
        .collect())
}

/// Ids as they are stored, for `json_each`.
fn json_list(ids: impl Iterator<Item = uuid::Uuid>) -> String {
    serde_json::json!(ids.collect::<Vec<_>>()).to_string()
}
