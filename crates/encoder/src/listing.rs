//! What is known of a device without opening it.

use std::fmt;
use std::path::{Path, PathBuf};

/// Which device is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// A serial port by its path.
    Port(PathBuf),
    /// A PC/SC reader by its full name.
    Reader(String),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(path) => path.display().fmt(f),
            Self::Reader(name) => f.write_str(name),
        }
    }
}

/// What a device is known by from one day to the next, whether it is plugged in or not: the same selector always has
/// the same identity, so that an encoder never counts as two.
///
/// `port:PATH` or `reader:NAME`; both mean something on their own computer only. That a device is recognised at
/// another port comes with finding serial encoders by what they are instead of by their port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity(pub String);

impl Identity {
    /// The identity of what is plugged in at a serial port, by the port's path as it was configured: whoever wants it to
    /// stay the same wherever the adapter is plugged in configures the path below `/dev/serial/by-id`.
    #[must_use]
    pub fn of_port(path: &Path) -> Self {
        Self(format!("port:{}", path.display()))
    }

    /// The identity of a PC/SC reader, by its full name.
    #[must_use]
    pub fn of_reader(name: &str) -> Self {
        Self(format!("reader:{name}"))
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
    /// It is there but may not be opened.
    Inaccessible {
        /// A sentence for a person, with what to do.
        reason: String,
    },
}
