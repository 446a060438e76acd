//! The decider of a PC without a hub: the hub's own decisions, in this process, on a store beside the journal. There is
//! one decider, never two: this one is for configurations without `[hub]` only.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use bridge::config::{HubConfig, Token};
use bridge::{Bridge, Config, LinkStatus};
use hub::{Admin, AdminError, Hub, HubSettings};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::configuration::make_state_directory;
use super::failure::Failure;

const DATABASE: &str = "standalone.sqlite";
/// How long the bridge may take to reach a hub in its own process.
const LINK_LIMIT: Duration = Duration::from_secs(10);
/// How long the hub may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A hub in this process that serves the bridge of this process alone: nobody has a key to its API.
pub(super) struct Standalone {
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

impl Standalone {
    /// Opens the store in the state directory, and points the configuration at it.
    pub(super) async fn start(config: &mut Config) -> Result<Self, Failure> {
        make_state_directory(config)?;
        let database = config.state_directory.join(DATABASE);
        let hub = Hub::open(HubSettings::standalone(database))
            .await
            .map_err(|error| Failure::from_error("store_unavailable", &error))?;
        let token = token(&hub.admin(), &config.name)
            .await
            .map_err(|error| Failure::from_error("store_unavailable", &error))?;
        let unavailable = |error: io::Error| {
            let what = "no port on 127.0.0.1 could be had; check the loopback interface";
            Failure::because("address_unavailable", what, &error)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;
        config.hub = Some(HubConfig {
            url: format!("http://{address}")
                .parse()
                .expect("a loopback address is a hub's"),
            token: Token::new(token),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // Dropped or told, it is time to stop.
            let _ = stopped.await;
        };
        let served = tokio::spawn(async move { hub.serve(listener, shutdown).await });
        Ok(Self { stop, served })
    }

    /// Ends only if the store stops by itself, and says why.
    pub(super) async fn broken(&mut self) -> Failure {
        let what = "the standalone store stopped by itself; check the disk that state_dir lies on";
        match (&mut self.served).await {
            Ok(Err(error)) => Failure::because("store_unavailable", what, &error),
            Ok(Ok(())) | Err(_) => Failure::new("store_unavailable", what),
        }
    }

    /// Ends when everything is on disk.
    pub(super) async fn stop(self) {
        if self.served.is_finished() {
            return;
        }
        let _ = self.stop.send(());
        if tokio::time::timeout(STOP_LIMIT, self.served).await.is_err() {
            tracing::warn!("the standalone store took too long to close");
        }
    }
}

/// Waits until a bridge has its link.
pub(super) async fn linked(bridge: &Bridge) -> Result<(), Failure> {
    let mut link = bridge.link();
    let up = link.wait_for(|status| matches!(status, LinkStatus::Up { .. }));
    match tokio::time::timeout(LINK_LIMIT, up).await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(Failure::new(
            "bridge_disconnected",
            "the standalone store does not answer, so nothing was written; is another `cardbridge` using this state_dir?",
        )),
    }
}

/// The token for the only site of the store, which is made the first time.
async fn token(admin: &Admin, name: &str) -> Result<String, AdminError> {
    let site = match admin.workspaces().await?.first() {
        Some((workspace, _)) => match admin.sites(*workspace).await?.first() {
            Some((site, _)) => *site,
            None => new_site(admin, *workspace).await?,
        },
        None => {
            let workspace = admin.create_workspace("Standalone").await?;
            new_site(admin, workspace).await?
        }
    };
    admin.create_bridge_token(site, name).await
}

async fn new_site(admin: &Admin, workspace: Uuid) -> Result<Uuid, AdminError> {
    admin.create_site(workspace, "This PC", "UTC").await
}
