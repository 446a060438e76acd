//! The driver: which port is meant, whether it can be opened, and opening it.

use std::path::{Path, PathBuf};

use encoder::{
    Changed, Driver, Encoder, Error, Facts, Identity, Listing, Opening, PathWatch, Probing,
    Selector, Settings, SettingsError,
};

use crate::encoder::Pn532;
use crate::port;

const NAME: &str = "pn532";
const PORT: &str = "port";

/// PN532 front ends, each at a serial port that the configuration names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pn532Driver;

impl Driver for Pn532Driver {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs_entry(&self) -> bool {
        true
    }

    /// One setting: `port`, the absolute path of the serial port.
    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError> {
        settings.only(&[PORT])?;
        let example = r#"write port = "/dev/ttyUSB0" or a path below /dev/serial/by-id"#;
        let port = settings
            .text(PORT)?
            .ok_or_else(|| SettingsError::missing(PORT, example))?;
        if !Path::new(port).is_absolute() {
            let problem = format!("`{port}` is no absolute path");
            return Err(SettingsError::wrong(PORT, problem, example));
        }
        Ok(Selector::Port(PathBuf::from(port)))
    }

    /// Nothing: that a PN532 is behind a serial port shows only when it is spoken to.
    fn list(&self, _probing: Probing, _claimed: &[Selector]) -> Vec<Listing> {
        Vec::new()
    }

    /// An encoder's identity is its port as configured, whether something is plugged in there or not, as what is
    /// plugged in can be asked only while it is.
    fn look_up(&self, selector: &Selector) -> Listing {
        let path = path_of(selector);
        Listing {
            driver: NAME,
            selector: selector.clone(),
            identity: Identity::of_port(path),
            description: port::description(path),
            access: port::access(path),
            facts: Facts::default(),
        }
    }

    fn open(&self, selector: &Selector, _how: &Opening) -> Result<Encoder, Error> {
        let port = port::open(path_of(selector))?;
        Ok(Encoder::Block(Box::new(Pn532::open(port)?)))
    }

    fn watch(
        &self,
        settings: &[(Selector, Settings)],
        changed: Changed,
    ) -> Result<Box<dyn Send>, Error> {
        let ports = settings
            .iter()
            .map(|(selector, _)| path_of(selector).to_owned());
        Ok(Box::new(PathWatch::start(ports, changed)?))
    }
}

/// A selector of another driver names nothing here, which then is absent.
fn path_of(selector: &Selector) -> &Path {
    match selector {
        Selector::Port(path) => path,
        Selector::Usb(name)
        | Selector::UsbPort(name)
        | Selector::Reader(name)
        | Selector::Server { address: name, .. } => Path::new(name),
    }
}

#[cfg(test)]
mod tests {
    use encoder::Value;

    use super::*;

    fn configure(pairs: &[(&str, Value)]) -> Result<Selector, SettingsError> {
        let settings = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        Pn532Driver.configure(&settings)
    }

    #[test]
    fn a_port_is_all_it_needs() {
        let port = Value::Text("/dev/ttyUSB0".to_owned());
        assert_eq!(
            configure(&[("port", port)]),
            Ok(Selector::Port(PathBuf::from("/dev/ttyUSB0")))
        );
    }

    #[test]
    fn wrong_settings_are_refused_with_the_key_and_what_to_write() {
        let relative = Value::Text("ttyUSB0".to_owned());
        for (pairs, key) in [
            (vec![], None),
            (vec![("port", Value::Integer(3))], Some("port")),
            (vec![("port", relative)], Some("port")),
            (vec![("reader", Value::Boolean(true))], Some("reader")),
        ] {
            let error = configure(&pairs).unwrap_err();
            assert_eq!(error.key.as_deref(), key, "{pairs:?}");
            assert!(error.to_string().contains("port"), "{error}");
        }
    }
}
