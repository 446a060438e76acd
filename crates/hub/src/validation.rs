//! Parameters of a request: a JSON object from the body or a query string, taken apart into typed values. Every mistake
//! is collected, so that one answer names them all, in the words of zod (facts: "HTTP conventions").
//!
//! Fields that nobody asks for are tolerated, as the contract does.

mod types;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use crate::error::ApiError;

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

    /// Those of these parameters that were given, as they came.
    pub(crate) fn filters(&self, names: &[&[&str]]) -> BTreeMap<&str, &Value> {
        self.values
            .iter()
            .filter(|(name, _)| names.iter().any(|names| names.contains(&name.as_str())))
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
    use uuid::Uuid;

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
