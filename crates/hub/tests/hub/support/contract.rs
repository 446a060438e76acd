//! Holds answers against the public contract: the part of JSON Schema that it uses, as OpenAPI 3.0 means it.
//!
//! The contract lies beside the checkout (`shared/contract`); `CARDBRIDGE_CONTRACT` names another place.

use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};

static CONTRACT: LazyLock<Value> = LazyLock::new(|| {
    let path = std::env::var_os("CARDBRIDGE_CONTRACT").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract/openapi.json"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "the contract {} cannot be read ({error}); name it in CARDBRIDGE_CONTRACT",
            path.display()
        )
    });
    serde_json::from_str(&text).unwrap()
});

/// Errors of attempts that the product's own documents name and the contract's lists no longer do (DESIGN §8).
const NAMES_BEYOND_THE_CONTRACT: [&str; 1] = ["no_card_on_encoder"];

/// Panics with every breach when the 200 answer of a path is not as the contract says.
pub(crate) fn check(path: &str, body: &Value) {
    let schema = &CONTRACT["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert!(schema.is_object(), "the contract does not know {path}");
    let breaches = breaches(schema, body, path);
    assert!(
        breaches.is_empty(),
        "{path} breaks the contract:\n{}\n{body:#}",
        breaches.join("\n")
    );
}

/// All breaches of a value against a schema.
pub(crate) fn breaches(schema: &Value, value: &Value, place: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return breaches(&CONTRACT["components"]["schemas"][name], value, place);
    }
    if value.is_null() {
        let is_fine =
            schema["nullable"] == true || schema["type"].is_null() && schema["oneOf"].is_null();
        return if is_fine {
            Vec::new()
        } else {
            vec![format!("{place}: null")]
        };
    }
    let mut found = Vec::new();
    if let Some(variants) = schema["oneOf"].as_array() {
        found.extend(one_of(variants, value, place));
    }
    if let Some(parts) = schema["allOf"].as_array() {
        found.extend(parts.iter().flat_map(|part| breaches(part, value, place)));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
        && !NAMES_BEYOND_THE_CONTRACT.iter().any(|name| value == name)
    {
        found.push(format!("{place}: {value} is none of {words:?}"));
    }
    match schema["type"].as_str() {
        Some("object") => found.extend(object(schema, value, place)),
        Some("array") => match value.as_array() {
            Some(items) => found.extend(items.iter().enumerate().flat_map(|(index, item)| {
                breaches(&schema["items"], item, &format!("{place}[{index}]"))
            })),
            None => found.push(format!("{place}: {value} is no array")),
        },
        Some("string") => found.extend(string(schema, value, place)),
        Some("boolean") if !value.is_boolean() => found.push(format!("{place}: {value}")),
        Some("number" | "integer") if !value.is_number() => found.push(format!("{place}: {value}")),
        _ => {}
    }
    found
}

fn one_of(variants: &[Value], value: &Value, place: &str) -> Vec<String> {
    let mut nearest: Option<Vec<String>> = None;
    for variant in variants {
        let found = breaches(variant, value, place);
        if found.is_empty() {
            return found;
        }
        if nearest
            .as_ref()
            .is_none_or(|nearest| found.len() < nearest.len())
        {
            nearest = Some(found);
        }
    }
    nearest.unwrap_or_default()
}

fn object(schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let Some(fields) = value.as_object() else {
        return vec![format!("{place}: {value} is no object")];
    };
    let mut found = Vec::new();
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            found.push(format!("{place}: {name} is missing"));
        }
    }
    for (name, field) in fields {
        let place = format!("{place}.{name}");
        match schema["properties"].get(name) {
            Some(property) => found.extend(breaches(property, field, &place)),
            None if schema["additionalProperties"] == false => {
                found.push(format!("{place}: not of the contract"));
            }
            None => {}
        }
    }
    found
}

fn string(schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let Some(text) = value.as_str() else {
        return vec![format!("{place}: {value} is no string")];
    };
    let is_fine = match schema["format"].as_str() {
        Some("uuid") => uuid::Uuid::parse_str(text).is_ok(),
        Some("date-time") => text.parse::<jiff::Timestamp>().is_ok(),
        Some("uri") => text.starts_with("http://") || text.starts_with("https://"),
        _ => true,
    };
    let least = schema["minLength"].as_u64().unwrap_or(0);
    if is_fine && text.len() as u64 >= least {
        Vec::new()
    } else {
        vec![format!("{place}: {text:?} is no {}", schema["format"])]
    }
}

#[test]
fn the_contract_check_finds_what_breaks_it() {
    let schema = json!({
        "type": "object",
        "required": ["a", "b"],
        "properties": {
            "a": { "type": "string", "format": "uuid" },
            "b": { "type": "array", "items": { "type": "string", "enum": ["x"] } },
            "c": { "oneOf": [{ "type": "string" }, { "type": "number" }] },
        },
    });
    let count = |value: Value| breaches(&schema, &value, "").len();
    assert_eq!(count(json!({ "a": super::NOBODY, "b": ["x"], "c": 1 })), 0);
    assert_eq!(count(json!({ "a": "no uuid", "b": ["y"], "c": true })), 3);
    assert_eq!(count(json!({ "a": null })), 2);
    assert_eq!(count(json!([])), 1);
}
