//! Which encoders there are: those with an entry, and those that a driver finds by itself.
//!
//! Event-driven: a driver says when devices came or went, and then everything is looked at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use card::Entropy;
use encoder::{Access, Changed, Driver, Listing, Probing, Registry, Selector, Settings};
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::EncoderConfig;
use crate::encoder_task::{Device, EncoderTask, Shared};
use crate::encoders::{EncoderHandle, Encoders, REQUESTS};
use crate::error_text::chain;
use crate::machine::{Machine, Policy};

/// How long a look at the system may take.
const LOOK_PATIENCE: Duration = Duration::from_secs(5);
/// When what could not be looked at, or not be taken in, is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Finds encoders and starts a task for each.
pub(crate) struct Discovery {
    pub registry: Registry,
    pub configured: Vec<EncoderConfig>,
    pub discover: bool,
    pub keys: Arc<card::SiteKeys>,
    pub policy: Policy,
    pub encoders: Encoders,
    pub shared: Shared,
    /// Counts how often devices came or went.
    pub changes: watch::Sender<u64>,
    /// The devices that have been taken in.
    pub known: HashSet<Selector>,
}

/// Everything was taken in, or something must be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Everything,
    NotEverything,
}

impl Discovery {
    /// Follows devices as they come and go, until it is dropped.
    pub(crate) async fn follow(mut self) {
        let mut changes = self.changes.subscribe();
        let _watches = self.watch().await;
        // Devices that came between the first look and the watch.
        self.changes.send_modify(|count| *count += 1);
        loop {
            let retry = match self.find().await {
                Found::Everything => None,
                Found::NotEverything => Some(RETRY),
            };
            let due = async {
                match retry {
                    Some(after) => tokio::time::sleep(after).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The sender lives in `self`.
                _ = changes.changed() => {}
                () = due => {}
            }
        }
    }

    async fn watch(&self) -> Vec<Box<dyn Send>> {
        let mut watches = Vec::new();
        for driver in self.registry.drivers() {
            let entries: Vec<(Selector, Settings)> = self
                .configured
                .iter()
                .filter(|entry| entry.driver == driver.name())
                .map(|entry| (entry.selector.clone(), entry.settings.clone()))
                .collect();
            if entries.is_empty() && (driver.needs_entry() || !self.discover) {
                continue;
            }
            let changes = self.changes.clone();
            let changed: Changed = Arc::new(move || changes.send_modify(|count| *count += 1));
            let asked = Arc::clone(driver);
            match off_thread(move || asked.watch(&entries, changed)).await {
                Err(_) => {}
                Ok(Ok(watch)) => watches.push(watch),
                Ok(Err(error)) => tracing::warn!(
                    driver = driver.name(),
                    error = chain(&error),
                    "encoders that are plugged in later will not be noticed"
                ),
            }
        }
        watches
    }

    /// Takes in the encoders that are not known yet: those with an entry, absent or not, and those that need none.
    pub(crate) async fn find(&mut self) -> Found {
        let mut found = Found::Everything;
        for entry in self.configured.clone() {
            if self.known.contains(&entry.selector) {
                continue;
            }
            let Some(driver) = self.registry.driver(&entry.driver) else {
                continue;
            };
            let (asked, selector) = (Arc::clone(&driver), entry.selector.clone());
            let taken_in = match off_thread(move || asked.look_up(&selector)).await {
                Ok(listing) => self.add(driver, listing, entry.settings, entry.name).await,
                Err(_) => Found::NotEverything,
            };
            found = found.and(taken_in);
        }
        if !self.discover {
            return found;
        }
        let registry = self.registry.clone();
        for driver in registry.drivers().filter(|driver| !driver.needs_entry()) {
            let asked = Arc::clone(driver);
            let claimed = self.claimed();
            let list = move || asked.list(Probing::Forbidden, &claimed);
            let Ok(listings) = off_thread(list).await else {
                found = Found::NotEverything;
                continue;
            };
            for listing in listings {
                if matches!(listing.access, Access::Unclaimed { .. }) {
                    continue;
                }
                if !self.known.contains(&listing.selector) {
                    let driver = Arc::clone(driver);
                    found = found.and(self.add(driver, listing, Settings::default(), None).await);
                }
            }
        }
        found
    }

    /// The devices that the configuration names, for whichever driver.
    fn claimed(&self) -> Vec<Selector> {
        self.configured
            .iter()
            .map(|entry| entry.selector.clone())
            .collect()
    }

    async fn add(
        &mut self,
        driver: Arc<dyn Driver>,
        listing: Listing,
        settings: Settings,
        name: Option<String>,
    ) -> Found {
        let identity = listing.identity.text.clone();
        if self.encoders.get(&identity).is_some() {
            // Whoever was there first keeps the name: jobs and fences go by it.
            tracing::warn!(
                identity,
                description = listing.description,
                "a second encoder of this identity is not used"
            );
            self.known.insert(listing.selector);
            return Found::Everything;
        }
        let fence = match self.shared.journal.fences().await {
            Ok(fences) => fences
                .iter()
                .find(|fence| fence.identity == identity)
                .map_or(0, |fence| fence.fence),
            Err(error) => {
                // Without its fence an encoder might run a stale job.
                tracing::error!(
                    identity,
                    error = chain(&error),
                    "an encoder is not used until the journal is well"
                );
                return Found::NotEverything;
            }
        };
        let mut seed = [0; 32];
        if let Err(error) = getrandom::fill(&mut seed) {
            tracing::error!(
                identity,
                error = chain(&error),
                "an encoder is not used until the system gives random numbers"
            );
            return Found::NotEverything;
        }
        self.known.insert(listing.selector.clone());
        let machine = Machine::new(
            self.policy.clone(),
            Arc::clone(&self.keys),
            Entropy::new(seed),
            fence,
        );
        let (requests, received) = mpsc::channel(REQUESTS);
        let device = Device {
            driver,
            selector: listing.selector,
            settings,
            identity: listing.identity,
            display_name: name.unwrap_or(listing.description),
        };
        let changes = self.changes.subscribe();
        let (task, status) =
            EncoderTask::new(device, machine, self.shared.clone(), received, changes);
        let handle = EncoderHandle::new(requests, status, tokio::spawn(task.run()));
        self.encoders.insert(identity, handle);
        Found::Everything
    }
}

impl Found {
    fn and(self, other: Self) -> Self {
        if other == Self::Everything {
            self
        } else {
            other
        }
    }
}

/// Lets a driver look at the system on a thread of its own: a system service that hangs costs that thread and no more.
/// The receiver ends without an answer after a while.
pub(crate) fn off_thread<T: Send + 'static>(
    look: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (sender, seen) = oneshot::channel();
    let (patient, answer) = oneshot::channel();
    let spawned = std::thread::Builder::new()
        .name("discovery".to_owned())
        // Too late for whoever asked is too late.
        .spawn(move || drop(sender.send(look())));
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread to look for encoders on");
        return answer;
    }
    tokio::spawn(async move {
        match tokio::time::timeout(LOOK_PATIENCE, seen).await {
            Ok(Ok(found)) => drop(patient.send(found)),
            Ok(Err(_)) | Err(_) => {
                tracing::error!("looking for encoders did not come to an end; is pcscd stuck?");
            }
        }
    });
    answer
}
