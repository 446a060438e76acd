//! A request to stop waiting, for one who waits by looking, by sleeping on it, or deep in a call that needs a nudge.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

type Nudge = Arc<dyn Fn() + Send + Sync>;

/// A request to stop waiting, shared between who waits and who may change their mind. Honoured between exchanges,
/// never inside one.
#[derive(Clone, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    raised: Condvar,
}

#[derive(Default)]
struct State {
    raised: bool,
    nudges: Vec<(u64, Nudge)>,
    next_nudge: u64,
}

impl Stop {
    /// Asks to stop. There is no way back.
    pub fn raise(&self) {
        let nudges = {
            let mut state = self.0.lock();
            state.raised = true;
            std::mem::take(&mut state.nudges)
        };
        self.0.raised.notify_all();
        for (_, nudge) in nudges {
            nudge();
        }
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.lock().raised
    }

    /// Waits until somebody asks or the time has come; says whether somebody asked.
    #[must_use]
    pub fn wait_until(&self, time: Instant) -> bool {
        let left = time.saturating_duration_since(Instant::now());
        let (state, _) = self
            .0
            .raised
            .wait_timeout_while(self.0.lock(), left, |state| !state.raised)
            .unwrap_or_else(PoisonError::into_inner);
        state.raised
    }

    /// Calls `nudge` once when somebody asks, at once if somebody has; for waits that only another call can end. It may
    /// still be running when the returned guard has been dropped.
    #[must_use]
    pub fn nudge(&self, nudge: impl Fn() + Send + Sync + 'static) -> Nudging {
        let mut state = self.0.lock();
        let id = state.next_nudge;
        state.next_nudge += 1;
        if state.raised {
            drop(state);
            nudge();
        } else {
            state.nudges.push((id, Arc::new(nudge)));
        }
        Nudging {
            stop: self.clone(),
            id,
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.is_raised()).finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this lives, raising the [`Stop`] nudges.
pub struct Nudging {
    stop: Stop,
    id: u64,
}

impl Drop for Nudging {
    fn drop(&mut self) {
        self.stop.0.lock().nudges.retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_raised_stop_ends_a_wait_on_another_thread() {
        let stop = Stop::default();
        let other = stop.clone();
        let waits =
            std::thread::spawn(move || other.wait_until(Instant::now() + Duration::from_secs(30)));
        stop.raise();
        assert!(waits.join().unwrap());
    }

    #[test]
    fn a_wait_ends_at_its_time() {
        assert!(!Stop::default().wait_until(Instant::now()));
    }

    #[test]
    fn a_nudge_comes_once_and_not_after_its_guard_is_gone() {
        let stop = Stop::default();
        let (tx, nudges) = channel();
        let kept = stop.nudge({
            let tx = tx.clone();
            move || tx.send("kept").unwrap_or_default()
        });
        drop(stop.nudge({
            let tx = tx.clone();
            move || tx.send("dropped").unwrap_or_default()
        }));
        stop.raise();
        stop.raise();
        let _late = stop.nudge(move || tx.send("late").unwrap_or_default());
        drop(kept);
        assert_eq!(nudges.try_iter().collect::<Vec<_>>(), ["kept", "late"]);
    }
}
