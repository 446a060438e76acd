//! A desk of fake encoders with names for their ports, and a bridge that watches it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bridge::{Bridge, Config};
use encoder::{
    Access, BlockEncoder, CardSession, CardWait, Changed, Driver, Encoder, Error, ErrorKind, Facts,
    Identity, Listing, Opening, Probing, Registry, Selector, Settings, SettingsError, Stop,
};

/// Generous: it only keeps a broken test from hanging.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// What is plugged in where, and who wants to know of changes.
#[derive(Clone, Default)]
pub(crate) struct Bench(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    ports: BTreeMap<String, Plugged>,
    watchers: Vec<Changed>,
    /// The ports that were opened, in order.
    opened: Vec<String>,
}

#[derive(Clone)]
enum Plugged {
    /// An encoder with this serial number.
    Encoder(String),
    /// Something that nobody knows.
    Unknown,
}

impl Bench {
    /// Plugs encoders in, all at once: each a port and a serial number.
    pub(crate) fn plug(&self, encoders: &[(&str, &str)]) {
        self.change(|ports| {
            for (port, serial) in encoders {
                let encoder = Plugged::Encoder((*serial).to_owned());
                ports.insert((*port).to_owned(), encoder);
            }
        });
    }

    pub(crate) fn plug_unknown(&self, port: &str) {
        self.change(|ports| drop(ports.insert(port.to_owned(), Plugged::Unknown)));
    }

    pub(crate) fn unplug(&self, port: &str) {
        self.change(|ports| drop(ports.remove(port)));
    }

    pub(crate) fn opened(&self) -> Vec<String> {
        self.0.lock().unwrap().opened.clone()
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Plugged>)) {
        let mut inner = self.0.lock().unwrap();
        change(&mut inner.ports);
        let watchers = inner.watchers.clone();
        drop(inner);
        watchers.iter().for_each(|changed| changed());
    }

    fn at(&self, port: &str) -> Option<Plugged> {
        self.0.lock().unwrap().ports.get(port).cloned()
    }

    /// Starts a bridge with these `[[encoder]]` entries on it.
    pub(crate) async fn start(&self, entries: &str) -> Desk {
        let home = tempfile::tempdir().unwrap();
        let text = format!("[site]\nkey = \"{KEY}\"\n[bridge]\nstate_dir = \"state\"\n{entries}");
        let registry = Registry::new().with(Fake(self.clone()));
        let origin = home.path().join("bridge.toml");
        let config = Config::parse(&text, &origin, &registry).unwrap();
        std::fs::create_dir(&config.state_directory).unwrap();
        let bridge = Bridge::start(config, registry).await.unwrap();
        Desk { bridge, home }
    }
}

/// A bridge and where its files lie.
pub(crate) struct Desk {
    pub(crate) bridge: Bridge,
    pub(crate) home: tempfile::TempDir,
}

impl Desk {
    /// Waits until there is an encoder of that identity that is online at that port, or offline.
    pub(crate) async fn until(&self, identity: &str, online_at: Option<&str>) {
        let seen = async {
            loop {
                let status = self
                    .bridge
                    .encoders()
                    .into_iter()
                    .find(|status| status.state.identity == identity);
                let address = self.bridge.about(identity).map(|about| about.address);
                if let Some(status) = status {
                    match online_at {
                        Some(port)
                            if status.state.is_online && address.as_deref() == Some(port) =>
                        {
                            return;
                        }
                        None if !status.state.is_online && status.is_settled() => return,
                        _ => {}
                    }
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, seen)
            .await
            .unwrap_or_else(|_| panic!("{identity} {online_at:?}: {:?}", self.bridge));
    }

    /// Waits until the devices that are not used are at these ports; returns why.
    pub(crate) async fn until_unused(&self, ports: &[&str]) -> Vec<String> {
        let mut unused = self.bridge.unused();
        let all = unused.wait_for(|listings| {
            listings
                .iter()
                .map(|listing| listing.selector.to_string())
                .eq(ports.iter().copied())
        });
        let listings = tokio::time::timeout(LIMIT, all).await.unwrap().unwrap();
        listings
            .iter()
            .map(|listing| match &listing.access {
                Access::Unclaimed { reason } | Access::Inaccessible { reason } => reason.clone(),
                other => panic!("unused and {other:?}"),
            })
            .collect()
    }

    pub(crate) fn identities(&self) -> Vec<String> {
        let encoders = self.bridge.encoders().into_iter();
        encoders.map(|status| status.state.identity).collect()
    }

    pub(crate) async fn stop(self) {
        self.bridge.stop().await;
    }
}

/// Finds encoders by their serial numbers, and asks nothing of what it does not know.
struct Fake(Bench);

impl Fake {
    fn listing(port: &str, plugged: Option<&Plugged>, identity: Identity) -> Listing {
        let reason = "the port is free; write an entry".to_owned();
        Listing {
            driver: "fake",
            selector: Selector::Port(port.into()),
            identity,
            description: format!("Encoder at {port}"),
            access: match plugged {
                Some(Plugged::Encoder(_)) => Access::Accessible,
                Some(Plugged::Unknown) => Access::Unclaimed { reason },
                None => Access::Absent { reason },
            },
            facts: Facts::default().with("port", port),
        }
    }
}

impl Driver for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError> {
        if let Some(serial) = settings.text("usb_serial")? {
            return Ok(Selector::Usb(serial.to_owned()));
        }
        let port = settings.text("port")?;
        Ok(Selector::Port(port.unwrap_or_default().into()))
    }
    fn list(&self, _: Probing, claimed: &[Selector]) -> Vec<Listing> {
        let ports = self.0.0.lock().unwrap().ports.clone();
        ports
            .iter()
            .filter(|(port, _)| !claimed.contains(&Selector::Port(port.into())))
            .map(|(port, plugged)| {
                let identity = match plugged {
                    // Twins that no serial number tells apart go by their port.
                    Plugged::Encoder(serial) if serial == "twin" => {
                        let twins = |plugged: &&Plugged| matches!(plugged, Plugged::Encoder(serial) if serial == "twin");
                        if ports.values().filter(twins).count() > 1 {
                            Identity::of_usb_port("fake", port)
                        } else {
                            Identity::of_serial_number("fake", serial)
                        }
                    }
                    Plugged::Encoder(serial) => Identity::of_serial_number("fake", serial),
                    Plugged::Unknown => Identity::of_port(port.as_ref()),
                };
                Self::listing(port, Some(plugged), identity)
            })
            .collect()
    }
    fn look_up(&self, selector: &Selector) -> Listing {
        match selector {
            // An entry that knows its device by the number but not where it is now: only listing finds that.
            Selector::Usb(serial) => Listing {
                selector: selector.clone(),
                ..Self::listing("", None, Identity::of_serial_number("fake", serial))
            },
            other => {
                let port = other.to_string();
                let identity = Identity::of_port(port.as_ref());
                Self::listing(&port, self.0.at(&port).as_ref(), identity)
            }
        }
    }
    fn open(&self, selector: &Selector, _: &Opening) -> Result<Encoder, Error> {
        let port = selector.to_string();
        if self.0.at(&port).is_none() {
            return Err(Error::new(ErrorKind::Absent));
        }
        self.0.0.lock().unwrap().opened.push(port);
        Ok(Encoder::Block(Box::new(Open)))
    }
    fn watch(&self, _: &[(Selector, Settings)], changed: Changed) -> Result<Box<dyn Send>, Error> {
        self.0.0.lock().unwrap().watchers.push(changed);
        Ok(Box::new(()))
    }
}

/// An open encoder on which no card ever lies.
struct Open;

impl BlockEncoder for Open {
    fn select<'a>(
        &'a mut self,
        _: CardWait,
        _: Instant,
        _: &Stop,
    ) -> Result<Box<dyn CardSession + 'a>, Error> {
        Err(Error::new(ErrorKind::NoCard))
    }
    fn facts(&self) -> Facts {
        Facts::default().with("firmware", "1.6")
    }
}

/// What a folder holds.
pub(crate) fn files(folder: PathBuf) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect()
}
