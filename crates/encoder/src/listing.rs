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

/// What makes a device the same device after a replug, as far as the system can tell.
///
/// `usb:VENDOR:PRODUCT:SERIAL` is the same everywhere on a site; every other form (`port:PATH`, `reader:NAME`) means
/// something on its own computer only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity(pub String);

impl Identity {
    /// The identity that a USB device has by its serial number, if that number can be one: makers that give every
    /// device the same one give a short, uniform or counting one (`0001` on each unprogrammed CP2102).
    #[must_use]
    pub fn of_usb(vendor: u16, product: u16, serial: &str) -> Option<Self> {
        let serial = serial.trim();
        let counting = |text: &str| {
            "01234567890123456789".contains(text) || "ABCDEF0123456789ABCDEF".contains(text)
        };
        let first = serial.chars().next()?;
        let plausible = serial.len() >= 5
            && serial.chars().all(|c| c.is_ascii_graphic() || c == ' ')
            && !serial.chars().skip(1).all(|c| c == first)
            && !serial[..serial.len() - 1].chars().all(|c| c == '0')
            && !counting(&serial.to_ascii_uppercase());
        plausible.then(|| Self(format!("usb:{vendor:04x}:{product:04x}:{serial}")))
    }

    /// The identity of a serial port that nothing better is known of.
    #[must_use]
    pub fn of_port(path: &Path) -> Self {
        Self(format!("port:{}", path.display()))
    }

    /// The identity of a PC/SC reader that nothing better is known of.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_that_many_devices_share_is_no_identity() {
        for shared in [
            "",
            "0",
            "0001",
            "00000000",
            "00000001",
            "0123456789",
            "12345678",
            "ABCDEF",
            "FFFFFFFF",
            "a\u{fc}56789",
        ] {
            assert_eq!(Identity::of_usb(0x10C4, 0xEA60, shared), None, "{shared}");
        }
    }

    #[test]
    fn a_device_is_known_by_its_serial_number() {
        assert_eq!(
            Identity::of_usb(0x0403, 0x6001, "A50285BI\n"),
            Some(Identity("usb:0403:6001:A50285BI".to_owned()))
        );
    }
}
