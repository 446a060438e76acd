//! A running bridge, and what a program on the same PC may ask of it.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use encoder::{Abandoned, Listing, Registry};
use protocol::link::SiteKeyCheck;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::about::About;
use crate::config::Config;
use crate::discovery::{Census, Discovery};
use crate::encoder_task::{EncoderStatus, Request, Shared};
use crate::encoders::{EncoderHandle, Encoders};
use crate::journal::{Journal, JournalError, private_directory};
use crate::link::{Dial, LinkStatus, LinkTask, Uplink};
use crate::machine::Policy;
use crate::watchers::Watchers;

/// A bridge that runs. Dropping it aborts; [`Bridge::stop`] ends it in order.
pub struct Bridge {
    pub(crate) encoders: Encoders,
    pub(crate) watchers: Watchers,
    pub(crate) uplink: Uplink,
    link: watch::Receiver<LinkStatus>,
    unused: watch::Receiver<Vec<Listing>>,
    discovery: JoinHandle<()>,
    link_task: Option<JoinHandle<()>>,
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

impl Bridge {
    /// Opens the journal, ends what the last run left open, opens the encoders and dials the hub. Comes back as soon
    /// as these have begun; [`Bridge::encoders`] and [`Bridge::link`] tell how they are.
    ///
    /// # Errors
    /// When the state directory or the journal cannot be used, or another bridge uses them.
    pub async fn start(config: Config, registry: Registry) -> Result<Self, StartError> {
        // The lock first: a journal that another bridge uses must not be touched, not even to bring it up to date.
        let lock = Arc::new(lock(&config.state_directory)?);
        let journal = Journal::open(&config.state_directory).await?;
        journal.forget_old_jobs().await?;
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
        let site_keys = config
            .keys
            .check_values()
            .map(|(version, check)| SiteKeyCheck {
                version: version.get(),
                check: hex::encode(check),
            })
            .collect();
        let (unused, seen_unused) = watch::channel(Vec::new());
        let mut discovery = Discovery {
            registry,
            configured: config.encoders,
            discover: config.discover,
            probing: config.probing,
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
                _lock: lock,
            },
            changes: watch::channel(0).0,
            census: Census::default(),
            unused,
        };
        let dial = config.hub.as_ref().map(Dial::new).transpose()?;
        // What could not be taken in now is tried again by `follow`.
        let _ = discovery.find().await;
        let discovery = tokio::spawn(discovery.follow());
        let link_task = dial.map(|dial| {
            status.send_replace(LinkStatus::Down(
                "The link has not been opened yet.".to_owned(),
            ));
            let task = LinkTask {
                dial,
                name: config.name,
                site_keys,
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
            unused: seen_unused,
            discovery,
            link_task,
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

    /// One encoder as it is, and a way to wait until it is otherwise.
    #[must_use]
    pub fn watch_encoder(&self, identity: &str) -> Option<watch::Receiver<EncoderStatus>> {
        self.encoders.get(identity).map(|handle| handle.status)
    }

    /// Devices that are there and not used, each with the reason, and a way to wait until they are others: ports of
    /// which nobody said that an encoder is there, and devices whose identity another one has.
    #[must_use]
    pub fn unused(&self) -> watch::Receiver<Vec<Listing>> {
        self.unused.clone()
    }

    /// What a technician may want to know of one encoder.
    #[must_use]
    pub fn about(&self, identity: &str) -> Option<About> {
        self.encoders
            .get(identity)
            .map(|handle| handle.notes.about())
    }

    /// How the link to the hub is, and a way to wait until it is otherwise.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<LinkStatus> {
        self.link.clone()
    }

    /// Finishes a card that is being written, frees the encoders and closes the link.
    pub async fn stop(&self) {
        self.discovery.abort();
        let encoders = self.encoders.all();
        // All at once, so that none begins another card while the others finish theirs.
        for handle in &encoders {
            // A full queue empties as the task works; a task that has ended needs no word.
            let _ = handle.requests.send(Request::Shutdown).await;
        }
        for task in encoders.iter().filter_map(EncoderHandle::task) {
            let _ = task.await;
        }
        if let Some(link) = &self.link_task {
            link.abort();
        }
    }
}

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bridge")
            .field("encoders", &self.encoders())
            .finish_non_exhaustive()
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

/// Takes the state directory for this process.
fn lock(directory: &Path) -> Result<std::fs::File, StartError> {
    let unusable = |source| StartError::State {
        path: directory.to_owned(),
        source,
    };
    private_directory(directory).map_err(unusable)?;
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
