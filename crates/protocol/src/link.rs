//! Version 1 of the link: what bridge and hub say to each other over one WebSocket, as JSON text frames.
//!
//! `docs/link.md` tells the story; the golden files freeze the bytes. A change of meaning is a new version beside this one.

mod fit;
mod issuing;
mod job;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use fit::{COMMON_DOORS_WITH_A_BIT, DoesNotFitFormat, HIGHEST_DOOR, MOST_CONSECUTIVE_ROOMS};
pub use issuing::{Order, OrderKind, ServerCard, ServerCardContent, ServerGuestCard};
pub use job::{
    Action, AdditionalDoor, AskGrant, AttemptError, CardCondition, CardFormat, CardFunction,
    Credential, GrantAnswer, GrantDecision, Offer, OfferRefusal, Outcome, OutcomeReport, Phase,
    Scanned, ScannedCredential,
};

/// The WebSocket subprotocol that names this version.
pub const SUBPROTOCOL: &str = "cardbridge.link.1";

/// Where on a hub the link is opened.
pub const PATH: &str = "/seam/bridge/v1/link";

/// The largest frame that either side accepts, in bytes.
pub const MAX_FRAME: usize = 1024 * 1024;

/// One frame: a message with its place in the connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame<M> {
    /// The link generation that the hub gave this connection; 0 in the hello, which comes before it is known.
    pub generation: u64,
    /// Counts this side's messages in this connection, from 1.
    pub number: u64,
    /// What is said. An object of its own: a welcome has a `generation` too.
    pub message: M,
}

/// What a bridge says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromBridge {
    /// The first message of a connection.
    Hello(Hello),
    /// Everything the hub should believe of this bridge, in place of what it believed before.
    Snapshot(BridgeSnapshot),
    /// The snapshot with that number was taken over.
    Acknowledge {
        /// The number of the hub's frame.
        snapshot: u64,
    },
    /// An encoder appeared, changed or became absent.
    Encoder(EncoderState),
    /// An offer was taken into the journal.
    Accepted {
        /// Which attempt.
        attempt_id: Uuid,
        /// Jobs before it on its encoder; 0 runs now.
        place: u32,
    },
    /// An offer was not taken; the attempt surely leaves the card untouched.
    Refused {
        /// Which attempt.
        attempt_id: Uuid,
        /// Why.
        reason: OfferRefusal,
    },
    /// Asks for leave to write (DESIGN invariant 2). Repeated asks with equal content get the same answer.
    AskGrant(AskGrant),
    /// A job came to its end. Sent again until it is committed.
    Outcome(OutcomeReport),
    /// A cancel came after the grant: the job runs to its true end.
    TooLate {
        /// Which attempt.
        attempt_id: Uuid,
    },
    /// How far a job is; never needed for correctness.
    Progress {
        /// Which attempt.
        attempt_id: Uuid,
        /// How far.
        phase: Phase,
    },
    /// Somebody at the encoder PC asks for a card, without an API client.
    RequestEncode(RequestEncode),
    /// Somebody there wants to know what such a card would carry. Nothing is made or kept.
    PreviewEncode(RequestEncode),
}

/// What a hub says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromHub {
    /// The answer to the hello.
    Welcome(Welcome),
    /// Everything the bridge should have before it, in place of what it was told before.
    Snapshot(HubSnapshot),
    /// The snapshot with that number was taken over.
    Acknowledge {
        /// The number of the bridge's frame.
        snapshot: u64,
    },
    /// The encoder of that identity has this id from now on.
    EncoderRegistered(RegisteredEncoder),
    /// Another bridge of the site presents the encoder of that identity and keeps it. Said in place of
    /// `EncoderRegistered`, to bridges that tell how far their identities reach; `EncoderRegistered` follows once it
    /// has become theirs.
    EncoderHeld(HeldEncoder),
    /// Work.
    Offer(Offer),
    /// Leave to write, or not.
    GrantAnswer(GrantAnswer),
    /// The attempt has ended for the hub (cancelled, deleted, past its deadline): do not begin to write.
    Cancel {
        /// Which attempt.
        attempt_id: Uuid,
    },
    /// The outcome of that attempt is committed: the bridge need not send it again. The outcome of an attempt that the
    /// hub does not know is not answered; the bridge keeps it and sends it again at each connection.
    OutcomeCommitted {
        /// Which attempt.
        attempt_id: Uuid,
    },
    /// What became of a request from the encoder PC.
    RequestAnswer(RequestAnswer),
}

/// Who the bridge is, and how far its journal is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The bridge's own version, for people.
    pub version: String,
    /// What the PC is called.
    pub name: String,
    /// The versions of the site key that the bridge has, lowest first, at least one. Bridges of one site must agree on
    /// the versions that they have in common, or no encode is offered.
    pub site_keys: Vec<SiteKeyCheck>,
    /// The hub that the fences belong to; `None` before the first welcome.
    pub hub_id: Option<Uuid>,
    /// The highest fence accepted per encoder. A hub that was restored from a backup raises its own first.
    pub fences: Vec<EncoderFence>,
}

/// One version of the site key, by which a hub sees that two bridges have the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteKeyCheck {
    /// The version, from 1.
    pub version: u8,
    /// A value that differs between keys and versions and reveals nothing of either, 16 hex digits.
    pub check: String,
}

/// A hello whose list of site keys is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a hello names the versions of its site key lowest first, each once, from 1, with a check value of 16 hex digits"
)]
pub struct InvalidSiteKeys;

impl Hello {
    /// Whether the list of site keys is one.
    ///
    /// # Errors
    /// When it is empty, out of order, or has a version or check value that cannot be.
    pub fn check_site_keys(&self) -> Result<(), InvalidSiteKeys> {
        let is_key = |key: &SiteKeyCheck| {
            key.version > 0
                && key.check.len() == 16
                && key.check.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let is_in_order = self
            .site_keys
            .is_sorted_by(|one, next| one.version < next.version);
        if self.site_keys.is_empty() || !is_in_order || !self.site_keys.iter().all(is_key) {
            return Err(InvalidSiteKeys);
        }
        Ok(())
    }
}

/// The highest fence that a bridge accepted for an encoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderFence {
    /// The encoder, as the bridge knows it.
    pub identity: String,
    /// The fence.
    pub fence: u64,
}

/// What the hub makes of the hello.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// This hub's database, for the namespace of fences.
    pub hub_id: Uuid,
    /// The bridge's id on this hub.
    pub bridge_id: Uuid,
    /// The generation of this connection. A newer connection of the same bridge has a higher one.
    pub generation: u64,
    /// The site that the bridge serves.
    pub acs_system_id: Uuid,
    /// The site's IANA time zone.
    pub time_zone: String,
    /// The hub's clock.
    pub now: Timestamp,
    /// Why the bridge may not encode with the site keys of its hello, and what to do; `None` when it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_key_problem: Option<String>,
}

/// Everything the hub should believe of a bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BridgeSnapshot {
    /// All encoders that the bridge knows, absent ones included.
    pub encoders: Vec<EncoderState>,
    /// All jobs whose outcome the hub has not acknowledged, in fence order.
    pub jobs: Vec<JobState>,
}

/// One encoder as the bridge sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderState {
    /// What makes it the same encoder after a replug; unique within the bridge.
    pub identity: String,
    /// How far that reaches.
    #[serde(default, skip_serializing_if = "IdentityScope::is_computer")]
    pub identity_scope: IdentityScope,
    /// What people call it.
    pub display_name: String,
    /// Which driver serves it.
    pub driver: String,
    /// Whether it can take a job now.
    pub is_online: bool,
    /// Why not, as a sentence for a person.
    pub reason: Option<String>,
    /// Whether a lock server makes its cards, as far as is known: it is offered orders, not images.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_issuing: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference to the field"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// How far an identity reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityScope {
    /// The device carries it along, to another PC of the site too.
    Site,
    /// It means something to this bridge only.
    #[default]
    Computer,
}

impl IdentityScope {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands a reference to the field"
    )]
    fn is_computer(&self) -> bool {
        *self == Self::Computer
    }
}

/// One job as the journal has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobState {
    /// Which attempt.
    pub attempt_id: Uuid,
    /// The fence it came with.
    pub fence: u64,
    /// How far the journal is.
    pub stage: JobStage,
}

/// The stages that a journal knows before the outcome is acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum JobStage {
    /// Taken in, nothing asked yet.
    Accepted,
    /// Granted and about to write, or writing.
    Intent,
    /// Ended, not yet acknowledged. The report follows as [`FromBridge::Outcome`].
    Outcome,
}

/// Everything a bridge should have before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HubSnapshot {
    /// The ids of the bridge's encoders.
    pub encoders: Vec<RegisteredEncoder>,
    /// Those of its encoders that another bridge of the site keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldEncoder>,
    /// All attempts that are still to be done by this bridge, in fence order, known ones included.
    pub offers: Vec<Offer>,
    /// Attempts of the bridge's snapshot that the hub does not know or has ended: not to be begun.
    pub cancelled: Vec<Uuid>,
}

/// The hub's id for an encoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredEncoder {
    /// The encoder, as the bridge knows it.
    pub identity: String,
    /// The encoder, as the API knows it.
    pub acs_encoder_id: Uuid,
}

/// An encoder that another bridge of the site keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldEncoder {
    /// The encoder, as both bridges know it.
    pub identity: String,
    /// Who keeps it and until when, as a sentence for a person.
    pub reason: String,
}

/// Somebody at the encoder PC asks for a card. The hub makes the credential and offers the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEncode {
    /// Chosen by the bridge; the same request gets the same answer.
    pub request_id: Uuid,
    /// The encoder, as the bridge knows it.
    pub identity: String,
    /// Doors by their display names.
    pub doors: Vec<String>,
    /// Further doors, which must be common ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub common_doors: Vec<String>,
    /// In which format; `None` takes the first that holds the doors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<CardFormat>,
    /// For whom; `None` is a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<CardFunction>,
    /// From when it opens; `None` is now.
    pub starts_at: Option<Timestamp>,
    /// Until when it opens; `None` has no end.
    pub ends_at: Option<Timestamp>,
    /// Whether it overrides the cards before it; `None` lets the hub pick (`auto_join`).
    #[serde(rename = "override")]
    pub overrides: Option<bool>,
}

/// What became of a request from the encoder PC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestAnswer {
    /// The request.
    pub request_id: Uuid,
    /// The answer.
    #[serde(flatten)]
    pub result: RequestResult,
}

/// A request was taken or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum RequestResult {
    /// The offer follows.
    Taken {
        /// The attempt that will be offered.
        attempt_id: Uuid,
        /// The credential that was made.
        acs_credential_id: Uuid,
    },
    /// What the card would carry, with the numbers that it would get now. Nothing was made.
    Previewed {
        /// The credential.
        credential: Credential,
    },
    /// Nothing was made.
    Refused {
        /// Why.
        error: AttemptError,
    },
}
