//! Bridges: their tokens, link generations and whether their site key agrees.

use super::Db;
use crate::id::{BridgeId, SiteId};
use crate::moment::Moment;

/// A bridge.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Bridge {
    pub(crate) bridge_id: BridgeId,
    pub(crate) acs_system_id: SiteId,
    /// Whether every version of the site key that it shares with the site is the site's.
    pub(crate) site_key_agrees: bool,
    /// The newest version of the site key that it has.
    pub(crate) newest_site_key: u8,
    /// The newest version that any bridge of its site has.
    pub(crate) newest_of_site: u8,
}

/// What a bridge token is compared with.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct StoredToken {
    pub(crate) bridge_id: BridgeId,
    pub(crate) token_hash: Vec<u8>,
}

/// Makes a bridge, or replaces the token of the one of that name.
pub(crate) async fn upsert(
    db: &mut Db,
    site: SiteId,
    name: &str,
    token_short: &str,
    token_hash: &[u8],
    now: Moment,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO bridges (bridge_id, acs_system_id, name, token_short, token_hash, created_at) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (acs_system_id, name) DO UPDATE SET \
         token_short = excluded.token_short, token_hash = excluded.token_hash",
    )
    .bind(BridgeId::new())
    .bind(site)
    .bind(name)
    .bind(token_short)
    .bind(token_hash)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn token(db: &mut Db, short: &str) -> sqlx::Result<Option<StoredToken>> {
    sqlx::query_as("SELECT bridge_id, token_hash FROM bridges WHERE token_short = ?")
        .bind(short)
        .fetch_optional(db)
        .await
}

pub(crate) async fn get(db: &mut Db, id: BridgeId) -> sqlx::Result<Option<Bridge>> {
    sqlx::query_as(
        "SELECT bridge_id, acs_system_id, site_key_agrees, newest_site_key, COALESCE((SELECT MAX(version) FROM \
         site_keys WHERE site_keys.acs_system_id = bridges.acs_system_id), 0) AS newest_of_site FROM bridges \
         WHERE bridge_id = ?",
    )
    .bind(id)
    .fetch_optional(db)
    .await
}

/// What the PC of a bridge is called.
pub(crate) async fn name(db: &mut Db, id: BridgeId) -> sqlx::Result<String> {
    sqlx::query_scalar("SELECT COALESCE(pc_name, name) FROM bridges WHERE bridge_id = ?")
        .bind(id)
        .fetch_one(db)
        .await
}

/// All bridges.
pub(crate) async fn all(db: &mut Db) -> sqlx::Result<Vec<BridgeId>> {
    sqlx::query_scalar("SELECT bridge_id FROM bridges ORDER BY seq")
        .fetch_all(db)
        .await
}

/// The bridges that have attempts to end.
pub(crate) async fn with_pending_attempts(db: &mut Db) -> sqlx::Result<Vec<BridgeId>> {
    sqlx::query_scalar("SELECT DISTINCT bridge_id FROM attempts WHERE status = 'pending'")
        .fetch_all(db)
        .await
}

/// Raises the link generation and keeps what the hello said; returns the new generation.
pub(crate) async fn connect(
    db: &mut Db,
    id: BridgeId,
    pc_name: &str,
    version: &str,
    site_key_agrees: bool,
    newest_site_key: u8,
) -> sqlx::Result<u64> {
    let generation: i64 = sqlx::query_scalar(
        "UPDATE bridges SET generation = generation + 1, pc_name = ?, version = ?, site_key_agrees = ?, \
         newest_site_key = ? WHERE bridge_id = ? RETURNING generation",
    )
    .bind(pc_name)
    .bind(version)
    .bind(site_key_agrees)
    .bind(newest_site_key)
    .bind(id)
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(generation).unwrap_or(0))
}

/// Whether no newer connection of the bridge exists.
pub(crate) async fn is_current(db: &mut Db, id: BridgeId, generation: u64) -> sqlx::Result<bool> {
    let current: i64 = sqlx::query_scalar("SELECT generation FROM bridges WHERE bridge_id = ?")
        .bind(id)
        .fetch_one(db)
        .await?;
    Ok(u64::try_from(current) == Ok(generation))
}
