//! The driver: which encoder of which server is meant, whether it can be reached, and opening it.

use std::path::{Path, PathBuf};

use encoder::serial::SerialPorts;
use encoder::{
    Access, Changed, Driver, Encoder, Error, ErrorKind, Facts, Identity, Listing, Opening,
    PathWatch, Probing, Scope, Selector, Settings, SettingsError,
};

use crate::address::Address;
use crate::encoder::{LockServerEncoder, Plan};
use crate::server::Servers;
use crate::settings::Entry;

const NAME: &str = "lock-server";

/// Encoders of lock servers, each of which the configuration names. Clones share their connections.
#[derive(Debug, Clone, Default)]
pub struct LockServerDriver {
    servers: Servers,
}

impl Driver for LockServerDriver {
    fn name(&self) -> &'static str {
        NAME
    }

    /// `address = "tcp://HOST:PORT"`, or `port` with the path of a serial port (and `baud`, `parity`); `dialect`;
    /// `encoder`, by its name or number on the server; and, if wanted, `operator` and `read_back`.
    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError> {
        let entry = Entry::read(settings)?;
        Ok(Selector::Server {
            address: entry.address.to_string(),
            encoder: entry.encoder.as_str().to_owned(),
        })
    }

    /// Nothing: a server tells nobody which encoders it has.
    fn list(&self, _probing: Probing, _claimed: &[Selector]) -> Vec<Listing> {
        Vec::new()
    }

    /// Sends nothing, and connects to nothing, as a server has room for one connection: whether it answers shows when
    /// the encoder is opened.
    fn look_up(&self, selector: &Selector) -> Listing {
        let ports = SerialPorts::default();
        let (address, encoder) = parts_of(selector);
        let port = port_of(&address);
        Listing {
            driver: NAME,
            selector: selector.clone(),
            identity: identity(&address, &encoder),
            description: format!("encoder {encoder} of the lock server at {address}"),
            access: match port {
                Some(path) => ports.access(path, "port"),
                None => Access::Accessible,
            },
            facts: port.map_or_else(Facts::default, |path| ports.facts(path)),
        }
    }

    fn open(&self, selector: &Selector, how: &Opening) -> Result<Encoder, Error> {
        let entry = Entry::read(&how.settings)
            .map_err(|error| Error::with_source(ErrorKind::Unsupported, error))?;
        let plan = Plan {
            entry,
            recorder: how.recorder.clone(),
        };
        tracing::debug!(%selector, "looking for a lock server");
        let encoder = LockServerEncoder::open(&self.servers, plan)?;
        Ok(Encoder::Issuing(Box::new(encoder)))
    }

    /// A server on the network comes and goes without telling; opening it again finds out.
    fn watch(
        &self,
        settings: &[(Selector, Settings)],
        changed: Changed,
    ) -> Result<Box<dyn Send>, Error> {
        let ports: Vec<PathBuf> = settings
            .iter()
            .filter_map(|(selector, _)| port_of(&parts_of(selector).0).map(Path::to_owned))
            .collect();
        if ports.is_empty() {
            return Ok(Box::new(()));
        }
        Ok(Box::new(PathWatch::start(ports, changed)?))
    }
}

/// Address and encoder. A selector of another driver names nothing here, which then is absent.
fn parts_of(selector: &Selector) -> (String, String) {
    match selector {
        Selector::Server { address, encoder } => (address.clone(), encoder.clone()),
        other => (format!("/{other}"), String::new()),
    }
}

/// The serial port behind an address, if it is one.
fn port_of(address: &str) -> Option<&Path> {
    address.starts_with('/').then(|| Path::new(address))
}

/// A serial port and this very machine are other ones on another computer of the site.
fn identity(address: &str, encoder: &str) -> Identity {
    let is_of_this_computer = match Address::tcp(address) {
        Some(Address::Tcp { host, .. }) => {
            host == "localhost"
                || host
                    .parse()
                    .is_ok_and(|it: std::net::IpAddr| it.is_loopback())
        }
        _ => true,
    };
    let identity = Identity::of_server(address, encoder);
    if is_of_this_computer {
        Identity {
            scope: Scope::Computer,
            ..identity
        }
    } else {
        identity
    }
}

#[cfg(test)]
mod tests {
    use encoder::Value;

    use super::*;

    fn selector(key: &str, address: &str) -> Selector {
        let pairs = [
            (key.to_owned(), Value::Text(address.to_owned())),
            ("dialect".to_owned(), Value::Text("salto".to_owned())),
            (
                "encoder".to_owned(),
                Value::Text("Online Encoder 1".to_owned()),
            ),
        ];
        LockServerDriver::default()
            .configure(&pairs.into_iter().collect())
            .unwrap()
    }

    #[test]
    fn a_server_on_the_network_is_the_same_from_every_computer() {
        let selector = selector("address", "tcp://Locks.Example:8090");
        let listing = LockServerDriver::default().look_up(&selector);
        assert_eq!(listing.identity.scope, Scope::Site);
        assert_eq!(
            listing.identity.text,
            "server:tcp://locks.example:8090:Online Encoder 1"
        );
        assert_eq!(listing.access, Access::Accessible);
        assert_eq!(
            listing.description,
            "encoder Online Encoder 1 of the lock server at tcp://locks.example:8090"
        );
    }

    #[test]
    fn a_server_that_only_this_computer_reaches_is_no_others() {
        for (key, address) in [
            ("address", "tcp://127.0.0.1:8090"),
            ("address", "tcp://localhost:8090"),
            ("address", "tcp://[::1]:8090"),
            ("port", "/dev/ttyS0"),
        ] {
            let listing = LockServerDriver::default().look_up(&selector(key, address));
            assert_eq!(listing.identity.scope, Scope::Computer, "{address}");
        }
    }

    #[test]
    fn a_serial_port_that_is_not_there_is_absent() {
        let listing = LockServerDriver::default().look_up(&selector("port", "/dev/no-such-port"));
        assert!(
            matches!(listing.access, Access::Absent { .. }),
            "{:?}",
            listing.access
        );
    }

    #[test]
    fn the_selector_of_another_driver_is_absent() {
        let selector = Selector::Reader("ACS ACR122U".to_owned());
        let listing = LockServerDriver::default().look_up(&selector);
        assert!(
            matches!(listing.access, Access::Absent { .. }),
            "{:?}",
            listing.access
        );
    }
}
