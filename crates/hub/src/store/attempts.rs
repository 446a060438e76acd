//! Action attempts: what was asked of an encoder and how it ended. An ended one never changes but for `outcome`.

use protocol::link::AttemptError;

use super::{Db, Page, push_any};
use crate::id::{AttemptId, BridgeId, CredentialId, EncoderId, SiteId, WorkspaceId};
use crate::moment::Moment;

/// What an attempt does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "snake_case")]
pub(crate) enum Kind {
    Encode,
    Scan,
}

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "snake_case")]
pub(crate) enum Status {
    Pending,
    Success,
    Error,
}

/// What a bridge reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "snake_case")]
pub(crate) enum OutcomeKind {
    Written,
    Unwritten,
    Unknown,
    Scanned,
}

/// An action attempt.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Attempt {
    pub(crate) seq: i64,
    pub(crate) action_attempt_id: AttemptId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) acs_system_id: SiteId,
    pub(crate) bridge_id: BridgeId,
    pub(crate) acs_encoder_id: EncoderId,
    pub(crate) kind: Kind,
    pub(crate) acs_credential_id: Option<CredentialId>,
    /// The state of the credential when the attempt began: that one is written.
    pub(crate) credential_revision: Option<i64>,
    /// That state as it goes on the card, in JSON. `None` for an encode that an earlier version began.
    pub(crate) image: Option<String>,
    /// What a lock server is to make the card for, in JSON; in place of the image.
    pub(crate) card_order: Option<String>,
    #[sqlx(try_from = "i64")]
    pub(crate) fence: u64,
    pub(crate) status: Status,
    pub(crate) created_at: Moment,
    pub(crate) deadline: Moment,
    pub(crate) result: Option<String>,
    pub(crate) error_type: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) outcome: Option<OutcomeKind>,
}

impl Attempt {
    /// Whether a lock server is to make the card.
    pub(crate) fn is_order(&self) -> bool {
        self.card_order.is_some()
    }
}

/// How an attempt ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// With this result, frozen.
    Success(serde_json::Value),
    /// With this error, frozen.
    Error(AttemptError),
}

pub(crate) async fn insert(db: &mut Db, attempt: &Attempt) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO attempts (action_attempt_id, workspace_id, acs_system_id, bridge_id, acs_encoder_id, kind, \
         acs_credential_id, fence, status, created_at, deadline, error_type, error_message, credential_revision, image, \
         card_order, ended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
         CASE WHEN ?9 = 'pending' THEN NULL ELSE ?10 END)",
    )
    .bind(attempt.action_attempt_id)
    .bind(attempt.workspace_id)
    .bind(attempt.acs_system_id)
    .bind(attempt.bridge_id)
    .bind(attempt.acs_encoder_id)
    .bind(attempt.kind)
    .bind(attempt.acs_credential_id)
    .bind(i64::try_from(attempt.fence).unwrap_or(i64::MAX))
    .bind(attempt.status)
    .bind(attempt.created_at)
    .bind(attempt.deadline)
    .bind(&attempt.error_type)
    .bind(&attempt.error_message)
    .bind(attempt.credential_revision)
    .bind(&attempt.image)
    .bind(&attempt.card_order)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn get(db: &mut Db, id: AttemptId) -> sqlx::Result<Option<Attempt>> {
    sqlx::query_as("SELECT * FROM attempts WHERE action_attempt_id = ?")
        .bind(id)
        .fetch_optional(db)
        .await
}

pub(crate) async fn list(
    db: &mut Db,
    workspace: WorkspaceId,
    ids: Option<&[AttemptId]>,
    page: Page,
) -> sqlx::Result<Vec<Attempt>> {
    let mut query = sqlx::QueryBuilder::new("SELECT * FROM attempts WHERE workspace_id = ");
    query
        .push_bind(workspace)
        .push(" AND seq > ")
        .push_bind(page.after);
    if let Some(ids) = ids {
        query.push(" AND ");
        push_any(&mut query, "action_attempt_id", ids.iter().copied());
    }
    query.push(" ORDER BY seq LIMIT ").push_bind(page.fetch());
    query.build_query_as().fetch_all(db).await
}

/// The pending encode of a credential, if there is one.
pub(crate) async fn pending_of_credential(
    db: &mut Db,
    credential: CredentialId,
) -> sqlx::Result<Option<Attempt>> {
    sqlx::query_as("SELECT * FROM attempts WHERE acs_credential_id = ? AND status = 'pending'")
        .bind(credential)
        .fetch_optional(db)
        .await
}

/// How many attempts are before a new one.
pub(crate) async fn pending_on_encoder(db: &mut Db, encoder: EncoderId) -> sqlx::Result<u32> {
    sqlx::query_scalar(
        "SELECT COUNT(*) FROM attempts WHERE acs_encoder_id = ? AND status = 'pending'",
    )
    .bind(encoder)
    .fetch_one(db)
    .await
}

/// What a bridge still has to do, in the order in which it is to be offered.
pub(crate) async fn pending_of_bridge(
    db: &mut Db,
    bridge: BridgeId,
    after: i64,
) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as(
        "SELECT * FROM attempts WHERE bridge_id = ? AND status = 'pending' AND seq > ? ORDER BY seq",
    )
    .bind(bridge)
    .bind(after)
    .fetch_all(db)
    .await
}

/// What a bridge has to do and has no leave to write for.
pub(crate) async fn ungranted_of_bridge(
    db: &mut Db,
    bridge: BridgeId,
) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as(
        "SELECT * FROM attempts WHERE bridge_id = ? AND status = 'pending' AND NOT EXISTS (SELECT 1 FROM grants \
         WHERE grants.action_attempt_id = attempts.action_attempt_id AND grants.state <> 'released') ORDER BY seq",
    )
    .bind(bridge)
    .fetch_all(db)
    .await
}

/// What was asked for at the bridge's own PC and is pending, without leave to write.
pub(crate) async fn local_of_bridge(db: &mut Db, bridge: BridgeId) -> sqlx::Result<Vec<Attempt>> {
    let mut ungranted = ungranted_of_bridge(db, bridge).await?;
    let local: Vec<AttemptId> = sqlx::query_scalar(
        "SELECT action_attempt_id FROM attempts WHERE bridge_id = ? AND status = 'pending' AND EXISTS \
         (SELECT 1 FROM requests WHERE requests.action_attempt_id = attempts.action_attempt_id)",
    )
    .bind(bridge)
    .fetch_all(db)
    .await?;
    ungranted.retain(|attempt| local.contains(&attempt.action_attempt_id));
    Ok(ungranted)
}

pub(crate) async fn past_deadline(db: &mut Db, now: Moment) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as(
        "SELECT * FROM attempts WHERE status = 'pending' AND deadline <= ? ORDER BY deadline",
    )
    .bind(now)
    .fetch_all(db)
    .await
}

pub(crate) async fn next_deadline(db: &mut Db) -> sqlx::Result<Option<Moment>> {
    sqlx::query_scalar("SELECT MIN(deadline) FROM attempts WHERE status = 'pending'")
        .fetch_one(db)
        .await
}

/// Ends a pending attempt. False when it had ended before: that end stands.
pub(crate) async fn end(db: &mut Db, id: AttemptId, end: &End, now: Moment) -> sqlx::Result<bool> {
    let (status, result, error) = match end {
        End::Success(result) => (Status::Success, Some(result.to_string()), None),
        End::Error(error) => (Status::Error, None, Some(error)),
    };
    let ended = sqlx::query(
        "UPDATE attempts SET status = ?, result = ?, error_type = ?, error_message = ?, ended_at = ? \
         WHERE action_attempt_id = ? AND status = 'pending'",
    )
    .bind(status)
    .bind(result)
    .bind(error.map(|error| error.kind.clone()))
    .bind(error.map(|error| error.message.clone()))
    .bind(now)
    .bind(id)
    .execute(db)
    .await?;
    Ok(ended.rows_affected() > 0)
}

pub(crate) async fn set_outcome(
    db: &mut Db,
    id: AttemptId,
    outcome: OutcomeKind,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE attempts SET outcome = ? WHERE action_attempt_id = ?")
        .bind(outcome)
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;
    use crate::decisions::rows;

    fn error() -> End {
        End::Error(AttemptError {
            kind: "action_attempt_expired".to_owned(),
            message: "Encode the credential again.".to_owned(),
        })
    }

    #[tokio::test]
    async fn the_first_end_of_an_attempt_stands() {
        let success = End::Success(serde_json::json!({ "a": 1 }));
        for (first, later) in [(success.clone(), error()), (error(), success)] {
            let mut db = Db::connect("sqlite::memory:").await.unwrap();
            sqlx::migrate!("./migrations").run(&mut db).await.unwrap();
            // The attempt's site and encoder are of no interest here.
            sqlx::query("PRAGMA foreign_keys = OFF")
                .execute(&mut db)
                .await
                .unwrap();
            let attempt = rows::encode(1, &rows::encoder(1), &rows::credential(1));
            let id = attempt.action_attempt_id;
            insert(&mut db, &attempt).await.unwrap();
            assert!(end(&mut db, id, &first, rows::NOW).await.unwrap());
            let ended = get(&mut db, id).await.unwrap().unwrap();
            assert!(!end(&mut db, id, &later, rows::NOW).await.unwrap());
            let kept = get(&mut db, id).await.unwrap().unwrap();
            assert_eq!(kept.status, ended.status);
            assert_eq!(kept.result, ended.result);
            assert_eq!(kept.error_type, ended.error_type);
        }
    }
}
