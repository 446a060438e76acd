//! The hub's address. Plain HTTP only to this very machine: everything else must be TLS.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// `https://host[:port]`, or `http://` to a loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubUrl {
    secure: bool,
    /// Host, port if any, and a path prefix if any, without a slash at the end.
    rest: String,
}

/// Why an address is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHubUrl {
    /// Not an address.
    #[error("the hub's url must look like https://hub.example.com")]
    Malformed,
    /// Plain HTTP over a network.
    #[error("plain http is allowed to a hub on this very machine only; use https")]
    PlainOverNetwork,
}

impl HubUrl {
    /// The scheme of the link, and what follows `://`.
    pub(crate) fn scheme_and_rest(&self) -> (&'static str, &str) {
        (if self.secure { "wss" } else { "ws" }, &self.rest)
    }
}

impl FromStr for HubUrl {
    type Err = InvalidHubUrl;

    fn from_str(text: &str) -> Result<Self, InvalidHubUrl> {
        let (secure, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(InvalidHubUrl::Malformed),
        };
        let rest = rest.trim_end_matches('/');
        let authority = rest.split('/').next().unwrap_or_default();
        let strange =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '?' | '#' | '\\');
        if authority.is_empty() || rest.contains(strange) {
            return Err(InvalidHubUrl::Malformed);
        }
        if !secure && !is_loopback(authority) {
            return Err(InvalidHubUrl::PlainOverNetwork);
        }
        Ok(Self {
            secure,
            rest: rest.to_owned(),
        })
    }
}

impl fmt::Display for HubUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}",
            if self.secure { "https" } else { "http" },
            self.rest
        )
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for fine in [
            "http://127.0.0.1:8080",
            "http://localhost:1/",
            "http://[::1]:80",
            "https://hub.example.com/a",
        ] {
            assert!(fine.parse::<HubUrl>().is_ok(), "{fine}");
        }
        for refused in [
            "http://hub.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.nip.io",
        ] {
            assert_eq!(
                refused.parse::<HubUrl>(),
                Err(InvalidHubUrl::PlainOverNetwork),
                "{refused}"
            );
        }
        for malformed in [
            "",
            "hub",
            "ftp://hub",
            "https://",
            "https://user@hub",
            "https://hub?x",
            "http://127.0.0.1@evil.example",
        ] {
            assert_eq!(
                malformed.parse::<HubUrl>(),
                Err(InvalidHubUrl::Malformed),
                "{malformed}"
            );
        }
    }

    #[test]
    fn the_link_keeps_host_port_and_path() {
        let url: HubUrl = "https://hub.example.com:8443/cards/".parse().unwrap();
        assert_eq!(url.scheme_and_rest(), ("wss", "hub.example.com:8443/cards"));
        assert_eq!(url.to_string(), "https://hub.example.com:8443/cards");
    }
}
