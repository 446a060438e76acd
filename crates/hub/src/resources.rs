//! Rows to resources of the API: the one place where a field gets its value.

use protocol::api::{
    AccessSchedule, AcsCredential, AcsEncoder, AcsEntrance, AcsSystem, AcsUser, ActionAttempt,
    CardVisionlineMetadata, Empty, EntranceVisionlineMetadata, Event, Location, ResourceNote,
};
use protocol::link::AttemptError;
use uuid::Uuid;

use crate::doors::DoorCategory;
use crate::id::EntranceId;
use crate::store::attempts::{Attempt, Kind, Status};
use crate::store::credentials::{CardFunction, CredentialWithDoors};
use crate::store::encoders::Encoder;
use crate::store::entrances::Entrance;
use crate::store::sites::ShownSite;
use crate::store::users::User;
use crate::store::workspaces::Workspace;
use crate::store::{self};

/// Where the picture of a site is served, below the hub's address.
pub(crate) const SYSTEM_IMAGE_PATH: &str = "/images/acs_system.svg";

pub(crate) fn workspace(workspace: &Workspace) -> protocol::api::Workspace {
    protocol::api::Workspace {
        workspace_id: workspace.workspace_id.0,
        name: workspace.name.clone(),
        company_name: workspace.name.clone(),
        connect_partner_name: None,
        connect_webview_customization: Empty {},
        is_publishable_key_auth_enabled: false,
        is_sandbox: false,
        is_suspended: false,
        organization_id: None,
    }
}

/// `base_url` is the address under which the client reaches the hub.
pub(crate) fn system(site: &ShownSite, base_url: &str) -> AcsSystem {
    AcsSystem {
        acs_system_id: site.acs_system_id.0,
        workspace_id: site.workspace_id.0,
        connected_account_id: site.connected_account_id.0,
        connected_account_ids: vec![site.connected_account_id.0],
        name: site.name.clone(),
        created_at: site.created_at.into(),
        external_type: "visionline_system".to_owned(),
        external_type_display_name: "Visionline".to_owned(),
        system_type: "visionline_system".to_owned(),
        system_type_display_name: "Visionline".to_owned(),
        image_alt_text: "A card on an encoder".to_owned(),
        image_url: format!("{base_url}{SYSTEM_IMAGE_PATH}"),
        is_credential_manager: false,
        location: Location {
            time_zone: Some(site.time_zone.clone()),
        },
        acs_user_count: u64::from(site.user_count),
        errors: Vec::new(),
        warnings: Vec::new(),
    }
}

pub(crate) fn entrance(entrance: &Entrance) -> AcsEntrance {
    AcsEntrance {
        acs_entrance_id: entrance.acs_entrance_id.0,
        acs_system_id: entrance.acs_system_id.0,
        connected_account_id: entrance.connected_account_id.0,
        display_name: entrance.name.clone(),
        created_at: entrance.created_at.into(),
        can_unlock_with_card: true,
        can_belong_to_reservation: entrance.category == DoorCategory::Guest,
        visionline_metadata: EntranceVisionlineMetadata {
            door_category: entrance.category.name().to_owned(),
            door_name: entrance.name.clone(),
        },
        space_ids: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    }
}

pub(crate) fn user(user: &User) -> AcsUser {
    AcsUser {
        acs_user_id: user.acs_user_id.0,
        workspace_id: user.workspace_id.0,
        acs_system_id: user.acs_system_id.0,
        connected_account_id: user.connected_account_id.0,
        display_name: user.full_name.clone(),
        full_name: user.full_name.clone(),
        email_address: user.email_address.clone(),
        email: user.email_address.clone(),
        phone_number: user.phone_number.clone(),
        access_schedule: user.schedule_starts_at.map(|starts_at| AccessSchedule {
            starts_at: starts_at.into(),
            ends_at: user.schedule_ends_at.map(Into::into),
        }),
        created_at: user.created_at.into(),
        is_managed: true,
        is_suspended: false,
        last_successful_sync_at: None,
        errors: Vec::new(),
        warnings: Vec::new(),
    }
}

pub(crate) fn encoder(encoder: &Encoder) -> AcsEncoder {
    AcsEncoder {
        acs_encoder_id: encoder.acs_encoder_id.0,
        acs_system_id: encoder.acs_system_id.0,
        connected_account_id: encoder.connected_account_id.0,
        workspace_id: encoder.workspace_id.0,
        display_name: encoder.display_name.clone(),
        created_at: encoder.created_at.into(),
        errors: Vec::new(),
    }
}

pub(crate) fn credential(found: &CredentialWithDoors) -> AcsCredential {
    let credential = &found.credential;
    let joined: Vec<Uuid> = serde_json::from_str(&credential.joiner_ids).unwrap_or_default();
    AcsCredential {
        acs_credential_id: credential.acs_credential_id.0,
        workspace_id: credential.workspace_id.0,
        acs_system_id: credential.acs_system_id.0,
        connected_account_id: credential.connected_account_id.0,
        acs_user_id: credential.acs_user_id.map(|id| id.0),
        display_name: credential.display_name.clone(),
        access_method: "card".to_owned(),
        external_type: "visionline_card".to_owned(),
        external_type_display_name: "Visionline Card".to_owned(),
        is_managed: true,
        is_multi_phone_sync_credential: false,
        created_at: credential.created_at.into(),
        starts_at: credential.starts_at.into(),
        ends_at: credential.ends_at.map(Into::into),
        is_issued: credential.is_issued(),
        issued_at: credential.issued_at.map(Into::into),
        card_number: credential.card_uid.clone(),
        visionline_metadata: CardVisionlineMetadata {
            card_function_type: match credential.card_function {
                CardFunction::Guest => "guest",
                CardFunction::Staff => "staff",
            }
            .to_owned(),
            auto_join: credential.auto_join,
            joiner_acs_credential_ids: (!joined.is_empty()).then_some(joined),
            guest_acs_entrance_ids: uuids(found.entrance_ids(DoorCategory::Guest)),
            common_acs_entrance_ids: uuids(found.entrance_ids(DoorCategory::Common)),
            card_id: credential.card_uid.clone(),
            credential_id: credential
                .is_issued()
                .then(|| credential.number.to_string()),
            is_valid: credential.is_issued().then(|| credential.is_valid()),
        },
        errors: Vec::new(),
        warnings: doubt(found)
            .into_iter()
            .chain(needs_to_be_reissued(found))
            .collect(),
    }
}

/// The warning of a credential that may or may not be on a card.
fn doubt(found: &CredentialWithDoors) -> Option<ResourceNote> {
    let since = found.credential.doubtful_since?;
    let message = match &found.credential.doubtful_uid {
        Some(uid) => format!(
            "Writing card {uid} was interrupted, so it may or may not hold this credential. Put the same card on the \
             encoder and encode again."
        ),
        None => "A lock server may or may not have made a card for this credential. If there is one, put it aside; \
                 delete the credential and create a new one that overrides it."
            .to_owned(),
    };
    Some(ResourceNote {
        created_at: since.into(),
        error_code: None,
        warning_code: Some("unknown_issue_with_acs_credential".to_owned()),
        message,
    })
}

/// The warning of a credential that was changed after it was last written.
fn needs_to_be_reissued(found: &CredentialWithDoors) -> Option<ResourceNote> {
    let credential = &found.credential;
    if credential.written_revision? >= credential.revision {
        return None;
    }
    Some(ResourceNote {
        created_at: credential.changed_at?.into(),
        error_code: None,
        warning_code: Some("needs_to_be_reissued".to_owned()),
        message: match &credential.card_uid {
            Some(_) => "The credential was changed after its card was written. Put the same card on the encoder and \
                        encode again.",
            None => "The credential was changed after a lock server made its card. Create a new credential for another \
                     card.",
        }
        .to_owned(),
    })
}

fn uuids(ids: Vec<EntranceId>) -> Vec<Uuid> {
    ids.into_iter().map(|id| id.0).collect()
}

pub(crate) fn attempt(attempt: &Attempt) -> ActionAttempt {
    ActionAttempt {
        action_attempt_id: attempt.action_attempt_id.0,
        action_type: match attempt.kind {
            Kind::Encode => "ENCODE_CREDENTIAL",
            Kind::Scan => "SCAN_CREDENTIAL",
        }
        .to_owned(),
        status: match attempt.status {
            Status::Pending => "pending",
            Status::Success => "success",
            Status::Error => "error",
        }
        .to_owned(),
        result: attempt
            .result
            .as_deref()
            .and_then(|json| serde_json::from_str(json).ok()),
        error: attempt.error_type.as_ref().map(|kind| AttemptError {
            kind: kind.clone(),
            message: attempt.error_message.clone().unwrap_or_default(),
        }),
    }
}

pub(crate) fn event(event: &store::events::Event) -> Event {
    Event {
        event_id: event.event_id.0,
        event_type: event.event_type.clone(),
        workspace_id: event.workspace_id.0,
        created_at: event.occurred_at.into(),
        occurred_at: event.occurred_at.into(),
        acs_system_id: Some(event.acs_system_id.0),
        connected_account_id: Some(event.connected_account_id.0),
        acs_credential_id: event.acs_credential_id.map(|id| id.0),
        acs_encoder_id: event.acs_encoder_id.map(|id| id.0),
        acs_user_id: event.acs_user_id.map(|id| id.0),
        acs_entrance_id: event.acs_entrance_id.map(|id| id.0),
    }
}
