//! `/action_attempts`: what became of an encode or a scan.

use super::{Answer, names_what_never_exists, one, page, present};
use crate::error::ApiError;
use crate::id::AttemptId;
use crate::pagination::{DEFAULT_LIMIT, Listing};
use crate::request::Call;
use crate::resources;
use crate::store::attempts;
use crate::validation::Input;

pub(super) async fn get(call: Call) -> Answer {
    let id = call
        .input
        .required("action_attempt_id", Input::uuid::<AttemptId>);
    call.input.finish()?;
    let id = present(id)?;
    let mut db = call.core.store.read().await?;
    let attempt = attempts::get(&mut db, id)
        .await?
        .filter(|attempt| attempt.workspace_id == call.workspace)
        .ok_or_else(|| ApiError::not_found("action_attempt", id))?;
    Ok(one("action_attempt", &resources::attempt(&attempt)))
}

/// Filters of the contract for things that do not exist on this hub.
const NOWHERE: [&str; 1] = ["device_id"];

pub(super) async fn list(call: Call) -> Answer {
    let ids: Option<Vec<AttemptId>> = call.input.uuids("action_attempt_ids");
    call.input.uuid::<uuid::Uuid>("device_id");
    let listing = Listing::read(
        "/action_attempts/list",
        call.workspace,
        &call.input,
        &[&["action_attempt_ids"], &NOWHERE],
        DEFAULT_LIMIT,
    );
    call.input.finish()?;
    let mut found = Vec::new();
    if !names_what_never_exists(&call, &NOWHERE) {
        let mut db = call.core.store.read().await?;
        found = attempts::list(&mut db, call.workspace, ids.as_deref(), listing.page).await?;
    }
    let pagination = listing.cut(&mut found, |attempt| attempt.seq, &call.base_url);
    let attempts: Vec<_> = found.iter().map(resources::attempt).collect();
    Ok(page("action_attempts", &attempts, &pagination))
}
