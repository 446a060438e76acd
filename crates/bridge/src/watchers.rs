//! Tells whoever asked for a job on this PC how far it is and how it ended.

use protocol::link::{Outcome, Phase, ScannedCredential};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::Preview;

/// Updates that may wait for a slow watcher before it misses some.
const BACKLOG: usize = 256;

/// What a watcher is told.
#[derive(Debug, Clone)]
pub(crate) enum Update {
    /// How far a job is.
    Progress(Uuid, Phase),
    /// A job ended, durably; with the credential that is on the card now, if one was written.
    Finished(Uuid, Box<Outcome>, Option<Box<ScannedCredential>>),
    /// What an encode would change.
    Previewed(Uuid, Box<Preview>),
}

/// Spreads updates of all jobs to all watchers. Never waits for one.
#[derive(Debug, Clone)]
pub(crate) struct Watchers(broadcast::Sender<Update>);

impl Watchers {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Update> {
        self.0.subscribe()
    }

    pub(crate) fn progress(&self, id: Uuid, phase: Phase) {
        // Nobody watching is fine.
        let _ = self.0.send(Update::Progress(id, phase));
    }

    pub(crate) fn previewed(&self, id: Uuid, preview: Box<Preview>) {
        let _ = self.0.send(Update::Previewed(id, preview));
    }

    pub(crate) fn finish(&self, id: Uuid, outcome: Outcome, written: Option<ScannedCredential>) {
        let _ = self.0.send(Update::Finished(
            id,
            Box::new(outcome),
            written.map(Box::new),
        ));
    }
}
