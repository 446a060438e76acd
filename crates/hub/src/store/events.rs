//! Events. They are written in the transaction of what they tell, so their `seq` is commit order.

use super::{Db, push_any};
use crate::id::{
    AccountId, CredentialId, EncoderId, EntranceId, EventId, SiteId, UserId, WorkspaceId,
};
use crate::moment::Moment;
use crate::store::sites::Site;

/// An event as it is kept.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Event {
    pub(crate) event_id: EventId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) event_type: String,
    pub(crate) occurred_at: Moment,
    pub(crate) acs_system_id: SiteId,
    pub(crate) connected_account_id: AccountId,
    pub(crate) acs_credential_id: Option<CredentialId>,
    pub(crate) acs_encoder_id: Option<EncoderId>,
    pub(crate) acs_user_id: Option<UserId>,
    pub(crate) acs_entrance_id: Option<EntranceId>,
}

/// What an event is about; decides its type and which id it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    CredentialIssued(CredentialId),
    CredentialReissued(CredentialId),
    CredentialInvalidated(CredentialId),
    CredentialDeleted(CredentialId),
    EncoderAdded(EncoderId),
    UserCreated(UserId),
    EntranceAdded(EntranceId),
    SiteAdded,
}

impl Subject {
    fn event_type(self) -> &'static str {
        match self {
            Self::CredentialIssued(_) => "acs_credential.issued",
            Self::CredentialReissued(_) => "acs_credential.reissued",
            Self::CredentialInvalidated(_) => "acs_credential.invalidated",
            Self::CredentialDeleted(_) => "acs_credential.deleted",
            Self::EncoderAdded(_) => "acs_encoder.added",
            Self::UserCreated(_) => "acs_user.created",
            Self::EntranceAdded(_) => "acs_entrance.added",
            Self::SiteAdded => "acs_system.added",
        }
    }
}

/// What a list is narrowed to.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) since: Option<Moment>,
    pub(crate) until: Option<Moment>,
    pub(crate) event_types: Option<Vec<String>>,
    pub(crate) event_ids: Option<Vec<EventId>>,
    pub(crate) sites: Option<Vec<SiteId>>,
    pub(crate) account: Option<AccountId>,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) encoder: Option<EncoderId>,
    pub(crate) user: Option<UserId>,
    pub(crate) entrance: Option<EntranceId>,
}

/// Writes an event of a site. It occurs no earlier than the workspace's event before it, and no earlier than now: the
/// transaction may have waited for others that wrote, and a clock may have been set back. So whoever lists the events
/// since the time of the last one that they saw misses none.
pub(crate) async fn emit(
    db: &mut Db,
    site: &Site,
    subject: Subject,
    now: Moment,
) -> sqlx::Result<()> {
    let (mut credential, mut encoder, mut user, mut entrance) = (None, None, None, None);
    match subject {
        Subject::CredentialIssued(id)
        | Subject::CredentialReissued(id)
        | Subject::CredentialInvalidated(id)
        | Subject::CredentialDeleted(id) => credential = Some(id),
        Subject::EncoderAdded(id) => encoder = Some(id),
        Subject::UserCreated(id) => user = Some(id),
        Subject::EntranceAdded(id) => entrance = Some(id),
        Subject::SiteAdded => {}
    }
    sqlx::query(
        "INSERT INTO events (event_id, workspace_id, event_type, occurred_at, acs_system_id, connected_account_id, \
         acs_credential_id, acs_encoder_id, acs_user_id, acs_entrance_id) VALUES (?1, ?2, ?3, MAX(?4, COALESCE((SELECT occurred_at FROM events WHERE workspace_id = ?2 \
         ORDER BY seq DESC LIMIT 1), ?4)), ?5, ?6, ?7, ?8, ?9, ?10)",
    )
    .bind(EventId::new())
    .bind(site.workspace_id)
    .bind(subject.event_type())
    .bind(now.or_now())
    .bind(site.acs_system_id)
    .bind(site.connected_account_id)
    .bind(credential)
    .bind(encoder)
    .bind(user)
    .bind(entrance)
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn get_in(
    db: &mut Db,
    workspace: WorkspaceId,
    id: EventId,
) -> sqlx::Result<Option<Event>> {
    sqlx::query_as("SELECT * FROM events WHERE event_id = ? AND workspace_id = ?")
        .bind(id)
        .bind(workspace)
        .fetch_optional(db)
        .await
}

/// In commit order, without the first `offset`.
pub(crate) async fn list(
    db: &mut Db,
    workspace: WorkspaceId,
    filter: &Filter,
    limit: u32,
    offset: u32,
) -> sqlx::Result<Vec<Event>> {
    let mut query = sqlx::QueryBuilder::new("SELECT * FROM events WHERE workspace_id = ");
    query.push_bind(workspace);
    if let Some(since) = filter.since {
        query.push(" AND occurred_at >= ").push_bind(since);
    }
    if let Some(until) = filter.until {
        query.push(" AND occurred_at < ").push_bind(until);
    }
    if let Some(types) = &filter.event_types {
        query.push(" AND ");
        push_any(&mut query, "event_type", types.iter().cloned());
    }
    if let Some(ids) = &filter.event_ids {
        query.push(" AND ");
        push_any(&mut query, "event_id", ids.iter().copied());
    }
    if let Some(sites) = &filter.sites {
        query.push(" AND ");
        push_any(&mut query, "acs_system_id", sites.iter().copied());
    }
    if let Some(account) = filter.account {
        query
            .push(" AND connected_account_id = ")
            .push_bind(account);
    }
    if let Some(credential) = filter.credential {
        query
            .push(" AND acs_credential_id = ")
            .push_bind(credential);
    }
    if let Some(encoder) = filter.encoder {
        query.push(" AND acs_encoder_id = ").push_bind(encoder);
    }
    if let Some(user) = filter.user {
        query.push(" AND acs_user_id = ").push_bind(user);
    }
    if let Some(entrance) = filter.entrance {
        query.push(" AND acs_entrance_id = ").push_bind(entrance);
    }
    query.push(" ORDER BY seq LIMIT ").push_bind(limit);
    query.push(" OFFSET ").push_bind(offset);
    query.build_query_as().fetch_all(db).await
}
