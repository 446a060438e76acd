//! Which encoders there are: those with an entry, and those that a driver finds by itself.
//!
//! Event-driven: a driver says when devices came or went, and then everything is looked at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use encoder::{Changed, Driver, Registry, Selector, Settings};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::config::EncoderConfig;
use crate::encoder_task::{Device, EncoderTask, Request, Shared};
use crate::encoders::{EncoderHandle, Encoders, REQUESTS};
use crate::machine::{Machine, Policy};

/// How long a look at the system may take.
const LOOK_PATIENCE: Duration = Duration::from_secs(5);

/// Finds encoders and starts a task for each.
pub(crate) struct Discovery {
    pub registry: Registry,
    pub configured: Vec<EncoderConfig>,
    pub discover: bool,
    pub keys: Arc<card::SiteKeys>,
    pub policy: Policy,
    pub encoders: Encoders,
    pub shared: Shared,
}

impl Discovery {
    /// Starts tasks for all encoders that are known now, the absent ones included.
    pub(crate) async fn start(&self) -> HashSet<Selector> {
        let mut known = HashSet::new();
        for entry in &self.configured {
            let Some(driver) = self.registry.driver(&entry.driver) else {
                continue;
            };
            if known.insert(entry.selector.clone()) {
                let (asked, selector) = (Arc::clone(&driver), entry.selector.clone());
                let Some(listing) = off_thread(move || asked.look_up(&selector)).await else {
                    continue;
                };
                let name = entry.name.clone().unwrap_or(listing.description);
                self.add(
                    driver,
                    entry.selector.clone(),
                    entry.settings.clone(),
                    listing.identity.0,
                    name,
                )
                .await;
            }
        }
        self.find(&mut known).await;
        known
    }

    /// Follows devices as they come and go, until it is dropped.
    pub(crate) async fn follow(self, mut known: HashSet<Selector>) {
        let changes = Arc::new(Notify::new());
        let _watches = self.watch(&changes).await;
        loop {
            // Looked at once more after the watches began, so that nothing falls between start and watch.
            self.find(&mut known).await;
            self.encoders.send_to_all(|| Request::Look);
            changes.notified().await;
        }
    }

    async fn watch(&self, changes: &Arc<Notify>) -> Vec<Box<dyn Send>> {
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
            let notify = Arc::clone(changes);
            let changed: Changed = Arc::new(move || notify.notify_one());
            let asked = Arc::clone(driver);
            match off_thread(move || asked.watch(&entries, changed)).await {
                None => {}
                Some(Ok(watch)) => watches.push(watch),
                Some(Err(error)) => tracing::warn!(
                    driver = driver.name(),
                    error = crate::error_text::chain(&error),
                    "encoders that are plugged in later will not be noticed"
                ),
            }
        }
        watches
    }

    /// Adds the encoders that need no entry.
    async fn find(&self, known: &mut HashSet<Selector>) {
        if !self.discover {
            return;
        }
        for driver in self
            .registry
            .drivers()
            .filter(|driver| !driver.needs_entry())
        {
            let asked = Arc::clone(driver);
            for listing in off_thread(move || asked.list()).await.unwrap_or_default() {
                if known.insert(listing.selector.clone()) {
                    let driver = Arc::clone(driver);
                    self.add(
                        driver,
                        listing.selector,
                        Settings::default(),
                        listing.identity.0,
                        listing.description,
                    )
                    .await;
                }
            }
        }
    }

    async fn add(
        &self,
        driver: Arc<dyn Driver>,
        selector: Selector,
        settings: Settings,
        identity: String,
        display_name: String,
    ) {
        if self.encoders.get(&identity).is_some() {
            // Whoever was there first keeps the name: jobs and fences go by it.
            tracing::warn!(
                identity,
                display_name,
                "a second encoder of this identity is not used"
            );
            return;
        }
        let fence = match self.shared.journal.fences().await {
            Ok(fences) => fences
                .iter()
                .find(|fence| fence.identity == identity)
                .map_or(0, |fence| fence.fence),
            Err(error) => {
                // Without its fence an encoder might run a stale job: leave it out until the journal is well again.
                tracing::error!(
                    identity,
                    error = crate::error_text::chain(&error),
                    "an encoder is not used"
                );
                return;
            }
        };
        let machine = Machine::new(self.policy.clone(), Arc::clone(&self.keys), fence);
        let (requests, received) = mpsc::channel(REQUESTS);
        let device = Device {
            driver,
            selector,
            settings,
            identity: identity.clone(),
            display_name,
        };
        let (task, status) = EncoderTask::new(device, machine, self.shared.clone(), received);
        let task = tokio::spawn(task.run());
        self.encoders.insert(
            identity,
            EncoderHandle {
                requests,
                status,
                task: Arc::new(tokio::sync::Mutex::new(Some(task))),
            },
        );
    }
}

/// Lets a driver look at the system on a thread of its own: a system service that hangs costs that thread and no more.
pub(crate) async fn off_thread<T: Send + 'static>(
    look: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, seen) = oneshot::channel();
    let spawned = std::thread::Builder::new()
        .name("discovery".to_owned())
        .spawn(move || {
            // Too late for whoever asked is too late.
            let _ = sender.send(look());
        });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread to look for encoders on");
        return None;
    }
    match tokio::time::timeout(LOOK_PATIENCE, seen).await {
        Ok(Ok(found)) => Some(found),
        Ok(Err(_)) | Err(_) => {
            tracing::error!("looking for encoders did not come to an end; is pcscd stuck?");
            None
        }
    }
}
