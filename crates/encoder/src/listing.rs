//! What is known of a device without opening it.

use std::fmt;
use std::path::{Path, PathBuf};

/// Which device is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Whatever is plugged in at a serial port, by the port's path.
    Port(PathBuf),
    /// A USB serial adapter by its serial number, at whatever port it is.
    Usb(String),
    /// Whatever is plugged in at one USB port (`1-1.4`), for adapters that have no serial number to tell them by.
    UsbPort(String),
    /// A PC/SC reader by its full name.
    Reader(String),
    /// One encoder of a lock server.
    Server {
        /// Where the server is reached: `tcp://HOST:PORT`, or the path of a serial port.
        address: String,
        /// The encoder's name or number on the server.
        encoder: String,
    },
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(path) => path.display().fmt(f),
            Self::Usb(serial) => write!(f, "USB serial number {serial}"),
            Self::UsbPort(port) => write!(f, "USB port {port}"),
            Self::Reader(name) => f.write_str(name),
            Self::Server { address, encoder } => write!(f, "{address} encoder {encoder}"),
        }
    }
}

/// What a device is known by from one day to the next, whether it is plugged in or not: the same selector always has
/// the same identity, so that an encoder never counts as two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// How far it reaches.
    pub scope: Scope,
    /// `usb:SERIAL`, `port:PATH`, `reader:NAME`…, unique within its scope.
    pub text: String,
}

/// How far an identity reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The device carries it along, to another computer of the site too.
    Site,
    /// It means something on this computer only.
    Computer,
}

impl Identity {
    /// The identity of what carries a serial number of its own, for one driver.
    #[must_use]
    pub fn of_serial_number(driver: &str, serial: &str) -> Self {
        Self {
            scope: Scope::Site,
            text: format!("{driver}:serial:{serial}"),
        }
    }

    /// The identity of whatever is plugged in at one USB port (`1-1.4`), for what has no serial number to tell it by.
    #[must_use]
    pub fn of_usb_port(driver: &str, port: &str) -> Self {
        Self {
            scope: Scope::Computer,
            text: format!("{driver}:usb-port:{port}"),
        }
    }

    /// The identity of whatever is plugged in at a serial port, by the port's path as it was configured.
    #[must_use]
    pub fn of_port(path: &Path) -> Self {
        Self {
            scope: Scope::Computer,
            text: format!("port:{}", path.display()),
        }
    }

    /// The identity of a PC/SC reader of which nothing but its full name is known.
    #[must_use]
    pub fn of_reader(name: &str) -> Self {
        Self {
            scope: Scope::Computer,
            text: format!("reader:{name}"),
        }
    }

    /// The identity of one encoder of a lock server. It is the same from whichever computer of the site it is asked.
    #[must_use]
    pub fn of_server(address: &str, encoder: &str) -> Self {
        Self {
            scope: Scope::Site,
            text: format!("server:{address}:{encoder}"),
        }
    }
}

/// What is known of a device, for a person who looks into it: each with a name in lower case and a value, in the order
/// in which they are shown. Never a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(Vec<(&'static str, String)>);

impl Facts {
    /// Adds one.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds one that may not be known.
    #[must_use]
    pub fn with_known(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// One device, openable or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The driver that it belongs to.
    pub driver: &'static str,
    /// How to open it.
    pub selector: Selector,
    /// What it is the same by.
    pub identity: Identity,
    /// What a person would call it.
    pub description: String,
    /// Whether it can be opened.
    pub access: Access,
    /// What else the system tells of it.
    pub facts: Facts,
}

/// Whether a device can be opened now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It is there and nothing known speaks against it.
    Accessible,
    /// It is configured but not there.
    Absent {
        /// A sentence for a person, with what to do.
        reason: String,
    },
    /// It is there, and nobody said that it is an encoder: it is left alone.
    Unclaimed {
        /// A sentence for a person, with what to write in the configuration.
        reason: String,
    },
    /// It is there but may not be opened.
    Inaccessible {
        /// A sentence for a person, with what to do.
        reason: String,
    },
}
