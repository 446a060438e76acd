//! `/acs/users`: whose a credential is.

use super::{Answer, names_what_never_exists, one, page, present, to_the_end};
use crate::error::ApiError;
use crate::id::{SiteId, UserId};
use crate::moment::Moment;
use crate::pagination::{DEFAULT_LIMIT, Listing};
use crate::request::Call;
use crate::resources;
use crate::store::events::{self, Subject};
use crate::store::sites;
use crate::store::users::{self, Filter, NewUser};
use crate::validation::Input;

const LONGEST_TEXT: usize = 500;

pub(super) async fn create(call: Call) -> Answer {
    to_the_end(create_user(call)).await
}

async fn create_user(call: Call) -> Answer {
    let input = &call.input;
    let site = input.required("acs_system_id", Input::uuid::<SiteId>);
    let full_name = input.required("full_name", |input, name| input.text(name, LONGEST_TEXT));
    let email_address = email(input);
    let phone_number = input.text("phone_number", LONGEST_TEXT);
    let identity = input.uuid::<uuid::Uuid>("user_identity_id");
    let groups = input
        .uuids::<uuid::Uuid>("acs_access_group_ids")
        .unwrap_or_default();
    let schedule = schedule(input);
    input.finish()?;
    let site = present(site)?;

    let now = Moment::now();
    let mut db = call.core.store.begin().await?;
    let site = sites::get_in(&mut db, call.workspace, site)
        .await?
        .ok_or_else(|| ApiError::not_found("acs_system", site))?;
    if let Some(identity) = identity {
        return Err(ApiError::not_found("user_identity", identity));
    }
    if let Some(group) = groups.first() {
        return Err(ApiError::not_found("acs_access_group", group));
    }
    let new = NewUser {
        acs_user_id: UserId::new(),
        acs_system_id: site.acs_system_id,
        full_name: present(full_name)?,
        email_address,
        phone_number,
        schedule,
    };
    users::insert(&mut db, &new, now).await?;
    events::emit(&mut db, &site, Subject::UserCreated(new.acs_user_id), now).await?;
    let user = users::get_in(&mut db, call.workspace, new.acs_user_id).await?;
    db.commit().await?;
    Ok(one("acs_user", &resources::user(&present(user)?)))
}

pub(super) async fn get(call: Call) -> Answer {
    let by_identity = call.input.has("user_identity_id");
    let id = call.input.uuid::<UserId>("acs_user_id");
    let identity = call.input.uuid::<uuid::Uuid>("user_identity_id");
    call.input.uuid::<SiteId>("acs_system_id");
    if id.is_some() && by_identity {
        call.input.reject(
            "acs_user_id",
            "give either acs_user_id or user_identity_id, not both",
        );
    } else if !by_identity {
        call.input.required("acs_user_id", Input::uuid::<UserId>);
    }
    call.input.finish()?;
    let Some(id) = id else {
        return Err(ApiError::not_found("acs_user", present(identity)?));
    };
    let mut db = call.core.store.read().await?;
    let user = users::get_in(&mut db, call.workspace, id)
        .await?
        .ok_or_else(|| ApiError::not_found("acs_user", id))?;
    Ok(one("acs_user", &resources::user(&user)))
}

/// Filters of the contract for things that do not exist on this hub.
const NOWHERE: [&str; 3] = [
    "user_identity_id",
    "user_identity_phone_number",
    "user_identity_email_address",
];

pub(super) async fn list(call: Call) -> Answer {
    let filter = Filter {
        site: call.input.uuid("acs_system_id"),
        search: call.input.search(),
        created_before: call.input.time("created_before"),
    };
    let listing = Listing::read(
        "/acs/users/list",
        call.workspace,
        &call.input,
        &[&["acs_system_id", "search", "created_before"], &NOWHERE],
        DEFAULT_LIMIT,
    );
    call.input.finish()?;
    let mut found = Vec::new();
    if !names_what_never_exists(&call, &NOWHERE) {
        let mut db = call.core.store.read().await?;
        found = users::list(&mut db, call.workspace, &filter, listing.page).await?;
    }
    let pagination = listing.cut(&mut found, |user| user.seq, &call.base_url);
    let users: Vec<_> = found.iter().map(resources::user).collect();
    Ok(page("acs_users", &users, &pagination))
}

/// `email_address`, or its older name.
fn email(input: &Input) -> Option<String> {
    let name = if input.has("email_address") {
        "email_address"
    } else {
        "email"
    };
    let address = input.text(name, LONGEST_TEXT)?;
    let is_address = address
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
        && !address.contains(char::is_whitespace);
    if !is_address {
        input.reject(name, "Invalid email");
    }
    Some(address)
}

fn schedule(input: &Input) -> Option<(Moment, Option<Moment>)> {
    let schedule = input.object("access_schedule")?;
    let starts_at = schedule.time("starts_at").unwrap_or_else(Moment::now);
    let ends_at = if schedule.is_null("ends_at") {
        None
    } else {
        schedule.time("ends_at")
    };
    if ends_at.is_some_and(|end| end <= starts_at) {
        schedule.reject("ends_at", "ends_at must be after starts_at");
    }
    Some((starts_at, ends_at))
}
