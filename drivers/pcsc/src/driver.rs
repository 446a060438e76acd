//! The driver: the readers that PC/SC knows, whether they can be used, and opening one.

use encoder::{
    Access, Changed, Driver, Encoder, Error, Facts, Identity, Listing, Opening, Probing, Selector,
    Settings, SettingsError,
};
use pcsc::{Context, State};

use crate::context::{establish, name, readers, state};
use crate::error::PcscError;
use crate::reader::Reader;
use crate::take::Takers;
use crate::watch::Watch;

const NAME: &str = "pcsc";
const READER: &str = "reader";

/// Every reader behind PC/SC.
#[derive(Debug, Clone, Default)]
pub struct PcscDriver {
    /// Outlive each opened reader, so that opening one again and again does not pile up threads that wait at it.
    takers: Takers,
}

impl Driver for PcscDriver {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs_entry(&self) -> bool {
        false
    }

    /// One setting: `reader`, the reader's full name. Readers need no entry to be found.
    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError> {
        let example = "write the full name that `cardbridge encoders` shows";
        settings.only(&[READER])?;
        let reader = settings
            .text(READER)?
            .ok_or_else(|| SettingsError::missing(READER, example))?;
        if reader.is_empty() || reader.contains('\0') {
            let problem = format!("`{READER}` is no name");
            return Err(SettingsError::wrong(READER, problem, example));
        }
        Ok(Selector::Reader(reader.to_owned()))
    }

    /// Every reader, contact readers too: their names do not tell.
    fn list(&self, _probing: Probing, claimed: &[Selector]) -> Vec<Listing> {
        let listed = establish().and_then(|context| {
            let names = readers(&context)?;
            Ok(names
                .iter()
                .map(|reader| reader.to_string_lossy().into_owned())
                .filter(|reader| !claimed.contains(&Selector::Reader(reader.clone())))
                .map(|reader| listing(&reader, access(&context, &reader)))
                .collect())
        });
        listed.unwrap_or_else(|error: PcscError| {
            tracing::debug!(%error, "PC/SC lists no readers");
            Vec::new()
        })
    }

    fn look_up(&self, selector: &Selector) -> Listing {
        let reader = name_of(selector);
        let access = match establish() {
            Ok(context) => access(&context, &reader),
            Err(error) => refused(&error),
        };
        listing(&reader, access)
    }

    fn open(&self, selector: &Selector, _how: &Opening) -> Result<Encoder, Error> {
        let reader = Reader::open(&name_of(selector), self.takers.clone())?;
        Ok(Encoder::Block(Box::new(reader)))
    }

    fn watch(
        &self,
        _settings: &[(Selector, Settings)],
        changed: Changed,
    ) -> Result<Box<dyn Send>, Error> {
        Ok(Box::new(Watch::start(changed)?))
    }
}

fn listing(reader: &str, access: Access) -> Listing {
    Listing {
        driver: NAME,
        selector: Selector::Reader(reader.to_owned()),
        identity: Identity::of_reader(reader),
        description: reader.to_owned(),
        access,
        facts: Facts::default(),
    }
}

fn access(context: &Context, reader: &str) -> Access {
    match name(reader).and_then(|reader| state(context, &reader)) {
        Ok(state) if state.contains(State::EXCLUSIVE) => Access::Inaccessible {
            reason: "another program uses it for itself alone; close that program".to_owned(),
        },
        Ok(_) => Access::Accessible,
        Err(error) => refused(&error),
    }
}

/// Why a reader cannot be used, with what to do.
fn refused(error: &PcscError) -> Access {
    use encoder::ErrorKind::{Absent, NotPermitted};
    match error.kind() {
        NotPermitted => Access::Inaccessible {
            reason: "the PC/SC service admits only users with a session at the screen; install the polkit rule for this \
                     program's user"
                .to_owned(),
        },
        Absent if error.ends_context() => Access::Absent {
            reason: "the PC/SC service does not run; start pcscd".to_owned(),
        },
        Absent => Access::Absent {
            reason: "no reader of this name is plugged in".to_owned(),
        },
        _ => Access::Inaccessible {
            reason: "the PC/SC service does not answer as it should; restart pcscd".to_owned(),
        },
    }
}

/// A selector of another driver names nothing here, which then is absent.
fn name_of(selector: &Selector) -> String {
    match selector {
        Selector::Reader(name) => name.clone(),
        other => other.to_string(),
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
        PcscDriver::default().configure(&settings)
    }

    #[test]
    fn a_name_is_all_it_needs() {
        let name = "ACS ACR1252 Dual Reader 00 00".to_owned();
        assert_eq!(
            configure(&[("reader", Value::Text(name.clone()))]),
            Ok(Selector::Reader(name))
        );
    }

    #[test]
    fn wrong_settings_are_refused_with_the_key_and_what_to_write() {
        for (pairs, key) in [
            (vec![], None),
            (vec![("reader", Value::Integer(3))], Some("reader")),
            (vec![("reader", Value::Text(String::new()))], Some("reader")),
            (vec![("port", Value::Boolean(true))], Some("port")),
        ] {
            let error = configure(&pairs).unwrap_err();
            assert_eq!(error.key.as_deref(), key, "{pairs:?}");
            assert!(error.to_string().contains("reader"), "{error}");
        }
    }
}
