//! What the journal's file says, read by SQL alone. A dead bridge's file is read from a copy, so that the next start
//! finds it as the kill left it.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use uuid::Uuid;

const NAME: &str = "journal.sqlite";

/// One job as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `accepted`, `intent`, `outcome` or `acknowledged`.
    pub stage: String,
    /// `written`, `unwritten` or `unknown`, once it ended.
    pub outcome: Option<String>,
    /// The hub's leave, from the intent on.
    pub grant_id: Option<String>,
    /// The card, from the intent on.
    pub uid: Option<String>,
}

/// The entry of an attempt in the journal that a dead bridge left.
#[must_use]
pub fn entry(state: &Path, attempt_id: Uuid) -> Entry {
    let copy = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("{NAME}{suffix}");
        if state.join(&name).exists() {
            std::fs::copy(state.join(&name), copy.path().join(&name)).unwrap();
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(read(&copy.path().join(NAME), attempt_id))
}

async fn read(file: &Path, attempt_id: Uuid) -> Entry {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let query = "SELECT stage, outcome_kind, grant_id, uid FROM jobs WHERE attempt_id = ?";
    let row = sqlx::query(query)
        .bind(attempt_id.to_string())
        .fetch_one(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("the journal has no entry of the attempt: {error}"));
    let entry = Entry {
        stage: row.get("stage"),
        outcome: row.get("outcome_kind"),
        grant_id: row.get("grant_id"),
        uid: row.get("uid"),
    };
    connection.close().await.unwrap();
    entry
}
