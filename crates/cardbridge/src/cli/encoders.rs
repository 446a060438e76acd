//! `cardbridge encoders`: every encoder that this PC could use, and why one cannot be used.

mod details;

use std::time::Duration;

use bridge::socket::{Daemon, HubState, ServedEncoder, UnusedDevice};
use bridge::{About, CardsMadeBy, Config};
use clap::Args;
use encoder::{Access, Encoder, Listing, Opening, Probing, Registry, Scope, Selector, Settings};
use protocol::link::IdentityScope;
use serde::Serialize;

use details::Details;

use super::configuration::ConfigArgument;
use super::failure::Failure;
use super::output::Output;

/// How long the drivers may take to look, and a named encoder to tell of itself.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// List the encoders of this PC, each with its state and the reason for it.
///
/// While the daemon runs it is asked what it serves; otherwise the drivers look for themselves, without sending a byte
/// to any device.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Only the encoder of that name, address or identity.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Tell all that is known of each. Without a daemon an encoder that is named, and accessible, is opened to ask it.
    #[arg(long)]
    verbose: bool,
    /// Open nothing for --verbose.
    #[arg(long)]
    no_open: bool,
    /// Print one JSON object: {"served_by_daemon", "encoders": [{"name", "driver", "address", "state", "reason"}],
    /// "hub": {"state", "reason" or "problem"}}; "hub" is null where there is no [hub] or no daemon. With --verbose each
    /// encoder has "details" too: {"identity", "identity_scope", "about", "job", "held_elsewhere"}.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
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
    let wanted = Wanted {
        opens: arguments.verbose && !arguments.no_open && arguments.name.is_some(),
        name: arguments.name,
    };
    let mut found = match super::daemon::connect(&config).await? {
        Some(daemon) => served(daemon, config.hub.is_some()).await?,
        None => listed(config, registry, wanted.clone()).await?,
    };
    if let Some(name) = &wanted.name
        && !found.encoders.iter().any(|entry| wanted.is_meant(entry))
    {
        return Err(unknown(name, &found.encoders));
    }
    found.encoders.retain(|entry| wanted.is_meant(entry));
    if !arguments.verbose {
        for entry in &mut found.encoders {
            entry.details = None;
        }
    }
    output.result(&found, || in_words(&found))
}

fn unknown(name: &str, known: &[Entry]) -> Failure {
    let known: Vec<&str> = known.iter().map(|entry| entry.name.as_str()).collect();
    let message = if known.is_empty() {
        format!(
            "there is no encoder {name}, nor any other; plug it in, or add an [[encoder]] to the configuration"
        )
    } else {
        format!(
            "there is no encoder {name}; known are: {}",
            known.join(", ")
        )
    };
    Failure::wrong_input("acs_encoder_not_found", message)
}

/// Which encoder is asked for, and whether it may be opened.
#[derive(Debug, Clone)]
struct Wanted {
    name: Option<String>,
    opens: bool,
}

impl Wanted {
    fn is_meant(&self, entry: &Entry) -> bool {
        let identity = entry.details.as_ref().map(|details| &details.identity);
        self.name.as_ref().is_none_or(|name| {
            *name == entry.name || *name == entry.address || Some(name) == identity
        })
    }
}

async fn served(daemon: Daemon, has_hub: bool) -> Result<Found, Failure> {
    let served = daemon.encoders().await.map_err(Failure::from)?;
    let used = served.encoders.into_iter().map(Entry::from);
    let unused = served.unused.into_iter().map(Entry::from);
    Ok(Found {
        served_by_daemon: true,
        encoders: used.chain(unused).collect(),
        hub: has_hub.then_some(served.hub),
    })
}

async fn listed(config: Config, registry: Registry, wanted: Wanted) -> Result<Found, Failure> {
    let look = tokio::task::spawn_blocking(move || entries(&config, &registry, &wanted));
    let encoders = tokio::time::timeout(LOOK_LIMIT, look)
        .await
        .map_err(|_| {
            let what = "looking for encoders did not come to an end; unplug the one that hangs, or use --no-open";
            Failure::new("encoder_communication_timeout", what)
        })?
        .map_err(|error| Failure::because("internal_error", "a driver failed to list", &error))?;
    Ok(Found {
        served_by_daemon: false,
        encoders,
        hub: None,
    })
}

/// What has an entry in the configuration, then what the drivers find by themselves.
fn entries(config: &Config, registry: &Registry, wanted: &Wanted) -> Vec<Entry> {
    let configured = config.encoders.iter().filter_map(|entry| {
        let driver = registry.driver(&entry.driver)?;
        let listing = driver.look_up(&entry.selector);
        Some((listing, entry.name.clone(), entry.settings.clone()))
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
        .map(|listing| (listing, None, Settings::default()));
    configured
        .chain(found)
        .map(|(listing, name, settings)| {
            let mut entry = Entry::new(&listing, name, &settings);
            if wanted.opens && wanted.is_meant(&entry) && listing.access == Access::Accessible {
                entry.ask(registry, &listing, settings);
            }
            entry
        })
        .collect()
}

impl Entry {
    fn new(listing: &Listing, name: Option<String>, settings: &Settings) -> Self {
        let (state, reason) = match &listing.access {
            Access::Accessible => (State::Accessible, None),
            Access::Absent { reason } => (State::Absent, Some(reason)),
            Access::Unclaimed { reason } => (State::Unclaimed, Some(reason)),
            Access::Inaccessible { reason } => (State::Inaccessible, Some(reason)),
        };
        Self {
            name: name.unwrap_or_else(|| listing.description.clone()),
            driver: listing.driver.to_owned(),
            address: listing.selector.to_string(),
            state,
            reason: reason.cloned(),
            details: Some(Details {
                identity: listing.identity.text.clone(),
                identity_scope: match listing.identity.scope {
                    Scope::Site => IdentityScope::Site,
                    Scope::Computer => IdentityScope::Computer,
                },
                about: About::listed(listing, settings),
                job: None,
                held_elsewhere: None,
            }),
        }
    }

    /// Opens the encoder to ask it, and closes it again.
    fn ask(&mut self, registry: &Registry, listing: &Listing, settings: Settings) {
        let Some(driver) = registry.driver(listing.driver) else {
            return;
        };
        let how = Opening {
            settings,
            recorder: None,
        };
        let told = driver
            .open(&listing.selector, &how)
            .map(|encoder| match encoder {
                Encoder::Block(encoder) => (encoder.facts(), CardsMadeBy::Bridge),
                Encoder::Issuing(encoder) => (encoder.facts(), CardsMadeBy::LockServer),
            });
        match (told, &mut self.details) {
            (Ok((facts, cards_made_by)), Some(details)) => {
                details.about = About {
                    cards_made_by: Some(cards_made_by),
                    ..About::opened(listing, &how.settings, &facts)
                };
            }
            (Err(error), _) => {
                self.state = State::Inaccessible;
                self.reason = Some(Failure::from_error("encoder_not_online", &error).message);
            }
            (Ok(_), None) => {}
        }
    }
}

impl From<ServedEncoder> for Entry {
    fn from(encoder: ServedEncoder) -> Self {
        let state = encoder.state;
        Self {
            name: state.display_name,
            driver: state.driver,
            address: encoder.about.address.clone(),
            state: if state.is_online {
                State::Online
            } else {
                State::Offline
            },
            reason: state.reason.or_else(|| encoder.held_elsewhere.clone()),
            details: Some(Details {
                identity: state.identity,
                identity_scope: state.identity_scope,
                about: encoder.about,
                job: encoder.job,
                held_elsewhere: encoder.held_elsewhere,
            }),
        }
    }
}

impl From<UnusedDevice> for Entry {
    fn from(device: UnusedDevice) -> Self {
        Self {
            name: device.name,
            driver: device.driver,
            address: device.about.address.clone(),
            state: if device.is_unclaimed {
                State::Unclaimed
            } else {
                State::Inaccessible
            },
            reason: device.reason,
            details: Some(Details {
                identity: device.identity,
                identity_scope: IdentityScope::Computer,
                about: device.about,
                job: None,
                held_elsewhere: None,
            }),
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
        lines.extend(encoder.details.iter().flat_map(Details::in_words));
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
