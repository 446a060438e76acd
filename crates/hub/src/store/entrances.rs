//! Doors and their numbers.

use super::{Db, Page, like_pattern, push_any};
use crate::doors::{Door, DoorCategory};
use crate::id::{AccountId, CredentialId, EntranceId, SiteId, WorkspaceId};
use crate::moment::Moment;

/// A door.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Entrance {
    pub(crate) seq: i64,
    pub(crate) acs_entrance_id: EntranceId,
    pub(crate) acs_system_id: SiteId,
    pub(crate) connected_account_id: AccountId,
    pub(crate) name: String,
    pub(crate) category: DoorCategory,
    pub(crate) door: u16,
    pub(crate) created_at: Moment,
}

impl Entrance {
    /// How locks and cards know it.
    pub(crate) fn door(&self) -> Door {
        self.category.door(self.door)
    }
}

const SELECT: &str = "SELECT e.seq, e.acs_entrance_id, e.acs_system_id, s.connected_account_id, e.name, e.category, \
    e.door, e.created_at FROM entrances e JOIN sites s USING (acs_system_id)";

/// What a list is narrowed to.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) site: Option<SiteId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) ids: Option<Vec<EntranceId>>,
    pub(crate) search: Option<String>,
}

pub(crate) async fn insert(
    db: &mut Db,
    site: SiteId,
    id: EntranceId,
    name: &str,
    category: DoorCategory,
    door: u16,
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO entrances (acs_entrance_id, acs_system_id, name, category, door, created_at) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(site)
    .bind(name)
    .bind(category)
    .bind(door)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// The highest number given to a door of that kind.
pub(crate) async fn highest_door(
    db: &mut Db,
    site: SiteId,
    category: DoorCategory,
) -> sqlx::Result<Option<u16>> {
    sqlx::query_scalar("SELECT MAX(door) FROM entrances WHERE acs_system_id = ? AND category = ?")
        .bind(site)
        .bind(category)
        .fetch_one(db)
        .await
}

pub(crate) async fn get(db: &mut Db, id: EntranceId) -> sqlx::Result<Option<Entrance>> {
    sqlx::QueryBuilder::new(SELECT)
        .push(" WHERE e.acs_entrance_id = ")
        .push_bind(id)
        .build_query_as()
        .fetch_optional(db)
        .await
}

pub(crate) async fn get_in(
    db: &mut Db,
    workspace: WorkspaceId,
    id: EntranceId,
) -> sqlx::Result<Option<Entrance>> {
    sqlx::QueryBuilder::new(SELECT)
        .push(" WHERE e.acs_entrance_id = ")
        .push_bind(id)
        .push(" AND s.workspace_id = ")
        .push_bind(workspace)
        .build_query_as()
        .fetch_optional(db)
        .await
}

/// All doors of a site, in the order in which they were added.
pub(crate) async fn of_site(db: &mut Db, site: SiteId) -> sqlx::Result<Vec<Entrance>> {
    sqlx::QueryBuilder::new(SELECT)
        .push(" WHERE e.acs_system_id = ")
        .push_bind(site)
        .push(" ORDER BY e.seq")
        .build_query_as()
        .fetch_all(db)
        .await
}

pub(crate) async fn by_name(
    db: &mut Db,
    site: SiteId,
    name: &str,
) -> sqlx::Result<Option<Entrance>> {
    sqlx::QueryBuilder::new(SELECT)
        .push(" WHERE e.acs_system_id = ")
        .push_bind(site)
        .push(" AND e.name = ")
        .push_bind(name)
        .build_query_as()
        .fetch_optional(db)
        .await
}

pub(crate) async fn list(
    db: &mut Db,
    workspace: WorkspaceId,
    filter: &Filter,
    page: Page,
) -> sqlx::Result<Vec<Entrance>> {
    let mut query = sqlx::QueryBuilder::new(SELECT);
    query.push(" WHERE s.workspace_id = ").push_bind(workspace);
    query.push(" AND e.seq > ").push_bind(page.after);
    if let Some(site) = filter.site {
        query.push(" AND e.acs_system_id = ").push_bind(site);
    }
    if let Some(account) = filter.account {
        query
            .push(" AND s.connected_account_id = ")
            .push_bind(account);
    }
    if let Some(credential) = filter.credential {
        query
            .push(
                " AND e.acs_entrance_id IN (SELECT acs_entrance_id FROM credential_entrances JOIN credentials \
                 USING (acs_credential_id) WHERE deleted_at IS NULL AND acs_credential_id = ",
            )
            .push_bind(credential)
            .push(")");
    }
    if let Some(ids) = &filter.ids {
        query.push(" AND ");
        push_any(&mut query, "e.acs_entrance_id", ids.iter().copied());
    }
    if let Some(words) = &filter.search {
        query
            .push(" AND e.name LIKE ")
            .push_bind(like_pattern(words))
            .push(" ESCAPE '\\'");
    }
    query.push(" ORDER BY e.seq LIMIT ").push_bind(page.fetch());
    query.build_query_as().fetch_all(db).await
}
