//! Parameters of a request: a JSON object from the body or a query string, taken apart into typed values. Every mistake
//! is collected, so that one answer names them all, in the words of zod (facts: "HTTP conventions").
//!
//! Fields that nobody asks for are tolerated, as the contract does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::error::ApiError;
use crate::moment::Moment;

/// One mistake.
#[derive(Debug)]
struct Issue {
    /// Dotted for inner ones.
    parameter: String,
    /// What the message says.
    message: String,
    /// What stands under the parameter in `validation_errors`.
    detail: String,
}

/// The parameters of a request, or of an object inside them.
#[derive(Debug)]
pub(crate) struct Input {
    values: Map<String, Value>,
    /// Query strings know only strings: numbers and booleans are read from them.
    is_query: bool,
    /// Where in the request this object lies, with a trailing dot.
    path: String,
    /// What is wrong so far, in the order in which it was found; shared with inner objects.
    issues: Arc<Mutex<Vec<Issue>>>,
}

impl Input {
    /// The body of a POST: empty, or one JSON object.
    pub(crate) fn from_body(body: &[u8]) -> Result<Self, ApiError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::new(Map::new(), false));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => Ok(Self::new(values, false)),
            Ok(other) => Err(ApiError::malformed(format!(
                "Expected object, received {}",
                type_name(&other)
            ))),
            Err(error) => Err(ApiError::malformed(format!(
                "The request body is not valid JSON: {error}"
            ))),
        }
    }

    /// The pairs of a query string; a repeated key is a list.
    pub(crate) fn from_query(pairs: Vec<(String, String)>) -> Self {
        let mut values = Map::new();
        for (key, value) in pairs {
            let value = Value::String(value);
            match values.get_mut(&key) {
                None => {
                    values.insert(key, value);
                }
                Some(Value::Array(list)) => list.push(value),
                Some(first) => {
                    let first = first.take();
                    values.insert(key, Value::Array(vec![first, value]));
                }
            }
        }
        Self::new(values, true)
    }

    fn new(values: Map<String, Value>, is_query: bool) -> Self {
        Self {
            values,
            is_query,
            path: String::new(),
            issues: Arc::default(),
        }
    }

    /// Ends with every mistake that was found.
    pub(crate) fn finish(&self) -> Result<(), ApiError> {
        let issues = self.issues();
        if issues.is_empty() {
            return Ok(());
        }
        let mut by_parameter: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for issue in issues.iter() {
            by_parameter
                .entry(issue.parameter.clone())
                .or_default()
                .push(issue.detail.clone());
        }
        let messages: Vec<&str> = issues.iter().map(|issue| issue.message.as_str()).collect();
        let message = match messages.as_slice() {
            [one] => (*one).to_owned(),
            many => format!("{} Input Errors: {}", many.len(), many.join(", ")),
        };
        Err(ApiError::InvalidInput {
            message,
            issues: by_parameter,
        })
    }

    /// Something is wrong with a parameter that its type does not say.
    pub(crate) fn reject(&self, name: &str, message: impl Into<String>) {
        let message = message.into();
        self.add(name, message.clone(), message);
    }

    /// Whether the parameter was given at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The values as they came, without paging; cursors are bound to them.
    pub(crate) fn filters(&self) -> BTreeMap<&str, &Value> {
        self.values
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "limit" | "page_cursor" | "_strict"))
            .map(|(name, value)| (name.as_str(), value))
            .collect()
    }

    /// A parameter that must be there.
    pub(crate) fn required<T>(
        &self,
        name: &str,
        take: impl FnOnce(&Self, &str) -> Option<T>,
    ) -> Option<T> {
        if self.has(name) {
            return take(self, name);
        }
        let parameter = format!("{}{name}", self.path);
        self.add(
            name,
            format!("{parameter} is required"),
            "Required".to_owned(),
        );
        None
    }

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
        let parsed = text.parse::<jiff::Timestamp>();
        if parsed.is_err() {
            self.reject(
                name,
                format!("{name} must be a date and time like 2026-11-22T15:00:00Z"),
            );
        }
        parsed.ok().map(Moment::from)
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

    fn take<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.values.get(name)?;
        let read = read(value);
        if read.is_none() {
            self.wrong_type(name, expected, value);
        }
        read
    }

    fn wrong_type(&self, name: &str, expected: &str, received: &Value) {
        let detail = format!("Expected {expected}, received {}", type_name(received));
        self.add(
            name,
            format!("{detail} for \"{}{name}\"", self.path),
            detail,
        );
    }

    fn bad_uuid(&self, name: &str) {
        let detail = "Invalid uuid".to_owned();
        self.add(
            name,
            format!("{detail} for \"{}{name}\"", self.path),
            detail,
        );
    }

    fn issues(&self) -> MutexGuard<'_, Vec<Issue>> {
        self.issues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: &str, message: String, detail: String) {
        self.issues().push(Issue {
            parameter: format!("{}{name}", self.path),
            message,
            detail,
        });
    }
}

/// Hyphenated only, as the contract has it.
fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::parse_str(text).ok())
        .flatten()
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> Input {
        Input::from_body(json.as_bytes()).unwrap()
    }

    fn query(pairs: &[(&str, &str)]) -> Input {
        let owned = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Input::from_query(owned.collect())
    }

    fn message(input: &Input) -> String {
        input.finish().unwrap_err().to_string()
    }

    #[test]
    fn every_mistake_is_named_in_one_answer() {
        let input = body("{}");
        input.required("a", Input::string);
        assert_eq!(message(&input), "a is required");
        input.required("b", Input::string);
        assert_eq!(
            message(&input),
            "2 Input Errors: a is required, b is required"
        );
    }

    #[test]
    fn a_wrong_type_is_told_with_both_types() {
        let input = body(r#"{"acs_system_id": 7}"#);
        input.uuid::<Uuid>("acs_system_id");
        assert_eq!(
            message(&input),
            "Expected string, received number for \"acs_system_id\""
        );
    }

    #[test]
    fn a_query_and_a_body_give_the_same_values() {
        let id = "5f3c6e5e-5f4b-4a62-9b43-0c1e6a1f8b11";
        let from_query = query(&[
            ("ids", id),
            ("limit", "3"),
            ("flag", "true"),
            ("_strict", "true"),
        ]);
        let from_body = body(&format!(r#"{{"ids": ["{id}"], "limit": 3, "flag": true}}"#));
        for input in [&from_query, &from_body] {
            assert_eq!(input.uuids::<Uuid>("ids").unwrap()[0].to_string(), id);
            assert_eq!(input.count("limit"), Some(3));
            assert_eq!(input.boolean("flag"), Some(true));
            assert!(input.finish().is_ok());
        }
        let repeated = query(&[("ids", id), ("ids", id), ("ids", id)]);
        assert_eq!(repeated.uuids::<Uuid>("ids").unwrap().len(), 3);
    }

    #[test]
    fn a_body_knows_types_that_a_query_does_not() {
        let input = body(r#"{"limit": "3"}"#);
        assert_eq!(input.count("limit"), None);
        assert_eq!(
            message(&input),
            "Expected number, received string for \"limit\""
        );
    }

    #[test]
    fn a_mistake_inside_an_object_is_found_under_its_path() {
        let input = body(r#"{"visionline_metadata": {"override": "yes"}}"#);
        let inner = input.object("visionline_metadata").unwrap();
        inner.boolean("override");
        assert_eq!(
            message(&input),
            "Expected boolean, received string for \"visionline_metadata.override\""
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["[]", "7", "\"x\"", "{", "nul", "\u{feff}{}"] {
            assert!(Input::from_body(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["", "  \n", "{}"] {
            assert!(Input::from_body(text.as_bytes()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn numbers_that_are_no_counts_are_refused() {
        for text in ["-1", "1.5", "1e30"] {
            let input = body(&format!(r#"{{"limit": {text}}}"#));
            assert_eq!(input.count("limit"), None, "{text}");
            assert!(input.finish().is_err());
        }
    }
}
