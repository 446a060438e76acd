//! `/acs/encoders`: where cards are encoded and scanned.

use super::{Answer, one, page, present, to_the_end};
use crate::error::ApiError;
use crate::id::{CredentialId, EncoderId, SiteId};
use crate::moment::Moment;
use crate::pagination::{DEFAULT_LIMIT, Listing};
use crate::request::Call;
use crate::resources;
use crate::store::encoders::{self, Filter};
use crate::validation::Input;

pub(super) async fn get(call: Call) -> Answer {
    let id = call
        .input
        .required("acs_encoder_id", Input::uuid::<EncoderId>);
    call.input.finish()?;
    let id = present(id)?;
    let mut db = call.core.store.read().await?;
    let encoder = encoders::get_in(&mut db, call.workspace, id)
        .await?
        .ok_or_else(|| ApiError::not_found("acs_encoder", id))?;
    Ok(one("acs_encoder", &resources::encoder(&encoder)))
}

pub(super) async fn list(call: Call) -> Answer {
    let filter = read_filter(&call.input);
    let listing = Listing::read(
        "/acs/encoders/list",
        call.workspace,
        &call.input,
        &[&["acs_system_id", "acs_system_ids", "acs_encoder_ids"]],
        DEFAULT_LIMIT,
    );
    call.input.finish()?;
    let filter = present(filter)?;
    let mut db = call.core.store.read().await?;
    let mut found = encoders::list(&mut db, call.workspace, &filter, listing.page).await?;
    let pagination = listing.cut(&mut found, |encoder| encoder.seq, &call.base_url);
    let encoders: Vec<_> = found.iter().map(resources::encoder).collect();
    Ok(page("acs_encoders", &encoders, &pagination))
}

/// Exactly one of the contract's three filters.
fn read_filter(input: &Input) -> Option<Filter> {
    let filters = ["acs_system_id", "acs_system_ids", "acs_encoder_ids"];
    let given: Vec<&str> = filters.into_iter().filter(|name| input.has(name)).collect();
    match given.as_slice() {
        ["acs_system_id"] => input
            .uuid::<SiteId>("acs_system_id")
            .map(|site| Filter::Sites(vec![site])),
        ["acs_system_ids"] => input.uuids("acs_system_ids").map(Filter::Sites),
        ["acs_encoder_ids"] => input.uuids("acs_encoder_ids").map(Filter::Ids),
        [] => {
            input.reject(
                "acs_system_id",
                "one of acs_system_id, acs_system_ids and acs_encoder_ids is required",
            );
            None
        }
        _ => {
            input.reject(
                given[0],
                "give only one of acs_system_id, acs_system_ids and acs_encoder_ids",
            );
            None
        }
    }
}

pub(super) async fn encode_credential(call: Call) -> Answer {
    let input = &call.input;
    let encoder = input.required("acs_encoder_id", Input::uuid::<EncoderId>);
    let credential = match (
        input.has("acs_credential_id"),
        input.has("access_method_id"),
    ) {
        (true, true) => {
            input.reject(
                "acs_credential_id",
                "give either acs_credential_id or access_method_id, not both",
            );
            None
        }
        (false, true) => {
            input.uuid::<uuid::Uuid>("access_method_id");
            input.reject(
                "access_method_id",
                "there are no access methods on this hub yet; use acs_credential_id",
            );
            None
        }
        _ => input.required("acs_credential_id", Input::uuid::<CredentialId>),
    };
    input.finish()?;
    let (encoder, credential) = (present(encoder)?, present(credential)?);
    to_the_end(async move {
        let begun = call
            .core
            .begin_encode(call.workspace, encoder, credential, Moment::now());
        Ok(one("action_attempt", &resources::attempt(&begun.await?)))
    })
    .await
}

pub(super) async fn scan_credential(call: Call) -> Answer {
    let encoder = call
        .input
        .required("acs_encoder_id", Input::uuid::<EncoderId>);
    call.input.finish()?;
    let encoder = present(encoder)?;
    to_the_end(async move {
        let begun = call.core.begin_scan(call.workspace, encoder, Moment::now());
        Ok(one("action_attempt", &resources::attempt(&begun.await?)))
    })
    .await
}
