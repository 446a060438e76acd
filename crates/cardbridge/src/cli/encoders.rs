//! `cardbridge encoders`: every encoder that this PC could use, and why one cannot be used.

use bridge::Config;
use bridge::socket::{Daemon, HubState};
use clap::Args;
use encoder::{Access, Listing, Probing, Registry, Selector};
use protocol::link::EncoderState;
use serde::Serialize;

use super::configuration::ConfigArgument;
use super::failure::Failure;
use super::output::Output;

/// List the encoders of this PC, each with its state and the reason for it.
///
/// While the daemon runs it is asked what it serves; otherwise the drivers look for themselves, without sending a byte
/// to any device.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Print one JSON object: {"served_by_daemon", "encoders": [{"name", "driver", "address", "state", "reason"}],
    /// "hub": {"state", "reason" or "problem"}}; "hub" is null where there is no [hub] or no daemon.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Serialize)]
struct Found {
    served_by_daemon: bool,
    encoders: Vec<Entry>,
    /// How the daemon's link is; `None` without a hub or a daemon.
    hub: Option<HubState>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    driver: String,
    /// A serial port, a reader's name, or what the daemon knows it by.
    address: String,
    state: State,
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The daemon serves it.
    Online,
    /// The daemon knows it and cannot use it.
    Offline,
    /// No daemon runs, and nothing known speaks against it.
    Accessible,
    /// It is configured and not there.
    Absent,
    /// It is there, and nobody said that it is an encoder.
    Unclaimed,
    /// It is there and may not be opened.
    Inaccessible,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let registry = driver_all::registry();
    let config = arguments.config.read(&registry)?;
    let found = match super::daemon::connect(&config).await? {
        Some(daemon) => served(daemon, config.hub.is_some()).await?,
        None => listed(config, registry).await?,
    };
    output.result(&found, || in_words(&found))
}

async fn served(daemon: Daemon, has_hub: bool) -> Result<Found, Failure> {
    let served = daemon.encoders().await.map_err(Failure::from)?;
    Ok(Found {
        served_by_daemon: true,
        encoders: served.encoders.into_iter().map(Entry::from).collect(),
        hub: has_hub.then_some(served.hub),
    })
}

async fn listed(config: Config, registry: Registry) -> Result<Found, Failure> {
    let encoders = tokio::task::spawn_blocking(move || entries(&config, &registry))
        .await
        .map_err(|error| Failure::because("internal_error", "a driver failed to list", &error))?;
    Ok(Found {
        served_by_daemon: false,
        encoders,
        hub: None,
    })
}

/// What has an entry in the configuration, then what the drivers find by themselves.
fn entries(config: &Config, registry: &Registry) -> Vec<Entry> {
    let configured = config.encoders.iter().filter_map(|entry| {
        let driver = registry.driver(&entry.driver)?;
        Some(Entry::new(
            driver.look_up(&entry.selector),
            entry.name.clone(),
        ))
    });
    let claimed: Vec<Selector> = config
        .encoders
        .iter()
        .map(|entry| entry.selector.clone())
        .collect();
    let found = registry
        .drivers()
        .filter(|_| config.discover)
        .flat_map(|driver| driver.list(Probing::Forbidden, &claimed))
        .map(|listing| Entry::new(listing, None));
    configured.chain(found).collect()
}

impl Entry {
    fn new(listing: Listing, name: Option<String>) -> Self {
        let (state, reason) = match listing.access {
            Access::Accessible => (State::Accessible, None),
            Access::Absent { reason } => (State::Absent, Some(reason)),
            Access::Unclaimed { reason } => (State::Unclaimed, Some(reason)),
            Access::Inaccessible { reason } => (State::Inaccessible, Some(reason)),
        };
        Self {
            name: name.unwrap_or(listing.description),
            driver: listing.driver.to_owned(),
            address: listing.selector.to_string(),
            state,
            reason,
        }
    }
}

impl From<EncoderState> for Entry {
    fn from(encoder: EncoderState) -> Self {
        Self {
            name: encoder.display_name,
            driver: encoder.driver,
            address: encoder.identity,
            state: if encoder.is_online {
                State::Online
            } else {
                State::Offline
            },
            reason: encoder.reason,
        }
    }
}

fn in_words(found: &Found) -> String {
    let mut lines: Vec<String> = found.hub.as_ref().map(hub_in_words).into_iter().collect();
    if found.encoders.is_empty() {
        let told = "There is no encoder. Plug one in, or add an [[encoder]] to the configuration.";
        lines.push(told.to_owned());
    }
    for encoder in &found.encoders {
        let state = match encoder.state {
            State::Online => "online",
            State::Offline => "offline",
            State::Accessible => "accessible",
            State::Absent => "absent",
            State::Unclaimed => "unclaimed",
            State::Inaccessible => "inaccessible",
        };
        lines.push(format!(
            "{}: {state} ({} at {})",
            encoder.name, encoder.driver, encoder.address
        ));
        lines.extend(encoder.reason.iter().map(|reason| format!("    {reason}")));
    }
    lines.join("\n")
}

fn hub_in_words(hub: &HubState) -> String {
    match hub {
        HubState::None => "hub: none".to_owned(),
        HubState::Offline { reason } => format!("hub: offline\n    {reason}"),
        HubState::Online { problem: None } => "hub: online".to_owned(),
        HubState::Online {
            problem: Some(problem),
        } => format!("hub: online, and lets this PC encode nothing\n    {problem}"),
    }
}
