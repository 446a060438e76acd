//! Workspaces and their API keys.

use super::Db;
use crate::id::WorkspaceId;
use crate::moment::Moment;

/// A workspace.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Workspace {
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) name: String,
}

/// What an API key is compared with.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct StoredKey {
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) hash: Vec<u8>,
}

pub(crate) async fn insert(db: &mut Db, workspace: &Workspace, now: Moment) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO workspaces (workspace_id, name, created_at) VALUES (?, ?, ?)")
        .bind(workspace.workspace_id)
        .bind(&workspace.name)
        .bind(now)
        .execute(db)
        .await?;
    Ok(())
}

pub(crate) async fn get(db: &mut Db, id: WorkspaceId) -> sqlx::Result<Option<Workspace>> {
    sqlx::query_as("SELECT workspace_id, name FROM workspaces WHERE workspace_id = ?")
        .bind(id)
        .fetch_optional(db)
        .await
}

pub(crate) async fn all(db: &mut Db) -> sqlx::Result<Vec<Workspace>> {
    sqlx::query_as("SELECT workspace_id, name FROM workspaces ORDER BY seq")
        .fetch_all(db)
        .await
}

pub(crate) async fn insert_key(
    db: &mut Db,
    workspace: WorkspaceId,
    name: &str,
    short: &str,
    hash: &[u8],
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO api_keys (workspace_id, name, short, hash, created_at) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(workspace)
    .bind(name)
    .bind(short)
    .bind(hash)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn key(db: &mut Db, short: &str) -> sqlx::Result<Option<StoredKey>> {
    sqlx::query_as("SELECT workspace_id, hash FROM api_keys WHERE short = ?")
        .bind(short)
        .fetch_optional(db)
        .await
}
