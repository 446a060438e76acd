//! Answers to requests from an encoder PC.

use super::Db;
use crate::id::{AttemptId, BridgeId};
use crate::moment::Moment;

/// The answer that the request got before, as JSON.
pub(crate) async fn answer(
    db: &mut Db,
    bridge: BridgeId,
    request: uuid::Uuid,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT answer FROM requests WHERE request_id = ? AND bridge_id = ?")
        .bind(request.to_string())
        .bind(bridge)
        .fetch_optional(db)
        .await
}

pub(crate) async fn insert(
    db: &mut Db,
    bridge: BridgeId,
    request: uuid::Uuid,
    attempt: AttemptId,
    answer: &str,
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO requests (request_id, bridge_id, action_attempt_id, answer, created_at) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(request.to_string())
    .bind(bridge)
    .bind(attempt)
    .bind(answer)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the answers from before an instant.
pub(crate) async fn delete_before(db: &mut Db, oldest: Moment) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM requests WHERE created_at < ?")
        .bind(oldest)
        .execute(db)
        .await?;
    Ok(())
}
