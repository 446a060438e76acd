//! One job on the link: what is offered, the leave to write, and how it ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::issuing::{Order, ServerCard};

/// Work for one encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Which attempt.
    pub attempt_id: Uuid,
    /// The encoder, as the bridge knows it.
    pub identity: String,
    /// Counts the attempts of this encoder; offers come in this order.
    pub fence: u64,
    /// How long a card is waited for once the job's turn has come, in milliseconds.
    pub card_wait_ms: u64,
    /// How long from now the attempt may still begin to write, in milliseconds.
    pub expires_in_ms: u64,
    /// What to do.
    pub action: Action,
}

/// What to do with the card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Write this credential on it.
    Encode(Credential),
    /// Have the lock server make a card; to encoders that issue, in place of `encode`.
    Issue(Order),
    /// Say what is on it.
    Scan,
}

/// A credential as it goes on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id on the hub, for the audit log.
    pub acs_credential_id: Uuid,
    /// Its number on the card, unique within the site.
    pub number: u32,
    /// The card format.
    pub format: CardFormat,
    /// Guest or staff.
    pub function: CardFunction,
    /// From when it opens, cut to the minute.
    pub starts_at: Timestamp,
    /// Until when it opens; `None` has no end.
    pub ends_at: Option<Timestamp>,
    /// What overrides what: higher overrides lower on guest doors.
    pub issue_number: u32,
    /// The first of its consecutive guest rooms; 0 with no rooms.
    pub first_room: u16,
    /// How many consecutive guest rooms, 0 to 33.
    pub room_count: u8,
    /// Common doors by their bit, 0 to 27.
    pub common_doors: Vec<u8>,
    /// Guest rooms outside the run, and common doors from 28 on: up to 7 in `rfid48`, up to 255 in `TLCode`. A card may
    /// hold fewer; the bridge says then what would fit.
    pub additional_doors: Vec<AdditionalDoor>,
}

/// A door outside the range of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdditionalDoor {
    /// Its number, 1 to 32767.
    pub number: u16,
    /// Whether it is a guest door, where overriding counts.
    pub is_guest: bool,
}

/// The open card formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardFormat {
    /// 48 bytes.
    #[serde(rename = "rfid48")]
    Rfid48,
    /// Type-length-value.
    TLCode,
}

/// What a card is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardFunction {
    /// A guest's.
    Guest,
    /// A member of staff's.
    Staff,
}

/// Why a bridge does not take an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferRefusal {
    /// Unknown, and its fence is not above the last accepted one.
    StaleFence,
    /// Its time is over.
    PastDeadline,
    /// Too many jobs wait for this encoder.
    QueueFull,
    /// No such encoder here, or it is absent.
    EncoderAbsent,
    /// The bridge's own policy forbids this credential.
    ForbiddenByPolicy,
    /// The credential cannot be expressed on a card.
    InvalidCredential,
    /// The journal cannot take it (disk full, read-only).
    JournalFailed,
    /// A reason of a newer version.
    #[serde(other)]
    Other,
}

/// Asks for leave to write one credential on one card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskGrant {
    /// Which attempt.
    pub attempt_id: Uuid,
    /// The fence it came with.
    pub fence: u64,
    /// The card, upper-case hex; `None` where a lock server is to make one, and which is not known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// HMAC over the credential image, or over the order, under a key of the site, 64 hex digits.
    pub digest: String,
}

/// Leave to write, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantAnswer {
    /// Which attempt.
    pub attempt_id: Uuid,
    /// The answer.
    #[serde(flatten)]
    pub decision: GrantDecision,
}

/// What the hub decided on an ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum GrantDecision {
    /// Write.
    Granted {
        /// The grant, for the journal.
        grant_id: Uuid,
    },
    /// Do not write.
    Denied {
        /// What the attempt ends with.
        error: AttemptError,
    },
}

/// The error of an action attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptError {
    /// A name of the API: `no_card_on_encoder`, `encoding_interrupted`…
    #[serde(rename = "type")]
    pub kind: String,
    /// A sentence for the person at the desk, with what to do.
    pub message: String,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeReport {
    /// Which attempt.
    pub attempt_id: Uuid,
    /// The fence it came with.
    pub fence: u64,
    /// When it ended, by the bridge's clock.
    pub ended_at: Timestamp,
    /// How.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a job ended. For encodes one of written, unwritten, unknown; for scans scanned or unwritten. Where a lock server
/// makes the cards, issued stands for written and read for scanned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Read back from this card and found equal to the plan.
    Written {
        /// The card, upper-case hex.
        uid: String,
        /// Its technology, as the lab names them.
        technology: String,
        /// The number of the credential of this site that the card held before, if it held one.
        held_number: Option<u32>,
    },
    /// The lock server says that it made the card.
    Issued {
        /// The card, upper-case hex, where the server tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uid: Option<String>,
    },
    /// Surely no byte of the credential is on any card.
    Unwritten {
        /// Why.
        error: AttemptError,
    },
    /// Interrupted between the first byte and the read-back: presenting the same card settles it. Or the order had gone
    /// to the lock server, and no answer came.
    Unknown {
        /// The card, upper-case hex; `None` where a lock server may have made one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uid: Option<String>,
        /// What interrupted it.
        error: AttemptError,
    },
    /// What a scan found.
    Scanned(Scanned),
    /// What a lock server read.
    Read(ServerCard),
}

/// What is on a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scanned {
    /// The card, upper-case hex.
    pub uid: String,
    /// Its technology, as the lab names them; for a card that is not supported what could be told of it.
    pub technology: String,
    /// In what state the card is.
    pub condition: CardCondition,
    /// The credential on it, if it holds a valid one of this site.
    pub credential: Option<ScannedCredential>,
    /// The version of the site key that the credential was sealed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_version: Option<u8>,
}

/// In what state a card is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardCondition {
    /// As delivered, where we would write.
    Blank,
    /// Holds a valid credential of this site.
    Ours,
    /// Prepared for this site, without a valid credential.
    Torn,
    /// Somebody else's.
    Foreign,
    /// A technology that cannot hold a credential here.
    Unsupported,
}

/// A credential as it was read from a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScannedCredential {
    /// Its number on the card.
    pub number: u32,
    /// The card format.
    pub format: CardFormat,
    /// Guest or staff.
    pub function: CardFunction,
    /// From when it opens.
    pub starts_at: Timestamp,
    /// Until when it opens; `None` has no end.
    pub ends_at: Option<Timestamp>,
    /// The issue number.
    pub issue_number: u32,
    /// The first of its consecutive guest rooms; 0 with no rooms.
    pub first_room: u16,
    /// How many consecutive guest rooms.
    pub room_count: u8,
    /// Common doors by their bit.
    pub common_doors: Vec<u8>,
    /// Further doors.
    pub additional_doors: Vec<AdditionalDoor>,
}

/// How far a job is, for people who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Behind other jobs.
    Queued {
        /// How many are before it.
        place: u32,
    },
    /// Its turn: somebody should put a card on.
    WaitingForCard,
    /// A card is there and is being read.
    Reading,
    /// Writing.
    Writing {
        /// Steps done.
        done: u32,
        /// Steps in all.
        of: u32,
    },
    /// Reading back.
    Verifying,
}
