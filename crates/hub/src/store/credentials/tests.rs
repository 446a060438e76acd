//! How SQLite goes through the tables for what every card takes, and doors with a long history.

mod few_rows;

use super::super::{Store, sites};
use super::*;
use crate::decisions::rows;
use crate::issue_number::{Mode, Wish};
use crate::store::sites::Site;

const ROOM: u128 = 1_101;

/// A store with one site and one guest door.
async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("hub.sqlite"))
        .await
        .unwrap();
    let mut db = store.begin().await.unwrap();
    sqlx::query("INSERT INTO workspaces (workspace_id, name, created_at) VALUES (?, 'Hotel', 0)")
        .bind(WorkspaceId(rows::uuid(1)))
        .execute(&mut *db)
        .await
        .unwrap();
    let site = Site {
        acs_system_id: SiteId(rows::uuid(1)),
        workspace_id: WorkspaceId(rows::uuid(1)),
        connected_account_id: AccountId(rows::uuid(1)),
        name: "Main".to_owned(),
        time_zone: "UTC".to_owned(),
        created_at: rows::NOW,
    };
    sites::insert(&mut db, &site, 1).await.unwrap();
    super::super::entrances::insert(
        &mut db,
        site.acs_system_id,
        EntranceId(rows::uuid(ROOM)),
        "101",
        DoorCategory::Guest,
        1,
        rows::NOW,
    )
    .await
    .unwrap();
    db.commit().await.unwrap();
    (folder, store)
}

fn minutes_after(minutes: u64) -> Moment {
    rows::NOW.after(std::time::Duration::from_secs(minutes * 60))
}

/// A credential of the door that is valid for an hour from the minute of its number on.
async fn insert_stay(db: &mut Db, number: u32) -> CredentialId {
    let id = CredentialId(rows::uuid(u128::from(number)));
    let new = NewCredential {
        acs_credential_id: id,
        acs_system_id: SiteId(rows::uuid(1)),
        acs_user_id: None,
        number,
        display_name: "101".to_owned(),
        card_function: CardFunction::Guest,
        starts_at: minutes_after(u64::from(number)),
        ends_at: Some(minutes_after(u64::from(number) + 60)),
        card_format: None,
        issue_number: 1000 + number,
        stay: None,
        is_override: true,
        auto_join: None,
        joined: Vec::new(),
        entrances: vec![EntranceId(rows::uuid(ROOM))],
    };
    insert(db, &new, rows::NOW).await.unwrap();
    id
}

fn numbers(found: &[CredentialWithDoors]) -> Vec<u32> {
    found.iter().map(|found| found.credential.number).collect()
}

async fn scanned_tables(db: &mut Db, statement: &'static str) -> Vec<String> {
    let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    sqlx::query(plan)
        .fetch_all(db)
        .await
        .unwrap()
        .iter()
        .map(|step| step.get::<String, _>("detail"))
        .filter(|step| step.starts_with("SCAN"))
        .filter(|step| !step.starts_with("SCAN json_each") && step != "SCAN CONSTANT ROW")
        .collect()
}

#[tokio::test]
async fn what_every_card_takes_goes_through_no_whole_table() {
    let (_folder, store) = store().await;
    let mut db = store.read().await.unwrap();
    for statement in [
        BY_ID,
        BY_NUMBER,
        ON_CARD,
        ISSUED_OF_STAY,
        neighbours::NAMED,
        neighbours::OF_STAYS,
        neighbours::HIGHEST_AT_DOORS,
        neighbours::LOWEST_AFTER,
        neighbours::VALID_AT_DOORS,
        neighbours::LOCKED_OUT,
        neighbours::LOCKS_OUT,
        DOORS,
        sites::BY_ID,
        super::super::encoders::OF_SITE,
        super::super::encoders::OF_BRIDGE,
    ] {
        let scanned = scanned_tables(&mut db, statement).await;
        assert_eq!(scanned, Vec::<String>::new(), "{statement}");
    }
    drop(db);
    store.close().await;
}

#[tokio::test]
async fn a_new_credential_is_decided_by_few_however_many_there_were() {
    let (_folder, store) = store().await;
    let mut db = store.begin().await.unwrap();
    for number in 1..=20 {
        let id = insert_stay(&mut db, number * 100).await;
        set_issued(&mut db, id, Some("04a1"), Some(1), rows::NOW)
            .await
            .unwrap();
        if number == 18 {
            set_overridden(&mut db, id).await.unwrap();
        }
    }
    let wish = |ends_at| Wish {
        mode: Mode::Auto,
        function: CardFunction::Guest,
        starts_at: minutes_after(1700),
        is_start_given: true,
        ends_at,
        guest_doors: BTreeSet::from([EntranceId(rows::uuid(ROOM))]),
    };
    let joined = CredentialId(rows::uuid(300));
    let ends = wish(Some(minutes_after(1850)));
    let now = minutes_after(1700);
    let found = before(&mut db, &ends, &[joined], None, now).await.unwrap();
    assert_eq!(numbers(&found), [300, 1700, 1800, 1900, 2000]);
    assert!(found.iter().all(|found| found.entrances.len() == 1));
    let endless = wish(None);
    let late = before(&mut db, &endless, &[], None, minutes_after(9000));
    assert_eq!(numbers(&late.await.unwrap()), [2000]);
    let own = Some(CredentialId(rows::uuid(2000)));
    let changed = before(&mut db, &endless, &[], own, minutes_after(9000));
    assert_eq!(numbers(&changed.await.unwrap()), [1900, 2000]);
    drop(db);
    store.close().await;
}

#[tokio::test]
async fn an_override_locks_out_what_is_lower_and_has_not_ended() {
    let (_folder, store) = store().await;
    let mut db = store.begin().await.unwrap();
    for number in [100, 180, 190, 200, 210] {
        let id = insert_stay(&mut db, number).await;
        if number == 190 {
            set_overridden(&mut db, id).await.unwrap();
        }
    }
    let newer = get(&mut db, CredentialId(rows::uuid(200)))
        .await
        .unwrap()
        .unwrap();
    let found = locked_out_by(&mut db, &newer).await.unwrap();
    assert_eq!(numbers(&found), [180]);
    drop(db);
    store.close().await;
}

/// SQLite takes 32,766 parameters in a statement.
#[tokio::test]
async fn more_credentials_than_a_statement_has_parameters_come_with_their_doors() {
    const MANY: u32 = 33_000;
    let (_folder, store) = store().await;
    let mut db = store.begin().await.unwrap();
    for statement in [
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) \
         INSERT INTO credentials (acs_credential_id, acs_system_id, number, display_name, card_function, starts_at, \
         issue_number, is_override, joiner_ids, created_at, stay_id) \
         SELECT printf('00000000-0000-0000-0000-%012x', n), (SELECT acs_system_id FROM sites), n, '101', 'guest', 0, \
         n, 0, '[]', 0, printf('00000000-0000-0000-0000-%012x', n) FROM n",
        "INSERT INTO credential_entrances SELECT acs_credential_id, (SELECT acs_entrance_id FROM entrances) \
         FROM credentials WHERE ?1",
    ] {
        sqlx::query(statement)
            .bind(MANY)
            .execute(&mut *db)
            .await
            .unwrap();
    }
    let named: Vec<CredentialId> = (1..=MANY)
        .map(|number| CredentialId(rows::uuid(u128::from(number))))
        .collect();
    let wish = Wish {
        mode: Mode::Auto,
        function: CardFunction::Guest,
        starts_at: rows::NOW,
        is_start_given: true,
        ends_at: None,
        guest_doors: BTreeSet::new(),
    };
    let found = before(&mut db, &wish, &named, None, rows::NOW)
        .await
        .unwrap();
    assert_eq!(found.len(), named.len());
    assert!(found.iter().all(|found| found.entrances.len() == 1));
    drop(db);
    store.close().await;
}

/// The schema before stays were kept, with an override, its joiner and the joiner's.
#[tokio::test]
async fn credentials_from_before_stays_were_kept_know_theirs() {
    use sqlx::Connection;

    let mut db = Db::connect("sqlite::memory:").await.unwrap();
    for statement in [
        include_str!("../../../migrations/0001_first.sql"),
        include_str!("../../../migrations/0002_local_requests.sql"),
        "INSERT INTO workspaces VALUES (1, 'w', 'Hotel', 0); \
         INSERT INTO sites VALUES (1, 's', 'w', 'a', 'Main', 'UTC', '00112233aabbccdd', 9, 0); \
         INSERT INTO bridges (bridge_id, acs_system_id, name, token_short, token_hash, created_at) \
         VALUES ('b', 's', 'desk', 't', x'00', 0);",
    ] {
        sqlx::raw_sql(statement).execute(&mut db).await.unwrap();
    }
    for (id, joins) in [
        ("one", "[]"),
        ("two", r#"["one"]"#),
        ("three", r#"["two"]"#),
    ] {
        sqlx::query(
            "INSERT INTO credentials (acs_credential_id, acs_system_id, number, display_name, card_function, starts_at, \
             issue_number, is_override, joiner_ids, created_at, issued_at) \
             VALUES (?1, 's', instr('onetwothree', ?1), '101', 'guest', 0, 5, 1, ?2, 0, 7)",
        )
        .bind(id)
        .bind(joins)
        .execute(&mut db)
        .await
        .unwrap_or_else(|error| panic!("{id}: {error}"));
    }
    for statement in [
        include_str!("../../../migrations/0003_site_key_versions.sql"),
        include_str!("../../../migrations/0004_changed_credentials.sql"),
    ] {
        sqlx::raw_sql(statement).execute(&mut db).await.unwrap();
    }
    let stays: Vec<(String, i64)> =
        sqlx::query_as("SELECT stay_id, written_revision FROM credentials")
            .fetch_all(&mut db)
            .await
            .unwrap();
    assert_eq!(stays, vec![("one".to_owned(), 1); 3]);
    let keys: Vec<(i64, String)> = sqlx::query_as("SELECT version, check_value FROM site_keys")
        .fetch_all(&mut db)
        .await
        .unwrap();
    assert_eq!(keys, [(1, "00112233aabbccdd".to_owned())]);
}
