//! Holding an exchange: a command that is on its way waits before the card, so that whoever steers
//! can act at that very moment (take the card, kill the program that talks to it) and then let it go.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::state::State;
use super::{Shared, Slot};

/// The longest that an exchange is held: whoever steers and died must not hold the wire for ever.
const LIMIT: Duration = Duration::from_secs(60);

/// An exchange that is to be held, or is.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// The number of the exchange, counted like the log's.
    exchange: Option<u64>,
    /// It has come and waits.
    pub(super) is_on: bool,
}

impl Slot {
    /// Holds the n-th exchange from now, counted from 1, before its command reaches a card: the reader
    /// waits for its answer until [`let_go`](Slot::let_go). [`Situation::is_held`](super::Situation)
    /// tells that it has come. Meanwhile cards may be placed and removed. Replaces a hold that was
    /// still to come; 0 is taken as 1.
    pub fn hold_at(&self, n: u64) {
        let mut state = self.shared.lock();
        state.hold.exchange = Some(state.log.exchanges().saturating_add(n.max(1)));
    }

    /// Lets a held exchange go on, with whatever lies here now, and forgets a hold that was still to
    /// come.
    pub fn let_go(&self) {
        self.shared.lock().hold = Hold::default();
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Waits while the exchange that would begin now is held.
    pub(super) fn wait_while_held<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> MutexGuard<'a, State> {
        if state.hold.exchange != Some(state.log.exchanges() + 1) {
            return state;
        }
        state.hold.is_on = true;
        self.changed.notify_all();
        let (mut state, waited) = self
            .changed
            .wait_timeout_while(state, LIMIT, |state| state.hold.is_on)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            tracing::error!("nobody let a held exchange go; it goes on");
            state.hold = Hold::default();
        }
        state
    }
}
