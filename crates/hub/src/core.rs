//! What all parts of a running hub share: store, settings, live links, and who is to be woken after a commit.

use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::dispatch::Dispatch;
use crate::id::{AttemptId, BridgeId, HubId};
use crate::moment::Moment;
use crate::settings::HubSettings;
use crate::store::attempts::{self, Attempt, Status};
use crate::store::{OpenError, Store, requests};

/// How long the answer to a request from an encoder PC is kept; a PC asks again within seconds of its connection.
const KEPT_ANSWERS: Duration = Duration::from_secs(30 * 24 * 3600);

/// The shared parts of a hub.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) store: Store,
    pub(crate) settings: HubSettings,
    pub(crate) hub_id: HubId,
    pub(crate) dispatch: Dispatch,
    /// Wakes the deadline task when the next deadline may have changed.
    pub(crate) deadlines: Notify,
    /// Counts commits in which an attempt ended.
    ends: watch::Sender<u64>,
    /// Counts how often an encoder may have become free for another bridge.
    releases: watch::Sender<u64>,
}

impl Core {
    /// Opens the store.
    pub(crate) async fn open(settings: HubSettings) -> Result<Self, OpenError> {
        let store = Store::open(&settings.database).await?;
        let hub_id = store.hub_id().await.map_err(OpenError::Database)?;
        forget_old_answers(&store)
            .await
            .map_err(OpenError::Database)?;
        Ok(Self {
            dispatch: Dispatch::new(settings.bridge_grace),
            deadlines: Notify::new(),
            ends: watch::Sender::new(0),
            releases: watch::Sender::new(0),
            store,
            settings,
            hub_id,
        })
    }

    /// To be called after a commit that began an attempt.
    pub(crate) fn attempt_began(&self, bridge: BridgeId) {
        self.dispatch.wake(bridge);
        self.deadlines.notify_one();
    }

    /// To be called after a commit that may have ended attempts.
    pub(crate) fn attempts_ended(&self) {
        self.ends.send_modify(|count| *count += 1);
        self.encoders_released();
    }

    /// To be called when an encoder may have become free for another bridge: it is offline, its bridge is given up, or
    /// its last job has ended.
    pub(crate) fn encoders_released(&self) {
        self.releases.send_modify(|count| *count += 1);
    }

    /// Changes whenever an encoder may have become free for another bridge.
    pub(crate) fn releases(&self) -> watch::Receiver<u64> {
        self.releases.subscribe()
    }

    /// Waits until an attempt has ended; `None` when there is no such attempt.
    pub(crate) async fn ended(&self, id: AttemptId) -> sqlx::Result<Option<Attempt>> {
        let mut ends = self.ends.subscribe();
        loop {
            ends.borrow_and_update();
            let found = attempts::get(&mut *self.store.read().await?, id).await?;
            match found {
                Some(attempt) if attempt.status == Status::Pending => {}
                other => return Ok(other),
            }
            if ends.changed().await.is_err() {
                return Ok(None);
            }
        }
    }
}

async fn forget_old_answers(store: &Store) -> sqlx::Result<()> {
    let mut db = store.begin().await?;
    requests::delete_before(&mut db, Moment::now().before(KEPT_ANSWERS)).await?;
    db.commit().await
}
