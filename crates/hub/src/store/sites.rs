//! Sites, which the API calls access control systems.

use std::ops::Deref;

use protocol::link::SiteKeyCheck;

use super::{Db, like_pattern};
use crate::id::{AccountId, SiteId, WorkspaceId};
use crate::moment::Moment;

/// A site.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Site {
    pub(crate) acs_system_id: SiteId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) connected_account_id: AccountId,
    pub(crate) name: String,
    pub(crate) time_zone: String,
    pub(crate) created_at: Moment,
}

/// A site as the API shows it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct ShownSite {
    #[sqlx(flatten)]
    site: Site,
    pub(crate) user_count: u32,
}

impl Deref for ShownSite {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

pub(super) const BY_ID: &str = "SELECT acs_system_id, workspace_id, connected_account_id, name, time_zone, created_at FROM sites \
    WHERE acs_system_id = ?";

/// Counts the users of each site, which only somebody who asks for sites waits for.
const SHOWN: &str = "SELECT acs_system_id, workspace_id, connected_account_id, name, time_zone, created_at, (SELECT COUNT(*) FROM users WHERE users.acs_system_id = sites.acs_system_id) AS user_count FROM sites \
    WHERE workspace_id = ";

pub(crate) async fn insert(
    db: &mut Db,
    site: &Site,
    first_credential_number: u32,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO sites (acs_system_id, workspace_id, connected_account_id, name, time_zone, created_at, \
         next_credential_number) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(site.acs_system_id)
    .bind(site.workspace_id)
    .bind(site.connected_account_id)
    .bind(&site.name)
    .bind(&site.time_zone)
    .bind(site.created_at)
    .bind(first_credential_number)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn get(db: &mut Db, id: SiteId) -> sqlx::Result<Option<Site>> {
    sqlx::query_as(BY_ID).bind(id).fetch_optional(db).await
}

/// The site, if it is of that workspace.
pub(crate) async fn get_in(
    db: &mut Db,
    workspace: WorkspaceId,
    id: SiteId,
) -> sqlx::Result<Option<ShownSite>> {
    sqlx::QueryBuilder::new(SHOWN)
        .push_bind(workspace)
        .push(" AND acs_system_id = ")
        .push_bind(id)
        .build_query_as()
        .fetch_optional(db)
        .await
}

pub(crate) async fn list(
    db: &mut Db,
    workspace: WorkspaceId,
    account: Option<AccountId>,
    search: Option<&str>,
) -> sqlx::Result<Vec<ShownSite>> {
    let mut query = sqlx::QueryBuilder::new(SHOWN);
    query.push_bind(workspace);
    if let Some(account) = account {
        query
            .push(" AND connected_account_id = ")
            .push_bind(account);
    }
    if let Some(words) = search {
        query
            .push(" AND name LIKE ")
            .push_bind(like_pattern(words))
            .push(" ESCAPE '\\'");
    }
    query
        .push(" ORDER BY seq")
        .build_query_as()
        .fetch_all(db)
        .await
}

/// Takes the next credential number; `None` when all are used up.
pub(crate) async fn take_credential_number(db: &mut Db, id: SiteId) -> sqlx::Result<Option<u32>> {
    let number: i64 = sqlx::query_scalar(
        "UPDATE sites SET next_credential_number = next_credential_number + 1 WHERE acs_system_id = ? \
         RETURNING next_credential_number - 1",
    )
    .bind(id)
    .fetch_one(db)
    .await?;
    Ok(u32::try_from(number).ok())
}

/// The versions of the site key that bridges told, lowest first.
pub(crate) async fn site_keys(db: &mut Db, id: SiteId) -> sqlx::Result<Vec<SiteKeyCheck>> {
    let rows: Vec<(u8, String)> = sqlx::query_as(
        "SELECT version, check_value FROM site_keys WHERE acs_system_id = ? ORDER BY version",
    )
    .bind(id)
    .fetch_all(db)
    .await?;
    let keys = rows.into_iter();
    Ok(keys
        .map(|(version, check)| SiteKeyCheck { version, check })
        .collect())
}

pub(crate) async fn add_site_key(db: &mut Db, id: SiteId, key: &SiteKeyCheck) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO site_keys (acs_system_id, version, check_value) VALUES (?, ?, ?)")
        .bind(id)
        .bind(key.version)
        .bind(&key.check)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets what bridges told of a version; says whether one had.
pub(crate) async fn remove_site_key(db: &mut Db, id: SiteId, version: u8) -> sqlx::Result<bool> {
    let removed = sqlx::query("DELETE FROM site_keys WHERE acs_system_id = ? AND version = ?")
        .bind(id)
        .bind(version)
        .execute(db)
        .await?;
    Ok(removed.rows_affected() > 0)
}
