//! What a scan answers: the card's side, the hub's side, and where they differ.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AcsCredential, Time};

/// The result of a `SCAN_CREDENTIAL` attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanResult {
    /// What the card holds; `null` when it holds no credential.
    pub acs_credential_on_encoder: Option<CredentialOnEncoder>,
    /// The hub's credential of the same number; of a card whose writing was interrupted the one that it should hold.
    pub acs_credential_on_seam: Option<AcsCredential>,
    /// Where both sides differ.
    pub warnings: Vec<ScanWarning>,
}

/// A credential as it was read from a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialOnEncoder {
    /// The UID, upper-case hex; `null` where a lock server does not tell.
    pub card_number: Option<String>,
    /// Not on the card: `null`.
    pub created_at: Option<Time>,
    /// True: it was read from a card; `null` for a card of a lock server that is no guest's.
    pub is_issued: Option<bool>,
    /// From when it opens, to the minute.
    pub starts_at: Option<Time>,
    /// Until when it opens, to the minute; `null` without an end.
    pub ends_at: Option<Time>,
    /// The card system's view; left out for the card of a lock server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visionline_metadata: Option<ScannedVisionlineMetadata>,
    /// What a lock server says of its card; left out for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_server_metadata: Option<LockServerMetadata>,
}

/// What a lock server says of a card that it made. Ours, beside the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockServerMetadata {
    /// `guest`, `staff`, `spare`, `invalid` or `diagnostic`.
    pub card_type: String,
    /// The rooms by the server's names, the main room first.
    pub rooms: Vec<String>,
    /// Those of them that the hub knows.
    pub guest_acs_entrance_ids: Vec<Uuid>,
    /// Of a guest's card: whether it still opens its main room, as opposed to its guest having checked out.
    pub is_checked_in: Option<bool>,
    /// 0 for the original, then 1, 2…; `null` for a copy whose number is not known.
    pub copy_number: Option<u8>,
    /// Of a guest's card: whether it opens once only.
    pub is_one_shot: Option<bool>,
    /// Authorisations beside the rooms, by their numbers on the server.
    pub authorisations: Vec<u8>,
    /// Who ordered it.
    pub operator: Option<String>,
}

/// The card system's view of a credential on a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScannedVisionlineMetadata {
    /// `rfid48` or `TLCode`.
    pub card_format: String,
    /// Whose it is, for people; left out when the hub does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_holder: Option<String>,
    /// The UID, upper-case hex.
    pub card_id: String,
    /// How many cards of its stay were issued, joiners included; 1 when the hub knows of none but this one.
    pub number_of_issued_cards: u32,
    /// The guest doors on the card that the hub knows.
    pub guest_acs_entrance_ids: Vec<Uuid>,
    /// The common doors on the card that the hub knows.
    pub common_acs_entrance_ids: Vec<Uuid>,
    /// Its end is past.
    pub expired: bool,
    /// An override for one of its guest doors was encoded after it.
    pub overridden: bool,
    /// The hub knows that its card was encoded with another credential.
    pub overwritten: bool,
    /// Its credential was deleted.
    pub cancelled: bool,
    /// Its card was found wiped since it was written.
    pub discarded: bool,
    /// Encoding it again would write something else on the card.
    pub pending_auto_update: bool,
}

/// Where card and hub differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanWarning {
    /// `acs_credential_on_encoder_out_of_sync` or `acs_credential_on_seam_not_found`.
    pub warning_code: String,
    /// A sentence for a person.
    pub warning_message: String,
}
