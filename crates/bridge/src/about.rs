//! What a technician may want to know of an encoder, beyond what the hub is told.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use encoder::{Error, ErrorKind, Facts, Listing, Makes, Opened, Settings, Value};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error_text::chain;
use crate::recordings::Recordings;

/// Words in the name of a setting whose value is nobody's business.
const SECRET: [&str; 5] = ["key", "password", "pin", "secret", "token"];

/// What is known of an encoder. Never a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// How it is opened: a port, or a reader's name.
    pub address: String,
    /// What the driver was told in the configuration.
    pub settings: Vec<Fact>,
    /// What the system tells of it.
    pub listing: Vec<Fact>,
    /// What it told when it was opened.
    pub device: Vec<Fact>,
    /// Who makes its cards; `None` until it was opened.
    pub cards_made_by: Option<CardsMadeBy>,
    /// What went wrong last.
    pub last_error: Option<LastError>,
    /// The recording that is being written, or was last.
    pub recording: Option<PathBuf>,
}

/// Something with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Who makes the cards of an encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardsMadeBy {
    /// This PC.
    Bridge,
    /// The lock server that the encoder belongs to.
    LockServer,
}

/// An error and when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// What, with its causes.
    pub message: String,
}

impl About {
    /// What is known of an encoder that was opened to be asked.
    #[must_use]
    pub fn opened(listing: &Listing, settings: &Settings, facts: &Facts) -> Self {
        Self {
            device: facts_of(facts),
            ..Self::listed(listing, settings)
        }
    }

    /// What is known of an encoder that was only looked at.
    #[must_use]
    pub fn listed(listing: &Listing, settings: &Settings) -> Self {
        Self {
            address: listing.selector.to_string(),
            settings: settings.iter().map(setting).collect(),
            listing: facts_of(&listing.facts),
            ..Self::default()
        }
    }
}

/// What is known of an encoder, as its task and its driver find it out.
#[derive(Debug, Clone)]
pub(crate) struct Notes {
    about: Arc<Mutex<About>>,
    pub recordings: Option<Recordings>,
}

impl Notes {
    pub(crate) fn new(about: About, recordings: Option<Recordings>) -> Self {
        Self {
            about: Arc::new(Mutex::new(about)),
            recordings,
        }
    }

    pub(crate) fn about(&self) -> About {
        let recording = self.recordings.as_ref().and_then(Recordings::current);
        About {
            recording,
            ..self.lock().clone()
        }
    }

    /// How it is seen now.
    pub(crate) fn listed(&self, listing: &Listing) {
        let mut about = self.lock();
        about.address = listing.selector.to_string();
        about.listing = facts_of(&listing.facts);
    }

    /// It was opened, or could not be.
    pub(crate) fn opened(&self, result: &Result<Opened, Error>) {
        match result {
            Ok(opened) => {
                let mut about = self.lock();
                about.device = facts_of(&opened.facts);
                about.cards_made_by = Some(match opened.makes {
                    Makes::Host => CardsMadeBy::Bridge,
                    Makes::Server => CardsMadeBy::LockServer,
                });
            }
            Err(error) => self.failed(error),
        }
    }

    /// Something went wrong; that nobody put a card there is not that.
    pub(crate) fn failed(&self, error: &Error) {
        if matches!(error.kind(), ErrorKind::NoCard | ErrorKind::Cancelled) {
            return;
        }
        self.lock().last_error = Some(LastError {
            at: Timestamp::now(),
            message: chain(error),
        });
    }

    fn lock(&self) -> MutexGuard<'_, About> {
        self.about.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn facts_of(facts: &Facts) -> Vec<Fact> {
    let fact = |(name, value): (&str, &str)| Fact {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    facts.iter().map(fact).collect()
}

fn setting((name, value): (&str, &Value)) -> Fact {
    let is_secret = SECRET.iter().any(|word| name.contains(word));
    let value = match value {
        _ if is_secret => "(not shown)".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
    };
    Fact {
        name: name.to_owned(),
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_a_secret_is_not_shown() {
        let password = Value::Text("hunter2".to_owned());
        let shown = setting(("server_password", &password));
        assert_eq!(shown.value, "(not shown)");
        assert_eq!(setting(("baud", &Value::Integer(9600))).value, "9600");
    }
}
