//! Which encoders there are: those with an entry, and those that a driver finds by itself.
//!
//! Event-driven: a driver says when devices came or went, and then everything is looked at once.

mod census;

use std::sync::Arc;
use std::time::Duration;

use card::Entropy;
use encoder::{Changed, Listing, Probing, Registry, Selector, Settings};
use tokio::sync::{mpsc, oneshot, watch};

use crate::about::{About, Notes};
use crate::config::EncoderConfig;
use crate::encoder_task::{Device, EncoderTask, Request, Shared};
use crate::encoders::{EncoderHandle, Encoders, REQUESTS};
use crate::error_text::chain;
use crate::machine::{Machine, Policy};
use crate::recordings::Recordings;
pub(crate) use census::Census;
use census::Seen;

/// How long a look at the system may take.
const LOOK_PATIENCE: Duration = Duration::from_secs(5);
/// When what could not be looked at, or not be taken in, is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Finds encoders and starts a task for each.
pub(crate) struct Discovery {
    pub registry: Registry,
    pub configured: Vec<EncoderConfig>,
    pub discover: bool,
    pub probing: Probing,
    pub keys: Arc<card::SiteKeys>,
    pub policy: Policy,
    pub encoders: Encoders,
    pub shared: Shared,
    /// Counts how often devices came or went.
    pub changes: watch::Sender<u64>,
    /// The devices that have been taken in.
    pub census: Census,
    /// The devices that are there and not used.
    pub unused: watch::Sender<Vec<Listing>>,
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
            if entries.is_empty() && !self.discover {
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

    /// Looks once: takes in the encoders that are not known yet, those with an entry, absent or not, and those that the
    /// drivers find, and sends those after their encoder that are plugged in elsewhere now.
    pub(crate) async fn find(&mut self) -> Found {
        let (seen, mut found) = self.look().await;
        let changes = self.census.take(seen, found == Found::Everything);
        for (identity, listing) in changes.same {
            if let Some(handle) = self.encoders.get(&identity) {
                handle.notes.listed(&listing);
            }
        }
        for (identity, listing) in changes.moved {
            tracing::info!(identity, at = %listing.selector, "an encoder is plugged in elsewhere now");
            if let Some(handle) = self.encoders.get(&identity) {
                // Its task reads on as long as it lives, and it never waits for discovery.
                let _ = handle
                    .requests
                    .send(Request::Moved(Box::new(listing)))
                    .await;
            }
        }
        for seen in changes.new {
            found = found.and(self.add(seen).await);
        }
        self.unused.send_if_modified(|unused| {
            let changed = *unused != changes.unused;
            *unused = changes.unused;
            changed
        });
        found
    }

    /// What is there now, and whether everybody who was asked answered.
    async fn look(&self) -> (Vec<Seen>, Found) {
        let mut found = Found::Everything;
        let mut all = Vec::new();
        for (at, entry) in self.configured.iter().enumerate() {
            let Some(driver) = self.registry.driver(&entry.driver) else {
                continue;
            };
            let selector = entry.selector.clone();
            match off_thread(move || driver.look_up(&selector)).await {
                Ok(listing) => all.push(Seen {
                    listing,
                    entry: Some(at),
                }),
                Err(_) => found = Found::NotEverything,
            }
        }
        for driver in self.registry.drivers().filter(|_| self.discover) {
            let (driver, claimed) = (Arc::clone(driver), self.claimed());
            let probing = self.probing;
            let list = move || driver.list(probing, &claimed);
            match off_thread(list).await {
                Ok(listings) => all.extend(listings.into_iter().map(|listing| Seen {
                    listing,
                    entry: None,
                })),
                Err(_) => found = Found::NotEverything,
            }
        }
        (all, found)
    }

    /// The devices that the configuration names, for whichever driver.
    fn claimed(&self) -> Vec<Selector> {
        self.configured
            .iter()
            .map(|entry| entry.selector.clone())
            .collect()
    }

    async fn add(&mut self, seen: Seen) -> Found {
        let Seen { listing, entry } = seen;
        let Some(driver) = self.registry.driver(listing.driver) else {
            return Found::Everything;
        };
        let identity = listing.identity.text.clone();
        let Some(machine) = self.machine(&identity).await else {
            return Found::NotEverything;
        };
        self.census.taken_in(&listing);
        let entry = entry.and_then(|at| self.configured.get(at));
        let settings = entry
            .map(|entry| entry.settings.clone())
            .unwrap_or_default();
        let name = entry.and_then(|entry| entry.name.clone());
        let display_name = name.unwrap_or_else(|| listing.description.clone());
        let recordings = entry
            .and_then(|entry| entry.record.clone())
            .map(|folder| Recordings::new(folder, &display_name));
        let notes = Notes::new(About::listed(&listing, &settings), recordings);
        let (requests, received) = mpsc::channel(REQUESTS);
        let device = Device {
            driver,
            selector: listing.selector,
            settings,
            identity: listing.identity,
            display_name,
            notes: notes.clone(),
        };
        let changes = self.changes.subscribe();
        let (task, status) =
            EncoderTask::new(device, machine, self.shared.clone(), received, changes);
        let handle = EncoderHandle::new(requests, status, notes, tokio::spawn(task.run()));
        self.encoders.insert(identity, handle);
        Found::Everything
    }

    /// The job machine of a new encoder, with the fence that it had accepted; `None` when it must not work yet.
    async fn machine(&self, identity: &str) -> Option<Machine> {
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
                return None;
            }
        };
        let mut seed = [0; 32];
        if let Err(error) = getrandom::fill(&mut seed) {
            tracing::error!(
                identity,
                error = chain(&error),
                "an encoder is not used until the system gives random numbers"
            );
            return None;
        }
        Some(Machine::new(
            self.policy.clone(),
            Arc::clone(&self.keys),
            Entropy::new(seed),
            fence,
        ))
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
