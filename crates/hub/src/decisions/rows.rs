//! Rows for the tests of the decisions, with nothing special about them.

use uuid::Uuid;

use crate::doors::DoorCategory;
use crate::id::{
    AccountId, AttemptId, BridgeId, CredentialId, EncoderId, EntranceId, GrantId, SiteId,
    WorkspaceId,
};
use crate::moment::Moment;
use crate::store::attempts::{Attempt, Kind, Status};
use crate::store::credentials::{CardFunction, Credential, CredentialWithDoors};
use crate::store::encoders::Encoder;
use crate::store::entrances::Entrance;
use crate::store::grants::{Grant, GrantState};

/// 2026-11-22T00:00:00Z.
pub(crate) const NOW: Moment = Moment::from_millis(1_795_305_600_000);
const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn encoder(number: u128) -> Encoder {
    Encoder {
        seq: 1,
        acs_encoder_id: EncoderId(uuid(number)),
        acs_system_id: SiteId(uuid(1)),
        workspace_id: WorkspaceId(uuid(1)),
        connected_account_id: AccountId(uuid(1)),
        bridge_id: BridgeId(uuid(1)),
        identity: format!("pn532/{number}"),
        display_name: "Front Desk".to_owned(),
        is_online: true,
        reason: None,
        is_issuing: false,
        created_at: NOW,
    }
}

pub(crate) fn credential(number: u32) -> Credential {
    Credential {
        seq: i64::from(number),
        acs_credential_id: CredentialId(uuid(u128::from(number))),
        acs_system_id: SiteId(uuid(1)),
        workspace_id: WorkspaceId(uuid(1)),
        connected_account_id: AccountId(uuid(1)),
        acs_user_id: None,
        number,
        display_name: "101".to_owned(),
        card_function: CardFunction::Guest,
        starts_at: NOW,
        ends_at: Some(NOW.after(24 * HOUR)),
        issue_number: 100 + number,
        is_override: true,
        auto_join: None,
        joiner_ids: "[]".to_owned(),
        created_at: NOW,
        issued_at: None,
        card_uid: None,
        is_overridden: false,
        is_overwritten: false,
        is_discarded: false,
        deleted_at: None,
        card_format: None,
        stay_id: CredentialId(uuid(u128::from(number))),
        revision: 1,
        changed_at: None,
        written_revision: None,
        doubtful_uid: None,
        doubtful_since: None,
    }
}

/// The credential with guest doors.
pub(crate) fn with_rooms(credential: Credential, rooms: &[u16]) -> CredentialWithDoors {
    CredentialWithDoors {
        credential,
        entrances: rooms
            .iter()
            .map(|room| entrance(DoorCategory::Guest, *room))
            .collect(),
    }
}

pub(crate) fn entrance(category: DoorCategory, door: u16) -> Entrance {
    let kind = u128::from(category == DoorCategory::Common);
    Entrance {
        seq: i64::from(door),
        acs_entrance_id: EntranceId(uuid(kind << 32 | u128::from(door))),
        acs_system_id: SiteId(uuid(1)),
        connected_account_id: AccountId(uuid(1)),
        name: format!("{} {door}", category.name()),
        category,
        door,
        created_at: NOW,
    }
}

pub(crate) fn encode(number: u128, encoder: &Encoder, credential: &Credential) -> Attempt {
    Attempt {
        seq: 1,
        action_attempt_id: AttemptId(uuid(number)),
        workspace_id: encoder.workspace_id,
        acs_system_id: encoder.acs_system_id,
        bridge_id: encoder.bridge_id,
        acs_encoder_id: encoder.acs_encoder_id,
        kind: Kind::Encode,
        acs_credential_id: Some(credential.acs_credential_id),
        credential_revision: Some(credential.revision),
        image: None,
        card_order: None,
        fence: 1,
        status: Status::Pending,
        created_at: NOW,
        deadline: NOW.after(HOUR),
        result: None,
        error_type: None,
        error_message: None,
        outcome: None,
    }
}

pub(crate) fn grant(number: u128, attempt: &Attempt, uid: &str, state: GrantState) -> Grant {
    Grant {
        seq: i64::try_from(number).unwrap(),
        grant_id: GrantId(uuid(number)),
        action_attempt_id: attempt.action_attempt_id,
        acs_credential_id: attempt.acs_credential_id.unwrap(),
        uid: Some(uid.to_owned()),
        digest: "ab".repeat(32),
        state,
        granted_at: NOW,
    }
}
