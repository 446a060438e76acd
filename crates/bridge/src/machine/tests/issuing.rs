//! Jobs on an encoder whose lock server makes the cards.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use card::{Entropy, KeyVersion, SiteKey, SiteKeys, Uid};
use encoder::{Certainty, ErrorKind, Makes, ServerCard, ServerCardContent};
use jiff::Timestamp;
use protocol::link::{
    Action, AskGrant, FromBridge, GrantDecision, OfferRefusal, Order, OrderKind, Outcome,
};
use uuid::Uuid;

use super::desk;
use crate::machine::{BootTime, Effect, Entry, Event, Intent, Machine, NotIssued, Policy, Stage};

const CARD: [u8; 4] = [4, 0xA1, 0xB2, 0xC3];

/// A machine whose encoder belongs to a lock server, with a journal that can be slow.
struct Desk {
    machine: Machine,
    now: BootTime,
    /// Whether intents are committed at once.
    journal_is_quick: bool,
    story: Vec<&'static str>,
    asks: Vec<AskGrant>,
    intents: Vec<Intent>,
    outcomes: Vec<Outcome>,
    refusals: Vec<OfferRefusal>,
}

impl Desk {
    fn new() -> Self {
        let keys = SiteKeys::new(KeyVersion::FIRST, SiteKey::new([7; 32]));
        let policy = Policy {
            personalise_blank: true,
        };
        let mut desk = Self {
            machine: Machine::new(policy, Arc::new(keys), Entropy::new([3; 32]), 10),
            now: BootTime(Duration::from_secs(1000)),
            journal_is_quick: true,
            story: Vec::new(),
            asks: Vec::new(),
            intents: Vec::new(),
            outcomes: Vec::new(),
            refusals: Vec::new(),
        };
        desk.tell(Event::EncoderOnline(Makes::Server));
        desk
    }

    fn tell(&mut self, event: Event) {
        let now = Timestamp::UNIX_EPOCH;
        let mut effects: VecDeque<Effect> = self.machine.handle(self.now, now, event).into();
        while let Some(effect) = effects.pop_front() {
            if let Some(event) = self.carry_out(effect) {
                effects.extend(self.machine.handle(self.now, now, event));
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) -> Option<Event> {
        let (word, event) = match effect {
            Effect::Journal(entry) => {
                let (id, stage) = entry.stage();
                let word = match entry {
                    Entry::Accepted(_) => "accepted",
                    Entry::Intent(intent) => {
                        self.intents.push(intent);
                        "intent"
                    }
                    Entry::Outcome(report) => {
                        self.outcomes.push(report.outcome);
                        "outcome"
                    }
                };
                let at_once = stage != Stage::Intent || self.journal_is_quick;
                (word, at_once.then_some(Event::Journalled(id, stage)))
            }
            Effect::Send(FromBridge::AskGrant(ask)) => {
                self.asks.push(ask);
                ("ask", None)
            }
            Effect::Send(FromBridge::TooLate { .. }) => ("too late", None),
            Effect::Send(FromBridge::Refused { reason, .. }) => {
                self.refusals.push(reason);
                return None;
            }
            Effect::Issue(order, _) => {
                assert_eq!(order.rooms, ["101"]);
                ("order", None)
            }
            Effect::Read(_) => ("read", None),
            Effect::StopWaiting => ("take back", None),
            Effect::Select(..) | Effect::Exchange(_) => panic!("no card is touched here"),
            Effect::Send(_)
            | Effect::Finish(..)
            | Effect::Previewed(..)
            | Effect::Progress(..)
            | Effect::Release
            | Effect::Signal(_) => return None,
        };
        self.story.push(word);
        event
    }

    fn offer(&mut self, number: u64, action: Action) {
        self.tell(Event::Offered {
            offer: Box::new(desk::offer(number, action)),
            known: None,
        });
    }

    fn grant(&mut self, number: u64) {
        let grant_id = Uuid::from_u128(77);
        let granted = GrantDecision::Granted { grant_id };
        self.tell(Event::GrantAnswered(id(number), granted));
    }

    /// A desk whose lock server has the order of job 11.
    fn ordered() -> Self {
        let mut desk = Self::new();
        desk.offer(11, issue());
        desk.grant(11);
        desk
    }

    fn has(&self, what: &str) -> bool {
        self.story.contains(&what)
    }

    /// What the error of the only job says.
    fn error(&self) -> (&'static str, &str, &str) {
        match &self.outcomes[..] {
            [Outcome::Unwritten { error }] => ("unwritten", &error.kind, &error.message),
            [Outcome::Unknown { uid: None, error }] => ("unknown", &error.kind, &error.message),
            other => panic!("{other:?}"),
        }
    }
}

fn id(number: u64) -> Uuid {
    Uuid::from_u128(number.into())
}

fn issue() -> Action {
    Action::Issue(Order {
        acs_credential_id: Uuid::nil(),
        kind: OrderKind::New,
        rooms: vec!["101".to_owned()],
        starts_at: "2026-11-22T14:00:00Z".parse().unwrap(),
        ends_at: "2026-11-25T10:00:00Z".parse().unwrap(),
        time_zone: "UTC".to_owned(),
        operator: None,
    })
}

fn failed(certainty: Certainty, kind: ErrorKind, cause: Option<&str>) -> Event {
    Event::NotIssued(NotIssued {
        certainty,
        kind,
        cause: cause.map(str::to_owned),
    })
}

#[test]
fn leave_and_intent_come_before_the_order_and_name_no_card() {
    let mut desk = Desk::ordered();
    assert_eq!(desk.story, ["accepted", "ask", "intent", "order"]);
    assert!(desk.machine.is_writing());
    desk.tell(Event::Issued(Uid::new(&CARD).ok()));
    assert!(!desk.machine.is_writing());
    assert_eq!(desk.asks[0].uid, None);
    assert_eq!(desk.intents[0].card, None);
    assert_eq!(hex::encode(desk.intents[0].digest), desk.asks[0].digest);
    let uid = Some("04A1B2C3".to_owned());
    assert_eq!(desk.outcomes, [Outcome::Issued { uid }]);
}

#[test]
fn the_digest_is_the_orders() {
    let digest = |change: fn(&mut Order)| {
        let mut desk = Desk::new();
        let Action::Issue(mut order) = issue() else {
            panic!("an order");
        };
        change(&mut order);
        desk.offer(11, Action::Issue(order));
        desk.asks[0].digest.clone()
    };
    let same = digest(|_| {});
    assert_eq!(digest(|_| {}), same);
    for change in [
        (|order: &mut Order| order.kind = OrderKind::Copy) as fn(&mut Order),
        |order| order.rooms.push("102".to_owned()),
        |order| order.rooms = vec!["10".to_owned(), "1".to_owned()],
        |order| order.ends_at = "2026-11-26T10:00:00Z".parse().unwrap(),
        |order| order.starts_at = "2026-11-22T15:00:00Z".parse().unwrap(),
        |order| order.operator = Some(String::new()),
    ] {
        assert_ne!(digest(change), same);
    }
}

#[test]
fn nothing_is_ordered_before_the_intent_is_durable_or_two_seconds_after_asking() {
    let mut desk = Desk::new();
    desk.journal_is_quick = false;
    desk.offer(11, issue());
    desk.grant(11);
    assert!(!desk.has("order"), "{:?}", desk.story);
    desk.now = desk.now.after(Duration::from_secs(2));
    desk.tell(Event::Journalled(id(11), Stage::Intent));
    assert!(!desk.has("order"));
    assert_eq!(desk.error().0, "unwritten");

    let mut desk = Desk::new();
    desk.offer(11, issue());
    desk.now = desk.machine.deadline().expect("leave is waited for");
    desk.tell(Event::Tick);
    desk.grant(11);
    assert!(!desk.has("order"));
    assert_eq!(desk.error().1, "bridge_disconnected");
}

#[test]
fn what_is_certain_of_the_card_is_what_is_reported() {
    for (certainty, kind, told) in [
        (
            Certainty::Unwritten,
            ErrorKind::NoCard,
            ("unwritten", "no_card_on_encoder"),
        ),
        (
            Certainty::Unwritten,
            ErrorKind::Cancelled,
            ("unwritten", "action_attempt_expired"),
        ),
        (
            Certainty::Unwritten,
            ErrorKind::UnusableCard,
            ("unwritten", "incompatible_card_format"),
        ),
        (
            Certainty::Unwritten,
            ErrorKind::Absent,
            ("unwritten", "encoder_not_online"),
        ),
        (
            Certainty::Unknown,
            ErrorKind::Absent,
            ("unknown", "encoder_not_online"),
        ),
        (
            Certainty::Unknown,
            ErrorKind::Unresponsive,
            ("unknown", "encoder_communication_timeout"),
        ),
    ] {
        let mut desk = Desk::ordered();
        desk.tell(failed(certainty, kind, None));
        let (outcome, name, _) = desk.error();
        assert_eq!((outcome, name), told, "{kind:?}");
    }
}

#[test]
fn a_refusal_says_what_the_server_said() {
    let mut desk = Desk::ordered();
    let refused = failed(
        Certainty::Unwritten,
        ErrorKind::Refused,
        Some("it knows no room 101"),
    );
    desk.tell(refused);
    let (.., message) = desk.error();
    assert!(message.ends_with(": it knows no room 101."), "{message}");
}

#[test]
fn a_thread_that_was_given_up_leaves_a_doubt() {
    let mut desk = Desk::ordered();
    desk.tell(Event::EncoderLost(ErrorKind::Unresponsive));
    desk.tell(Event::EncoderFailed(ErrorKind::Unresponsive));
    assert_eq!(desk.error().0, "unknown");
}

#[test]
fn a_job_is_withdrawn_before_the_grant_and_only_taken_back_after_it() {
    let mut desk = Desk::new();
    desk.offer(11, issue());
    desk.tell(Event::Cancelled(id(11)));
    desk.grant(11);
    assert_eq!(desk.error().0, "unwritten");
    assert!(!desk.has("order") && !desk.has("too late"));

    let mut desk = Desk::ordered();
    desk.tell(Event::Cancelled(id(11)));
    assert!(desk.has("too late") && desk.has("take back"));
    desk.tell(Event::Issued(None));
    assert_eq!(desk.outcomes, [Outcome::Issued { uid: None }]);
}

#[test]
fn the_next_order_waits_until_the_one_before_has_ended() {
    let mut desk = Desk::ordered();
    desk.offer(12, issue());
    assert_eq!(desk.asks.len(), 1);
    desk.tell(Event::Issued(None));
    assert_eq!(desk.asks.len(), 2);
}

#[test]
fn a_server_reads_what_is_to_be_scanned() {
    let mut desk = Desk::new();
    desk.offer(11, Action::Scan);
    assert_eq!(desk.story, ["accepted", "read"]);
    desk.tell(Event::ServerRead(Box::new(ServerCard {
        uid: Uid::new(&CARD).ok(),
        content: ServerCardContent::Staff,
    })));
    assert!(matches!(
        &desk.outcomes[..],
        [Outcome::Read(card)] if card.uid.as_deref() == Some("04A1B2C3")
    ));

    let mut desk = Desk::new();
    desk.offer(11, Action::Scan);
    desk.tell(Event::Cancelled(id(11)));
    assert!(desk.has("take back"));
    desk.tell(Event::EncoderFailed(ErrorKind::Cancelled));
    assert_eq!(desk.error().0, "unwritten");
}

#[test]
fn offers_for_the_other_kind_of_encoder_are_refused() {
    let mut desk = Desk::new();
    desk.offer(11, desk::encode(1));
    assert_eq!(desk.refusals, [OfferRefusal::Other]);

    let mut block = desk::Desk::new();
    block.offer(11, issue());
    assert_eq!(block.refusals, [OfferRefusal::Other]);
}
