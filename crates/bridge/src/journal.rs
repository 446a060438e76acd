//! What must survive a power cut: which jobs were taken in, which were about to be written, how they ended.
//!
//! SQLite in WAL mode with `synchronous=FULL`, one connection, a file that only its owner reads. No keys and no card
//! image: plans are derived again from the credential and the card. What a scan found is an outcome like any other.

mod rows;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use card::{CopyIndex, Suspects};
use jiff::Timestamp;
use protocol::link::{Action, EncoderFence, JobStage, JobState, Outcome, OutcomeReport};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Row, SqliteConnection, SqlitePool};
use uuid::Uuid;

use self::rows::{attempt_id, parse_uuid, report, signed, unsigned};
use crate::machine::{Entry, Known, interrupted_by_restart, lost_by_restart};

/// How long a job is kept after the hub acknowledged it (DESIGN §5.5).
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The journal of one bridge.
#[derive(Debug, Clone)]
pub struct Journal {
    pool: SqlitePool,
}

/// The journal could not be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The directory cannot be made or written.
    #[error(
        "the journal {path} cannot be created; check that the directory exists and belongs to this user"
    )]
    Create {
        /// The journal's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused.
    #[error(
        "the journal cannot be read or written; check the disk's free space and the file's owner"
    )]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error(
        "the journal cannot be brought up to date; check the disk's free space, and that no newer version of cardbridge wrote it"
    )]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// An intent for a job that is not open.
    #[error("the journal has no open job of this kind; nothing is written to the card")]
    OutOfOrder,
    /// A row that this version cannot read.
    #[error("the journal holds an entry that cannot be read: {0}")]
    Unreadable(String),
}

impl Journal {
    /// Opens or creates the journal in a directory, and brings its schema up to date.
    ///
    /// # Errors
    /// When directory or file cannot be created, opened, or are of another version.
    pub async fn open(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join("journal.sqlite");
        create_private(directory, &path).map_err(|source| JournalError::Create {
            path: path.clone(),
            source,
        })?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        Ok(Self { pool })
    }

    /// Makes one entry durable. When this returns, a power cut cannot undo it.
    ///
    /// # Errors
    /// When the database refused: the entry is not there then.
    pub async fn commit(&self, identity: &str, entry: &Entry) -> Result<(), JournalError> {
        let mut connection = self.pool.acquire().await?;
        let result = write(&mut connection, identity, entry).await;
        if result.is_err() {
            // On some errors (disk full) SQLite ends the transaction by itself, and the connection's count of open
            // transactions is wrong from then on. A new connection knows where it stands.
            let _ = connection.close().await;
        }
        result
    }

    /// What the journal has of an attempt.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn known(&self, attempt_id: Uuid) -> Result<Option<Known>, JournalError> {
        let row = sqlx::query(
            "SELECT attempt_id, fence, ended_at, outcome FROM jobs WHERE attempt_id = ?",
        )
        .bind(attempt_id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| Ok(report(&row)?.map_or(Known::Open, Known::Ended)))
            .transpose()
    }

    /// The copies of that card that jobs left in doubt since the last write that was proven.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn suspects(&self, uid: card::Uid) -> Result<Suspects, JournalError> {
        let rows = sqlx::query(
            "SELECT DISTINCT copy FROM jobs
             WHERE uid = ?1 AND intent_at IS NOT NULL AND (outcome_kind IS NULL OR outcome_kind = 'unknown')
               AND rowid > (SELECT coalesce(max(rowid), 0) FROM jobs WHERE uid = ?1 AND outcome_kind = 'written')",
        )
        .bind(uid.to_string())
        .fetch_all(&self.pool)
        .await?;
        let copies = rows.iter().map(|row| row.get::<i64, _>("copy"));
        Ok(copies
            .filter_map(|number| u8::try_from(number).ok().and_then(CopyIndex::from_number))
            .fold(Suspects::NONE, Suspects::with))
    }

    /// The reports that the hub has not acknowledged, in fence order.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn unacknowledged(&self) -> Result<Vec<OutcomeReport>, JournalError> {
        let rows = sqlx::query(
            "SELECT attempt_id, fence, ended_at, outcome FROM jobs
             WHERE outcome IS NOT NULL AND acknowledged_at IS NULL AND hub_id IS (SELECT hub_id FROM hub)
             ORDER BY fence, rowid",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut reports = Vec::with_capacity(rows.len());
        for row in &rows {
            reports.extend(report(row)?);
        }
        Ok(reports)
    }

    /// All jobs whose outcome the hub has not acknowledged, in fence order.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn open_jobs(&self) -> Result<Vec<JobState>, JournalError> {
        let rows = sqlx::query(
            "SELECT attempt_id, fence, stage FROM jobs
             WHERE acknowledged_at IS NULL AND hub_id IS (SELECT hub_id FROM hub) ORDER BY fence, rowid",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let stage: String = row.get("stage");
                Ok(JobState {
                    attempt_id: attempt_id(row)?,
                    fence: unsigned(row.get("fence")),
                    stage: match stage.as_str() {
                        "accepted" => JobStage::Accepted,
                        "intent" => JobStage::Intent,
                        _ => JobStage::Outcome,
                    },
                })
            })
            .collect()
    }

    /// The hub has committed that outcome.
    ///
    /// # Errors
    /// When the database refused; the outcome is sent again then, which changes nothing.
    pub async fn acknowledge(&self, attempt_id: Uuid) -> Result<(), JournalError> {
        sqlx::query(
            "UPDATE jobs SET stage = 'acknowledged', acknowledged_at = ?
             WHERE attempt_id = ? AND outcome IS NOT NULL AND acknowledged_at IS NULL
               AND hub_id IS (SELECT hub_id FROM hub)",
        )
        .bind(Timestamp::now().to_string())
        .bind(attempt_id.to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The hub whose jobs this journal keeps; its fences are its own.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn remember_hub(&self, hub_id: Uuid) -> Result<(), JournalError> {
        sqlx::query("INSERT INTO hub (only, hub_id) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET hub_id = ?1")
            .bind(hub_id.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The hub of the last welcome.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn hub_id(&self) -> Result<Option<Uuid>, JournalError> {
        let row = sqlx::query("SELECT hub_id FROM hub")
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| parse_uuid(&row.get::<String, _>("hub_id")))
            .transpose()
    }

    /// The highest accepted fence of each encoder, for the hub of the last welcome.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn fences(&self) -> Result<Vec<EncoderFence>, JournalError> {
        let rows = sqlx::query("SELECT identity, fence FROM fences WHERE hub_id IS (SELECT hub_id FROM hub) ORDER BY identity")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows
            .iter()
            .map(|row| EncoderFence {
                identity: row.get("identity"),
                fence: unsigned(row.get("fence")),
            })
            .collect())
    }

    /// Forgets jobs that the hub acknowledged more than 30 days ago. Doubts about cards stay.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn forget_old_jobs(&self) -> Result<(), JournalError> {
        let day = Timestamp::now() - KEPT;
        sqlx::query("DELETE FROM jobs WHERE acknowledged_at < ? AND outcome_kind <> 'unknown'")
            .bind(day.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends every job that the last run left open: nothing is written again by itself. Returns how many there were.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn end_what_a_restart_left(&self) -> Result<usize, JournalError> {
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query("SELECT attempt_id, fence, kind, stage, uid FROM jobs WHERE outcome IS NULL ORDER BY rowid")
            .fetch_all(&mut *transaction)
            .await?;
        for row in &rows {
            let (kind, stage): (String, String) = (row.get("kind"), row.get("stage"));
            let outcome = if stage == "intent" {
                interrupted_by_restart(row.get("uid"))
            } else {
                lost_by_restart(kind == "scan")
            };
            let report = OutcomeReport {
                attempt_id: attempt_id(row)?,
                fence: unsigned(row.get("fence")),
                ended_at: Timestamp::now(),
                outcome,
            };
            record_outcome(&mut transaction, &report).await?;
        }
        transaction.commit().await?;
        Ok(rows.len())
    }
}

async fn write(
    connection: &mut SqliteConnection,
    identity: &str,
    entry: &Entry,
) -> Result<(), JournalError> {
    let now = Timestamp::now().to_string();
    let mut transaction = connection.begin().await?;
    match entry {
        Entry::Accepted(offer) => {
            let (kind, credential) = match &offer.action {
                Action::Encode(credential) => (
                    "encode",
                    Some((credential.acs_credential_id, Some(credential.number))),
                ),
                Action::Issue(order) => ("encode", Some((order.acs_credential_id, None))),
                Action::Scan => ("scan", None),
            };
            sqlx::query(
                    "INSERT INTO jobs (attempt_id, hub_id, identity, fence, kind, acs_credential_id, credential_number, stage, accepted_at)
                     VALUES (?, (SELECT hub_id FROM hub), ?, ?, ?, ?, ?, 'accepted', ?)",
                )
                .bind(offer.attempt_id.to_string())
                .bind(identity)
                .bind(signed(offer.fence))
                .bind(kind)
                .bind(credential.map(|(id, _)| id.to_string()))
                .bind(credential.and_then(|(_, number)| number.map(i64::from)))
                .bind(&now)
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                    "INSERT INTO fences (hub_id, identity, fence) VALUES ((SELECT hub_id FROM hub), ?1, ?2)
                     ON CONFLICT (hub_id, identity) DO UPDATE SET fence = max(fence, ?2)",
                )
                .bind(identity)
                .bind(signed(offer.fence))
                .execute(&mut *transaction)
                .await?;
        }
        Entry::Intent(intent) => {
            let updated = sqlx::query(
                    "UPDATE jobs SET stage = 'intent', grant_id = ?, uid = ?, digest = ?, copy = ?, intent_at = ?
                     WHERE attempt_id = ? AND stage = 'accepted'",
                )
                .bind(intent.grant_id.to_string())
                .bind(intent.card.map(|card| card.uid.to_string()))
                .bind(hex::encode(intent.digest))
                .bind(intent.card.map(|card| i64::from(card.copy.number())))
                .bind(&now)
                .bind(intent.attempt_id.to_string())
                .execute(&mut *transaction)
                .await?;
            if updated.rows_affected() != 1 {
                // Writing without a durable intent is what must never happen.
                return Err(JournalError::OutOfOrder);
            }
        }
        Entry::Outcome(report) => record_outcome(&mut transaction, report).await?,
    }
    Ok(transaction.commit().await?)
}

/// How a job ended, in one word: for the journal, and for a log that must not tell what is on a card.
pub(crate) fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Written { .. } | Outcome::Issued { .. } => "written",
        Outcome::Unwritten { .. } => "unwritten",
        Outcome::Unknown { .. } => "unknown",
        Outcome::Scanned(_) | Outcome::Read(_) => "scanned",
    }
}

async fn record_outcome(
    transaction: &mut SqliteConnection,
    report: &OutcomeReport,
) -> Result<(), JournalError> {
    let json = serde_json::to_string(&report.outcome)
        .map_err(|error| JournalError::Unreadable(error.to_string()))?;
    sqlx::query(
        "UPDATE jobs SET stage = 'outcome', outcome = ?, outcome_kind = ?, ended_at = ?
         WHERE attempt_id = ? AND outcome IS NULL",
    )
    .bind(json)
    .bind(outcome_name(&report.outcome))
    .bind(report.ended_at.to_string())
    .bind(report.attempt_id.to_string())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Makes a directory that only its owner may enter; one that is there stays as it is.
pub(crate) fn private_directory(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// SQLite gives its files beside the database the database's own mode, so the database comes first, with 0600.
fn create_private(directory: &Path, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    private_directory(directory)?;
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    Ok(())
}
