//! What is known of a device without opening it.

use std::fmt;
use std::path::PathBuf;

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

/// What makes a device the same device after a replug, as far as the system can tell.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity(pub String);

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
