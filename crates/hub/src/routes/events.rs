//! `/events`: what happened, in commit order.

use super::{Answer, list as whole, names_what_never_exists, one, present};
use crate::error::ApiError;
use crate::id::{EventId, SiteId};
use crate::pagination::{self, DEFAULT_LIMIT};
use crate::request::Call;
use crate::resources;
use crate::store::events::{self, Filter};
use crate::validation::Input;

/// Filters of the contract for things that do not exist on this hub.
const NOWHERE: [&str; 14] = [
    "access_code_id",
    "access_code_ids",
    "access_grant_id",
    "access_grant_ids",
    "access_method_id",
    "access_method_ids",
    "acs_access_group_id",
    "connect_webview_id",
    "customer_key",
    "device_id",
    "device_ids",
    "space_id",
    "space_ids",
    "user_identity_id",
];

pub(super) async fn get(call: Call) -> Answer {
    let id = call.input.required("event_id", Input::uuid::<EventId>);
    call.input.finish()?;
    let id = present(id)?;
    let mut db = call.core.store.read().await?;
    let event = events::get_in(&mut db, call.workspace, id)
        .await?
        .ok_or_else(|| ApiError::not_found("event", id))?;
    Ok(one("event", &resources::event(&event)))
}

pub(super) async fn list(call: Call) -> Answer {
    let filter = read_filter(&call.input);
    let limit = pagination::limit(&call.input, DEFAULT_LIMIT);
    let offset = call.input.count("unstable_offset").unwrap_or(0);
    call.input.finish()?;
    let mut found = Vec::new();
    if !names_what_never_exists(&call, &NOWHERE) {
        let mut db = call.core.store.read().await?;
        found = events::list(&mut db, call.workspace, &filter, limit, offset).await?;
    }
    let events: Vec<_> = found.iter().map(resources::event).collect();
    Ok(whole("events", &events))
}

fn read_filter(input: &Input) -> Filter {
    let (mut since, mut until) = (input.time("since"), None);
    if let Some((from, to)) = input.times("between") {
        since = since.max(Some(from));
        until = Some(to);
    }
    let mut event_types = input.strings("event_types");
    if let Some(event_type) = input.string("event_type") {
        event_types.get_or_insert_default().push(event_type);
    }
    let mut sites: Option<Vec<SiteId>> = input.uuids("acs_system_ids");
    if let Some(site) = input.uuid("acs_system_id") {
        sites.get_or_insert_default().push(site);
    }
    Filter {
        since,
        until,
        event_types,
        event_ids: input.uuids("event_ids"),
        sites,
        account: input.uuid("connected_account_id"),
        credential: input.uuid("acs_credential_id"),
        encoder: input.uuid("acs_encoder_id"),
        user: input.uuid("acs_user_id"),
        entrance: input.uuid("acs_entrance_id"),
    }
}
