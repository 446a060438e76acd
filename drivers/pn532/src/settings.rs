//! What an `[[encoder]]` entry says of an encoder of this driver.

use std::path::{Path, PathBuf};

use encoder::{Selector, Settings, SettingsError};

use crate::speed::{self, RAISED, Speed};

/// Whatever is plugged in at a port, by the port's absolute path.
pub(crate) const PORT: &str = "port";
/// One adapter, wherever it is plugged in, by its USB serial number.
pub(crate) const USB_SERIAL: &str = "usb_serial";
/// The highest speed in baud.
const SPEED: &str = "speed";

const EXAMPLE: &str = r#"write port = "/dev/ttyUSB0" or a path below /dev/serial/by-path, or usb_serial = "…" with the serial number that `cardbridge encoders --verbose` shows"#;

/// Which device an entry means.
///
/// # Errors
/// Names the key that is wrong, missing or unknown, and what to write instead.
pub(crate) fn selector(settings: &Settings) -> Result<Selector, SettingsError> {
    settings.only(&[PORT, USB_SERIAL, SPEED])?;
    highest_speed(settings)?;
    match (settings.text(PORT)?, settings.text(USB_SERIAL)?) {
        (Some(port), None) if Path::new(port).is_absolute() => {
            Ok(Selector::Port(PathBuf::from(port)))
        }
        (Some(port), None) => {
            let problem = format!("`{port}` is no absolute path");
            Err(SettingsError::wrong(PORT, problem, EXAMPLE))
        }
        (None, Some(serial)) if !serial.trim().is_empty() => Ok(Selector::Usb(serial.to_owned())),
        (None, Some(_)) => Err(SettingsError::wrong(
            USB_SERIAL,
            "a serial number has letters or digits",
            EXAMPLE,
        )),
        (None, None) => Err(SettingsError::missing(PORT, EXAMPLE)),
        (Some(_), Some(_)) => Err(SettingsError::wrong(
            USB_SERIAL,
            "an encoder is named by `port` or by `usb_serial`, not by both",
            "remove one of the two lines",
        )),
    }
}

/// Up to which speed the line is raised.
///
/// # Errors
/// It is none that the driver uses.
pub(crate) fn highest_speed(settings: &Settings) -> Result<Speed, SettingsError> {
    let Some(baud) = settings.integer(SPEED)? else {
        return Ok(RAISED[0]);
    };
    speed::named(baud).ok_or_else(|| {
        let problem = format!("the line is not used at {baud} baud");
        let remedy = "write 115200, 230400, 460800 or 921600, or remove the line";
        SettingsError::wrong(SPEED, problem, remedy)
    })
}

#[cfg(test)]
mod tests {
    use encoder::Value;

    use super::*;

    fn settings(pairs: &[(&str, Value)]) -> Settings {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn a_port_or_a_serial_number_is_all_it_needs() {
        let port = settings(&[("port", text("/dev/ttyUSB0"))]);
        assert_eq!(selector(&port), Ok(Selector::Port("/dev/ttyUSB0".into())));
        let serial = settings(&[
            ("usb_serial", text("AL00XQ3T")),
            ("speed", Value::Integer(115_200)),
        ]);
        assert_eq!(selector(&serial), Ok(Selector::Usb("AL00XQ3T".to_owned())));
        assert_eq!(highest_speed(&port).unwrap().baud, 921_600);
        assert_eq!(highest_speed(&serial).unwrap().baud, 115_200);
    }

    #[test]
    fn wrong_settings_are_refused_with_the_key_and_what_to_write() {
        let port = ("port", text("/dev/ttyUSB0"));
        for (pairs, key, words) in [
            (vec![], None, "usb_serial"),
            (
                vec![("port", Value::Integer(3))],
                Some("port"),
                "text in quotes",
            ),
            (
                vec![("port", text("ttyUSB0"))],
                Some("port"),
                "/dev/ttyUSB0",
            ),
            (
                vec![("usb_serial", text(" "))],
                Some("usb_serial"),
                "usb_serial",
            ),
            (
                vec![port.clone(), ("usb_serial", text("A1"))],
                Some("usb_serial"),
                "remove one",
            ),
            (
                vec![port.clone(), ("speed", Value::Integer(1_288_000))],
                Some("speed"),
                "921600",
            ),
            (
                vec![port, ("speed", text("fast"))],
                Some("speed"),
                "a whole number",
            ),
            (
                vec![("reader", Value::Boolean(true))],
                Some("reader"),
                "port",
            ),
        ] {
            let error = selector(&settings(&pairs)).unwrap_err();
            assert_eq!(error.key.as_deref(), key, "{pairs:?}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
