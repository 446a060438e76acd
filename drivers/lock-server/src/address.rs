//! Where a server is reached.

use std::fmt;
use std::path::PathBuf;

const SCHEME: &str = "tcp://";

/// Where a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A host's name or number, and the port there.
    Tcp {
        host: String,
        port: u16,
    },
    Serial(SerialLine),
}

/// A serial port and how it is set. Eight data bits and one stop bit, as the separator needs the eighth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SerialLine {
    pub(crate) path: PathBuf,
    pub(crate) baud: u32,
    pub(crate) parity: Parity,
}

/// The bit after the data bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parity {
    None,
    Even,
    Odd,
}

impl Parity {
    /// The parity with that name in a configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "even" => Some(Self::Even),
            "odd" => Some(Self::Odd),
            _ => None,
        }
    }
}

impl From<Parity> for serialport::Parity {
    fn from(parity: Parity) -> Self {
        match parity {
            Parity::None => Self::None,
            Parity::Even => Self::Even,
            Parity::Odd => Self::Odd,
        }
    }
}

impl Address {
    /// `tcp://HOST:PORT`; an IPv6 number stands in brackets.
    pub(crate) fn tcp(text: &str) -> Option<Self> {
        let (host, port) = text.strip_prefix(SCHEME)?.rsplit_once(':')?;
        let port = port.parse().ok().filter(|&port: &u16| port != 0)?;
        let host = match host.strip_prefix('[') {
            Some(number) => number.strip_suffix(']')?,
            None if host.contains(':') => return None,
            None => host,
        };
        let is_host = !host.is_empty()
            && host
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || ".-_:%".contains(it));
        let host = host.to_ascii_lowercase();
        is_host.then_some(Self::Tcp { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "{SCHEME}[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{SCHEME}{host}:{port}"),
            Self::Serial(line) => line.path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown_in_one_way() {
        for (text, shown) in [
            ("tcp://192.0.2.7:8090", "tcp://192.0.2.7:8090"),
            ("tcp://Locks.Example:8090", "tcp://locks.example:8090"),
            ("tcp://[2001:DB8::7]:6669", "tcp://[2001:db8::7]:6669"),
        ] {
            let address = Address::tcp(text).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(Address::tcp(shown), Some(address));
        }
    }

    #[test]
    fn what_is_no_address_is_not_taken_for_one() {
        for text in [
            "192.0.2.7:8090",
            "tcp://192.0.2.7",
            "tcp://:8090",
            "tcp://192.0.2.7:0",
            "tcp://192.0.2.7:65536",
            "tcp://192.0.2.7:8090/",
            "tcp://2001:db8::7:6669",
            "tcp://[2001:db8::7:6669",
            "tcp://a b:1",
            "http://192.0.2.7:8090",
        ] {
            assert_eq!(Address::tcp(text), None, "{text}");
        }
    }
}
