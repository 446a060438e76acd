//! The job machine told what happened, and held to what it wants done.

mod desk;
mod issuing;
mod plastic;
mod questions;

use std::time::Duration;

use encoder::ErrorKind;
use jiff::Timestamp;
use protocol::link::{
    Action, AttemptError, CardCondition, GrantDecision, OfferRefusal, Outcome, OutcomeReport,
};
use uuid::Uuid;

use super::{Effect, Entry, Event, Known, QUEUE_LIMIT, Stage};
use desk::{Desk, Hub, encode, offer};
use plastic::Plastic;

#[test]
fn a_blank_card_is_asked_for_journalled_written_and_reported_in_this_order() {
    let mut desk = Desk::with_card(Plastic::blank());
    desk.offer(11, encode(1));
    let order = [
        "journal Accepted",
        "send accepted",
        "select Resting",
        "read",
        "ask",
        "journal Intent",
        "write",
        "release",
        "journal Outcome",
        "signal Success",
        "send outcome",
    ];
    let positions: Vec<_> = order
        .iter()
        .map(|what| {
            desk.position(what)
                .unwrap_or_else(|| panic!("{what} in {:?}", desk.story))
        })
        .collect();
    assert!(
        positions.is_sorted(),
        "{order:?} came in the order {positions:?}"
    );
    assert!(
        matches!(desk.outcome(11), Outcome::Written { held_number: None, technology, .. } if technology == "mifare_classic_1k")
    );
}

#[test]
fn the_next_credential_on_the_same_card_tells_which_one_it_held() {
    let mut desk = Desk::with_card(Plastic::blank());
    desk.offer(11, encode(1));
    desk.offer(12, encode(2));
    assert!(matches!(
        desk.outcome(12),
        Outcome::Written {
            held_number: Some(1),
            ..
        }
    ));
}

#[test]
fn nothing_is_written_without_a_grant() {
    let mut desk = Desk::with_card(Plastic::blank());
    desk.hub = Hub::Denies;
    desk.offer(11, encode(1));
    assert_eq!(desk.error(11), "credential_cannot_be_reissued");
    assert!(matches!(desk.outcome(11), Outcome::Unwritten { .. }));
    assert_eq!(
        (desk.position("journal Intent"), desk.position("write")),
        (None, None)
    );
}

#[test]
fn a_grant_that_does_not_come_within_two_seconds_is_never_used() {
    let mut desk = Desk::with_card(Plastic::blank());
    desk.hub = Hub::IsSilent;
    desk.offer(11, encode(1));
    assert_eq!(
        desk.machine.deadline(),
        Some(desk.now.after(Duration::from_secs(2)))
    );
    desk.now = desk.now.after(Duration::from_secs(2));
    desk.tell(Event::Tick);
    assert_eq!(desk.error(11), "bridge_disconnected");
    desk.tell(Event::GrantAnswered(
        Uuid::from_u128(11),
        GrantDecision::Granted {
            grant_id: Uuid::nil(),
        },
    ));
    assert_eq!(
        (desk.position("journal Intent"), desk.position("write")),
        (None, None)
    );
}

#[test]
fn a_grant_whose_intent_was_committed_too_late_is_never_used() {
    let mut desk = Desk::with_card(Plastic::blank());
    desk.hub = Hub::IsSilent;
    desk.offer(11, encode(1));
    let granted = Event::GrantAnswered(
        Uuid::from_u128(11),
        GrantDecision::Granted {
            grant_id: Uuid::nil(),
        },
    );
    let effects = desk
        .machine
        .handle(desk.now, Timestamp::UNIX_EPOCH, granted);
    assert!(matches!(effects[..], [Effect::Journal(Entry::Intent(_))]));
    desk.now = desk.now.after(Duration::from_secs(3));
    desk.tell(Event::Journalled(Uuid::from_u128(11), Stage::Intent));
    assert!(matches!(desk.outcome(11), Outcome::Unwritten { .. }));
    assert_eq!(desk.position("write"), None);
}

#[test]
fn a_card_pulled_at_any_exchange_ends_unwritten_before_the_first_byte_and_unknown_from_then_on() {
    let whole = {
        let mut desk = Desk::with_card(Plastic::blank());
        desk.offer(11, encode(1));
        desk.exchanges
    };
    let mut kinds = Vec::new();
    for pulled in 0..whole {
        let mut desk = Desk::with_card(Plastic::blank());
        desk.pull_before = Some(pulled);
        desk.offer(11, encode(1));
        assert_eq!(
            desk.error(11),
            "encoding_interrupted",
            "pulled before exchange {pulled}"
        );
        let (Outcome::Unwritten { error } | Outcome::Unknown { error, .. }) = desk.outcome(11)
        else {
            panic!("it was pulled");
        };
        assert!(error.message.ends_with('.'), "{}", error.message);
        kinds.push(matches!(desk.outcome(11), Outcome::Unknown { .. }));
    }
    assert!(kinds.is_sorted(), "once unknown, always unknown: {kinds:?}");
    assert!(kinds.contains(&false) && kinds.contains(&true));
}

#[test]
fn a_card_whose_commands_the_encoder_cannot_send_names_an_encoder_that_can() {
    let mut desk = Desk::with_card(Plastic::of_pages());
    desk.offer(11, encode(1));
    let Outcome::Unwritten { error } = desk.outcome(11) else {
        panic!("nothing can have been written");
    };
    assert_eq!(error.kind, "incompatible_card_format");
    assert!(error.message.contains("ACR1252U"), "{}", error.message);
    assert_eq!(desk.position("read"), None);
    assert!(desk.position("signal Failure").is_some());
}

#[test]
fn a_foreign_card_is_refused_untouched() {
    let mut desk = Desk::with_card(Plastic::foreign());
    desk.offer(11, encode(1));
    assert_eq!(desk.error(11), "incompatible_card_format");
    assert_eq!((desk.position("ask"), desk.position("write")), (None, None));
}

#[test]
fn a_scan_tells_what_is_on_the_card_and_writes_nothing() {
    let mut desk = Desk::with_card(Plastic::blank());
    desk.offer(11, Action::Scan);
    desk.offer(12, encode(1));
    desk.offer(13, Action::Scan);
    let found = |number| match desk.outcome(number) {
        Outcome::Scanned(scanned) => scanned.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (found(11).condition, found(11).credential),
        (CardCondition::Blank, None)
    );
    assert_eq!(found(13).condition, CardCondition::Ours);
    assert_eq!(
        found(13)
            .credential
            .map(|credential| (credential.number, credential.first_room)),
        Some((1, 101))
    );
}

#[test]
fn an_offer_that_comes_again_gets_the_same_answer() {
    let mut desk = Desk::new();
    desk.offer(11, encode(1));
    desk.offer(12, encode(2));
    desk.story.clear();
    desk.offer(12, encode(2));
    assert_eq!(desk.story, ["send accepted"]);
    let report = OutcomeReport {
        attempt_id: Uuid::from_u128(5),
        fence: 5,
        ended_at: Timestamp::UNIX_EPOCH,
        outcome: Outcome::Unwritten {
            error: AttemptError {
                kind: "x".to_owned(),
                message: "X.".to_owned(),
            },
        },
    };
    desk.story.clear();
    desk.tell(Event::Offered {
        offer: Box::new(offer(5, encode(1))),
        known: Some(Box::new(Known::Ended(report))),
    });
    assert_eq!(desk.story, ["send outcome"]);
}

#[test]
fn stale_and_expired_offers_and_those_for_an_absent_encoder_are_refused() {
    let mut desk = Desk::new();
    desk.offer(10, encode(1));
    let mut late = offer(20, encode(1));
    late.expires_in_ms = 0;
    desk.tell(Event::Offered {
        offer: Box::new(late),
        known: None,
    });
    desk.tell(Event::EncoderLost(ErrorKind::Absent));
    desk.offer(21, encode(1));
    assert_eq!(
        desk.refusals,
        [
            OfferRefusal::StaleFence,
            OfferRefusal::PastDeadline,
            OfferRefusal::EncoderAbsent
        ]
    );
    assert_eq!(desk.position("journal Accepted"), None);
}

#[test]
fn a_fence_is_used_once() {
    let mut desk = Desk::new();
    desk.offer(11, encode(1));
    let mut other = offer(99, encode(1));
    other.fence = 11;
    desk.tell(Event::Offered {
        offer: Box::new(other),
        known: None,
    });
    assert_eq!(desk.refusals, [OfferRefusal::StaleFence]);
}

#[test]
fn a_full_queue_takes_no_more() {
    let mut desk = Desk::new();
    for number in 0..=QUEUE_LIMIT as u64 {
        desk.offer(11 + number, encode(1));
    }
    assert!(desk.refusals.is_empty());
    desk.offer(90, encode(1));
    assert_eq!(desk.refusals, [OfferRefusal::QueueFull]);
}

#[test]
fn an_encode_that_waited_needs_a_card_of_its_own_and_a_scan_does_not() {
    let mut desk = Desk::new();
    desk.offer(11, encode(1));
    desk.offer(12, encode(2));
    desk.offer(13, Action::Scan);
    desk.place(Plastic::blank());
    assert!(matches!(desk.outcome(11), Outcome::Written { .. }));
    assert_eq!(
        desk.story
            .iter()
            .filter(|entry| *entry == "select Fresh")
            .count(),
        1
    );
    desk.place(Plastic::blank());
    assert!(matches!(
        desk.outcome(12),
        Outcome::Written {
            held_number: None,
            ..
        }
    ));
    assert!(matches!(desk.outcome(13), Outcome::Scanned(_)));
}

#[test]
fn a_job_can_be_withdrawn_until_the_grant_and_not_after() {
    let mut desk = Desk::new();
    desk.offer(11, encode(1));
    desk.offer(12, encode(2));
    desk.tell(Event::Cancelled(Uuid::from_u128(12)));
    assert!(matches!(desk.outcome(12), Outcome::Unwritten { .. }));
    desk.tell(Event::Cancelled(Uuid::from_u128(11)));
    assert!(matches!(desk.outcome(11), Outcome::Unwritten { .. }));
    assert_eq!(desk.position("write"), None);

    let mut desk = Desk::with_card(Plastic::blank());
    desk.hub = Hub::IsSilent;
    desk.offer(11, encode(1));
    let granted = Event::GrantAnswered(
        Uuid::from_u128(11),
        GrantDecision::Granted {
            grant_id: Uuid::nil(),
        },
    );
    desk.machine
        .handle(desk.now, Timestamp::UNIX_EPOCH, granted);
    desk.tell(Event::Cancelled(Uuid::from_u128(11)));
    assert!(desk.position("send too late").is_some());
    desk.tell(Event::Journalled(Uuid::from_u128(11), Stage::Intent));
    assert!(matches!(desk.outcome(11), Outcome::Written { .. }));
}

#[test]
fn a_journal_that_fails_takes_no_job_and_writes_no_card() {
    let mut desk = Desk::with_card(Plastic::blank());
    desk.journal_works = false;
    desk.offer(11, encode(1));
    assert_eq!(desk.refusals, [OfferRefusal::JournalFailed]);

    let mut desk = Desk::with_card(Plastic::blank());
    desk.hub = Hub::IsSilent;
    desk.offer(11, encode(1));
    desk.journal_works = false;
    desk.tell(Event::GrantAnswered(
        Uuid::from_u128(11),
        GrantDecision::Granted {
            grant_id: Uuid::nil(),
        },
    ));
    assert_eq!(desk.position("write"), None);
    assert_eq!(desk.position("send outcome"), None);
    desk.journal_works = true;
    desk.now = desk.machine.deadline().expect("the outcome is tried again");
    desk.tell(Event::Tick);
    assert!(desk.position("send outcome").is_some());
    assert!(matches!(desk.outcome(11), Outcome::Unwritten { .. }));
}

#[test]
fn an_encoder_that_is_lost_ends_what_waits_for_it() {
    let mut desk = Desk::new();
    desk.offer(11, encode(1));
    desk.offer(12, encode(2));
    desk.tell(Event::EncoderLost(ErrorKind::Absent));
    desk.tell(Event::EncoderFailed(ErrorKind::Absent));
    assert_eq!(
        (desk.error(11), desk.error(12)),
        ("encoder_not_online", "encoder_not_online")
    );
}

#[test]
fn no_card_in_time_is_said_in_the_words_of_the_api() {
    let mut desk = Desk::new();
    desk.offer(11, encode(1));
    desk.tell(Event::EncoderFailed(ErrorKind::NoCard));
    assert_eq!(desk.error(11), "no_card_on_encoder");
}

#[test]
fn an_expired_job_ends_when_its_turn_comes() {
    let mut desk = Desk::new();
    desk.offer(11, encode(1));
    desk.offer(12, encode(2));
    desk.now = desk.now.after(Duration::from_secs(61));
    desk.tell(Event::EncoderFailed(ErrorKind::NoCard));
    assert_eq!(desk.error(12), "action_attempt_expired");
}
