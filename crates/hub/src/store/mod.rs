//! The database: rows as plain data and the statements that read and write them, one file per group of tables.
//!
//! Decides nothing. What belongs together is committed together by the callers in `transactions`.

pub(crate) mod attempts;
pub(crate) mod bridges;
pub(crate) mod credentials;
pub(crate) mod encoders;
pub(crate) mod entrances;
pub(crate) mod events;
pub(crate) mod grants;
pub(crate) mod requests;
pub(crate) mod sites;
pub(crate) mod users;
pub(crate) mod workspaces;
mod writing;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use self::writing::{WriteHealth, Writing};
use crate::id::HubId;

/// How long a statement waits for another process (`cardbridge admin`) to commit.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many requests read at once.
const READERS: u32 = 4;

/// The database. Writers queue on one connection, readers see the last commit.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
    pub(crate) write_health: Arc<WriteHealth>,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be made.
    #[error("the database file {path} cannot be opened; check the folder and its permissions")]
    File {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// SQLite refuses.
    #[error("the database cannot be read; restore it from a backup, or name another file")]
    Database(#[source] sqlx::Error),
    /// The schema cannot be brought up to date.
    #[error(
        "the database belongs to another version of cardbridge; use that version or a newer one"
    )]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl Store {
    /// Opens or makes the database and brings its schema up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self, OpenError> {
        make_private(path).map_err(|source| OpenError::File {
            path: path.display().to_string(),
            source,
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let write_health = Arc::new(WriteHealth::default());
        let writer = writing::pool_options(&write_health)
            .connect_with(options.clone())
            .await
            .map_err(OpenError::Database)?;
        sqlx::migrate!("./migrations")
            .run(&writer)
            .await
            .map_err(OpenError::Migration)?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true))
            .await
            .map_err(OpenError::Database)?;
        Ok(Self {
            writer,
            reader,
            write_health,
        })
    }

    /// Begins a transaction that may write. Dropped without a commit it changes nothing.
    pub(crate) async fn begin(&self) -> sqlx::Result<Writing> {
        Writing::begin(&self.writer, &self.write_health).await
    }

    /// Begins a transaction that sees one state of the database.
    pub(crate) async fn read(&self) -> sqlx::Result<Transaction<'static, Sqlite>> {
        self.reader.begin().await
    }

    /// Writes something that changes nothing, to see whether writing works again.
    pub(crate) async fn try_to_write(&self) -> sqlx::Result<()> {
        let mut db = self.begin().await?;
        sqlx::query("UPDATE hub SET hub_id = hub_id")
            .execute(&mut *db)
            .await?;
        db.commit().await
    }

    /// Ends all connections.
    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// Which database this is; decided when it is first opened.
    pub(crate) async fn hub_id(&self) -> sqlx::Result<HubId> {
        sqlx::query("INSERT INTO hub (only_row, hub_id) VALUES (1, ?) ON CONFLICT DO NOTHING")
            .bind(HubId(uuid::Uuid::new_v4()))
            .execute(&self.writer)
            .await?;
        sqlx::query_scalar("SELECT hub_id FROM hub")
            .fetch_one(&self.writer)
            .await
    }
}

/// Makes the file readable for its owner only, before SQLite makes it readable for all. SQLite gives its side files
/// the same permissions.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map(drop)
}

/// Which part of a list is wanted: at most `limit` rows with a `seq` above `after`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) after: i64,
    pub(crate) limit: u32,
}

impl Page {
    /// One row more than wanted, which tells whether there is a next page.
    fn fetch(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Cuts the extra row off; returns where the next page begins, if there is one.
    pub(crate) fn cut<T>(self, rows: &mut Vec<T>, seq: impl Fn(&T) -> i64) -> Option<i64> {
        let limit = self.limit as usize;
        if rows.len() <= limit {
            return None;
        }
        rows.truncate(limit);
        rows.last().map(seq)
    }
}

/// `column IN (…)`, which is false for an empty list.
fn push_any<'a, T>(
    query: &mut sqlx::QueryBuilder<Sqlite>,
    column: &str,
    values: impl IntoIterator<Item = T>,
) where
    T: 'a + sqlx::Encode<'a, Sqlite> + sqlx::Type<Sqlite>,
{
    query.push(column).push(" IN (");
    let mut separated = query.separated(", ");
    for value in values {
        separated.push_bind(value);
    }
    query.push(")");
}

/// A pattern for `LIKE … ESCAPE '\'` that finds the words as they are, anywhere.
fn like_pattern(words: &str) -> String {
    let mut pattern = String::from("%");
    for character in words.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// The connection inside a transaction.
pub(crate) type Db = SqliteConnection;
