//! Values as people write them on a command line.

use std::net::SocketAddr;
use std::time::Duration;

use cardbridge::lab::{LabLockServer, LockServerLine};
use emulator::Dialect;
use jiff::{SignedDuration, Timestamp};

/// The longest wait for a card that can be asked for.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// A wait for a card, such as `3s`, `500ms` or `1m30s`.
pub(crate) fn card_wait(text: &str) -> Result<Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero() && *duration <= LONGEST_WAIT)
        .ok_or_else(|| {
            "write a time up to ten minutes with its unit, such as 3s, 500ms or 1m30s".to_owned()
        })
}

/// A moment, such as `2026-12-24T11:00:00+01:00`. Its zone must be said: the PC's own is nobody's business.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        "write date, time and zone, such as 2026-12-24T11:00+01:00 or 2026-12-24T10:00Z".to_owned()
    })
}

/// An IANA time zone. A machine without time zone data takes any name, and the hub decides.
pub(crate) fn time_zone(text: &str) -> Result<String, String> {
    let database = jiff::tz::db();
    if database.is_definitively_empty() || database.get(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err("write an IANA time zone, such as Europe/Berlin".to_owned())
    }
}

/// An address that only this machine can reach.
pub(crate) fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err(
            "this has no passwords and is served on loopback only, such as 127.0.0.1:0".to_owned(),
        ),
        Err(_) => Err("write an address and a port, such as 127.0.0.1:0".to_owned()),
    }
}

/// The most rooms that one range may name.
const LARGEST_RANGE: usize = 1000;

/// Consecutive rooms, such as `101-110`. Leading zeros are kept: they are on the doors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rooms(pub(crate) Vec<String>);

/// A range of rooms.
pub(crate) fn rooms(text: &str) -> Result<Rooms, String> {
    let range = || {
        let (first, last) = text.split_once('-')?;
        let is_number =
            |text: &str| text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(first) || !is_number(last) {
            return None;
        }
        let (from, to): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        let width = first.len();
        let rooms: Vec<_> = (from..=to)
            .take(LARGEST_RANGE + 1)
            .map(|room| format!("{room:0width$}"))
            .collect();
        (1..=LARGEST_RANGE)
            .contains(&rooms.len())
            .then_some(Rooms(rooms))
    };
    range().ok_or_else(|| {
        "write the first and the last room, up to 1000 rooms, such as 101-110".to_owned()
    })
}

/// `NAME=PORT`: a name in the lab and the loopback port of a `vpcd`.
pub(crate) fn reader(text: &str) -> Result<(cardbridge::lab::Name, u16), String> {
    let (name, port) = text
        .split_once('=')
        .ok_or("write NAME=PORT, such as back-office=35963")?;
    let name = name
        .parse()
        .map_err(|error: cardbridge::lab::InvalidName| error.to_string())?;
    match port.parse() {
        Ok(port) if port != 0 => Ok((name, port)),
        _ => Err("a port is a number from 1 to 65535".to_owned()),
    }
}

/// `DIALECT@PORT=NAME,…`: a lock server, where it is found, and its encoders.
pub(crate) fn lock_server(text: &str) -> Result<LabLockServer, String> {
    let form = "write DIALECT@PORT=NAME,NAME, such as salto@8090=front-desk,back-office or onity@serial=front-desk";
    let (server, names) = text.split_once('=').ok_or(form)?;
    let (dialect, line) = server.split_once('@').ok_or(form)?;
    let dialect = match dialect {
        "salto" => Dialect::Salto,
        "onity" => Dialect::Onity,
        _ => return Err("the dialects are salto and onity".to_owned()),
    };
    let line = match line {
        "serial" => LockServerLine::Serial,
        port => LockServerLine::Loopback(
            port.parse()
                .map_err(|_| "a port is a number from 0 to 65535, or the word serial")?,
        ),
    };
    let names = names.split(',').map(str::parse);
    let encoders = names
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error: cardbridge::lab::InvalidName| error.to_string())?;
    Ok(LabLockServer {
        dialect,
        line,
        encoders,
    })
}

/// An address under which clients reach a hub: `http://` or `https://`, a host, and nothing after it.
pub(crate) fn public_url(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let strange = |c: char| c.is_whitespace() || matches!(c, '/' | '@' | '?' | '#');
    match host {
        Some(host) if !host.is_empty() && !host.contains(strange) => Ok(url.to_owned()),
        _ => Err("write it as https://hub.example.com, without a path".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use emulator::Dialect;

    use super::{
        LockServerLine, card_wait, lock_server, loopback, moment, public_url, reader, rooms,
        time_zone,
    };

    #[test]
    fn a_wait_needs_a_unit_and_an_end() {
        assert_eq!(card_wait("3s"), Ok(Duration::from_secs(3)));
        assert_eq!(card_wait("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(card_wait("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(card_wait("10m"), Ok(Duration::from_secs(600)));
        for text in [
            "",
            "3",
            "0s",
            "-3s",
            "11m",
            "1y",
            "soon",
            "3s 3",
            "99999999999999999999s",
        ] {
            assert!(card_wait(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_needs_its_zone() {
        let eleven = moment("2026-12-24T11:00+01:00").unwrap();
        assert_eq!(eleven, moment("2026-12-24T10:00:00Z").unwrap());
        for text in ["2026-12-24", "2026-12-24T11:00", "11:00", "tomorrow", ""] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_this_machine_is_refused() {
        assert!(loopback("127.0.0.1:0").is_ok());
        assert!(loopback("[::1]:8080").is_ok());
        for text in ["0.0.0.0:80", "10.0.0.1:80", "localhost:80", "80", ""] {
            assert!(loopback(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_zone_is_one_of_the_known_ones() {
        assert_eq!(time_zone("Europe/Berlin"), Ok("Europe/Berlin".to_owned()));
        for text in ["", "Nowhere/Land", "../etc/passwd"] {
            assert!(time_zone(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_of_rooms_is_named_as_on_the_doors() {
        assert_eq!(rooms("101-103").unwrap().0, ["101", "102", "103"]);
        assert_eq!(rooms("08-11").unwrap().0, ["08", "09", "10", "11"]);
        assert_eq!(rooms("7-7").unwrap().0, ["7"]);
        for text in [
            "",
            "101",
            "103-101",
            "a-b",
            "-",
            "1-",
            "-1-2",
            "1-2-3",
            "1-99999",
            "1-9999999999",
        ] {
            assert!(rooms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reader_has_a_name_and_a_port() {
        let (name, port) = reader("back-office=35963").unwrap();
        assert_eq!((name.as_str(), port), ("back-office", 35963));
        for text in ["back-office", "=1", "a=", "a=0", "a=70000", "A=1"] {
            assert!(reader(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_lock_server_has_a_dialect_a_line_and_encoders() {
        let server = lock_server("salto@8090=front-desk,bar").unwrap();
        assert_eq!(server.line, LockServerLine::Loopback(8090));
        assert_eq!(server.encoders.len(), 2);
        let server = lock_server("onity@serial=bar").unwrap();
        assert_eq!(
            (server.dialect, server.line),
            (Dialect::Onity, LockServerLine::Serial)
        );
        for text in [
            "salto",
            "salto=bar",
            "salto@8090",
            "salto@8090=",
            "salto@8090=bar,",
            "salto@70000=bar",
            "salto@=bar",
            "visionline@8090=bar",
            "salto@8090=Front Desk",
        ] {
            assert!(lock_server(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_public_url_has_a_scheme_and_a_host_and_nothing_else() {
        assert_eq!(
            public_url("https://hub.example.com/").unwrap(),
            "https://hub.example.com"
        );
        assert!(public_url("http://10.0.0.1:8080").is_ok());
        for wrong in [
            "hub.example.com",
            "https://",
            "https://hub/path",
            "ftp://hub",
            "https://a@hub",
        ] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
