//! Events: what happened, in commit order.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Time;

/// An event; which ids it carries depends on its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub event_id: Uuid,
    /// `acs_credential.issued` and the like.
    pub event_type: String,
    /// The workspace it happened in.
    pub workspace_id: Uuid,
    /// When it was recorded.
    pub created_at: Time,
    /// When it happened.
    pub occurred_at: Time,
    /// The site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acs_system_id: Option<Uuid>,
    /// The account of that site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_account_id: Option<Uuid>,
    /// The credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acs_credential_id: Option<Uuid>,
    /// The encoder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acs_encoder_id: Option<Uuid>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acs_user_id: Option<Uuid>,
    /// The entrance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acs_entrance_id: Option<Uuid>,
}
