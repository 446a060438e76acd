//! Faults of a device's wire, set by whoever steers and met by whoever speaks to the device. What happens to a
//! frame is decided in `plan` and done to its bytes in `damage`, both without any I/O; a device only carries it
//! out. A card that leaves or tears is no fault of the wire: see [`Slot`](crate::Slot).
//!
//! Which kinds a wire has, and what they are there:
//!
//! | kind | PN532 on a serial line | PC/SC reader behind `vpcd` |
//! | --- | --- | --- |
//! | `Drop` | the frame is lost | the card is mute: seen to leave and to come back |
//! | `Delay` | the frame comes later, and so do those after it | the same |
//! | `Garble` | some bits of one byte are wrong | the same |
//! | `Truncate` | the frame ends in its middle | the same: an answer has no status word |
//! | `Nak` | an error frame in place of the answer | an error status word in place of the answer |
//! | `WrongUid` | in the answer of InListPassiveTarget and InAutoPoll | in the answer of `FF CA 00 00` |
//! | `Stall` | it swallows everything and says nothing | the same, until the card leaves |
//! | `Duplicate` | the frame comes twice | – (CCID numbers its messages) |
//! | `Oversize` | longer than allowed, or with garbage behind it | a long answer before the status word |
//!
//! What a wire counts as a frame: on the PN532's line every frame, acknowledgements too; at a PC/SC reader every
//! command and every answer, but not the ATR that `pcscd` asks for all the time. From the host, a lost, garbled or
//! cut frame never reaches the device, or not as it was sent; a `Nak` refuses a command that is not carried out.

mod damage;
mod plan;

pub(crate) use damage::{Arrival, Wire, arrival, noise};
pub(crate) use plan::{Hit, Passing};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::bell::Bell;
use crate::slot::Slot;
use plan::Plan;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The frame never arrives.
    Drop,
    /// The frame arrives later by this, and no later frame overtakes it.
    Delay(Duration),
    /// Some bits of one byte arrive flipped: the same for the same number and seed.
    Garble,
    /// Only the first half arrives.
    Truncate,
    /// The device refuses, in its own way.
    Nak,
    /// The device reports another UID than the card's.
    WrongUid,
    /// From this frame on the device swallows everything and says nothing, until it is unplugged and plugged in or
    /// faults are set anew.
    Stall,
    /// The frame arrives twice.
    Duplicate,
    /// The frame is longer than its protocol allows, or far more follows than belongs to it.
    Oversize,
}

/// When it goes wrong. Numbers count from 1, from when the fault was set; 0 is taken as 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum When {
    /// At the frame that carries the n-th exchange with a card: its command from the host, its answer to the host.
    /// Exchanges are counted as in [`Log::exchanges`](crate::Log::exchanges). A kind that this very frame cannot
    /// take (another UID in an answer without any) waits for the next that can. Once.
    AtExchange(u64),
    /// At the n-th frame in its direction. A kind that this very frame cannot take waits likewise. Once.
    AtFrame(u64),
    /// At so many of the frames, again and again; the same ones for the same seed.
    Rate {
        /// The share of frames, from 0 to 1.
        rate: f64,
        /// Decides which.
        seed: u64,
    },
}

/// Which direction it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// What the device sends.
    #[default]
    ToHost,
    /// What the host sends, before it reaches the device.
    FromHost,
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When.
    pub when: When,
    /// In which direction.
    pub way: Way,
}

impl Fault {
    /// A fault of what the device sends.
    #[must_use]
    pub fn new(kind: FaultKind, when: When) -> Fault {
        Fault {
            kind,
            when,
            way: Way::ToHost,
        }
    }

    /// The same, of what the host sends.
    #[must_use]
    pub fn from_host(self) -> Fault {
        Fault {
            way: Way::FromHost,
            ..self
        }
    }
}

/// The faults of one device, and what came of them. Clones are the same; it may be steered from any thread.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The places whose exchanges count.
    slots: Vec<Slot>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    plan: Plan,
    /// Exchanges before the faults were set.
    exchanges_before: u64,
    /// Rung when faults are set.
    bells: Vec<Weak<Bell>>,
    frames: u64,
    happened: u64,
    is_stalled: bool,
}

impl Faults {
    /// No faults, of a device over these places.
    pub(crate) fn over(slots: Vec<Slot>) -> Faults {
        Faults {
            shared: Arc::new(Shared {
                slots,
                state: Mutex::default(),
            }),
        }
    }

    /// Sets these in place of all that were set before, and counts anew; a device that was stalled goes on. An
    /// empty list is a sound wire.
    pub fn set(&self, faults: Vec<Fault>) {
        let exchanges_before = self.exchanges();
        let mut state = self.lock();
        state.plan = Plan::new(faults);
        state.exchanges_before = exchanges_before;
        state.is_stalled = false;
        let listeners = state.bells.iter().filter_map(Weak::upgrade);
        listeners.for_each(|bell| bell.ring());
    }

    /// Rings this bell when faults are set, for as long as it exists: for a device that has something to end when a
    /// stall is over.
    pub(crate) fn subscribe(&self, bell: &Arc<Bell>) {
        let mut state = self.lock();
        state.bells.retain(|bell| bell.strong_count() > 0);
        state.bells.push(Arc::downgrade(bell));
    }

    /// The faults that are set, those that are over among them.
    #[must_use]
    pub fn get(&self) -> Vec<Fault> {
        self.lock().plan.faults()
    }

    /// How many frames the device has sent since it was made, or would have but for a fault.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.lock().frames
    }

    /// How many faults have taken effect since the device was made; one that is set by a rate may do so often.
    #[must_use]
    pub fn happened(&self) -> u64 {
        self.lock().happened
    }

    /// Whether the device swallows everything; see [`FaultKind::Stall`].
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.lock().is_stalled
    }

    /// A frame is about to pass: what happens to it, in this order. `None`: the device is stalled, and the frame is
    /// swallowed.
    pub(crate) fn pass(&self, passing: &Passing<'_>) -> Option<Vec<Hit>> {
        let exchanges = self.exchanges();
        let mut state = self.lock();
        if state.is_stalled {
            return None;
        }
        if passing.way == Way::ToHost {
            state.frames += 1;
        }
        let since = exchanges.saturating_sub(state.exchanges_before);
        let hits = state.plan.pass(passing, since);
        state.happened += hits.len() as u64;
        state.is_stalled = hits.iter().any(|hit| hit.kind == FaultKind::Stall);
        Some(hits)
    }

    /// The device lost its supply and got it back.
    pub(crate) fn power_cycled(&self) {
        self.lock().is_stalled = false;
    }

    fn exchanges(&self) -> u64 {
        self.shared.slots.iter().map(Slot::exchanges).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultKind, Faults, Passing, Way, When};

    fn answer<'a>() -> Passing<'a> {
        Passing {
            way: Way::ToHost,
            is_about_cards: true,
            can: &|_| true,
        }
    }

    #[test]
    fn a_stalled_device_swallows_everything_until_it_is_plugged_in_or_set_anew() {
        let cures: [fn(&Faults); 2] = [Faults::power_cycled, |faults| faults.set(Vec::new())];
        for cure in cures {
            let faults = Faults::default();
            faults.set(vec![Fault::new(FaultKind::Stall, When::AtFrame(2))]);
            assert!(faults.pass(&answer()).unwrap().is_empty());
            assert_eq!(faults.pass(&answer()).unwrap().len(), 1);
            assert!(faults.is_stalled());
            assert!(faults.pass(&answer()).is_none());
            cure(&faults);
            assert!(!faults.is_stalled());
            assert!(faults.pass(&answer()).unwrap().is_empty());
            assert_eq!((faults.frames(), faults.happened()), (3, 1));
        }
    }

    #[test]
    fn setting_faults_counts_anew_and_forgets_what_was_set() {
        let faults = Faults::default();
        faults.set(vec![Fault::new(FaultKind::Drop, When::AtFrame(2))]);
        assert!(faults.pass(&answer()).unwrap().is_empty());
        faults.set(vec![Fault::new(FaultKind::Garble, When::AtFrame(2))]);
        assert!(faults.pass(&answer()).unwrap().is_empty());
        let hits = faults.pass(&answer()).unwrap();
        assert_eq!(hits[0].kind, FaultKind::Garble);
        faults.set(Vec::new());
        assert_eq!(faults.get(), Vec::new());
    }
}
