//! `/acs/entrances`: the doors.

use super::{Answer, names_what_never_exists, one, page, present};
use crate::error::ApiError;
use crate::id::EntranceId;
use crate::pagination::{DEFAULT_ENTRANCE_LIMIT, Listing};
use crate::request::Call;
use crate::resources;
use crate::store::entrances::{self, Filter};
use crate::validation::Input;

pub(super) async fn get(call: Call) -> Answer {
    let id = call
        .input
        .required("acs_entrance_id", Input::uuid::<EntranceId>);
    call.input.finish()?;
    let id = present(id)?;
    let mut db = call.core.store.read().await?;
    let entrance = entrances::get_in(&mut db, call.workspace, id)
        .await?
        .ok_or_else(|| ApiError::not_found("acs_entrance", id))?;
    Ok(one("acs_entrance", &resources::entrance(&entrance)))
}

/// Filters of the contract for things that do not exist on this hub.
const NOWHERE: [&str; 3] = ["space_id", "location_id", "customer_key"];

pub(super) async fn list(call: Call) -> Answer {
    let filter = Filter {
        site: call.input.uuid("acs_system_id"),
        account: call.input.uuid("connected_account_id"),
        credential: call.input.uuid("acs_credential_id"),
        ids: call.input.uuids("acs_entrance_ids"),
        search: call.input.search(),
    };
    let listing = Listing::read(
        "/acs/entrances/list",
        call.workspace,
        &call.input,
        &[
            &["acs_system_id", "connected_account_id", "acs_credential_id"],
            &["acs_entrance_ids", "search"],
            &NOWHERE,
        ],
        DEFAULT_ENTRANCE_LIMIT,
    );
    call.input.finish()?;
    let mut found = Vec::new();
    if !names_what_never_exists(&call, &NOWHERE) {
        let mut db = call.core.store.read().await?;
        found = entrances::list(&mut db, call.workspace, &filter, listing.page).await?;
    }
    let pagination = listing.cut(&mut found, |entrance| entrance.seq, &call.base_url);
    let entrances: Vec<_> = found.iter().map(resources::entrance).collect();
    Ok(page("acs_entrances", &entrances, &pagination))
}
