//! The driver's keys of an `[[encoder]]` entry.

use std::path::Path;

use encoder::{Settings, SettingsError, Value};

use crate::address::{Address, Parity, SerialLine};
use crate::dialect::Dialect;
use crate::request::EncoderName;

const ADDRESS: &str = "address";
const PORT: &str = "port";
const BAUD: &str = "baud";
const PARITY: &str = "parity";
const DIALECT: &str = "dialect";
const ENCODER: &str = "encoder";
const OPERATOR: &str = "operator";
const READ_BACK: &str = "read_back";
const ALL: &[&str] = &[
    ADDRESS, PORT, BAUD, PARITY, DIALECT, ENCODER, OPERATOR, READ_BACK,
];

/// The speed of a serial line unless the entry says. No public document tells what servers begin with; it is set there
/// (SALTO: General options, PMS, Modify), and 9600 with eight data bits, no parity and one stop bit is the usual one.
const USUAL_BAUD: u32 = 9600;

/// An entry that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) address: Address,
    pub(crate) dialect: Dialect,
    pub(crate) encoder: EncoderName,
    pub(crate) operator: Option<String>,
    pub(crate) reads_back: bool,
}

impl Entry {
    /// Reads all keys.
    ///
    /// # Errors
    /// Names the one that is wrong, missing or unknown, and what to write instead.
    pub(crate) fn read(settings: &Settings) -> Result<Self, SettingsError> {
        settings.only(ALL)?;
        let dialect = dialect(settings)?;
        Ok(Self {
            address: address(settings)?,
            dialect,
            encoder: encoder(settings, dialect)?,
            operator: settings.text(OPERATOR)?.map(str::to_owned),
            reads_back: settings.boolean(READ_BACK)?.unwrap_or(true),
        })
    }
}

fn dialect(settings: &Settings) -> Result<Dialect, SettingsError> {
    let remedy = r#"write dialect = "salto" or dialect = "onity""#;
    let name = settings
        .text(DIALECT)?
        .ok_or_else(|| SettingsError::missing(DIALECT, remedy))?;
    Dialect::named(name).ok_or_else(|| {
        SettingsError::wrong(DIALECT, format!("there is no dialect `{name}`"), remedy)
    })
}

fn address(settings: &Settings) -> Result<Address, SettingsError> {
    let example = r#"write address = "tcp://HOST:PORT", as the lock server's settings show it"#;
    match (settings.text(ADDRESS)?, settings.text(PORT)?) {
        (Some(_), Some(_)) => Err(SettingsError::wrong(
            PORT,
            "both `address` and `port` are there",
            "keep `address` for a server on the network, `port` for one on a serial line",
        )),
        (None, None) => Err(SettingsError::missing(
            ADDRESS,
            format!(r#"{example}, or port = "/dev/ttyS0" for a serial line"#),
        )),
        (Some(text), None) => {
            for key in [BAUD, PARITY] {
                if settings.get(key).is_some() {
                    let problem = format!("`{key}` is for a serial line");
                    return Err(SettingsError::wrong(
                        key,
                        problem,
                        "remove it, or write `port`",
                    ));
                }
            }
            Address::tcp(text).ok_or_else(|| {
                SettingsError::wrong(ADDRESS, format!("`{text}` is no address"), example)
            })
        }
        (None, Some(path)) => Ok(Address::Serial(serial_line(settings, path)?)),
    }
}

fn serial_line(settings: &Settings, path: &str) -> Result<SerialLine, SettingsError> {
    if !Path::new(path).is_absolute() {
        let problem = format!("`{path}` is no absolute path");
        let remedy = r#"write port = "/dev/ttyS0" or a path below /dev/serial/by-id"#;
        return Err(SettingsError::wrong(PORT, problem, remedy));
    }
    let baud = match settings.integer(BAUD)? {
        None => USUAL_BAUD,
        Some(baud) => u32::try_from(baud)
            .ok()
            .filter(|baud| (300..=115_200).contains(baud))
            .ok_or_else(|| {
                SettingsError::wrong(
                    BAUD,
                    format!("`{baud}` is no usual speed"),
                    "write one from 300 to 115200",
                )
            })?,
    };
    let parity = settings.text(PARITY)?.unwrap_or("none");
    let parity = Parity::named(parity).ok_or_else(|| {
        let problem = format!("there is no parity `{parity}`");
        SettingsError::wrong(PARITY, problem, r#"write "none", "even" or "odd""#)
    })?;
    Ok(SerialLine {
        path: path.into(),
        baud,
        parity,
    })
}

/// A name in quotes, or a number with or without them.
fn encoder(settings: &Settings, dialect: Dialect) -> Result<EncoderName, SettingsError> {
    let remedy = match dialect {
        Dialect::Salto => {
            r#"write encoder = "NAME" as the lock server calls it, 64 characters at most"#
        }
        Dialect::Onity => "write encoder = NUMBER, as the lock server's list of peripherals has it",
    };
    let name = match settings.get(ENCODER) {
        None => return Err(SettingsError::missing(ENCODER, remedy)),
        Some(Value::Integer(number)) => number.to_string(),
        Some(_) => settings.text(ENCODER)?.unwrap_or_default().to_owned(),
    };
    EncoderName::new(dialect, &name).map_err(|_| {
        SettingsError::wrong(ENCODER, format!("no encoder is called `{name}`"), remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn read(pairs: &[(&str, Value)]) -> Result<Entry, SettingsError> {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        Entry::read(&pairs.collect())
    }

    #[test]
    fn a_server_on_the_network_needs_three_keys() {
        let entry = read(&[
            (ADDRESS, text("tcp://locks.example:8090")),
            (DIALECT, text("salto")),
            (ENCODER, text("Online Encoder 1")),
        ])
        .unwrap();
        assert_eq!(entry.address.to_string(), "tcp://locks.example:8090");
        assert_eq!(entry.encoder.as_str(), "Online Encoder 1");
        assert!(entry.reads_back && entry.operator.is_none());
    }

    #[test]
    fn a_server_on_a_serial_line_has_the_usual_speed_unless_told() {
        let base = [
            (PORT, text("/dev/ttyS0")),
            (DIALECT, text("onity")),
            (ENCODER, Value::Integer(3)),
        ];
        let entry = read(&base).unwrap();
        let line = |baud, parity| {
            Address::Serial(SerialLine {
                path: "/dev/ttyS0".into(),
                baud,
                parity,
            })
        };
        assert_eq!(entry.address, line(9600, Parity::None));
        assert_eq!(entry.encoder.as_str(), "3");
        let more = [
            (BAUD, Value::Integer(19_200)),
            (PARITY, text("even")),
            (OPERATOR, text("night desk")),
            (READ_BACK, Value::Boolean(false)),
        ];
        let entry = read(&[&base[..], &more].concat()).unwrap();
        assert_eq!(entry.address, line(19_200, Parity::Even));
        assert_eq!(entry.operator.as_deref(), Some("night desk"));
        assert!(!entry.reads_back);
    }

    #[test]
    fn wrong_settings_are_refused_with_the_key_and_what_to_write() {
        let salto = [
            (ADDRESS, text("tcp://locks:8090")),
            (DIALECT, text("salto")),
            (ENCODER, text("1")),
        ];
        let with = |key: &'static str, value: Option<Value>| {
            let mut pairs: Vec<_> = salto.iter().filter(|(it, _)| *it != key).cloned().collect();
            pairs.extend(value.map(|value| (key, value)));
            read(&pairs).unwrap_err()
        };
        for (key, value, named, remedy) in [
            (ADDRESS, None, None, "tcp://HOST:PORT"),
            (
                ADDRESS,
                Some(text("locks:8090")),
                Some(ADDRESS),
                "tcp://HOST:PORT",
            ),
            (PORT, Some(text("/dev/ttyS0")), Some(PORT), "keep `address`"),
            (BAUD, Some(Value::Integer(9600)), Some(BAUD), "remove it"),
            (DIALECT, None, None, "salto"),
            (DIALECT, Some(text("SALTO")), Some(DIALECT), "salto"),
            (ENCODER, None, None, "encoder = \"NAME\""),
            (ENCODER, Some(text("")), Some(ENCODER), "encoder = \"NAME\""),
            (ENCODER, Some(Value::Boolean(true)), Some(ENCODER), "text"),
            (
                READ_BACK,
                Some(text("no")),
                Some(READ_BACK),
                "true or false",
            ),
            (
                "authorisation",
                Some(text("x")),
                Some("authorisation"),
                "operator",
            ),
        ] {
            let error = with(key, value);
            assert_eq!(error.key.as_deref(), named, "{error}");
            assert!(error.remedy.contains(remedy), "{error}");
        }
        let serial = [
            (PORT, text("ttyS0")),
            (DIALECT, text("onity")),
            (ENCODER, Value::Integer(1)),
        ];
        assert_eq!(read(&serial).unwrap_err().key.as_deref(), Some(PORT));
        let named = [
            (PORT, text("/dev/ttyS0")),
            (DIALECT, text("onity")),
            (ENCODER, text("Desk")),
        ];
        assert!(read(&named).unwrap_err().remedy.contains("NUMBER"));
        for (key, value) in [(BAUD, Value::Integer(0)), (PARITY, text("mark"))] {
            let mut pairs = named[..2].to_vec();
            pairs.extend([(ENCODER, Value::Integer(1)), (key, value)]);
            assert_eq!(read(&pairs).unwrap_err().key.as_deref(), Some(key));
        }
    }
}
