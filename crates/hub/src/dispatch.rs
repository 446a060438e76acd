//! The live links by bridge: who can be reached, who is to be woken for new work, and who was lost and when.
//!
//! Holds no work itself: what is to be offered stands in the store, a link reads it from there when it is woken. So
//! nothing is lost when a link goes in between.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::link::FromHub;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::decisions::admission::Presence;
use crate::id::BridgeId;

/// How many messages a link may be behind before it is closed; the next snapshot repairs what it missed.
const MESSAGES_BEHIND: usize = 64;

/// The links of a hub.
#[derive(Debug)]
pub(crate) struct Dispatch {
    grace: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    links: HashMap<BridgeId, Entry>,
    /// Bridges that are away and still waited for, and until when.
    away: HashMap<BridgeId, Instant>,
    is_closed: bool,
}

#[derive(Debug)]
struct Entry {
    generation: u64,
    work: Arc<Notify>,
    say: mpsc::Sender<FromHub>,
}

/// A link's own end: closed by being dropped, by a newer link of the same bridge, or by the hub's shutdown.
#[derive(Debug)]
pub(crate) struct Registration {
    /// Told when there may be new work.
    pub(crate) work: Arc<Notify>,
    /// What is to be said; ends when the link is to be closed.
    pub(crate) say: mpsc::Receiver<FromHub>,
}

impl Dispatch {
    pub(crate) fn new(grace: Duration) -> Self {
        Self {
            grace,
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change below is whole before anything can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a link; an older one of the same bridge is closed. `None` when a newer one is there already, or the hub
    /// is closing.
    pub(crate) fn register(&self, bridge: BridgeId, generation: u64) -> Option<Registration> {
        let mut inner = self.inner();
        let is_outdated = inner
            .links
            .get(&bridge)
            .is_some_and(|entry| entry.generation > generation);
        if inner.is_closed || is_outdated {
            return None;
        }
        let work = Arc::new(Notify::new());
        let (say, receiver) = mpsc::channel(MESSAGES_BEHIND);
        let entry = Entry {
            generation,
            work: Arc::clone(&work),
            say,
        };
        inner.links.insert(bridge, entry);
        inner.away.remove(&bridge);
        Some(Registration {
            work,
            say: receiver,
        })
    }

    /// The link is gone; its bridge is waited for from now on. Does nothing for a link that was replaced.
    pub(crate) fn unregister(&self, bridge: BridgeId, generation: u64) {
        let mut inner = self.inner();
        if inner
            .links
            .get(&bridge)
            .is_some_and(|entry| entry.generation == generation)
        {
            inner.links.remove(&bridge);
            let until = Instant::now() + self.grace;
            inner.away.insert(bridge, until);
        }
    }

    /// When the hub starts, its bridges are waited for like ones that were just lost.
    pub(crate) fn expect(&self, bridges: impl IntoIterator<Item = BridgeId>) {
        let until = Instant::now() + self.grace;
        let mut inner = self.inner();
        for bridge in bridges {
            if !inner.links.contains_key(&bridge) {
                inner.away.insert(bridge, until);
            }
        }
    }

    pub(crate) fn presence(&self, bridge: BridgeId) -> Presence {
        let inner = self.inner();
        if inner.links.contains_key(&bridge) || inner.away.contains_key(&bridge) {
            Presence::Present
        } else {
            Presence::Gone
        }
    }

    /// There may be new work for the bridge.
    pub(crate) fn wake(&self, bridge: BridgeId) {
        if let Some(entry) = self.inner().links.get(&bridge) {
            entry.work.notify_one();
        }
    }

    /// Says something to a bridge if it is there. A link that does not keep up is closed.
    pub(crate) fn say(&self, bridge: BridgeId, message: FromHub) {
        let mut inner = self.inner();
        let Some(entry) = inner.links.get(&bridge) else {
            return;
        };
        if entry.say.try_send(message).is_err() {
            inner.links.remove(&bridge);
            let until = Instant::now() + self.grace;
            inner.away.insert(bridge, until);
        }
    }

    /// When the next bridge is given up.
    pub(crate) fn next_grace_end(&self) -> Option<Instant> {
        self.inner().away.values().min().copied()
    }

    /// The bridges to be given up now; they count as gone from here on.
    pub(crate) fn take_given_up(&self, now: Instant) -> Vec<BridgeId> {
        let mut inner = self.inner();
        let given_up: Vec<BridgeId> = inner
            .away
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(bridge, _)| *bridge)
            .collect();
        for bridge in &given_up {
            inner.away.remove(bridge);
        }
        given_up
    }

    /// Closes all links and takes no new ones.
    pub(crate) fn close(&self) {
        let mut inner = self.inner();
        inner.is_closed = true;
        inner.links.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::rows;

    const GRACE: Duration = Duration::from_secs(5);

    fn bridge() -> BridgeId {
        BridgeId(rows::uuid(1))
    }

    #[test]
    fn a_lost_bridge_is_waited_for_until_its_grace_is_over() {
        type Lose = fn(&Dispatch);
        let unregistered: Lose = |dispatch| {
            dispatch.register(bridge(), 1).unwrap();
            dispatch.unregister(bridge(), 1);
        };
        let expected: Lose = |dispatch| dispatch.expect([bridge()]);
        let too_slow: Lose = |dispatch| {
            let registration = dispatch.register(bridge(), 1).unwrap();
            drop(registration.say);
            dispatch.say(bridge(), FromHub::Acknowledge { snapshot: 1 });
        };
        for lose in [unregistered, expected, too_slow] {
            let dispatch = Dispatch::new(GRACE);
            let before = Instant::now();
            lose(&dispatch);
            let until = dispatch.next_grace_end().unwrap();
            assert!(until >= before + GRACE && until <= Instant::now() + GRACE);
            let just_before = until - Duration::from_millis(1);
            assert_eq!(dispatch.take_given_up(just_before), []);
            assert_eq!(dispatch.presence(bridge()), Presence::Present);
            assert_eq!(dispatch.take_given_up(until), [bridge()]);
            assert_eq!(dispatch.presence(bridge()), Presence::Gone);
            assert_eq!(dispatch.next_grace_end(), None);
        }
    }

    #[test]
    fn the_end_of_a_replaced_link_does_not_end_the_newer_one() {
        let dispatch = Dispatch::new(GRACE);
        let older = dispatch.register(bridge(), 1).unwrap();
        dispatch.register(bridge(), 2).unwrap();
        assert!(older.say.is_closed());
        assert!(dispatch.register(bridge(), 1).is_none());
        dispatch.unregister(bridge(), 1);
        assert_eq!(dispatch.next_grace_end(), None);
        assert_eq!(dispatch.presence(bridge()), Presence::Present);
    }
}
