//! The credential: what is granted, and what became of it on a card.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Time;

/// A credential (contract: `acs_credential`, the managed kind).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcsCredential {
    /// Its id.
    pub acs_credential_id: Uuid,
    /// The workspace it belongs to.
    pub workspace_id: Uuid,
    /// The site it opens doors of.
    pub acs_system_id: Uuid,
    /// The account of that site.
    pub connected_account_id: Uuid,
    /// Whose it is; left out for one that was asked for at the encoder PC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acs_user_id: Option<Uuid>,
    /// The doors, for people.
    pub display_name: String,
    /// `card`.
    pub access_method: String,
    /// `visionline_card`.
    pub external_type: String,
    /// `Visionline Card`.
    pub external_type_display_name: String,
    /// Always true: the hub made it.
    pub is_managed: bool,
    /// Always false: a card is one card.
    pub is_multi_phone_sync_credential: bool,
    /// When it was created.
    pub created_at: Time,
    /// From when it opens.
    pub starts_at: Time,
    /// Until when it opens; left out without an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// Whether it is on a card.
    pub is_issued: bool,
    /// When it was last written on its card.
    pub issued_at: Option<Time>,
    /// The UID of its card, upper-case hex.
    pub card_number: Option<String>,
    /// What the card system knows of it.
    pub visionline_metadata: CardVisionlineMetadata,
    /// What keeps it from working.
    pub errors: Vec<ResourceNote>,
    /// What somebody should look at.
    pub warnings: Vec<ResourceNote>,
}

/// The card's side of a credential (contract: `acs_credential.visionline_metadata`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardVisionlineMetadata {
    /// `guest` or `staff`.
    pub card_function_type: String,
    /// Whether override or joiner was left to the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_join: Option<bool>,
    /// The credentials whose stay it joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joiner_acs_credential_ids: Option<Vec<Uuid>>,
    /// The guest doors it opens.
    pub guest_acs_entrance_ids: Vec<Uuid>,
    /// The common doors it opens.
    pub common_acs_entrance_ids: Vec<Uuid>,
    /// The UID of its card; left out before it is issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_id: Option<String>,
    /// Its number on the card, decimal; left out before it is issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<String>,
    /// False once overridden, overwritten, discarded or cancelled; left out before it is issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_valid: Option<bool>,
}

/// An entry of `errors` or `warnings`; exactly one of the codes is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceNote {
    /// Since when.
    pub created_at: Time,
    /// The code of an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The code of a warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning_code: Option<String>,
    /// A sentence for a person, with what to do.
    pub message: String,
}
