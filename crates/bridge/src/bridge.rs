//! A running bridge, and what a program on the same PC may ask of it.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use encoder::{Abandoned, Registry};
use jiff::Timestamp;
use protocol::link::{
    AttemptError, Outcome, Phase, RequestEncode, RequestResult, Scanned, ScannedCredential,
};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::config::Config;
use crate::discovery::Discovery;
use crate::encoder_task::{EncoderStatus, Request, Shared};
use crate::encoders::{EncoderHandle, Encoders};
use crate::journal::{Journal, JournalError};
use crate::link::{Dial, LinkStatus, LinkTask, Uplink};
use crate::machine::Policy;
use crate::watchers::{Update, Watchers};

/// How long a local request waits for the hub's answer.
const HUB_PATIENCE: Duration = Duration::from_secs(10);
/// How much longer than its card wait a local job may take in all: queue, grant, writing.
const JOB_PATIENCE: Duration = Duration::from_secs(120);

/// A bridge that runs. Dropping it aborts; [`Bridge::stop`] ends it in order.
pub struct Bridge {
    encoders: Encoders,
    watchers: Watchers,
    uplink: Uplink,
    link: watch::Receiver<LinkStatus>,
    discovery: JoinHandle<()>,
    link_task: Option<JoinHandle<()>>,
    /// Held as long as the bridge lives: one journal, one bridge.
    _lock: std::fs::File,
}

/// A bridge could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal cannot be used.
    #[error("the bridge cannot start without its journal")]
    Journal(#[from] JournalError),
    /// Another bridge has the journal.
    #[error("another bridge runs on {0} already; stop it, or give this one a state_dir of its own")]
    Running(PathBuf),
    /// The state directory cannot be used.
    #[error(
        "the state directory {path} cannot be used; check that it exists and belongs to this user"
    )]
    State {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The hub cannot be dialled.
    #[error("the link to the hub cannot be set up")]
    Link(#[from] crate::link::DialConfigError),
}

/// Why a request from this PC came to nothing, in the names of the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// A name for programs.
    pub kind: String,
    /// A sentence for people.
    pub message: String,
}

/// A card that somebody at this PC wants.
#[derive(Debug, Clone)]
pub struct LocalEncode {
    /// Which encoder; may be left out when there is only one.
    pub encoder: Option<String>,
    /// Doors by name.
    pub doors: Vec<String>,
    /// From when; `None` is now.
    pub starts_at: Option<Timestamp>,
    /// Until when; `None` has no end.
    pub ends_at: Option<Timestamp>,
    /// Whether it overrides earlier cards; `None` lets the hub pick.
    pub overrides: Option<bool>,
}

/// A card that was encoded.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Encoded {
    /// The card.
    pub uid: String,
    /// Its technology.
    pub technology: String,
    /// The credential on the hub.
    pub acs_credential_id: Uuid,
    /// The attempt on the hub.
    pub action_attempt_id: Uuid,
    /// What was read back from the card.
    pub credential: ScannedCredential,
}

impl Bridge {
    /// Opens the journal, ends what the last run left open, opens the encoders and dials the hub. Comes back as soon
    /// as these have begun; [`Bridge::encoders`] and [`Bridge::link`] tell how they are.
    ///
    /// # Errors
    /// When the state directory or the journal cannot be used, or another bridge uses them.
    pub async fn start(config: Config, registry: Registry) -> Result<Self, StartError> {
        let journal = Journal::open(&config.state_directory).await?;
        let lock = lock(&config.state_directory)?;
        let left = journal.end_what_a_restart_left().await?;
        if left > 0 {
            tracing::warn!(
                jobs = left,
                "the last run ended in the middle of jobs; they are reported as they stand"
            );
        }
        let encoders = Encoders::default();
        let watchers = Watchers::new();
        let (uplink, outgoing) = Uplink::new();
        let (status, link) = watch::channel(LinkStatus::None);
        let site_key_check = hex::encode(config.keys.check_value());
        let discovery = Discovery {
            registry,
            configured: config.encoders,
            discover: config.discover,
            keys: Arc::new(config.keys),
            policy: Policy {
                personalise_blank: config.personalise_blank,
            },
            encoders: encoders.clone(),
            shared: Shared {
                journal: journal.clone(),
                uplink: uplink.clone(),
                watchers: watchers.clone(),
                abandoned: Abandoned::default(),
            },
        };
        let dial = config.hub.as_ref().map(Dial::new).transpose()?;
        let known = discovery.start().await;
        let discovery = tokio::spawn(discovery.follow(known));
        let link_task = dial.map(|dial| {
            status.send_replace(LinkStatus::Down(
                "The link has not been opened yet.".to_owned(),
            ));
            let task = LinkTask {
                dial,
                name: config.name,
                site_key_check,
                journal,
                encoders: encoders.clone(),
                outgoing,
                status,
            };
            tokio::spawn(task.run())
        });
        Ok(Self {
            encoders,
            watchers,
            uplink,
            link,
            discovery,
            link_task,
            _lock: lock,
        })
    }

    /// All encoders, the absent ones included, by identity.
    #[must_use]
    pub fn encoders(&self) -> Vec<EncoderStatus> {
        self.encoders
            .all()
            .iter()
            .map(|handle| handle.status.borrow().clone())
            .collect()
    }

    /// How the link to the hub is, and a way to wait until it is otherwise.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<LinkStatus> {
        self.link.clone()
    }

    /// Reads the card on an encoder, without the hub.
    ///
    /// # Errors
    /// No such encoder, no card in time, or whatever else kept it from being read.
    pub async fn scan(
        &self,
        encoder: Option<&str>,
        card_wait: Duration,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<Scanned, RequestError> {
        let handle = self.choose(encoder).await?;
        let id = Uuid::new_v4();
        let updates = self.watchers.subscribe();
        handle
            .requests
            .try_send(Request::Scan { id, card_wait })
            .map_err(|_| {
                RequestError::new(
                    "encoder_busy",
                    "Too many jobs wait for this encoder already; try again later.",
                )
            })?;
        match wait(
            updates,
            id,
            card_wait.saturating_add(JOB_PATIENCE),
            progress,
        )
        .await?
        .0
        {
            Outcome::Scanned(scanned) => Ok(scanned),
            Outcome::Unwritten { error } | Outcome::Unknown { error, .. } => Err(error.into()),
            Outcome::Written { .. } => Err(RequestError::new(
                "uncategorized_error",
                "The scan ended as an encode.",
            )),
        }
    }

    /// Encodes a card for doors, through the hub: there is one decider.
    ///
    /// # Errors
    /// No such encoder, no link, what the hub refused, or whatever kept the card from being written.
    pub async fn encode(
        &self,
        wish: LocalEncode,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<Encoded, RequestError> {
        let handle = self.choose(wish.encoder.as_deref()).await?;
        let identity = handle.status.borrow().state.identity.clone();
        let updates = self.watchers.subscribe();
        let request = RequestEncode {
            request_id: Uuid::new_v4(),
            identity,
            doors: wish.doors,
            starts_at: wish.starts_at,
            ends_at: wish.ends_at,
            overrides: wish.overrides,
        };
        let answer = tokio::time::timeout(HUB_PATIENCE, self.uplink.request(request)).await;
        let Ok(Ok(answer)) = answer else {
            let reason = match &*self.link.borrow() {
                LinkStatus::None => "no [hub] is configured".to_owned(),
                LinkStatus::Down(reason) => reason.clone(),
                LinkStatus::Up { .. } => "it did not answer in time".to_owned(),
            };
            return Err(RequestError::new(
                "bridge_disconnected",
                &format!("The hub cannot be asked, so nothing was written: {reason}."),
            ));
        };
        let (attempt_id, acs_credential_id) = match answer.result {
            RequestResult::Taken {
                attempt_id,
                acs_credential_id,
            } => (attempt_id, acs_credential_id),
            RequestResult::Refused { error } => return Err(error.into()),
        };
        match wait(updates, attempt_id, JOB_PATIENCE, progress).await? {
            (
                Outcome::Written {
                    uid, technology, ..
                },
                Some(credential),
            ) => Ok(Encoded {
                uid,
                technology,
                acs_credential_id,
                action_attempt_id: attempt_id,
                credential,
            }),
            (Outcome::Unwritten { error } | Outcome::Unknown { error, .. }, _) => Err(error.into()),
            (Outcome::Scanned(_) | Outcome::Written { .. }, _) => Err(RequestError::new(
                "uncategorized_error",
                "The encode ended as a scan.",
            )),
        }
    }

    /// Finishes a card that is being written, frees the encoders and closes the link.
    pub async fn stop(&self) {
        self.discovery.abort();
        for handle in self.encoders.all() {
            // A full queue empties as the task works; a task that has ended needs no word.
            let _ = handle.requests.send(Request::Shutdown).await;
            if let Some(task) = handle.task.lock().await.take() {
                let _ = task.await;
            }
        }
        if let Some(link) = &self.link_task {
            link.abort();
        }
    }

    /// The encoder of that name or identity, or the only one. Waits a moment for one that is just being opened.
    async fn choose(&self, name: Option<&str>) -> Result<EncoderHandle, RequestError> {
        let all = self.encoders.all();
        let mut fitting: Vec<EncoderHandle> = all
            .iter()
            .filter(|handle| {
                let status = handle.status.borrow();
                name.is_none_or(|name| {
                    status.state.display_name == name || status.state.identity == name
                })
            })
            .cloned()
            .collect();
        let names = || {
            let names: Vec<String> = all
                .iter()
                .map(|handle| format!("\"{}\"", handle.status.borrow().state.display_name))
                .collect();
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        };
        let mut handle = match (fitting.pop(), fitting.is_empty()) {
            (Some(handle), true) => handle,
            (Some(_), false) => {
                let message = format!(
                    "There are several encoders; name one with --encoder: {}.",
                    names()
                );
                return Err(RequestError::new("encoder_ambiguous", &message));
            }
            (None, _) => {
                let message = format!("There is no such encoder here. Known are: {}.", names());
                return Err(RequestError::new("acs_encoder_not_found", &message));
            }
        };
        let ready = tokio::time::timeout(
            HUB_PATIENCE,
            handle.status.wait_for(EncoderStatus::is_settled),
        )
        .await;
        drop(ready);
        let state = handle.status.borrow().state.clone();
        match state.reason {
            None => Ok(handle),
            Some(reason) => Err(RequestError::new(
                "encoder_not_online",
                &format!("{}: {reason}", state.display_name),
            )),
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.discovery.abort();
        if let Some(link) = &self.link_task {
            link.abort();
        }
    }
}

impl RequestError {
    fn new(kind: &str, message: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.to_owned(),
        }
    }
}

impl From<AttemptError> for RequestError {
    fn from(AttemptError { kind, message }: AttemptError) -> Self {
        Self { kind, message }
    }
}

/// Waits for the end of one job.
async fn wait(
    mut updates: broadcast::Receiver<Update>,
    id: Uuid,
    patience: Duration,
    progress: &mut (dyn FnMut(Phase) + Send),
) -> Result<(Outcome, Option<ScannedCredential>), RequestError> {
    let end = async {
        loop {
            match updates.recv().await {
                Ok(Update::Progress(of, phase)) if of == id => progress(phase),
                Ok(Update::Finished(of, outcome, written)) if of == id => {
                    return Some((*outcome, written.map(|written| *written)));
                }
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    };
    match tokio::time::timeout(patience, end).await {
        Ok(Some(end)) => Ok(end),
        Ok(None) => Err(RequestError::new(
            "bridge_stopped",
            "The bridge was stopped.",
        )),
        Err(_) => Err(RequestError::new(
            "action_attempt_expired",
            "The job did not end in time; `cardbridge scan` tells what is on the card.",
        )),
    }
}

/// Takes the state directory for this process.
fn lock(directory: &Path) -> Result<std::fs::File, StartError> {
    let unusable = |source| StartError::State {
        path: directory.to_owned(),
        source,
    };
    let file = std::fs::File::create(directory.join("lock")).map_err(unusable)?;
    rustix::fs::flock(
        file.as_fd(),
        rustix::fs::FlockOperation::NonBlockingLockExclusive,
    )
    .map_err(|error| {
        if error == rustix::io::Errno::WOULDBLOCK {
            StartError::Running(directory.to_owned())
        } else {
            unusable(error.into())
        }
    })?;
    Ok(file)
}
