//! The place on one encoder where cards lie: shared between the thread that steers (places, removes)
//! and the thread on the wire (talks to whatever lies there). What happens to a card in the midst of
//! an exchange is decided here and nowhere else.

mod hold;
mod log;
mod pace;
mod state;

pub use log::{EepromWrite, Exchange, ExchangeKind, KeyType, Log, Programming};
pub use pace::Pace;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::air::Frame;
use crate::bell::Bell;
use crate::card::{Authentication, Verdict};
use crate::cards::Card;
use state::{Departure, State};

/// The moment within an exchange at which the card leaves the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// Before the command reaches it: nothing is done and nothing answered. Such a command is no
    /// exchange and is not counted.
    Before,
    /// In the midst of programming its EEPROM: the block or page holds an undetermined mixture of
    /// what it held and what it should hold, the same for the same `seed`. Nothing is answered. A
    /// command that programs nothing is cut off unanswered.
    Torn {
        /// Decides the mixture.
        seed: u64,
    },
    /// At the very end of programming its EEPROM: the block or page seems written, but some of its
    /// cells are half charged, and each later reading of it may show the old or the new of their bits,
    /// the same for the same `seed`, until it is programmed anew. Nothing is answered. A command that
    /// programs nothing is cut off unanswered.
    Weak {
        /// Decides which cells, and what each reading shows.
        seed: u64,
    },
    /// After it did what was asked; the answer is lost.
    Unanswered,
    /// After it answered.
    After,
}

/// What a slot looks like at one moment; see [`Slot::wait_for`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Situation<'a> {
    /// The cards lying there.
    pub cards: &'a [Card],
    /// Exchanges so far.
    pub exchanges: u64,
    /// The encoder powers its field, for instance because it looks for a card.
    pub is_field_on: bool,
    /// An exchange waits before a card; see [`Slot::hold_at`].
    pub is_held: bool,
}

/// The place where cards lie. Clones are the same place.
#[derive(Clone, Default)]
pub struct Slot {
    shared: Arc<Shared>,
}

/// Where a card lies; kept by the card, so that it is never in two places.
#[derive(Debug, Default)]
pub(crate) struct Whereabouts(Weak<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Slot {
    /// An empty place.
    #[must_use]
    pub fn new() -> Slot {
        Slot::default()
    }

    /// Puts a card here in place of whatever lay here. If it lay on another encoder it is gone there.
    pub fn place(&self, card: &Card) {
        self.put(card, true);
    }

    /// Puts a card here beside whatever lies here: all of them answer a reader at once.
    pub fn add(&self, card: &Card) {
        self.put(card, false);
    }

    fn put(&self, card: &Card, alone: bool) {
        let mut whereabouts = card.whereabouts();
        if let Some(elsewhere) = whereabouts.0.upgrade() {
            elsewhere.lock().take(|lying| lying.is(card));
            elsewhere.changed.notify_all();
        }
        let mut state = self.shared.lock();
        if alone {
            state.take(|_| true);
        }
        card.lock().power_off();
        state.cards.push(card.clone());
        state.rearranged();
        whereabouts.0 = Arc::downgrade(&self.shared);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Takes every card away, now, and so forgets any removal that was still to come.
    pub fn remove(&self) {
        let mut state = self.shared.lock();
        state.take(|_| true);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Takes every card away when the n-th exchange from now has been answered; at once if `n` is 0.
    ///
    /// An exchange is one command that reaches a card: an authentication, a read, a write with both
    /// its parts. Waking, selecting and halting do not count, nor does what a card does not hear.
    ///
    /// `false`, and nothing is to come, if the removal is for later and no card lies here.
    pub fn remove_after_exchanges(&self, n: u64) -> bool {
        if n == 0 {
            self.remove();
            return true;
        }
        self.remove_at(n, Moment::After)
    }

    /// Takes every card away at the n-th exchange from now, counted from 1, at the given moment of
    /// it. Replaces any removal that was still to come, and is forgotten when the last card leaves
    /// before; 0 is taken as 1.
    ///
    /// `false`, and nothing is to come, if no card lies here.
    pub fn remove_at(&self, n: u64, moment: Moment) -> bool {
        let mut state = self.shared.lock();
        if state.cards.is_empty() {
            return false;
        }
        let exchange = state.log.exchanges().saturating_add(n.max(1));
        state.departure = Some(Departure { exchange, moment });
        true
    }

    /// The cards lying here.
    #[must_use]
    pub fn cards(&self) -> Vec<Card> {
        self.shared.lock().cards.clone()
    }

    /// What happened here so far.
    #[must_use]
    pub fn log(&self) -> Log {
        self.shared.lock().log.clone()
    }

    /// Says on whose behalf exchanges and writes are made from now on, for the log.
    pub fn set_attempt(&self, attempt: Option<String>) {
        self.shared.lock().log.set_attempt(attempt);
    }

    /// Waits until the situation is as wished; `false` if it was not within `limit`. The closure is
    /// asked at once and after every change, and must not call this slot.
    pub fn wait_for(
        &self,
        limit: Duration,
        mut wished: impl FnMut(&Situation<'_>) -> bool,
    ) -> bool {
        let end = Instant::now() + limit;
        let mut state = self.shared.lock();
        loop {
            if wished(&state.situation()) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// What a reader does with the cards.
impl Slot {
    /// Rings this bell at every card placed or removed, for as long as it exists.
    pub(crate) fn subscribe(&self, bell: &Arc<Bell>) {
        let mut state = self.shared.lock();
        state.bells.retain(|bell| bell.strong_count() > 0);
        state.bells.push(Arc::downgrade(bell));
    }

    /// A number that changes with every card placed or removed, and whether any lies here: both of
    /// one moment.
    pub(crate) fn arrangement(&self) -> (u64, bool) {
        let state = self.shared.lock();
        (state.arrangement, !state.cards.is_empty())
    }

    /// How many exchanges there were since the slot was made.
    pub(crate) fn exchanges(&self) -> u64 {
        self.shared.lock().log.exchanges()
    }

    /// Counts time that the line before this slot takes.
    pub(crate) fn impose_by_line(&self, time: Duration) {
        self.shared.lock().log.impose_by_line(time);
    }

    pub(crate) fn is_field_on(&self) -> bool {
        self.shared.lock().is_field_on
    }

    /// Some card is selected and listens.
    pub(crate) fn has_selected_card(&self) -> bool {
        let state = self.shared.lock();
        state.cards.iter().any(|card| card.lock().is_selected())
    }

    /// Switches the field. Cards lose their supply with it.
    pub(crate) fn set_field(&self, on: bool) {
        let mut state = self.shared.lock();
        if !on {
            state.abandon();
            state.cards.iter().for_each(|card| card.lock().power_off());
        }
        state.is_field_on = on;
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Sends a frame to all cards and returns what answers: nothing, one clean answer, or several
    /// at once, which is a collision.
    pub(crate) fn transmit(&self, frame: &Frame) -> Vec<Frame> {
        let mut state = self.shared.lock();
        if state.begins_exchange(frame) {
            state = self.shared.wait_while_held(state);
        }
        let (answers, time) = state.transmit(frame);
        self.shared.changed.notify_all();
        if self.shared.wait_out(state, time) {
            answers
        } else {
            Vec::new()
        }
    }

    /// Runs a MIFARE authentication with the card that is selected.
    pub(crate) fn authenticate(&self, authentication: &Authentication) -> Verdict {
        let mut state = self.shared.lock();
        if state.has_listening_card() {
            state = self.shared.wait_while_held(state);
        }
        let (verdict, time) = state.authenticate(authentication);
        self.shared.changed.notify_all();
        if self.shared.wait_out(state, time) {
            verdict
        } else {
            Verdict::Mute
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("cards", &self.cards())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
