//! The settings of one encoder as the configuration gives them, read key by key so that none is overlooked.

use std::collections::BTreeMap;

/// One value of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
}

/// The driver's own keys of an `[[encoder]]` entry.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings(BTreeMap<String, Value>);

/// A setting is wrong. The configuration adds the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {remedy}")]
pub struct SettingsError {
    /// The key that is wrong; `None` when one is missing.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl FromIterator<(String, Value)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Settings {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Refuses keys that are not among `known`.
    ///
    /// # Errors
    /// Names the first unknown key and the known ones.
    pub fn only(&self, known: &[&str]) -> Result<(), SettingsError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(SettingsError {
                key: Some(key.clone()),
                problem: format!("this driver has no setting `{key}`"),
                remedy: format!("it knows {}", known.join(", ")),
            }),
        }
    }
}
