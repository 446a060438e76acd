//! What a request for a credential says, checked as far as that goes without the store.

use super::present;
use crate::doors::CardFormat;
use crate::error::ApiError;
use crate::id::{CredentialId, EntranceId, SiteId, UserId};
use crate::issue_number::Mode;
use crate::moment::Moment;
use crate::store::credentials::CardFunction;
use crate::transactions::change_credential::Amendment;
use crate::validation::Input;

/// What the body of a create says.
pub(super) struct Wanted {
    pub(super) user: UserId,
    pub(super) site: Option<SiteId>,
    pub(super) entrances: Vec<EntranceId>,
    pub(super) starts_at: Option<Moment>,
    pub(super) ends_at: Option<Moment>,
    pub(super) card: Card,
}

/// What `visionline_metadata` says.
pub(super) struct Card {
    pub(super) function: CardFunction,
    pub(super) format: Option<CardFormat>,
    pub(super) mode: Mode,
    pub(super) auto_join: Option<bool>,
}

/// Reads the body of a create.
pub(super) fn read(input: &Input, now: Moment) -> Result<Wanted, ApiError> {
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
    let starts_at = input.time("starts_at");
    let ends_at = input.time("ends_at");
    if ends_at.is_some_and(|end| end <= now) {
        input.reject("ends_at", "ends_at must be in the future");
    } else if ends_at.is_some_and(|end| !starts_at.unwrap_or(now).is_a_minute_before(end)) {
        input.reject(
            "ends_at",
            "ends_at must be at least a minute after starts_at",
        );
    }
    reject_code(input);
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

/// Reads the body of an update: which credential, its doors if they are to be changed, and the rest of the change.
pub(super) fn read_amendment(
    input: &Input,
    now: Moment,
) -> Result<(CredentialId, Option<Vec<EntranceId>>, Amendment), ApiError> {
    let id = input.required("acs_credential_id", Input::uuid);
    let amendment = Amendment {
        starts_at: input.time("starts_at"),
        ends_at: input.time("ends_at"),
        entrances: None,
    };
    if amendment.ends_at.is_some_and(|end| end <= now) {
        input.reject(
            "ends_at",
            "ends_at must be in the future; to end a credential now, delete it",
        );
    }
    let doors = input.uuids("allowed_acs_entrance_ids");
    reject_code(input);
    input.finish()?;
    Ok((present(id)?, doors, amendment))
}

fn reject_code(input: &Input) {
    if input.has("code") {
        input.reject(
            "code",
            "code is for access_method code; leave it out for a card",
        );
    }
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
        format: None,
        mode: Mode::Auto,
        auto_join: None,
    };
    let Some(metadata) = input.object("visionline_metadata") else {
        return left_to_the_hub;
    };
    let format = match metadata.one_of("card_format", &["rfid48", "TLCode"]) {
        Some("rfid48") => Some(CardFormat::Rfid48),
        Some(_) => Some(CardFormat::TlCode),
        None => None,
    };
    let function = match metadata.one_of("card_function_type", &["guest", "staff"]) {
        Some("staff") => CardFunction::Staff,
        _ => CardFunction::Guest,
    };
    let auto_join = metadata.boolean("auto_join");
    let joiner_ids: Option<Vec<CredentialId>> = metadata.uuids("joiner_acs_credential_ids");
    Card {
        function,
        format,
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
            "give only one of override, joiner_acs_credential_ids and auto_join in visionline_metadata",
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
