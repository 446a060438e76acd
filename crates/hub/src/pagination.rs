//! Pages of lists: keyset cursors, opaque, bound to route, workspace and filters, so that a cursor of another list is
//! refused instead of answering something else.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::api::Pagination;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::id::WorkspaceId;
use crate::store::Page;
use crate::validation::Input;

/// What a list gives when nobody says how much; the contract's value.
pub(crate) const DEFAULT_LIMIT: u32 = 500;
/// The same for entrances.
pub(crate) const DEFAULT_ENTRANCE_LIMIT: u32 = 900;
/// More than this comes in several pages.
pub(crate) const HIGHEST_LIMIT: u32 = 1000;
const BINDING_BYTES: usize = 16;

/// One list as one caller asks for it.
#[derive(Debug)]
pub(crate) struct Listing {
    path: &'static str,
    binding: [u8; BINDING_BYTES],
    /// The filters as a query string, without leading `?`.
    query: String,
    /// Which part is asked for.
    pub(crate) page: Page,
}

impl Listing {
    /// Reads `limit` and `page_cursor`; mistakes are collected in the input. `filters` are the parameters that choose
    /// what is listed; others do not bind a cursor.
    pub(crate) fn read(
        path: &'static str,
        workspace: WorkspaceId,
        input: &Input,
        filters: &[&[&str]],
        default_limit: u32,
    ) -> Self {
        let limit = limit(input, default_limit);
        let filters = input.filters(filters);
        let binding = binding(path, workspace, &filters);
        let mut after = 0;
        if !input.is_null("page_cursor")
            && let Some(cursor) = input.string("page_cursor")
        {
            match decode(&cursor, binding) {
                Some(position) => after = position,
                None => input.reject(
                    "page_cursor",
                    "page_cursor is not one of this list; begin again without it",
                ),
            }
        }
        Self {
            path,
            binding,
            query: query_string(&filters, limit),
            page: Page { after, limit },
        }
    }

    /// Cuts the rows to the page and says where the next one begins.
    pub(crate) fn cut<T>(
        &self,
        rows: &mut Vec<T>,
        seq: impl Fn(&T) -> i64,
        base_url: &str,
    ) -> Pagination {
        let cursor = self
            .page
            .cut(rows, seq)
            .map(|position| encode(position, self.binding));
        Pagination {
            has_next_page: cursor.is_some(),
            next_page_url: cursor.as_ref().map(|cursor| {
                format!("{base_url}{}?{}page_cursor={cursor}", self.path, self.query)
            }),
            next_page_cursor: cursor,
        }
    }
}

/// `limit`, from 1 up; what is above the highest is that many.
pub(crate) fn limit(input: &Input, default: u32) -> u32 {
    match input.count("limit") {
        None => default,
        Some(0) => {
            input.reject("limit", "Number must be greater than 0");
            default
        }
        Some(limit) => limit.min(HIGHEST_LIMIT),
    }
}

fn binding(
    path: &str,
    workspace: WorkspaceId,
    filters: &BTreeMap<&str, &Value>,
) -> [u8; BINDING_BYTES] {
    let mut hash = Sha256::new();
    hash.update(path);
    hash.update([0]);
    hash.update(workspace.0);
    for (name, value) in filters {
        for text in texts(value) {
            hash.update([0]);
            hash.update(name);
            hash.update([0]);
            hash.update(text);
        }
    }
    let mut binding = [0; BINDING_BYTES];
    binding.copy_from_slice(&hash.finalize()[..BINDING_BYTES]);
    binding
}

fn encode(position: i64, binding: [u8; BINDING_BYTES]) -> String {
    let mut bytes = binding.to_vec();
    bytes.extend_from_slice(&position.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(cursor: &str, binding: [u8; BINDING_BYTES]) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let position = bytes.strip_prefix(&binding)?;
    let position = i64::from_be_bytes(position.try_into().ok()?);
    (position > 0).then_some(position)
}

/// The filters for a GET of the next page, with a trailing `&`.
fn query_string(filters: &BTreeMap<&str, &Value>, limit: u32) -> String {
    let mut query = format!("limit={limit}&");
    for (name, value) in filters {
        for text in texts(value) {
            query.push_str(&format!(
                "{}={}&",
                percent_encode(name),
                percent_encode(&text)
            ));
        }
    }
    query
}

/// A value as a query string has it, so that a page begun with a POST goes on with a GET.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}

fn percent_encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(path: &'static str, workspace: u128, body: &str) -> (Listing, Input) {
        let input = Input::from_body(body.as_bytes()).unwrap();
        let workspace = WorkspaceId(uuid::Uuid::from_u128(workspace));
        let listing = Listing::read(path, workspace, &input, &[&["search"]], DEFAULT_LIMIT);
        (listing, input)
    }

    #[test]
    fn a_cursor_leads_on_in_its_own_list_only() {
        let (first, _) = listing("/a", 1, r#"{"limit": 2, "search": "x y"}"#);
        let mut rows = vec![11, 12, 13];
        let pagination = first.cut(&mut rows, |row| *row, "http://hub");
        assert_eq!(rows, [11, 12]);
        let cursor = pagination.next_page_cursor.unwrap();
        assert_eq!(
            pagination.next_page_url.unwrap(),
            format!("http://hub/a?limit=2&search=x%20y&page_cursor={cursor}")
        );

        let with = |search: &str| format!(r#"{{"search": "{search}", "page_cursor": "{cursor}"}}"#);
        let (next, input) = listing("/a", 1, &with("x y"));
        assert!(input.finish().is_ok());
        assert_eq!(next.page.after, 12);
        for (path, workspace, search) in [("/b", 1, "x y"), ("/a", 2, "x y"), ("/a", 1, "z")] {
            let (_, input) = listing(path, workspace, &with(search));
            assert!(input.finish().is_err(), "{path} {workspace} {search}");
        }
    }

    #[test]
    fn a_field_that_is_no_filter_does_not_bind_a_cursor() {
        let (first, _) = listing("/a", 1, r#"{"limit": 1, "colour": "red"}"#);
        let pagination = first.cut(&mut vec![11, 12], |row| *row, "http://hub");
        let cursor = pagination.next_page_cursor.unwrap();
        let body = format!(r#"{{"colour": "blue", "page_cursor": "{cursor}"}}"#);
        let (next, input) = listing("/a", 1, &body);
        assert!(input.finish().is_ok());
        assert_eq!(next.page.after, 11);
    }

    #[test]
    fn the_last_page_has_no_next_one() {
        let (listing, _) = listing("/a", 1, r#"{"limit": 2, "page_cursor": null}"#);
        let pagination = listing.cut(&mut vec![1, 2], |row| *row, "http://hub");
        assert!(!pagination.has_next_page);
        assert_eq!(pagination.next_page_cursor, None);
    }

    #[test]
    fn a_limit_of_nothing_is_refused_and_a_huge_one_is_cut() {
        let (_, input) = listing("/a", 1, r#"{"limit": 0}"#);
        assert!(input.finish().is_err());
        let (listing, input) = listing("/a", 1, r#"{"limit": 100000}"#);
        assert!(input.finish().is_ok());
        assert_eq!(listing.page.limit, HIGHEST_LIMIT);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for cursor in ["", "x", "AAAA", "!!!!"] {
            let (_, input) = listing("/a", 1, &format!(r#"{{"page_cursor": "{cursor}"}}"#));
            assert!(input.finish().is_err(), "{cursor}");
        }
    }
}
