//! How rows of the journal read.

use std::str::FromStr;

use jiff::Timestamp;
use protocol::link::OutcomeReport;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::JournalError;

/// The report of a job that has ended.
pub(super) fn report(row: &SqliteRow) -> Result<Option<OutcomeReport>, JournalError> {
    let Some(json): Option<String> = row.get("outcome") else {
        return Ok(None);
    };
    let unreadable = |error: &dyn std::fmt::Display| JournalError::Unreadable(error.to_string());
    Ok(Some(OutcomeReport {
        attempt_id: attempt_id(row)?,
        fence: unsigned(row.get("fence")),
        ended_at: Timestamp::from_str(&row.get::<String, _>("ended_at"))
            .map_err(|error| unreadable(&error))?,
        outcome: serde_json::from_str(&json).map_err(|error| unreadable(&error))?,
    }))
}

pub(super) fn attempt_id(row: &SqliteRow) -> Result<Uuid, JournalError> {
    parse_uuid(&row.get::<String, _>("attempt_id"))
}

pub(super) fn parse_uuid(text: &str) -> Result<Uuid, JournalError> {
    Uuid::from_str(text).map_err(|error| JournalError::Unreadable(error.to_string()))
}

/// SQLite's integers are signed; fences stay far below the sign.
pub(super) fn signed(fence: u64) -> i64 {
    i64::try_from(fence).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(fence: i64) -> u64 {
    u64::try_from(fence).unwrap_or_default()
}
