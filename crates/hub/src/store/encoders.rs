//! Encoders as their bridges told them.

use protocol::link::{EncoderState, IdentityScope};

use super::{Db, Page, push_any};
use crate::id::{AccountId, BridgeId, EncoderId, SiteId, WorkspaceId};
use crate::moment::Moment;

/// An encoder.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Encoder {
    pub(crate) seq: i64,
    pub(crate) acs_encoder_id: EncoderId,
    pub(crate) acs_system_id: SiteId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) connected_account_id: AccountId,
    pub(crate) bridge_id: BridgeId,
    pub(crate) identity: String,
    pub(crate) display_name: String,
    pub(crate) is_online: bool,
    pub(crate) reason: Option<String>,
    /// Whether a lock server makes its cards.
    pub(crate) is_issuing: bool,
    pub(crate) created_at: Moment,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.seq, e.acs_encoder_id, e.acs_system_id, s.workspace_id, s.connected_account_id, e.bridge_id, \
             e.identity, e.display_name, e.is_online, e.reason, e.is_issuing, e.created_at \
             FROM encoders e JOIN sites s USING (acs_system_id) ",
            $rest
        )
    };
}

pub(super) const OF_BRIDGE: &str = select!("WHERE e.bridge_id = ? ORDER BY e.seq");
pub(super) const OF_SITE: &str = select!("WHERE e.acs_system_id = ? ORDER BY e.seq");

/// The highest fence that a bridge may tell: no encoder is ever asked that often, and all of JSON can write it.
const LAST_PLAUSIBLE_FENCE: u64 = 1 << 53;

/// What a list is narrowed to.
#[derive(Debug)]
pub(crate) enum Filter {
    Sites(Vec<SiteId>),
    Ids(Vec<EncoderId>),
}

pub(crate) async fn get_in(
    db: &mut Db,
    workspace: WorkspaceId,
    id: EncoderId,
) -> sqlx::Result<Option<Encoder>> {
    sqlx::QueryBuilder::new(select!(""))
        .push(" WHERE e.acs_encoder_id = ")
        .push_bind(id)
        .push(" AND s.workspace_id = ")
        .push_bind(workspace)
        .build_query_as()
        .fetch_optional(db)
        .await
}

pub(crate) async fn of_bridge(db: &mut Db, bridge: BridgeId) -> sqlx::Result<Vec<Encoder>> {
    sqlx::query_as(OF_BRIDGE).bind(bridge).fetch_all(db).await
}

pub(crate) async fn by_identity(
    db: &mut Db,
    bridge: BridgeId,
    identity: &str,
) -> sqlx::Result<Option<Encoder>> {
    sqlx::QueryBuilder::new(select!(""))
        .push(" WHERE e.bridge_id = ")
        .push_bind(bridge)
        .push(" AND e.identity = ")
        .push_bind(identity)
        .build_query_as()
        .fetch_optional(db)
        .await
}

/// The encoder of a site that carries this identity along, whichever bridge has it.
pub(crate) async fn of_the_site(
    db: &mut Db,
    site: SiteId,
    identity: &str,
) -> sqlx::Result<Option<Encoder>> {
    sqlx::QueryBuilder::new(select!(""))
        .push(" WHERE e.acs_system_id = ")
        .push_bind(site)
        .push(" AND e.identity = ")
        .push_bind(identity)
        .push(" AND e.identity_scope = 'site'")
        .build_query_as()
        .fetch_optional(db)
        .await
}

/// Gives an encoder to another bridge, with its id and its fence.
pub(crate) async fn move_to(db: &mut Db, id: EncoderId, bridge: BridgeId) -> sqlx::Result<()> {
    sqlx::query("UPDATE encoders SET bridge_id = ? WHERE acs_encoder_id = ?")
        .bind(bridge)
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

pub(crate) async fn list(
    db: &mut Db,
    workspace: WorkspaceId,
    filter: &Filter,
    page: Page,
) -> sqlx::Result<Vec<Encoder>> {
    let mut query = sqlx::QueryBuilder::new(select!(""));
    query.push(" WHERE s.workspace_id = ").push_bind(workspace);
    query
        .push(" AND e.seq > ")
        .push_bind(page.after)
        .push(" AND ");
    match filter {
        Filter::Sites(sites) => push_any(&mut query, "e.acs_system_id", sites.iter().copied()),
        Filter::Ids(ids) => push_any(&mut query, "e.acs_encoder_id", ids.iter().copied()),
    }
    query.push(" ORDER BY e.seq LIMIT ").push_bind(page.fetch());
    query.build_query_as().fetch_all(db).await
}

/// All encoders of a site.
pub(crate) async fn of_site(db: &mut Db, site: SiteId) -> sqlx::Result<Vec<Encoder>> {
    sqlx::query_as(OF_SITE).bind(site).fetch_all(db).await
}

/// Keeps what a bridge says of an encoder. `Some` is the id of one that is new.
pub(crate) async fn upsert(
    db: &mut Db,
    bridge: BridgeId,
    site: SiteId,
    state: &EncoderState,
    now: Moment,
) -> sqlx::Result<Option<EncoderId>> {
    let scope = match state.identity_scope {
        IdentityScope::Site => "site",
        IdentityScope::Computer => "computer",
    };
    let known = sqlx::query(
        "UPDATE encoders SET identity_scope = ?, display_name = ?, driver = ?, is_online = ?, reason = ?, is_issuing = ? \
         WHERE bridge_id = ? AND identity = ?",
    )
    .bind(scope)
    .bind(&state.display_name)
    .bind(&state.driver)
    .bind(state.is_online)
    .bind(&state.reason)
    .bind(state.is_issuing)
    .bind(bridge)
    .bind(&state.identity)
    .execute(&mut *db)
    .await?;
    if known.rows_affected() > 0 {
        return Ok(None);
    }
    let id = EncoderId::new();
    sqlx::query(
        "INSERT INTO encoders (acs_encoder_id, acs_system_id, bridge_id, identity, identity_scope, display_name, \
         driver, is_online, reason, is_issuing, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(site)
    .bind(bridge)
    .bind(&state.identity)
    .bind(scope)
    .bind(&state.display_name)
    .bind(&state.driver)
    .bind(state.is_online)
    .bind(&state.reason)
    .bind(state.is_issuing)
    .bind(now)
    .execute(db)
    .await?;
    Ok(Some(id))
}

/// What a snapshot does not name is absent.
pub(crate) async fn set_all_absent(db: &mut Db, bridge: BridgeId) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE encoders SET is_online = 0, reason = 'The encoder PC does not list it any more.' \
         WHERE bridge_id = ?",
    )
    .bind(bridge)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the next fence of an encoder.
pub(crate) async fn take_fence(db: &mut Db, id: EncoderId) -> sqlx::Result<u64> {
    let fence: i64 = sqlx::query_scalar(
        "UPDATE encoders SET fence = fence + 1 WHERE acs_encoder_id = ? RETURNING fence",
    )
    .bind(id)
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(fence).unwrap_or(0))
}

/// Raises a fence to what the bridge has accepted: a hub restored from a backup must not reuse one. A fence that no hub
/// can have given is passed over: the next one above it would have no room.
pub(crate) async fn raise_fence(
    db: &mut Db,
    bridge: BridgeId,
    identity: &str,
    fence: u64,
) -> sqlx::Result<()> {
    let Some(known) = i64::try_from(fence)
        .ok()
        .filter(|_| fence <= LAST_PLAUSIBLE_FENCE)
    else {
        tracing::warn!(
            %bridge, identity, fence,
            "an encoder PC tells a fence that no hub has given; look at its journal if it refuses what it is offered"
        );
        return Ok(());
    };
    sqlx::query("UPDATE encoders SET fence = MAX(fence, ?) WHERE bridge_id = ? AND identity = ?")
        .bind(known)
        .bind(bridge)
        .bind(identity)
        .execute(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;
    use crate::decisions::rows;

    #[tokio::test]
    async fn a_fence_that_no_hub_can_have_given_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("hub.sqlite"))
            .await
            .unwrap();
        let mut db = store.begin().await.unwrap();
        // The encoder needs no site and no bridge, as nothing is committed.
        sqlx::query("PRAGMA defer_foreign_keys = ON")
            .execute(&mut *db)
            .await
            .unwrap();
        let bridge = BridgeId(rows::uuid(1));
        let state = EncoderState {
            identity: "pn532/1".to_owned(),
            identity_scope: IdentityScope::Computer,
            display_name: "Front Desk".to_owned(),
            driver: "pn532".to_owned(),
            is_online: true,
            reason: None,
            is_issuing: false,
        };
        let site = SiteId(rows::uuid(1));
        let id = upsert(&mut db, bridge, site, &state, rows::NOW)
            .await
            .unwrap()
            .unwrap();
        for (told, next) in [
            (u64::MAX, 1),
            (i64::MAX.unsigned_abs(), 2),
            (LAST_PLAUSIBLE_FENCE + 1, 3),
            (7, 8),
            (LAST_PLAUSIBLE_FENCE, LAST_PLAUSIBLE_FENCE + 1),
        ] {
            raise_fence(&mut db, bridge, "pn532/1", told).await.unwrap();
            assert_eq!(take_fence(&mut db, id).await.unwrap(), next, "{told}");
        }
        drop(db);
        store.close().await;
    }
}
