//! The whole product in one process, with no hardware: a hub, a bridge and a lab with two encoders, and a site to try
//! them on. Everything real but the plastic: the bridge drives its PN532s with the serial driver and dials the hub.

mod attempts;
mod seed;
mod store;

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use bridge::config::{EncoderConfig, HubConfig, Token};
use bridge::{Bridge, Config, LinkStatus};
use card::SiteKeys;
use encoder::{Registry, Selector, Settings, Value};
use hub::{Hub, HubSettings};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use crate::lab::{Lab, LabError, LabSettings, Name, http};
use crate::locks::Locks;
use seed::Seed;
pub use store::StateError;
use store::StateFolder;

/// How long the encoders may take until the hub has them.
const START_LIMIT: Duration = Duration::from_secs(20);
/// How long hub and lab may take to answer what was asked before the end.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// What a demo is told.
#[derive(Debug, Clone)]
pub struct DemoSettings {
    /// How long an encode or a scan waits for a card.
    pub card_wait: Duration,
    /// Where database, journal and keys are kept for the next time; `None` forgets everything at the end.
    pub state_directory: Option<PathBuf>,
}

/// Where everything is, as `cardbridge demo --json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Whereabouts {
    /// The hub's URL, for an SDK.
    pub endpoint: String,
    /// The key that the hub wants.
    pub api_key: String,
    /// The workspace that the key is for.
    pub workspace_id: Uuid,
    /// The site.
    pub acs_system_id: Uuid,
    /// The encoders: `front-desk`, then `back-office`.
    pub acs_encoder_ids: Vec<Uuid>,
    /// The lab's URL, to put cards on and take them off.
    pub lab: String,
    /// The hub's web page, once there is one.
    pub console: Option<String>,
    /// The bridge's web page, once there is one.
    pub bridge_page: Option<String>,
}

/// A demo that runs until it is stopped.
pub struct Demo {
    whereabouts: Whereabouts,
    lab: Lab,
    locks: Locks,
    bridge: Bridge,
    stop: watch::Sender<bool>,
    hub_served: JoinHandle<io::Result<()>>,
    lab_served: JoinHandle<io::Result<()>>,
    _attempts: JoinSet<()>,
    /// Removed, if it is temporary, when everything that uses it has stopped.
    _state: StateFolder,
}

/// Why the demo did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The folder for its state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// No loopback port could be had.
    #[error("no port on 127.0.0.1 could be had; check that the loopback interface is up")]
    Listen(#[source] io::Error),
    /// The hub's database cannot be used.
    #[error("the demo's hub cannot be opened")]
    Hub(#[from] hub::OpenError),
    /// The site could not be set up.
    #[error("the demo's site cannot be set up")]
    Site(#[from] hub::AdminError),
    /// The lab could not be started.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The bridge could not be started.
    #[error("the demo's bridge cannot be started")]
    Bridge(#[from] bridge::StartError),
    /// The encoders did not come up.
    #[error("the encoders did not come online within {limit} s ({reasons}); start again with --log debug to see more", limit = START_LIMIT.as_secs())]
    NotOnline {
        /// What the bridge says of each.
        reasons: String,
    },
    /// The hub stopped while the demo started.
    #[error("the demo's hub stopped at once; start again with --log debug to see more")]
    HubStopped,
}

impl Demo {
    /// Starts everything, and comes back when the hub has both encoders online.
    ///
    /// # Errors
    /// What is missing on this machine, or [`DemoError::NotOnline`].
    pub async fn start(settings: DemoSettings, registry: Registry) -> Result<Self, DemoError> {
        let state = StateFolder::open(settings.state_directory.as_deref())?;
        let hub = Hub::open(HubSettings {
            card_wait: settings.card_wait,
            ..HubSettings::new(state.path().join("hub.sqlite"))
        })
        .await?;
        let admin = hub.admin();
        let seed = Seed::load_or_make(&admin, &state).await?;
        let keys = seed.site_keys();
        let locks = Locks::new(
            &keys.lock_keys(),
            seed::doors(&admin, seed.acs_system_id).await?,
        );
        let lab = Lab::start(&LabSettings {
            serial: seed::ENCODERS
                .map(|name| name.parse().expect("a slug"))
                .to_vec(),
            readers: Vec::new(),
            lock_servers: Vec::new(),
            directory: state.folder("ports")?,
        })?;

        let (stop, stopped) = watch::channel(false);
        let (hub_listener, endpoint) = listen().await?;
        let (lab_listener, lab_url) = listen().await?;
        let serving = hub.clone();
        let shutdown = told(stopped.clone());
        let mut hub_served =
            tokio::spawn(async move { serving.serve(hub_listener, shutdown).await });
        let lab_served = tokio::spawn(http::serve(
            lab_listener,
            lab.clone(),
            Some(locks.clone()),
            told(stopped),
        ));

        let token = admin
            .create_bridge_token(seed.acs_system_id, "demo")
            .await?;
        let config = configuration(&state, &endpoint, token, keys, &lab)?;
        let bridge = Bridge::start(config, registry).await?;
        let acs_encoder_ids = tokio::select! {
            ids = online(&bridge, &lab) => ids?,
            _ = &mut hub_served => return Err(DemoError::HubStopped),
            () = tokio::time::sleep(START_LIMIT) => return Err(not_online(&bridge)),
        };
        Ok(Self {
            whereabouts: Whereabouts {
                endpoint,
                api_key: seed.api_key,
                workspace_id: seed.workspace_id,
                acs_system_id: seed.acs_system_id,
                acs_encoder_ids,
                lab: lab_url,
                console: None,
                bridge_page: None,
            },
            _attempts: attempts::follow(&bridge, &lab),
            lab,
            locks,
            bridge,
            stop,
            hub_served,
            lab_served,
            _state: state,
        })
    }

    /// Where everything is.
    #[must_use]
    pub fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// The lab, for tests that steer it directly.
    #[must_use]
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The locks of the site.
    #[must_use]
    pub fn locks(&self) -> &Locks {
        &self.locks
    }

    /// Finishes a card that is being written, then stops everything.
    pub async fn stop(self) {
        self.bridge.stop().await;
        // Nobody listens any more if both have ended by themselves.
        let _ = self.stop.send(true);
        let ended = async { (self.hub_served.await, self.lab_served.await) };
        if tokio::time::timeout(STOP_LIMIT, ended).await.is_err() {
            tracing::warn!("requests under way were cut off");
        }
    }
}

/// A socket on a free loopback port, and its URL.
async fn listen() -> Result<(TcpListener, String), DemoError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(DemoError::Listen)?;
    let address = listener.local_addr().map_err(DemoError::Listen)?;
    Ok((listener, format!("http://{address}")))
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // The sender goes only with the demo.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// What somebody would write for a bridge of this site.
fn configuration(
    state: &StateFolder,
    endpoint: &str,
    token: String,
    keys: SiteKeys,
    lab: &Lab,
) -> Result<Config, StateError> {
    Ok(Config {
        name: "Demo".to_owned(),
        socket: state.path().join("bridge.sock"),
        state_directory: state.folder("bridge")?,
        personalise_blank: true,
        // Readers that happen to be on this machine are none of the demo's business.
        discover: false,
        probing: encoder::Probing::Forbidden,
        hub: Some(HubConfig {
            url: endpoint.parse().expect("a loopback address is a hub's"),
            token: Token::new(token),
        }),
        keys,
        encoders: lab.encoders().iter().filter_map(entry).collect(),
    })
}

/// An `[[encoder]]` entry, as somebody would write it for an encoder of the lab.
fn entry(encoder: &crate::lab::EncoderView) -> Option<EncoderConfig> {
    let port = encoder.port.as_deref()?;
    let settings = [("port".to_owned(), Value::Text(port.display().to_string()))];
    Some(EncoderConfig {
        driver: "pn532".to_owned(),
        name: Some(encoder.name.in_words()),
        selector: Selector::Port(port.to_owned()),
        settings: Settings::from_iter(settings),
        record: None,
    })
}

/// Waits until the hub has every encoder of the lab online, tells the lab their ids, and returns them in order.
async fn online(bridge: &Bridge, lab: &Lab) -> Result<Vec<Uuid>, DemoError> {
    let mut link = bridge.link();
    loop {
        let ids = match &*link.borrow_and_update() {
            LinkStatus::Up { online, .. } => ids_in_order(bridge, online),
            LinkStatus::None | LinkStatus::Down(_) => None,
        };
        if let Some(ids) = ids {
            for (name, id) in seed::ENCODERS.iter().zip(&ids) {
                lab.set_acs_encoder_id(name, *id)?;
            }
            return Ok(ids);
        }
        if link.changed().await.is_err() {
            // The bridge has stopped; whoever waits has a limit.
            std::future::pending::<()>().await;
        }
    }
}

fn ids_in_order(bridge: &Bridge, online: &BTreeMap<String, Uuid>) -> Option<Vec<Uuid>> {
    let encoders = bridge.encoders();
    let id_of = |name: &str| {
        let name: Name = name.parse().ok()?;
        let encoder = encoders
            .iter()
            .find(|encoder| encoder.state.display_name == name.in_words())?;
        online.get(&encoder.state.identity).copied()
    };
    seed::ENCODERS.map(id_of).into_iter().collect()
}

fn not_online(bridge: &Bridge) -> DemoError {
    let reasons = bridge.encoders().into_iter().map(|encoder| {
        let reason = encoder.state.reason.unwrap_or_else(|| "ready".to_owned());
        format!("{}: {reason}", encoder.state.display_name)
    });
    DemoError::NotOnline {
        reasons: reasons.collect::<Vec<_>>().join("; "),
    }
}
