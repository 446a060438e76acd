//! What lies on a slot and what happens to it, exchange by exchange. Everything here is done under
//! the slot's lock and waits for nothing.

use std::sync::Weak;
use std::time::Duration;

use super::hold::Hold;
use super::log::{ExchangeKind, Log};
use super::pace::Pacing;
use super::{Moment, Situation};
use crate::air::Frame;
use crate::bell::Bell;
use crate::card::{
    Authentication, Eeprom, Purpose, Reaction, Uid, Verdict, time_of_authentication,
};
use crate::cards::Card;

#[derive(Default)]
pub(super) struct State {
    pub(super) cards: Vec<Card>,
    pub(super) is_field_on: bool,
    /// Rises with every card placed or removed.
    pub(super) arrangement: u64,
    pub(super) departure: Option<Departure>,
    pub(super) hold: Hold,
    /// The exchange under way, when its command has a second part that is still to come.
    pub(super) open: bool,
    pub(super) log: Log,
    pub(super) pacing: Pacing,
    pub(super) bells: Vec<Weak<Bell>>,
}

/// All cards leave at the exchange with this number, counted like the log's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departure {
    pub(super) exchange: u64,
    pub(super) moment: Moment,
}

impl State {
    pub(super) fn situation(&self) -> Situation<'_> {
        Situation {
            cards: &self.cards,
            exchanges: self.log.exchanges(),
            is_field_on: self.is_field_on,
            is_held: self.hold.is_on,
        }
    }

    /// Some card listens to an authentication.
    pub(super) fn has_listening_card(&self) -> bool {
        self.is_field_on && self.cards.iter().any(|card| card.lock().is_selected())
    }

    /// Some card would take this frame for a new command.
    pub(super) fn begins_exchange(&self, frame: &Frame) -> bool {
        let begins = |card: &Card| matches!(card.lock().purpose(frame), Purpose::Exchange(_));
        self.is_field_on && self.cards.iter().any(begins)
    }

    pub(super) fn rearranged(&mut self) {
        self.arrangement += 1;
        self.bells
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|bell| bell.ring());
    }

    /// Takes some cards out of the field.
    pub(super) fn take(&mut self, which: impl Fn(&Card) -> bool) {
        let before = self.cards.len();
        self.cards.retain(|card| {
            let goes = which(card);
            if goes {
                card.lock().power_off();
            }
            !goes
        });
        if self.cards.len() != before {
            if self.cards.is_empty() {
                // It was about those cards, not about the next.
                self.departure = None;
            }
            self.open = false;
            self.rearranged();
        }
    }

    fn depart(&mut self) {
        self.departure = None;
        self.take(|_| true);
    }

    /// The moment at which cards leave in the exchange with this number, if they do.
    fn departs_in(&self, exchange: u64) -> Option<Moment> {
        self.departure
            .filter(|departure| departure.exchange == exchange)
            .map(|departure| departure.moment)
    }

    /// The reader does something else in the midst of an exchange, which so ends unanswered.
    pub(super) fn abandon(&mut self) {
        if std::mem::take(&mut self.open) && self.departs_in(self.log.exchanges()).is_some() {
            self.depart();
        }
    }

    /// Announces a new exchange of a card. `false`: the card was taken away before it.
    fn begin(&mut self, uid: Uid, kind: ExchangeKind) -> bool {
        if self.departs_in(self.log.exchanges() + 1) == Some(Moment::Before) {
            self.depart();
            return false;
        }
        self.log.begin(uid, kind);
        true
    }

    /// Ends an exchange and says whether its answer still gets through.
    fn end(&mut self) -> bool {
        match self.departs_in(self.log.exchanges()) {
            None => true,
            Some(moment) => {
                self.depart();
                moment == Moment::After
            }
        }
    }

    /// What answers to a frame, and how long air and cards take for it.
    pub(super) fn transmit(&mut self, frame: &Frame) -> (Vec<Frame>, Duration) {
        if !self.is_field_on || self.cards.is_empty() {
            return (Vec::new(), Duration::ZERO);
        }
        let (mut answers, mut slowest) = (Vec::new(), Duration::ZERO);
        for card in self.cards.clone() {
            if !self.cards.iter().any(|lying| lying.is(&card)) {
                // What happened to the one before took this one along.
                break;
            }
            let purpose = card.lock().purpose(frame);
            let reaction = match purpose {
                Purpose::Unheard => continue,
                Purpose::Selecting => {
                    self.abandon();
                    card.lock().receive(frame, &mut Eeprom::powered())
                }
                Purpose::Continuing => self.exchange(&card, frame),
                Purpose::Exchange(kind) => {
                    // Of an exchange before, the reader did not fetch the rest.
                    self.abandon();
                    let is_there = self.cards.iter().any(|lying| lying.is(&card));
                    if !is_there || !self.begin(card.uid(), kind) {
                        continue;
                    }
                    self.exchange(&card, frame)
                }
            };
            let answering = reaction.answer.as_ref().map(Frame::time_from_card);
            slowest = slowest.max(reaction.takes + answering.unwrap_or_default());
            answers.extend(reaction.answer);
        }
        let time = frame.time_from_reader() + slowest;
        self.log.impose(time);
        (answers, time)
    }

    /// One part of an exchange with a card that is there.
    fn exchange(&mut self, card: &Card, frame: &Frame) -> Reaction {
        let mut eeprom = match self.departs_in(self.log.exchanges()) {
            Some(Moment::Torn { seed }) => Eeprom::tearing(seed),
            Some(Moment::Weak { seed }) => Eeprom::weakening(seed),
            _ => Eeprom::powered(),
        };
        let mut reaction = card.lock().receive(frame, &mut eeprom);
        self.log.written(card.uid(), eeprom.into_programmed());
        self.open = reaction.goes_on;
        if !reaction.goes_on && !self.end() {
            reaction.answer = None;
        }
        reaction
    }

    /// How the selected card takes an authentication, and how long it all takes.
    pub(super) fn authenticate(&mut self, authentication: &Authentication) -> (Verdict, Duration) {
        let time = time_of_authentication();
        let verdict = self.verdict(authentication);
        if verdict == Verdict::Mute {
            return (verdict, Duration::ZERO);
        }
        self.log.impose(time);
        (verdict, time)
    }

    fn verdict(&mut self, authentication: &Authentication) -> Verdict {
        if !self.is_field_on {
            return Verdict::Mute;
        }
        self.abandon();
        let Some(card) = self
            .cards
            .iter()
            .find(|card| card.lock().is_selected())
            .cloned()
        else {
            return Verdict::Mute;
        };
        let Authentication {
            block, key_type, ..
        } = *authentication;
        if !self.begin(
            card.uid(),
            ExchangeKind::Authenticate {
                block: block.into(),
                key_type,
            },
        ) {
            return Verdict::Mute;
        }
        let verdict = card.lock().authenticate(authentication);
        if self.end() { verdict } else { Verdict::Mute }
    }
}
