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

impl SettingsError {
    /// The value of a key is not usable.
    #[must_use]
    pub fn wrong(key: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            key: Some(key.to_owned()),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// A key that must be there is not.
    #[must_use]
    pub fn missing(key: &str, remedy: impl Into<String>) -> Self {
        Self {
            key: None,
            problem: format!("`{key}` is missing"),
            remedy: remedy.into(),
        }
    }
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Boolean(_) => "true or false",
        }
    }
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

    /// Every key with its value, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// A text, if the key is there.
    ///
    /// # Errors
    /// The value is of another type.
    pub fn text(&self, key: &str) -> Result<Option<&str>, SettingsError> {
        self.typed(key, "text in quotes", |value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// A whole number, if the key is there.
    ///
    /// # Errors
    /// The value is of another type.
    pub fn integer(&self, key: &str) -> Result<Option<i64>, SettingsError> {
        self.typed(key, "a whole number", |value| match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        })
    }

    /// True or false, if the key is there.
    ///
    /// # Errors
    /// The value is of another type.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, SettingsError> {
        self.typed(key, "true or false", |value| match value {
            Value::Boolean(truth) => Some(*truth),
            _ => None,
        })
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &str,
        of: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(value) = self.0.get(key) else {
            return Ok(None);
        };
        of(value).map(Some).ok_or_else(|| {
            SettingsError::wrong(
                key,
                format!("`{key}` is {}", value.kind()),
                format!("write {expected}"),
            )
        })
    }

    /// Refuses keys that are not among `known`.
    ///
    /// # Errors
    /// Names the first unknown key and the known ones.
    pub fn only(&self, known: &[&str]) -> Result<(), SettingsError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(SettingsError::wrong(
                key,
                format!("this driver has no setting `{key}`"),
                match known {
                    [] => "it has none; remove the line".to_owned(),
                    _ => format!("it knows {}", known.join(", ")),
                },
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::from_iter([
            ("port".to_owned(), Value::Text("/dev/ttyUSB0".to_owned())),
            ("baud".to_owned(), Value::Integer(115_200)),
        ])
    }

    #[test]
    fn a_value_of_the_right_type_is_read() {
        assert_eq!(settings().text("port"), Ok(Some("/dev/ttyUSB0")));
        assert_eq!(settings().integer("baud"), Ok(Some(115_200)));
        assert_eq!(settings().boolean("beep"), Ok(None));
    }

    #[test]
    fn a_value_of_another_type_is_refused_with_what_to_write() {
        let error = settings().text("baud").unwrap_err();
        assert_eq!(error.key.as_deref(), Some("baud"));
        assert_eq!(
            error.to_string(),
            "`baud` is a whole number; write text in quotes"
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let error = settings().only(&["port"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this driver has no setting `baud`; it knows port"
        );
        assert_eq!(settings().only(&["port", "baud"]), Ok(()));
    }
}
