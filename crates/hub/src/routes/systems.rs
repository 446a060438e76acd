//! `/acs/systems`: the sites.

use super::{Answer, list as whole, names_what_never_exists, one, present};
use crate::error::ApiError;
use crate::id::{AccountId, SiteId};
use crate::request::Call;
use crate::resources;
use crate::store::sites;
use crate::validation::Input;

pub(super) async fn get(call: Call) -> Answer {
    let id = call.input.required("acs_system_id", Input::uuid::<SiteId>);
    call.input.finish()?;
    let id = present(id)?;
    let mut db = call.core.store.read().await?;
    let site = sites::get_in(&mut db, call.workspace, id)
        .await?
        .ok_or_else(|| ApiError::not_found("acs_system", id))?;
    Ok(one("acs_system", &resources::system(&site, &call.base_url)))
}

pub(super) async fn list(call: Call) -> Answer {
    let account = call.input.uuid::<AccountId>("connected_account_id");
    let search = call.input.search();
    call.input.finish()?;
    let mut found = Vec::new();
    if !names_what_never_exists(&call, &["customer_key"]) {
        let mut db = call.core.store.read().await?;
        found = sites::list(&mut db, call.workspace, account, search.as_deref()).await?;
    }
    let systems: Vec<_> = found
        .iter()
        .map(|site| resources::system(site, &call.base_url))
        .collect();
    Ok(whole("acs_systems", &systems))
}
