//! `/workspaces`: a key reaches exactly one.

use super::{Answer, list as whole, one};
use crate::error::ApiError;
use crate::request::Call;
use crate::resources;
use crate::store::workspaces;

pub(super) async fn get(call: Call) -> Answer {
    Ok(one("workspace", &own(&call).await?))
}

pub(super) async fn list(call: Call) -> Answer {
    Ok(whole("workspaces", &[own(&call).await?]))
}

async fn own(call: &Call) -> Result<protocol::api::Workspace, ApiError> {
    let mut db = call.core.store.read().await?;
    let workspace = workspaces::get(&mut db, call.workspace).await?;
    Ok(resources::workspace(&workspace.ok_or(ApiError::Internal)?))
}
