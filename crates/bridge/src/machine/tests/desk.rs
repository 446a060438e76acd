//! What stands around a job machine in its tests: a clock, a journal that can fail, a card, a hub.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use card::{Command, Entropy, KeyVersion, SiteKey, SiteKeys, Suspects};
use encoder::{CardWait, ErrorKind, Makes};
use jiff::Timestamp;
use protocol::link::{
    Action, AttemptError, CardFormat, CardFunction, Credential, FromBridge, GrantDecision, Offer,
    OfferRefusal, Outcome,
};
use uuid::Uuid;

use super::plastic::{self, Plastic};
use crate::Preview;
use crate::machine::{BootTime, Effect, Entry, Event, Machine, Policy};

/// A machine with a clock, a journal that can fail, and a card that may lie on the encoder.
pub(super) struct Desk {
    pub(super) machine: Machine,
    pub(super) now: BootTime,
    card: Option<Plastic>,
    pub(super) journal_works: bool,
    /// Whether the hub answers asks, and how.
    pub(super) hub: Hub,
    /// The card is taken off instead of getting this exchange, counted from 0.
    pub(super) pull_before: Option<usize>,
    pub(super) exchanges: usize,
    /// Everything that was wanted, as words.
    pub(super) story: Vec<String>,
    pub(super) outcomes: Vec<(Uuid, Outcome)>,
    pub(super) refusals: Vec<OfferRefusal>,
    pub(super) previews: Vec<Preview>,
}

#[derive(Clone, Copy)]
pub(super) enum Hub {
    Grants,
    Denies,
    IsSilent,
}

impl Desk {
    pub(super) fn new() -> Self {
        let keys = SiteKeys::new(KeyVersion::FIRST, SiteKey::new([7; 32]));
        let mut desk = Self {
            machine: Machine::new(
                Policy {
                    personalise_blank: true,
                },
                Arc::new(keys),
                Entropy::new([3; 32]),
                10,
            ),
            now: BootTime(Duration::from_secs(1000)),
            card: None,
            journal_works: true,
            hub: Hub::Grants,
            pull_before: None,
            exchanges: 0,
            story: Vec::new(),
            outcomes: Vec::new(),
            refusals: Vec::new(),
            previews: Vec::new(),
        };
        desk.tell(Event::EncoderOnline(Makes::Host));
        desk
    }

    pub(super) fn with_card(card: Plastic) -> Self {
        Self {
            card: Some(card),
            ..Self::new()
        }
    }

    /// Tells the machine something, and carries out what it wants as far as that goes by itself: the journal, the
    /// card and the hub. A wait for a card without one stays open.
    pub(super) fn tell(&mut self, event: Event) {
        let mut effects: VecDeque<Effect> = self
            .machine
            .handle(self.now, Timestamp::UNIX_EPOCH, event)
            .into();
        while let Some(effect) = effects.pop_front() {
            if let Some(event) = self.carry_out(effect) {
                effects.extend(self.machine.handle(self.now, Timestamp::UNIX_EPOCH, event));
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Journal(entry) => {
                let (id, stage) = entry.stage();
                self.story.push(format!("journal {stage:?}"));
                if !self.journal_works {
                    return Some(Event::JournalFailed(id, stage));
                }
                if let Entry::Outcome(report) = entry {
                    self.outcomes.push((id, report.outcome));
                }
                Some(Event::Journalled(id, stage))
            }
            Effect::Send(FromBridge::AskGrant(ask)) => {
                self.story.push("ask".to_owned());
                match self.hub {
                    Hub::Grants => Some(Event::GrantAnswered(
                        ask.attempt_id,
                        GrantDecision::Granted {
                            grant_id: Uuid::nil(),
                        },
                    )),
                    Hub::Denies => Some(Event::GrantAnswered(ask.attempt_id, denied())),
                    Hub::IsSilent => None,
                }
            }
            Effect::Send(message) => {
                if let FromBridge::Refused { reason, .. } = message {
                    self.refusals.push(reason);
                }
                self.story.push(format!("send {}", kind(&message)));
                None
            }
            Effect::Select(wait, _) => {
                self.story.push(format!("select {wait:?}"));
                match (&mut self.card, wait) {
                    (Some(card), CardWait::Resting) => Some(Event::Selected {
                        selected: card.selected(),
                        suspects: Suspects::NONE,
                    }),
                    _ => None,
                }
            }
            Effect::Exchange(command) => Some(self.exchange(&command)),
            Effect::Issue(..) | Effect::Read(_) => panic!("this encoder's cards are made here"),
            Effect::StopWaiting => {
                self.story.push("stop waiting".to_owned());
                Some(Event::EncoderFailed(ErrorKind::Cancelled))
            }
            Effect::Finish(id, outcome, _) => {
                self.story.push(format!("finish {}", id.as_u128()));
                if self.outcomes.iter().all(|(known, _)| *known != id) {
                    self.outcomes.push((id, outcome));
                }
                None
            }
            Effect::Previewed(_, preview) => {
                self.story.push("previewed".to_owned());
                self.previews.push(*preview);
                None
            }
            Effect::Signal(signal) => {
                self.story.push(format!("signal {signal:?}"));
                None
            }
            Effect::Release => {
                self.story.push("release".to_owned());
                None
            }
            Effect::Progress(..) => None,
        }
    }

    fn exchange(&mut self, command: &Command) -> Event {
        if matches!(command, Command::Reselect) {
            return self
                .card
                .as_mut()
                .map_or(Event::EncoderFailed(ErrorKind::CardGone), |card| {
                    Event::Answered(card.answer(command))
                });
        }
        if self.pull_before == Some(self.exchanges) {
            self.card = None;
        }
        self.exchanges += 1;
        let Some(card) = &mut self.card else {
            return Event::EncoderFailed(ErrorKind::CardGone);
        };
        self.story.push(
            if plastic::writes(command) {
                "write"
            } else {
                "read"
            }
            .to_owned(),
        );
        Event::Answered(card.answer(command))
    }

    pub(super) fn offer(&mut self, number: u64, action: Action) {
        self.tell(Event::Offered {
            offer: Box::new(offer(number, action)),
            known: None,
        });
    }

    pub(super) fn place(&mut self, card: Plastic) {
        let selected = card.selected();
        self.card = Some(card);
        self.tell(Event::Selected {
            selected,
            suspects: Suspects::NONE,
        });
    }

    pub(super) fn outcome(&self, number: u64) -> &Outcome {
        let id = Uuid::from_u128(number.into());
        &self
            .outcomes
            .iter()
            .find(|(known, _)| *known == id)
            .expect("the job ended")
            .1
    }

    pub(super) fn position(&self, what: &str) -> Option<usize> {
        self.story.iter().position(|entry| entry == what)
    }

    pub(super) fn error(&self, number: u64) -> &str {
        match self.outcome(number) {
            Outcome::Unwritten { error } | Outcome::Unknown { error, .. } => &error.kind,
            other => panic!("the job did not fail: {other:?}"),
        }
    }
}

fn kind(message: &FromBridge) -> &'static str {
    match message {
        FromBridge::Accepted { .. } => "accepted",
        FromBridge::Refused { .. } => "refused",
        FromBridge::Outcome(_) => "outcome",
        FromBridge::TooLate { .. } => "too late",
        _ => "something else",
    }
}

fn denied() -> GrantDecision {
    GrantDecision::Denied {
        error: AttemptError {
            kind: "credential_cannot_be_reissued".to_owned(),
            message: "No.".to_owned(),
        },
    }
}

pub(super) fn offer(number: u64, action: Action) -> Offer {
    Offer {
        attempt_id: Uuid::from_u128(number.into()),
        identity: "port:/dev/ttyUSB0".to_owned(),
        fence: number,
        card_wait_ms: 30_000,
        expires_in_ms: 60_000,
        action,
    }
}

pub(super) fn encode(number: u32) -> Action {
    Action::Encode(Credential {
        acs_credential_id: Uuid::from_u128(number.into()),
        number,
        format: CardFormat::Rfid48,
        function: CardFunction::Guest,
        starts_at: "2026-11-22T12:00:00Z".parse().unwrap(),
        ends_at: None,
        issue_number: 5,
        first_room: 101,
        room_count: 1,
        common_doors: vec![0],
        additional_doors: vec![],
    })
}
