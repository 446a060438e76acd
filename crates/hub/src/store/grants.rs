//! The hub's leaves to write.

use super::Db;
use crate::id::{AttemptId, CredentialId, GrantId, SiteId};
use crate::moment::Moment;

/// How far a grant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "snake_case")]
pub(crate) enum GrantState {
    /// Given; the outcome has not come.
    Open,
    /// The card was written and read back.
    Written,
    /// Nobody knows what is on the card.
    Doubtful,
    /// Nothing of the credential was written; binds to nothing.
    Released,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Grant {
    /// Commit order, which no clock can turn round.
    pub(crate) seq: i64,
    pub(crate) grant_id: GrantId,
    pub(crate) action_attempt_id: AttemptId,
    pub(crate) acs_credential_id: CredentialId,
    /// The card; `None` where a lock server makes one and has not told, or never tells, which.
    pub(crate) uid: Option<String>,
    pub(crate) digest: String,
    pub(crate) state: GrantState,
    pub(crate) granted_at: Moment,
}

pub(crate) async fn insert(db: &mut Db, site: SiteId, grant: &Grant) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO grants (grant_id, action_attempt_id, acs_credential_id, acs_system_id, uid, digest, state, \
         granted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(grant.grant_id)
    .bind(grant.action_attempt_id)
    .bind(grant.acs_credential_id)
    .bind(site)
    .bind(&grant.uid)
    .bind(&grant.digest)
    .bind(grant.state)
    .bind(grant.granted_at)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn of_attempt(db: &mut Db, attempt: AttemptId) -> sqlx::Result<Option<Grant>> {
    sqlx::query_as("SELECT * FROM grants WHERE action_attempt_id = ?")
        .bind(attempt)
        .fetch_optional(db)
        .await
}

/// The grants that bind a credential to a card.
pub(crate) async fn of_credential(
    db: &mut Db,
    credential: CredentialId,
) -> sqlx::Result<Vec<Grant>> {
    sqlx::query_as("SELECT * FROM grants WHERE acs_credential_id = ? AND state <> 'released'")
        .bind(credential)
        .fetch_all(db)
        .await
}

/// The grants that bind something to a card.
pub(crate) async fn on_card(db: &mut Db, site: SiteId, uid: &str) -> sqlx::Result<Vec<Grant>> {
    sqlx::query_as(
        "SELECT * FROM grants WHERE acs_system_id = ? AND uid = ? AND state <> 'released'",
    )
    .bind(site)
    .bind(uid)
    .fetch_all(db)
    .await
}

pub(crate) async fn set_state(db: &mut Db, id: GrantId, state: GrantState) -> sqlx::Result<()> {
    sqlx::query("UPDATE grants SET state = ? WHERE grant_id = ?")
        .bind(state)
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// The lock server told which card it made.
pub(crate) async fn set_uid(db: &mut Db, id: GrantId, uid: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE grants SET uid = ? WHERE grant_id = ?")
        .bind(uid)
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// The doubts about a credential on this card are settled by a newer outcome.
pub(crate) async fn settle_doubts(
    db: &mut Db,
    credential: CredentialId,
    uid: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE grants SET state = 'written' WHERE acs_credential_id = ? AND uid = ? AND state = 'doubtful'",
    )
    .bind(credential)
    .bind(uid)
    .execute(db)
    .await?;
    Ok(())
}
