//! The driver: which socket is meant, whether it is there, and opening it.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use encoder::{
    Access, Changed, Driver, Encoder, Error, Facts, Identity, Listing, Opening, PathWatch, Probing,
    Selector, Settings, SettingsError,
};

use crate::session::Textbox;
use crate::wire::Wire;

const NAME: &str = "textbox";
const SOCKET: &str = "socket";

/// Textbox encoders, each at a socket that the configuration names.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextboxDriver;

impl Driver for TextboxDriver {
    fn name(&self) -> &'static str {
        NAME
    }

    /// One setting: `socket`, the absolute path of the box's socket.
    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError> {
        settings.only(&[SOCKET])?;
        let example = r#"write socket = "/run/textbox""#;
        let socket = settings
            .text(SOCKET)?
            .ok_or_else(|| SettingsError::missing(SOCKET, example))?;
        if !Path::new(socket).is_absolute() {
            let problem = format!("`{socket}` is no absolute path");
            return Err(SettingsError::wrong(SOCKET, problem, example));
        }
        Ok(Selector::Port(PathBuf::from(socket)))
    }

    /// Nothing: that a box is behind a socket shows only when it is spoken to.
    fn list(&self, _probing: Probing, _claimed: &[Selector]) -> Vec<Listing> {
        Vec::new()
    }

    fn look_up(&self, selector: &Selector) -> Listing {
        let path = path_of(selector);
        Listing {
            driver: NAME,
            selector: selector.clone(),
            identity: Identity::of_port(&path),
            description: format!("Textbox at {}", path.display()),
            access: access(&path),
            facts: Facts::default(),
        }
    }

    fn open(&self, selector: &Selector, how: &Opening) -> Result<Encoder, Error> {
        let wire = Wire::connect(&path_of(selector), how.recorder.clone())?;
        Ok(Encoder::Block(Box::new(Textbox::open(wire)?)))
    }

    fn watch(
        &self,
        settings: &[(Selector, Settings)],
        changed: Changed,
    ) -> Result<Box<dyn Send>, Error> {
        let sockets = settings.iter().map(|(selector, _)| path_of(selector));
        Ok(Box::new(PathWatch::start(sockets, changed)?))
    }
}

fn access(path: &Path) -> Access {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(_) => Access::Absent {
            reason: format!("{shown} does not exist; switch the box on, or correct `socket`"),
        },
        Ok(found) if !found.file_type().is_socket() => Access::Inaccessible {
            reason: format!("{shown} is no socket; correct `socket`"),
        },
        Ok(_) => Access::Accessible,
    }
}

/// A selector of another driver names nothing here, which then is absent.
fn path_of(selector: &Selector) -> PathBuf {
    match selector {
        Selector::Port(path) => path.clone(),
        other => PathBuf::from(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use encoder::Value;

    use super::*;

    #[test]
    fn a_wrong_setting_is_refused_with_what_to_write() {
        for (key, value) in [
            ("socket", Value::Integer(3)),
            ("socket", Value::Text("textbox".to_owned())),
            ("port", Value::Boolean(true)),
        ] {
            let settings = [(key.to_owned(), value)].into_iter().collect();
            let error = TextboxDriver.configure(&settings).unwrap_err();
            assert_eq!(error.key.as_deref(), Some(key), "{error}");
            assert!(error.to_string().contains("socket"), "{error}");
        }
    }
}
