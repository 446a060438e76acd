//! A hub as a value: opened on a database, served on a listener, administered beside it.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use uuid::Uuid;

use crate::admin::Admin;
use crate::core::Core;
use crate::deadlines;
use crate::id::AttemptId;
use crate::listen;
use crate::resources;
use crate::routes;
use crate::settings::HubSettings;
use crate::store::{OpenError, bridges};

/// A hub. Clones are handles of the same hub.
#[derive(Debug, Clone)]
pub struct Hub {
    core: Arc<Core>,
}

impl Hub {
    /// Opens the database, making it when it is missing, and brings its schema up to date.
    pub async fn open(settings: HubSettings) -> Result<Self, OpenError> {
        Ok(Self {
            core: Arc::new(Core::open(settings).await?),
        })
    }

    /// Answers API and links on the listener until `shutdown` is ready, then closes the links and ends when the last
    /// request has its answer. To be called once per hub.
    ///
    /// # Errors
    /// When another process serves the same database, or it cannot be read.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let _served = lock_database(&self.core)?;
        let known = async { bridges::all(&mut *self.core.store.read().await?).await };
        self.core
            .dispatch
            .expect(known.await.map_err(io::Error::other)?);

        let deadlines = AbortOnDrop(tokio::spawn(deadlines::run(Arc::clone(&self.core))));
        let core = Arc::clone(&self.core);
        let closing = async move {
            shutdown.await;
            core.dispatch.close();
        };
        let router = routes::router(Arc::clone(&self.core));
        listen::serve(listener, router, self.core.settings.head_limit, closing).await;
        drop(deadlines);
        self.core.store.close().await;
        Ok(())
    }

    /// Makes workspaces, sites, doors and keys.
    pub fn admin(&self) -> Admin {
        Admin::new(Arc::clone(&self.core))
    }

    /// Waits until an action attempt has ended; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt_ended(
        &self,
        action_attempt_id: Uuid,
    ) -> io::Result<Option<protocol::api::ActionAttempt>> {
        let ended = self.core.ended(AttemptId(action_attempt_id)).await;
        Ok(ended
            .map_err(io::Error::other)?
            .as_ref()
            .map(resources::attempt))
    }
}

/// Two processes on one database would not know of each other's links.
fn lock_database(core: &Core) -> io::Result<std::fs::File> {
    let mut path = core.settings.database.clone().into_os_string();
    path.push(".lock");
    let file = std::fs::File::create(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!(
                "another process serves the database {}; stop it first, or name another database",
                core.settings.database.display()
            ),
        )),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Ends a task with its owner.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
