//! Credentials and the doors they open.

use std::collections::{BTreeSet, HashMap};

use sqlx::Row;

use super::entrances::Entrance;
use super::{Db, Page, like_pattern, push_any};
use crate::doors::DoorCategory;
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
    /// A card that may or may not hold it, after an outcome that nobody knows.
    pub(crate) doubtful_uid: Option<String>,
    pub(crate) doubtful_since: Option<Moment>,
}

impl Credential {
    /// On a card.
    pub(crate) fn is_issued(&self) -> bool {
        self.issued_at.is_some()
    }

    /// Neither overridden nor overwritten.
    pub(crate) fn is_valid(&self) -> bool {
        self.is_issued() && !self.is_overridden && !self.is_overwritten
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

    fn guest_doors(&self) -> BTreeSet<EntranceId> {
        self.entrance_ids(DoorCategory::Guest).into_iter().collect()
    }

    /// As the issue number rule sees it.
    pub(crate) fn neighbour(&self) -> Neighbour {
        Neighbour {
            id: self.credential.acs_credential_id,
            function: self.credential.card_function,
            issue_number: self.credential.issue_number,
            starts_at: self.credential.starts_at,
            ends_at: self.credential.ends_at,
            guest_doors: self.guest_doors(),
            is_issued: self.credential.is_issued(),
            is_void: self.credential.is_overridden || self.credential.is_overwritten,
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
    pub(crate) issue_number: u32,
    pub(crate) is_override: bool,
    pub(crate) auto_join: Option<bool>,
    pub(crate) joined: Vec<CredentialId>,
    pub(crate) entrances: Vec<EntranceId>,
}

const SELECT: &str = "SELECT c.seq, c.acs_credential_id, c.acs_system_id, s.workspace_id, s.connected_account_id, \
    c.acs_user_id, c.number, c.display_name, c.card_function, c.starts_at, c.ends_at, c.issue_number, c.is_override, \
    c.auto_join, c.joiner_ids, c.created_at, c.issued_at, c.card_uid, c.is_overridden, c.is_overwritten, \
    g.uid AS doubtful_uid, MIN(g.granted_at) AS doubtful_since \
    FROM credentials c JOIN sites s USING (acs_system_id) \
    LEFT JOIN grants g ON g.acs_credential_id = c.acs_credential_id AND g.state = 'doubtful'";

/// What a list is narrowed to.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) site: Option<SiteId>,
    pub(crate) user: Option<UserId>,
    pub(crate) created_before: Option<Moment>,
    pub(crate) search: Option<String>,
}

pub(crate) async fn insert(db: &mut Db, new: &NewCredential, now: Moment) -> sqlx::Result<()> {
    let joined: Vec<uuid::Uuid> = new.joined.iter().map(|id| id.0).collect();
    sqlx::query(
        "INSERT INTO credentials (acs_credential_id, acs_system_id, acs_user_id, number, display_name, card_function, \
         starts_at, ends_at, issue_number, is_override, auto_join, joiner_ids, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.acs_credential_id)
    .bind(new.acs_system_id)
    .bind(new.acs_user_id)
    .bind(new.number)
    .bind(&new.display_name)
    .bind(new.card_function)
    .bind(new.starts_at)
    .bind(new.ends_at)
    .bind(new.issue_number)
    .bind(new.is_override)
    .bind(new.auto_join)
    .bind(serde_json::json!(joined).to_string())
    .bind(now)
    .execute(&mut *db)
    .await?;
    for entrance in &new.entrances {
        sqlx::query(
            "INSERT INTO credential_entrances (acs_credential_id, acs_entrance_id) VALUES (?, ?)",
        )
        .bind(new.acs_credential_id)
        .bind(*entrance)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

pub(crate) async fn get(
    db: &mut Db,
    id: CredentialId,
) -> sqlx::Result<Option<CredentialWithDoors>> {
    let mut query = sqlx::QueryBuilder::new(SELECT);
    query.push(" WHERE c.acs_credential_id = ").push_bind(id);
    Ok(fetch(db, query).await?.pop())
}

pub(crate) async fn get_in(
    db: &mut Db,
    workspace: WorkspaceId,
    id: CredentialId,
) -> sqlx::Result<Option<CredentialWithDoors>> {
    Ok(get(db, id)
        .await?
        .filter(|found| found.credential.workspace_id == workspace))
}

pub(crate) async fn by_number(
    db: &mut Db,
    site: SiteId,
    number: u32,
) -> sqlx::Result<Option<CredentialWithDoors>> {
    let mut query = sqlx::QueryBuilder::new(SELECT);
    query.push(" WHERE c.acs_system_id = ").push_bind(site);
    query.push(" AND c.number = ").push_bind(number);
    Ok(fetch(db, query).await?.pop())
}

pub(crate) async fn list(
    db: &mut Db,
    workspace: WorkspaceId,
    filter: &Filter,
    page: Page,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let mut query = sqlx::QueryBuilder::new(SELECT);
    query.push(" WHERE s.workspace_id = ").push_bind(workspace);
    query.push(" AND c.seq > ").push_bind(page.after);
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
    query
        .push(" GROUP BY c.seq ORDER BY c.seq LIMIT ")
        .push_bind(page.fetch());
    fetch_grouped(db, query).await
}

/// All credentials of the site that share one of these guest doors, or that are named.
pub(crate) async fn neighbours(
    db: &mut Db,
    site: SiteId,
    guest_doors: &BTreeSet<EntranceId>,
    named: &[CredentialId],
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let mut query = sqlx::QueryBuilder::new(SELECT);
    query.push(" WHERE c.acs_system_id = ").push_bind(site);
    query.push(
        " AND (c.acs_credential_id IN (SELECT acs_credential_id FROM credential_entrances WHERE ",
    );
    push_any(&mut query, "acs_entrance_id", guest_doors.iter().copied());
    query.push(") OR ");
    push_any(&mut query, "c.acs_credential_id", named.iter().copied());
    query.push(")");
    fetch(db, query).await
}

/// The credentials that a card of the site held or may have held.
pub(crate) async fn on_card(
    db: &mut Db,
    site: SiteId,
    uid: &str,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let mut query = sqlx::QueryBuilder::new(SELECT);
    query.push(" WHERE c.acs_system_id = ").push_bind(site);
    query
        .push(" AND c.acs_credential_id IN (SELECT acs_credential_id FROM grants WHERE state <> 'released' AND uid = ")
        .push_bind(uid.to_owned())
        .push(")");
    fetch(db, query).await
}

async fn fetch(
    db: &mut Db,
    mut query: sqlx::QueryBuilder<sqlx::Sqlite>,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    query.push(" GROUP BY c.seq ORDER BY c.seq");
    fetch_grouped(db, query).await
}

async fn fetch_grouped(
    db: &mut Db,
    mut query: sqlx::QueryBuilder<sqlx::Sqlite>,
) -> sqlx::Result<Vec<CredentialWithDoors>> {
    let credentials: Vec<Credential> = query.build_query_as().fetch_all(&mut *db).await?;
    let mut doors = doors_of(db, &credentials).await?;
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

async fn doors_of(
    db: &mut Db,
    credentials: &[Credential],
) -> sqlx::Result<HashMap<CredentialId, Vec<Entrance>>> {
    let mut query = sqlx::QueryBuilder::new(
        "SELECT ce.acs_credential_id, e.seq, e.acs_entrance_id, e.acs_system_id, s.connected_account_id, e.name, \
         e.category, e.door, e.created_at FROM credential_entrances ce JOIN entrances e USING (acs_entrance_id) \
         JOIN sites s USING (acs_system_id) WHERE ",
    );
    push_any(
        &mut query,
        "ce.acs_credential_id",
        credentials
            .iter()
            .map(|credential| credential.acs_credential_id),
    );
    query.push(" ORDER BY e.seq");
    let mut doors: HashMap<CredentialId, Vec<Entrance>> = HashMap::new();
    for row in query.build().fetch_all(db).await? {
        let entrance = <Entrance as sqlx::FromRow<_>>::from_row(&row)?;
        doors
            .entry(row.try_get("acs_credential_id")?)
            .or_default()
            .push(entrance);
    }
    Ok(doors)
}

/// It is on this card from now on.
pub(crate) async fn set_issued(
    db: &mut Db,
    id: CredentialId,
    uid: &str,
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE credentials SET issued_at = ?, card_uid = ?, is_overwritten = 0 WHERE acs_credential_id = ?",
    )
    .bind(now)
    .bind(uid)
    .bind(id)
    .execute(db)
    .await?;
    Ok(())
}

/// An override for one of its guest doors was encoded.
pub(crate) async fn set_overridden(db: &mut Db, id: CredentialId) -> sqlx::Result<()> {
    sqlx::query("UPDATE credentials SET is_overridden = 1 WHERE acs_credential_id = ?")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// Its card was encoded with another credential.
pub(crate) async fn set_overwritten(db: &mut Db, id: CredentialId) -> sqlx::Result<()> {
    sqlx::query("UPDATE credentials SET is_overwritten = 1 WHERE acs_credential_id = ?")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}
