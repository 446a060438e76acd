//! Users of a site: whose a credential is.

use super::{Db, Page, like_pattern};
use crate::id::{AccountId, SiteId, UserId, WorkspaceId};
use crate::moment::Moment;

/// A user.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct User {
    pub(crate) seq: i64,
    pub(crate) acs_user_id: UserId,
    pub(crate) acs_system_id: SiteId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) connected_account_id: AccountId,
    pub(crate) full_name: String,
    pub(crate) email_address: Option<String>,
    pub(crate) phone_number: Option<String>,
    pub(crate) schedule_starts_at: Option<Moment>,
    pub(crate) schedule_ends_at: Option<Moment>,
    pub(crate) created_at: Moment,
}

/// A user to be.
#[derive(Debug)]
pub(crate) struct NewUser {
    pub(crate) acs_user_id: UserId,
    pub(crate) acs_system_id: SiteId,
    pub(crate) full_name: String,
    pub(crate) email_address: Option<String>,
    pub(crate) phone_number: Option<String>,
    pub(crate) schedule: Option<(Moment, Option<Moment>)>,
}

const SELECT: &str = "SELECT u.seq, u.acs_user_id, u.acs_system_id, s.workspace_id, s.connected_account_id, \
    u.full_name, u.email_address, u.phone_number, u.schedule_starts_at, u.schedule_ends_at, u.created_at \
    FROM users u JOIN sites s USING (acs_system_id)";

/// What a list is narrowed to.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) site: Option<SiteId>,
    pub(crate) search: Option<String>,
    pub(crate) created_before: Option<Moment>,
}

pub(crate) async fn insert(db: &mut Db, user: &NewUser, now: Moment) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO users (acs_user_id, acs_system_id, full_name, email_address, phone_number, schedule_starts_at, \
         schedule_ends_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(user.acs_user_id)
    .bind(user.acs_system_id)
    .bind(&user.full_name)
    .bind(&user.email_address)
    .bind(&user.phone_number)
    .bind(user.schedule.map(|(starts_at, _)| starts_at))
    .bind(user.schedule.and_then(|(_, ends_at)| ends_at))
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn get_in(
    db: &mut Db,
    workspace: WorkspaceId,
    id: UserId,
) -> sqlx::Result<Option<User>> {
    sqlx::QueryBuilder::new(SELECT)
        .push(" WHERE u.acs_user_id = ")
        .push_bind(id)
        .push(" AND s.workspace_id = ")
        .push_bind(workspace)
        .build_query_as()
        .fetch_optional(db)
        .await
}

pub(crate) async fn list(
    db: &mut Db,
    workspace: WorkspaceId,
    filter: &Filter,
    page: Page,
) -> sqlx::Result<Vec<User>> {
    let mut query = sqlx::QueryBuilder::new(SELECT);
    query.push(" WHERE s.workspace_id = ").push_bind(workspace);
    query.push(" AND u.seq > ").push_bind(page.after);
    if let Some(site) = filter.site {
        query.push(" AND u.acs_system_id = ").push_bind(site);
    }
    if let Some(before) = filter.created_before {
        query.push(" AND u.created_at < ").push_bind(before);
    }
    if let Some(words) = &filter.search {
        let pattern = like_pattern(words);
        for (column, lead) in [
            ("u.full_name", " AND ("),
            ("u.email_address", " OR "),
            ("u.phone_number", " OR "),
        ] {
            query
                .push(lead)
                .push(column)
                .push(" LIKE ")
                .push_bind(pattern.clone());
            query.push(" ESCAPE '\\'");
        }
        query.push(")");
    }
    query.push(" ORDER BY u.seq LIMIT ").push_bind(page.fetch());
    query.build_query_as().fetch_all(db).await
}
