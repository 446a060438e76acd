//! The bytes of the link, frozen: one file per message, read and written the same for ever.
//!
//! Do not change these files. A change of meaning is a new version beside this one (`docs/link.md`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod holding;
mod issuing;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use protocol::link::{
    Action, AdditionalDoor, AskGrant, AttemptError, BridgeSnapshot, CardCondition, CardFormat,
    CardFunction, Credential, EncoderFence, EncoderState, Frame, FromBridge, FromHub, GrantAnswer,
    GrantDecision, Hello, HubSnapshot, IdentityScope, JobStage, JobState, Offer, OfferRefusal,
    Outcome, OutcomeReport, Phase, RegisteredEncoder, RequestAnswer, RequestEncode, RequestResult,
    Scanned, ScannedCredential, SiteKeyCheck, Welcome,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

const IDENTITY: &str = "pn532/serial/A50285BI";
const CARD: &str = "04A1B2C3D4E580";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/link")
}

fn uuid(last: u8) -> Uuid {
    Uuid::parse_str(&format!("0192f0c4-7b1a-7c3e-9d5f-0000000000{last:02x}")).unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn error() -> AttemptError {
    AttemptError {
        kind: "encoding_interrupted".to_owned(),
        message: "The card was taken away. Put the same card back.".to_owned(),
    }
}

fn encoder(is_online: bool) -> EncoderState {
    EncoderState {
        identity: IDENTITY.to_owned(),
        identity_scope: IdentityScope::Computer,
        display_name: "Front Desk".to_owned(),
        driver: "pn532".to_owned(),
        is_online,
        reason: (!is_online).then(|| "No answer. Check the cable.".to_owned()),
        is_issuing: false,
    }
}

fn site_key(version: u8, check: &str) -> SiteKeyCheck {
    SiteKeyCheck {
        version,
        check: check.to_owned(),
    }
}

fn registered() -> RegisteredEncoder {
    RegisteredEncoder {
        identity: IDENTITY.to_owned(),
        acs_encoder_id: uuid(4),
    }
}

fn credential() -> Credential {
    Credential {
        acs_credential_id: uuid(6),
        number: 17,
        format: CardFormat::Rfid48,
        function: CardFunction::Guest,
        starts_at: time("2026-11-22T14:00:00Z"),
        ends_at: Some(time("2026-11-25T10:00:00Z")),
        issue_number: 3_624_360,
        first_room: 101,
        room_count: 2,
        common_doors: vec![0, 27],
        additional_doors: vec![AdditionalDoor {
            number: 205,
            is_guest: true,
        }],
    }
}

fn offer(action: Action) -> Offer {
    Offer {
        attempt_id: uuid(5),
        identity: IDENTITY.to_owned(),
        fence: 42,
        card_wait_ms: 30_000,
        expires_in_ms: 40_000,
        action,
    }
}

fn outcome(outcome: Outcome) -> FromBridge {
    FromBridge::Outcome(OutcomeReport {
        attempt_id: uuid(5),
        fence: 42,
        ended_at: time("2026-11-22T14:03:07.25Z"),
        outcome,
    })
}

fn scanned(condition: CardCondition, credential: Option<ScannedCredential>) -> FromBridge {
    outcome(Outcome::Scanned(Scanned {
        uid: CARD.to_owned(),
        technology: "mifare_classic_1k".to_owned(),
        condition,
        credential,
        key_version: None,
    }))
}

fn on_card() -> ScannedCredential {
    ScannedCredential {
        number: 17,
        format: CardFormat::TLCode,
        function: CardFunction::Staff,
        starts_at: time("2026-11-22T14:00:00Z"),
        ends_at: None,
        issue_number: 3_624_360,
        first_room: 0,
        room_count: 0,
        common_doors: vec![3],
        additional_doors: Vec::new(),
    }
}

fn from_bridge() -> Vec<(&'static str, FromBridge)> {
    let attempt_id = uuid(5);
    let progress = |phase| FromBridge::Progress { attempt_id, phase };
    let job = |fence, stage| JobState {
        attempt_id,
        fence,
        stage,
    };
    vec![
        (
            "hello",
            FromBridge::Hello(Hello {
                version: "0.1.0".to_owned(),
                name: "front-desk-pc".to_owned(),
                site_keys: vec![
                    site_key(1, "00112233aabbccdd"),
                    site_key(2, "44556677eeff0011"),
                ],
                hub_id: Some(uuid(1)),
                fences: vec![EncoderFence {
                    identity: IDENTITY.to_owned(),
                    fence: 41,
                }],
            }),
        ),
        (
            "bridge_snapshot",
            FromBridge::Snapshot(BridgeSnapshot {
                encoders: vec![encoder(true), encoder(false)],
                jobs: vec![
                    job(40, JobStage::Outcome),
                    job(41, JobStage::Intent),
                    job(42, JobStage::Accepted),
                ],
            }),
        ),
        (
            "bridge_acknowledge",
            FromBridge::Acknowledge { snapshot: 3 },
        ),
        ("encoder", FromBridge::Encoder(encoder(false))),
        (
            "accepted",
            FromBridge::Accepted {
                attempt_id,
                place: 2,
            },
        ),
        (
            "refused",
            FromBridge::Refused {
                attempt_id,
                reason: OfferRefusal::StaleFence,
            },
        ),
        (
            "ask_grant",
            FromBridge::AskGrant(AskGrant {
                attempt_id,
                fence: 42,
                uid: Some(CARD.to_owned()),
                digest: "5f".repeat(32),
            }),
        ),
        (
            "outcome_written",
            outcome(Outcome::Written {
                uid: CARD.to_owned(),
                technology: "mifare_classic_1k".to_owned(),
                held_number: Some(16),
            }),
        ),
        (
            "outcome_unwritten",
            outcome(Outcome::Unwritten { error: error() }),
        ),
        (
            "outcome_unknown",
            outcome(Outcome::Unknown {
                uid: Some(CARD.to_owned()),
                error: error(),
            }),
        ),
        (
            "outcome_scanned",
            scanned(CardCondition::Ours, Some(on_card())),
        ),
        ("outcome_scanned_blank", scanned(CardCondition::Blank, None)),
        ("too_late", FromBridge::TooLate { attempt_id }),
        ("progress_queued", progress(Phase::Queued { place: 1 })),
        ("progress_waiting_for_card", progress(Phase::WaitingForCard)),
        ("progress_reading", progress(Phase::Reading)),
        (
            "progress_writing",
            progress(Phase::Writing { done: 2, of: 5 }),
        ),
        ("progress_verifying", progress(Phase::Verifying)),
        (
            "request_encode",
            FromBridge::RequestEncode(RequestEncode {
                request_id: uuid(7),
                identity: IDENTITY.to_owned(),
                doors: vec!["101".to_owned(), "Garage".to_owned()],
                common_doors: Vec::new(),
                format: None,
                function: None,
                starts_at: None,
                ends_at: Some(time("2026-11-25T10:00:00Z")),
                overrides: Some(true),
            }),
        ),
        (
            "preview_encode",
            FromBridge::PreviewEncode(RequestEncode {
                request_id: uuid(7),
                identity: IDENTITY.to_owned(),
                doors: vec!["101".to_owned()],
                common_doors: vec!["Pool".to_owned()],
                format: Some(CardFormat::TLCode),
                function: Some(CardFunction::Staff),
                starts_at: None,
                ends_at: None,
                overrides: None,
            }),
        ),
    ]
}

fn from_hub() -> Vec<(&'static str, FromHub)> {
    let attempt_id = uuid(5);
    let answer = |decision| {
        FromHub::GrantAnswer(GrantAnswer {
            attempt_id,
            decision,
        })
    };
    let request_answer = |result| {
        FromHub::RequestAnswer(RequestAnswer {
            request_id: uuid(7),
            result,
        })
    };
    vec![
        (
            "welcome",
            FromHub::Welcome(Welcome {
                hub_id: uuid(1),
                bridge_id: uuid(2),
                generation: 9,
                acs_system_id: uuid(3),
                time_zone: "Europe/Berlin".to_owned(),
                now: time("2026-11-22T14:00:00.125Z"),
                site_key_problem: None,
            }),
        ),
        (
            "hub_snapshot",
            FromHub::Snapshot(HubSnapshot {
                encoders: vec![registered()],
                held: Vec::new(),
                offers: vec![offer(Action::Scan)],
                cancelled: vec![attempt_id],
            }),
        ),
        ("hub_acknowledge", FromHub::Acknowledge { snapshot: 2 }),
        (
            "encoder_registered",
            FromHub::EncoderRegistered(registered()),
        ),
        (
            "offer_encode",
            FromHub::Offer(offer(Action::Encode(credential()))),
        ),
        ("offer_scan", FromHub::Offer(offer(Action::Scan))),
        (
            "grant_answer_granted",
            answer(GrantDecision::Granted { grant_id: uuid(8) }),
        ),
        (
            "grant_answer_denied",
            answer(GrantDecision::Denied { error: error() }),
        ),
        ("cancel", FromHub::Cancel { attempt_id }),
        (
            "outcome_committed",
            FromHub::OutcomeCommitted { attempt_id },
        ),
        (
            "request_answer_taken",
            request_answer(RequestResult::Taken {
                attempt_id,
                acs_credential_id: uuid(6),
            }),
        ),
        (
            "request_answer_previewed",
            request_answer(RequestResult::Previewed {
                credential: credential(),
            }),
        ),
        (
            "request_answer_refused",
            request_answer(RequestResult::Refused { error: error() }),
        ),
    ]
}

fn every_message_from_bridge() -> impl Iterator<Item = (&'static str, FromBridge)> {
    let more = holding::from_bridge()
        .into_iter()
        .chain(issuing::from_bridge());
    from_bridge().into_iter().chain(more)
}

fn every_message_from_hub() -> impl Iterator<Item = (&'static str, FromHub)> {
    let more = holding::from_hub().into_iter().chain(issuing::from_hub());
    from_hub().into_iter().chain(more)
}

/// Reads the frozen file as the message and writes the message as the frozen file.
fn check<M: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, message: M) {
    let frame = Frame {
        generation: u64::from(name != "hello") * 9,
        number: 4,
        message,
    };
    let path = folder().join(format!("{name}.json"));
    let frozen = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    let read: Frame<M> = serde_json::from_str(&frozen).unwrap();
    assert_eq!(read, frame, "{name} reads as something else");
    let written = serde_json::to_string_pretty(&frame).unwrap() + "\n";
    assert_eq!(written, frozen, "{name} is written in another way");
}

#[test]
fn every_message_of_a_bridge_is_as_it_was_frozen() {
    for (name, message) in every_message_from_bridge() {
        check(name, message);
    }
}

#[test]
fn every_message_of_a_hub_is_as_it_was_frozen() {
    for (name, message) in every_message_from_hub() {
        check(name, message);
    }
}

#[test]
fn every_frozen_file_is_a_message_that_is_checked() {
    let checked: BTreeSet<String> = every_message_from_bridge()
        .map(|(name, _)| name)
        .chain(every_message_from_hub().map(|(name, _)| name))
        .map(|name| format!("{name}.json"))
        .collect();
    let frozen: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(frozen, checked);
}
