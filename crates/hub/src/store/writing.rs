//! Transactions that may write, and whether writing works.
//!
//! When a disk is full or fails, SQLite rolls a transaction back by itself and the driver does not notice: its
//! connection would refuse every later one. Such a connection is closed when it comes back to the pool.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};
use tokio::sync::Notify;

/// Whether the last write succeeded.
#[derive(Debug, Default)]
pub(crate) struct WriteHealth {
    is_failing: AtomicBool,
    failed: Notify,
}

impl WriteHealth {
    pub(crate) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Acquire)
    }

    /// Waits until writing begins to fail.
    pub(crate) async fn failed(&self) {
        self.failed.notified().await;
    }

    fn write_failed(&self) {
        if !self.is_failing.swap(true, Ordering::AcqRel) {
            tracing::error!("the database cannot be written; look at its disk");
            self.failed.notify_one();
        }
    }

    fn write_succeeded(&self) {
        if self.is_failing.swap(false, Ordering::AcqRel) {
            tracing::info!("the database can be written again");
        }
    }
}

/// A pool of one connection, on which writers queue.
pub(super) fn pool_options(health: &Arc<WriteHealth>) -> SqlitePoolOptions {
    let health = Arc::clone(health);
    SqlitePoolOptions::new()
        .max_connections(1)
        .after_release(move |connection, _| {
            let health = Arc::clone(&health);
            Box::pin(async move {
                // A roll-back of a dropped transaction is done before this is answered.
                connection.ping().await?;
                let is_lost = connection.is_in_transaction();
                if is_lost {
                    health.write_failed();
                }
                Ok(!is_lost)
            })
        })
}

/// A transaction that may write. Dropped without a commit it changes nothing.
#[derive(Debug)]
pub(crate) struct Writing {
    transaction: Transaction<'static, Sqlite>,
    health: Arc<WriteHealth>,
}

impl Writing {
    pub(super) async fn begin(pool: &SqlitePool, health: &Arc<WriteHealth>) -> sqlx::Result<Self> {
        let begun = pool.begin_with("BEGIN IMMEDIATE").await;
        let transaction = begun.inspect_err(|_| health.write_failed())?;
        Ok(Self {
            transaction,
            health: Arc::clone(health),
        })
    }

    /// Makes what was written last.
    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        let committed = self.transaction.commit().await;
        match &committed {
            Ok(()) => self.health.write_succeeded(),
            Err(_) => self.health.write_failed(),
        }
        committed
    }
}

impl Deref for Writing {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.transaction
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    async fn insert_workspace(db: &mut SqliteConnection, name: &str) -> sqlx::Result<()> {
        sqlx::query("INSERT INTO workspaces (workspace_id, name, created_at) VALUES (?, ?, 0)")
            .bind(uuid::Uuid::new_v4().to_string())
            .bind(name)
            .execute(db)
            .await
            .map(drop)
    }

    #[tokio::test]
    async fn after_a_full_disk_the_next_transaction_writes_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("hub.sqlite"))
            .await
            .unwrap();
        let mut db = store.begin().await.unwrap();
        // Holds for this connection only, so for as long as the disk is full.
        sqlx::query("PRAGMA max_page_count = 1")
            .execute(&mut *db)
            .await
            .unwrap();
        let full = insert_workspace(&mut db, &"x".repeat(100_000)).await;
        assert_eq!(
            full.unwrap_err().as_database_error().unwrap().code(),
            Some("13".into())
        );
        drop(db);

        let mut db = store.begin().await.unwrap();
        assert!(store.write_health.is_failing());
        insert_workspace(&mut db, "x").await.unwrap();
        db.commit().await.unwrap();
        assert!(!store.write_health.is_failing());
        store.close().await;
    }

    #[tokio::test]
    async fn a_transaction_that_is_given_up_is_no_failed_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("hub.sqlite"))
            .await
            .unwrap();
        let mut db = store.begin().await.unwrap();
        insert_workspace(&mut db, "x").await.unwrap();
        drop(db);
        let mut db = store.begin().await.unwrap();
        assert!(!store.write_health.is_failing());
        let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM workspaces")
            .fetch_one(&mut *db)
            .await
            .unwrap();
        assert_eq!(kept, 0);
        drop(db);
        store.close().await;
    }
}
