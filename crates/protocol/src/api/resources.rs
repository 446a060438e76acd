//! Workspaces, sites, entrances, users, encoders, action attempts and the page object.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ResourceNote, Time};
use crate::link::AttemptError;

/// An object without fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// A workspace: everything an API key can reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Its id.
    pub workspace_id: Uuid,
    /// What people call it.
    pub name: String,
    /// The company; here the same as the name.
    pub company_name: String,
    /// Deprecated in the contract; `null`.
    pub connect_partner_name: Option<String>,
    /// There is no connect webview; empty.
    pub connect_webview_customization: Empty,
    /// There are no publishable keys; false.
    pub is_publishable_key_auth_enabled: bool,
    /// Whether the simulate endpoints answer.
    pub is_sandbox: bool,
    /// False.
    pub is_suspended: bool,
    /// There are no organizations; `null`.
    pub organization_id: Option<Uuid>,
}

/// A site (contract: `acs_system`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcsSystem {
    /// Its id.
    pub acs_system_id: Uuid,
    /// The workspace it belongs to.
    pub workspace_id: Uuid,
    /// One account per site, stable.
    pub connected_account_id: Uuid,
    /// The same, as a list.
    pub connected_account_ids: Vec<Uuid>,
    /// What people call it.
    pub name: String,
    /// When it was created.
    pub created_at: Time,
    /// `visionline_system`.
    pub external_type: String,
    /// `Visionline`.
    pub external_type_display_name: String,
    /// The older name of `external_type`.
    pub system_type: String,
    /// The older name of `external_type_display_name`.
    pub system_type_display_name: String,
    /// What the picture shows.
    pub image_alt_text: String,
    /// A picture, served by the hub itself.
    pub image_url: String,
    /// False.
    pub is_credential_manager: bool,
    /// Where it is.
    pub location: Location,
    /// How many users it has.
    pub acs_user_count: u64,
    /// What keeps it from working.
    pub errors: Vec<ResourceNote>,
    /// What somebody should look at.
    pub warnings: Vec<ResourceNote>,
}

/// Where a site is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// IANA time zone.
    pub time_zone: Option<String>,
}

/// A door (contract: `acs_entrance`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcsEntrance {
    /// Its id.
    pub acs_entrance_id: Uuid,
    /// The site it belongs to.
    pub acs_system_id: Uuid,
    /// The account of that site.
    pub connected_account_id: Uuid,
    /// What people call it.
    pub display_name: String,
    /// When it was created.
    pub created_at: Time,
    /// True.
    pub can_unlock_with_card: bool,
    /// Guest doors can belong to a stay.
    pub can_belong_to_reservation: bool,
    /// What the card system knows of it.
    pub visionline_metadata: EntranceVisionlineMetadata,
    /// There are no spaces; empty.
    pub space_ids: Vec<Uuid>,
    /// Empty so far.
    pub errors: Vec<ResourceNote>,
    /// Empty so far.
    pub warnings: Vec<ResourceNote>,
}

/// The card system's side of a door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntranceVisionlineMetadata {
    /// `guest` or `common`.
    pub door_category: String,
    /// The name on the door.
    pub door_name: String,
}

/// A user of a site (contract: `acs_user`, the managed kind).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcsUser {
    /// Their id.
    pub acs_user_id: Uuid,
    /// The workspace.
    pub workspace_id: Uuid,
    /// The site.
    pub acs_system_id: Uuid,
    /// The account of that site.
    pub connected_account_id: Uuid,
    /// The full name.
    pub display_name: String,
    /// The full name.
    pub full_name: String,
    /// Mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// The older name of `email_address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// When they may come in; the hub keeps it and does not judge by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_schedule: Option<AccessSchedule>,
    /// When they were created.
    pub created_at: Time,
    /// Always true: the hub made them.
    pub is_managed: bool,
    /// False.
    pub is_suspended: bool,
    /// There is nothing to sync with; `null`.
    pub last_successful_sync_at: Option<Time>,
    /// Empty so far.
    pub errors: Vec<ResourceNote>,
    /// Empty so far.
    pub warnings: Vec<ResourceNote>,
}

/// When a user may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessSchedule {
    /// From when.
    pub starts_at: Time,
    /// Until when; `null` without an end.
    pub ends_at: Option<Time>,
}

/// An encoder (contract: `acs_encoder`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcsEncoder {
    /// Its id.
    pub acs_encoder_id: Uuid,
    /// The site it stands at.
    pub acs_system_id: Uuid,
    /// The account of that site.
    pub connected_account_id: Uuid,
    /// The workspace.
    pub workspace_id: Uuid,
    /// What people call it.
    pub display_name: String,
    /// When it was first seen.
    pub created_at: Time,
    /// Empty: an absent encoder shows in the attempts.
    pub errors: Vec<ResourceNote>,
}

/// An action attempt: something that takes time, and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionAttempt {
    /// Its id.
    pub action_attempt_id: Uuid,
    /// `ENCODE_CREDENTIAL` or `SCAN_CREDENTIAL`.
    pub action_type: String,
    /// `pending`, `success` or `error`.
    pub status: String,
    /// With `success`; frozen.
    pub result: Option<serde_json::Value>,
    /// With `error`; frozen.
    pub error: Option<AttemptError>,
}

/// Where a page of a list ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pagination {
    /// Whether there is more.
    pub has_next_page: bool,
    /// What to send as `page_cursor` for the next page.
    pub next_page_cursor: Option<String>,
    /// The next page as a GET address.
    pub next_page_url: Option<String>,
}
