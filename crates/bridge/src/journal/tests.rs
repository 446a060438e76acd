//! What a journal still knows after it was closed in the middle of a job.

use std::os::unix::fs::PermissionsExt;

use card::{CopyIndex, Suspects, Uid};
use jiff::Timestamp;
use protocol::link::{Action, AttemptError, EncoderFence, JobStage, Offer, Outcome, OutcomeReport};
use uuid::Uuid;

use super::Journal;
use crate::machine::{Entry, IntendedCard, Intent, Known};

const ENCODER: &str = "port:/dev/ttyUSB0";

fn id(number: u64) -> Uuid {
    Uuid::from_u128(number.into())
}

fn uid() -> Uid {
    Uid::new(&[4, 1, 2, 3]).unwrap()
}

fn accepted(number: u64) -> Entry {
    Entry::Accepted(Offer {
        attempt_id: id(number),
        identity: ENCODER.to_owned(),
        fence: number,
        card_wait_ms: 1,
        expires_in_ms: 1,
        action: Action::Scan,
    })
}

fn intent(number: u64, copy: CopyIndex) -> Entry {
    Entry::Intent(Intent {
        attempt_id: id(number),
        grant_id: id(77),
        digest: [9; 32],
        card: Some(IntendedCard { uid: uid(), copy }),
    })
}

fn ended(number: u64, outcome: Outcome) -> Entry {
    Entry::Outcome(OutcomeReport {
        attempt_id: id(number),
        fence: number,
        ended_at: Timestamp::UNIX_EPOCH,
        outcome,
    })
}

fn written() -> Outcome {
    Outcome::Written {
        uid: uid().to_string(),
        technology: "mifare_classic_1k".to_owned(),
        held_number: None,
    }
}

fn unwritten() -> Outcome {
    Outcome::Unwritten {
        error: AttemptError {
            kind: "x".to_owned(),
            message: "X.".to_owned(),
        },
    }
}

struct Desk {
    folder: tempfile::TempDir,
    journal: Journal,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).await.unwrap();
        journal.remember_hub(id(1)).await.unwrap();
        Self { folder, journal }
    }

    async fn commit(&self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            self.journal.commit(ENCODER, &entry).await.unwrap();
        }
    }

    /// Closes the journal as a crash would leave it, opens it again, and does what a start does.
    async fn restart(self) -> Self {
        self.journal.pool.close().await;
        let journal = Journal::open(self.folder.path()).await.unwrap();
        journal.end_what_a_restart_left().await.unwrap();
        Self { journal, ..self }
    }
}

#[tokio::test]
async fn a_restart_ends_a_job_that_was_only_accepted_as_unwritten() {
    let desk = Desk::new().await;
    desk.commit([accepted(5)]).await;
    let desk = desk.restart().await;
    let reports = desk.journal.unacknowledged().await.unwrap();
    assert!(
        matches!(
            &reports[..],
            [OutcomeReport {
                fence: 5,
                outcome: Outcome::Unwritten { .. },
                ..
            }]
        ),
        "{reports:?}"
    );
}

#[tokio::test]
async fn a_restart_ends_a_job_that_was_about_to_write_as_unknown_on_that_card() {
    let desk = Desk::new().await;
    desk.commit([accepted(5), intent(5, CopyIndex::B)]).await;
    let desk = desk.restart().await;
    let reports = desk.journal.unacknowledged().await.unwrap();
    assert!(
        matches!(&reports[..], [OutcomeReport { outcome: Outcome::Unknown { uid: card, .. }, .. }] if *card == Some(uid().to_string()))
    );
    assert_eq!(
        desk.journal.suspects(uid()).await.unwrap(),
        Suspects::NONE.with(CopyIndex::B)
    );
}

#[tokio::test]
async fn a_restart_ends_an_order_to_a_lock_server_as_unknown_without_a_card() {
    let desk = Desk::new().await;
    let mut order = intent(5, CopyIndex::A);
    if let Entry::Intent(intent) = &mut order {
        intent.card = None;
    }
    desk.commit([accepted(5), order]).await;
    let desk = desk.restart().await;
    let reports = desk.journal.unacknowledged().await.unwrap();
    assert!(
        matches!(
            &reports[..],
            [OutcomeReport {
                outcome: Outcome::Unknown { uid: None, .. },
                ..
            }]
        ),
        "{reports:?}"
    );
    assert_eq!(desk.journal.suspects(uid()).await.unwrap(), Suspects::NONE);
}

#[tokio::test]
async fn an_outcome_stays_until_it_is_acknowledged_and_is_known_afterwards() {
    let desk = Desk::new().await;
    desk.commit([accepted(5), intent(5, CopyIndex::A), ended(5, written())])
        .await;
    let desk = desk.restart().await;
    assert_eq!(desk.journal.unacknowledged().await.unwrap().len(), 1);
    assert!(matches!(
        desk.journal.open_jobs().await.unwrap()[0].stage,
        JobStage::Outcome
    ));
    desk.journal.acknowledge(id(5)).await.unwrap();
    assert!(
        desk.journal.unacknowledged().await.unwrap().is_empty()
            && desk.journal.open_jobs().await.unwrap().is_empty()
    );
    assert!(matches!(
        desk.journal.known(id(5)).await.unwrap(),
        Some(Known::Ended(_))
    ));
    assert_eq!(desk.journal.known(id(6)).await.unwrap(), None);
}

#[tokio::test]
async fn an_outcome_never_changes() {
    let desk = Desk::new().await;
    desk.commit([
        accepted(5),
        intent(5, CopyIndex::A),
        ended(5, written()),
        ended(5, unwritten()),
    ])
    .await;
    let reports = desk.journal.unacknowledged().await.unwrap();
    assert!(matches!(reports[0].outcome, Outcome::Written { .. }));
}

#[tokio::test]
async fn a_doubt_about_a_card_is_cleared_by_a_proven_write_only() {
    let desk = Desk::new().await;
    assert_eq!(desk.journal.suspects(uid()).await.unwrap(), Suspects::NONE);
    desk.commit([accepted(5), intent(5, CopyIndex::B)]).await;
    let desk = desk.restart().await;
    desk.commit([accepted(6), intent(6, CopyIndex::A), ended(6, unwritten())])
        .await;
    assert_eq!(
        desk.journal.suspects(uid()).await.unwrap(),
        Suspects::NONE.with(CopyIndex::B)
    );
    desk.commit([accepted(7), intent(7, CopyIndex::A), ended(7, written())])
        .await;
    assert_eq!(desk.journal.suspects(uid()).await.unwrap(), Suspects::NONE);
}

#[tokio::test]
async fn every_copy_that_was_left_in_doubt_stays_so() {
    let desk = Desk::new().await;
    desk.commit([accepted(5), intent(5, CopyIndex::A)]).await;
    let desk = desk.restart().await;
    desk.commit([accepted(6), intent(6, CopyIndex::B)]).await;
    let desk = desk.restart().await;
    let both = Suspects::NONE.with(CopyIndex::A).with(CopyIndex::B);
    assert_eq!(desk.journal.suspects(uid()).await.unwrap(), both);
}

#[tokio::test]
async fn an_intent_without_its_job_is_refused() {
    let desk = Desk::new().await;
    assert!(
        desk.journal
            .commit(ENCODER, &intent(5, CopyIndex::A))
            .await
            .is_err()
    );
    desk.commit([accepted(5), intent(5, CopyIndex::A), ended(5, written())])
        .await;
    assert!(
        desk.journal
            .commit(ENCODER, &intent(5, CopyIndex::A))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_job_is_forgotten_a_month_after_it_was_acknowledged_and_not_before() {
    let desk = Desk::new().await;
    desk.commit([
        accepted(5),
        ended(5, unwritten()),
        accepted(6),
        ended(6, unwritten()),
    ])
    .await;
    desk.journal.acknowledge(id(5)).await.unwrap();
    sqlx::query("UPDATE jobs SET acknowledged_at = '2020-01-01T00:00:00Z' WHERE attempt_id = ?")
        .bind(id(5).to_string())
        .execute(&desk.journal.pool)
        .await
        .unwrap();
    desk.journal.acknowledge(id(6)).await.unwrap();
    desk.journal.forget_old_jobs().await.unwrap();
    assert_eq!(desk.journal.known(id(5)).await.unwrap(), None);
    assert!(desk.journal.known(id(6)).await.unwrap().is_some());
}

#[tokio::test]
async fn fences_only_rise_and_count_for_each_hub_by_itself() {
    let desk = Desk::new().await;
    desk.commit([accepted(5), accepted(9), accepted(7)]).await;
    let fence = |fence| {
        vec![EncoderFence {
            identity: ENCODER.to_owned(),
            fence,
        }]
    };
    assert_eq!(desk.journal.fences().await.unwrap(), fence(9));
    desk.journal.remember_hub(id(2)).await.unwrap();
    assert_eq!(desk.journal.fences().await.unwrap(), []);
    desk.journal.remember_hub(id(1)).await.unwrap();
    assert_eq!(desk.journal.fences().await.unwrap(), fence(9));
}

#[tokio::test]
async fn only_its_owner_may_read_a_journal() {
    let desk = Desk::new().await;
    desk.commit([accepted(5)]).await;
    for entry in std::fs::read_dir(desk.folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", entry.file_name());
    }
}
