//! `/acs/credentials`: what is granted.

mod wanted;

use std::collections::BTreeSet;

use super::{Answer, done, names_what_never_exists, one, page, present, to_the_end};
use crate::error::ApiError;
use crate::id::{CredentialId, EntranceId, SiteId};
use crate::moment::Moment;
use crate::pagination::{DEFAULT_LIMIT, Listing};
use crate::request::Call;
use crate::resources;
use crate::store::credentials::{self, Filter};
use crate::store::entrances::{self, Entrance};
use crate::store::{Db, sites, users};
use crate::transactions::change_credential;
use crate::transactions::new_credential::{self, Order};
use crate::validation::Input;

pub(super) async fn create(call: Call) -> Answer {
    to_the_end(create_credential(call)).await
}

async fn create_credential(call: Call) -> Answer {
    let now = Moment::now();
    let wanted = wanted::read(&call.input, now)?;
    let mut db = call.core.store.begin().await?;
    let user = users::get_in(&mut db, call.workspace, wanted.user)
        .await?
        .ok_or_else(|| ApiError::not_found("acs_user", wanted.user))?;
    if wanted.site.is_some_and(|site| site != user.acs_system_id) {
        return Err(ApiError::invalid(
            "acs_system_id",
            "the acs_user belongs to another acs_system; leave acs_system_id out",
        ));
    }
    let site = present(sites::get(&mut db, user.acs_system_id).await?)?;
    let order = Order {
        user: Some(user.acs_user_id),
        entrances: find_entrances(&mut db, &call, user.acs_system_id, &wanted.entrances).await?,
        card_function: wanted.card.function,
        card_format: wanted.card.format,
        starts_at: wanted.starts_at,
        ends_at: wanted.ends_at,
        mode: wanted.card.mode,
        auto_join: wanted.card.auto_join,
    };
    let credential = new_credential::create(&mut db, &site, order, now).await?;
    db.commit().await?;
    Ok(one("acs_credential", &resources::credential(&credential)))
}

pub(super) async fn get(call: Call) -> Answer {
    let id = call
        .input
        .required("acs_credential_id", Input::uuid::<CredentialId>);
    call.input.finish()?;
    let id = present(id)?;
    let mut db = call.core.store.read().await?;
    let credential = credentials::get_in(&mut db, call.workspace, id)
        .await?
        .ok_or_else(|| ApiError::not_found("acs_credential", id))?;
    Ok(one("acs_credential", &resources::credential(&credential)))
}

/// Takes `ends_at` as the contract has it, and `starts_at` and `allowed_acs_entrance_ids` beside it.
pub(super) async fn update(call: Call) -> Answer {
    to_the_end(update_credential(call)).await
}

async fn update_credential(call: Call) -> Answer {
    let now = Moment::now();
    let (id, doors, mut amendment) = wanted::read_amendment(&call.input, now)?;
    let mut db = call.core.store.begin().await?;
    let before = credentials::get_in(&mut db, call.workspace, id)
        .await?
        .ok_or_else(|| ApiError::not_found("acs_credential", id))?;
    if let Some(ids) = doors {
        let site = before.credential.acs_system_id;
        amendment.entrances = Some(find_entrances(&mut db, &call, site, &ids).await?);
    }
    let changed = change_credential::change(&mut db, &before, amendment, now).await?;
    db.commit().await?;
    Ok(one("acs_credential", &resources::credential(&changed)))
}

pub(super) async fn delete(call: Call) -> Answer {
    let id = call
        .input
        .required("acs_credential_id", Input::uuid::<CredentialId>);
    call.input.finish()?;
    let id = present(id)?;
    to_the_end(async move {
        let deleted = call
            .core
            .delete_credential(call.workspace, id, Moment::now());
        deleted.await?;
        Ok(done())
    })
    .await
}

/// Filters of the contract for things that do not exist on this hub.
const NOWHERE: [&str; 1] = ["user_identity_id"];

pub(super) async fn list(call: Call) -> Answer {
    let filter = Filter {
        site: call.input.uuid("acs_system_id"),
        user: call.input.uuid("acs_user_id"),
        created_before: call.input.time("created_before"),
        search: call.input.search(),
    };
    let wants_phones = call.input.boolean("is_multi_phone_sync_credential") == Some(true);
    let listing = Listing::read(
        "/acs/credentials/list",
        call.workspace,
        &call.input,
        &[
            &["acs_system_id", "acs_user_id", "created_before", "search"],
            &["is_multi_phone_sync_credential"],
            &NOWHERE,
        ],
        DEFAULT_LIMIT,
    );
    call.input.finish()?;
    let mut found = Vec::new();
    if !wants_phones && !names_what_never_exists(&call, &NOWHERE) {
        let mut db = call.core.store.read().await?;
        found = credentials::list(&mut db, call.workspace, &filter, listing.page).await?;
    }
    let pagination = listing.cut(&mut found, |found| found.credential.seq, &call.base_url);
    let credentials: Vec<_> = found.iter().map(resources::credential).collect();
    Ok(page("acs_credentials", &credentials, &pagination))
}

/// The doors, each once; all of this site.
async fn find_entrances(
    db: &mut Db,
    call: &Call,
    site: SiteId,
    ids: &[EntranceId],
) -> Result<Vec<Entrance>, ApiError> {
    let mut found = Vec::new();
    for id in ids.iter().copied().collect::<BTreeSet<_>>() {
        let entrance = entrances::get_in(db, call.workspace, id)
            .await?
            .ok_or_else(|| ApiError::not_found("acs_entrance", id))?;
        if entrance.acs_system_id != site {
            return Err(ApiError::invalid(
                "allowed_acs_entrance_ids",
                format!(
                    "allowed_acs_entrance_ids: acs_entrance {id} belongs to another acs_system; name doors of \
                     acs_system {site}"
                ),
            ));
        }
        found.push(entrance);
    }
    found.sort_by_key(|entrance| entrance.seq);
    Ok(found)
}
