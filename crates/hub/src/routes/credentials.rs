//! `/acs/credentials`: what is granted.

use std::collections::BTreeSet;

use super::{Answer, names_what_never_exists, one, page, present, to_the_end};
use crate::error::ApiError;
use crate::id::{CredentialId, EntranceId, SiteId, UserId};
use crate::issue_number::Mode;
use crate::moment::Moment;
use crate::pagination::{DEFAULT_LIMIT, Listing};
use crate::request::Call;
use crate::resources;
use crate::store::credentials::{self, CardFunction, Filter};
use crate::store::entrances::{self, Entrance};
use crate::store::users::{self, User};
use crate::store::{Db, sites};
use crate::transactions::new_credential::{self, Order};
use crate::validation::Input;

/// What the body of a create says, checked as far as that goes without the store.
struct Wanted {
    user: UserId,
    site: Option<SiteId>,
    entrances: Vec<EntranceId>,
    starts_at: Moment,
    ends_at: Option<Moment>,
    card: Card,
}

/// What `visionline_metadata` says.
struct Card {
    function: CardFunction,
    mode: Mode,
    auto_join: Option<bool>,
}

pub(super) async fn create(call: Call) -> Answer {
    to_the_end(create_credential(call)).await
}

async fn create_credential(call: Call) -> Answer {
    let now = Moment::now();
    let wanted = read_wanted(&call.input, now)?;
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
        entrances: find_entrances(&mut db, &call, &user, &wanted.entrances).await?,
        card_function: wanted.card.function,
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

/// The doors, each once; all of the user's site.
async fn find_entrances(
    db: &mut Db,
    call: &Call,
    user: &User,
    ids: &[EntranceId],
) -> Result<Vec<Entrance>, ApiError> {
    let mut found = Vec::new();
    for id in ids.iter().copied().collect::<BTreeSet<_>>() {
        let entrance = entrances::get_in(db, call.workspace, id)
            .await?
            .ok_or_else(|| ApiError::not_found("acs_entrance", id))?;
        if entrance.acs_system_id != user.acs_system_id {
            return Err(ApiError::invalid(
                "allowed_acs_entrance_ids",
                format!("acs_entrance {id} belongs to another acs_system than the acs_user"),
            ));
        }
        found.push(entrance);
    }
    found.sort_by_key(|entrance| entrance.seq);
    Ok(found)
}

fn read_wanted(input: &Input, now: Moment) -> Result<Wanted, ApiError> {
    let access_method = input.required("access_method", |input, name| {
        input.one_of(name, &["code", "card", "mobile_key", "cloud_key"])
    });
    if access_method.is_some_and(|method| method != "card") {
        input.reject(
            "access_method",
            "access_method must be card; encoders write nothing else",
        );
    }
    let user = read_user(input);
    let site = input.uuid::<SiteId>("acs_system_id");
    let entrances = input.uuids("allowed_acs_entrance_ids").unwrap_or_default();
    let starts_at = input.time("starts_at").unwrap_or(now);
    let ends_at = input.time("ends_at");
    if ends_at.is_some_and(|end| end <= now) {
        input.reject("ends_at", "ends_at must be in the future");
    } else if ends_at.is_some_and(|end| !starts_at.is_a_minute_before(end)) {
        input.reject(
            "ends_at",
            "ends_at must be at least a minute after starts_at",
        );
    }
    if input.has("code") {
        input.reject(
            "code",
            "code is for access_method code; leave it out for a card",
        );
    }
    if input.boolean("is_multi_phone_sync_credential") == Some(true) {
        input.reject(
            "is_multi_phone_sync_credential",
            "is_multi_phone_sync_credential is for mobile keys; leave it out for a card",
        );
    }
    for other_brand in [
        "salto_space_metadata",
        "hotek_metadata",
        "assa_abloy_vostio_metadata",
    ] {
        if input.has(other_brand) {
            input.reject(
                other_brand,
                format!("{other_brand} is for another kind of system; use visionline_metadata"),
            );
        }
    }
    let card = read_card(input);
    input.finish()?;
    Ok(Wanted {
        user: present(user)?,
        site,
        entrances,
        starts_at,
        ends_at,
        card,
    })
}

fn read_user(input: &Input) -> Option<UserId> {
    if input.has("user_identity_id") {
        input.uuid::<uuid::Uuid>("user_identity_id");
        input.reject(
            "user_identity_id",
            "there are no user identities on this hub; use acs_user_id",
        );
        return None;
    }
    input.required("acs_user_id", Input::uuid)
}

/// Override, joiner, or left to the hub (facts §10; `CARDS` §4).
fn read_card(input: &Input) -> Card {
    let left_to_the_hub = Card {
        function: CardFunction::Guest,
        mode: Mode::Auto,
        auto_join: None,
    };
    let Some(metadata) = input.object("visionline_metadata") else {
        return left_to_the_hub;
    };
    if metadata.one_of("card_format", &["rfid48", "TLCode"]) == Some("TLCode") {
        metadata.reject(
            "card_format",
            "card_format TLCode cannot be encoded yet; use rfid48",
        );
    }
    let function = match metadata.one_of("card_function_type", &["guest", "staff"]) {
        Some("staff") => CardFunction::Staff,
        _ => CardFunction::Guest,
    };
    let auto_join = metadata.boolean("auto_join");
    let joiner_ids: Option<Vec<CredentialId>> = metadata.uuids("joiner_acs_credential_ids");
    Card {
        function,
        mode: read_mode(&metadata, auto_join, joiner_ids.unwrap_or_default()),
        auto_join,
    }
}

fn read_mode(metadata: &Input, auto_join: Option<bool>, joiner_ids: Vec<CredentialId>) -> Mode {
    let overrides = read_override(metadata);
    let ways = [
        overrides == Some(true),
        auto_join == Some(true),
        !joiner_ids.is_empty(),
    ];
    if ways.into_iter().filter(|is_asked| *is_asked).count() > 1 {
        metadata.reject(
            "override",
            "give only one of override, joiner_acs_credential_ids and auto_join",
        );
    }
    if overrides == Some(true) {
        return Mode::Override;
    }
    if !joiner_ids.is_empty() {
        return Mode::Joiner(joiner_ids);
    }
    let is_left_open = auto_join.is_none() && overrides.is_none();
    if auto_join != Some(true) && !is_left_open {
        metadata.reject(
            "joiner_acs_credential_ids",
            "a card that does not override needs joiner_acs_credential_ids or auto_join",
        );
    }
    Mode::Auto
}

/// `override`, or its other name `is_override_key`.
fn read_override(metadata: &Input) -> Option<bool> {
    let overrides = metadata.boolean("override");
    let is_override_key = metadata.boolean("is_override_key");
    if let (Some(one), Some(other)) = (overrides, is_override_key)
        && one != other
    {
        metadata.reject(
            "is_override_key",
            "is_override_key and override mean the same and differ",
        );
    }
    overrides.or(is_override_key)
}
