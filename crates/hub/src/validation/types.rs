//! The types that a parameter may have. `None` when it was not given, or when it was wrong, which is noted then.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::Input;
use crate::moment::Moment;

/// How many items a list may have: far fewer than SQLite binds in one statement.
const MOST_ITEMS: usize = 1000;
/// How many characters are searched for: far fewer than SQLite takes in a pattern.
const MOST_SEARCHED: usize = 1000;

impl Input {
    pub(crate) fn string(&self, name: &str) -> Option<String> {
        self.take(name, "string", |value| value.as_str().map(str::to_owned))
    }

    /// A string with something in it, of at most `most` characters.
    pub(crate) fn text(&self, name: &str, most: usize) -> Option<String> {
        let text = self.string(name)?;
        if text.trim().is_empty() {
            self.reject(name, format!("{name} must not be empty"));
            return None;
        }
        if text.chars().count() > most {
            self.reject(name, format!("{name} must have at most {most} characters"));
            return None;
        }
        Some(text)
    }

    /// Words to search for.
    pub(crate) fn search(&self) -> Option<String> {
        let words = self.string("search")?;
        if words.chars().count() > MOST_SEARCHED {
            let message = format!("search must have at most {MOST_SEARCHED} characters");
            self.reject("search", message);
            return None;
        }
        Some(words)
    }

    pub(crate) fn uuid<T: From<Uuid>>(&self, name: &str) -> Option<T> {
        let text = self.string(name)?;
        let uuid = parse_uuid(&text);
        if uuid.is_none() {
            self.bad_uuid(name);
        }
        uuid.map(T::from)
    }

    pub(crate) fn uuids<T: From<Uuid>>(&self, name: &str) -> Option<Vec<T>> {
        let texts = self.strings(name)?;
        let uuids: Option<Vec<Uuid>> = texts.iter().map(|text| parse_uuid(text)).collect();
        if uuids.is_none() {
            self.bad_uuid(name);
        }
        uuids.map(|uuids| uuids.into_iter().map(T::from).collect())
    }

    pub(crate) fn strings(&self, name: &str) -> Option<Vec<String>> {
        let value = self.values.get(name)?;
        let list = match value {
            Value::Array(list) if list.len() > MOST_ITEMS => {
                self.reject(name, format!("{name} must have at most {MOST_ITEMS} items"));
                return None;
            }
            Value::Array(list) => list.clone(),
            Value::String(_) if self.is_query => vec![value.clone()],
            other => {
                self.wrong_type(name, "array", other);
                return None;
            }
        };
        let mut strings = Vec::with_capacity(list.len());
        for item in list {
            let Value::String(text) = item else {
                self.wrong_type(name, "string", &item);
                return None;
            };
            strings.push(text);
        }
        Some(strings)
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        let is_query = self.is_query;
        self.take(name, "boolean", |value| match value {
            Value::Bool(boolean) => Some(*boolean),
            Value::String(text) if is_query => text.parse().ok(),
            _ => None,
        })
    }

    /// A whole number from zero up.
    pub(crate) fn count(&self, name: &str) -> Option<u32> {
        let is_query = self.is_query;
        let number = self.take(name, "number", |value| match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if is_query => {
                text.parse::<f64>().ok().filter(|number| number.is_finite())
            }
            _ => None,
        })?;
        if number < 0.0 || number.fract() != 0.0 || number > f64::from(u32::MAX) {
            self.reject(
                name,
                format!("{name} must be a whole number and not negative"),
            );
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was checked above"
        )]
        let count = number as u32;
        Some(count)
    }

    /// RFC 3339 with a zone.
    pub(crate) fn time(&self, name: &str) -> Option<Moment> {
        let text = self.string(name)?;
        let parsed = parse_time(&text);
        if parsed.is_none() {
            self.reject(
                name,
                format!("{name} must be a date and time like 2026-11-22T15:00:00Z"),
            );
        }
        parsed
    }

    /// Two instants.
    pub(crate) fn times(&self, name: &str) -> Option<(Moment, Moment)> {
        let texts = self.strings(name)?;
        let times: Option<Vec<Moment>> = texts.iter().map(|text| parse_time(text)).collect();
        let Some([from, to]) = times.as_deref() else {
            let message = format!("{name} must be two times like 2026-11-22T15:00:00Z");
            self.reject(name, message);
            return None;
        };
        Some((*from, *to))
    }

    /// One of these words.
    pub(crate) fn one_of(&self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let given = self.string(name)?;
        let known = words.iter().find(|word| **word == given);
        if known.is_none() {
            let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            self.reject(
                name,
                format!(
                    "Invalid enum value. Expected {}, received '{given}'",
                    words.join(" | ")
                ),
            );
        }
        known.copied()
    }

    /// An object inside the request; its mistakes are collected with the others.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        let values = self.take(name, "object", |value| value.as_object().cloned())?;
        Some(Self {
            values,
            is_query: self.is_query,
            path: format!("{}{name}.", self.path),
            issues: Arc::clone(&self.issues),
        })
    }

    /// The parameter without its `null`, for those that the contract calls nullable.
    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(Value::is_null)
    }
}

/// An instant of the years 0000 to 9999 in UTC: RFC 3339 has no others (section 1).
fn parse_time(text: &str) -> Option<Moment> {
    let parsed: jiff::Timestamp = text.parse().ok()?;
    let year = parsed.to_zoned(jiff::tz::TimeZone::UTC).year();
    (0..=9999).contains(&year).then(|| Moment::from(parsed))
}

/// Hyphenated only, as the contract has it.
fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::parse_str(text).ok())
        .flatten()
}
