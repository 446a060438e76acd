//! A disk that fails and then works again, without a restart of the hub.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use sqlx::Connection;

use crate::support::bridge::{Bridge, IDENTITY};
use crate::support::{Answer, GENEROUS, World, assert_error, connected};

const MAKE_A_USER: Write = ("INSERT", "users");
const BEGIN_AN_ATTEMPT: Write = ("INSERT", "attempts");
const END_AN_ATTEMPT: Write = ("UPDATE", "attempts");
const TRY_TO_WRITE: Write = ("UPDATE", "hub");

/// A statement and its table.
type Write = (&'static str, &'static str);

/// From here on SQLite rolls transactions with these writes back by itself, as it does when the disk is full or fails.
async fn break_the_disk(world: &World, writes: &[Write]) {
    let triggers = writes.iter().map(|(statement, table)| {
        format!(
            "CREATE TRIGGER fail_{statement}_{table} BEFORE {statement} ON {table} \
             BEGIN SELECT RAISE(ROLLBACK, 'the disk fails'); END"
        )
    });
    execute(world, triggers).await;
}

async fn mend_the_disk(world: &World, writes: &[Write]) {
    let triggers = writes
        .iter()
        .map(|(statement, table)| format!("DROP TRIGGER fail_{statement}_{table}"));
    execute(world, triggers).await;
}

async fn execute(world: &World, statements: impl Iterator<Item = String>) {
    let mut database = world.database().await;
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&mut database)
            .await
            .unwrap();
    }
    database.close().await.unwrap();
}

async fn health(world: &World) -> Answer {
    world.send(Method::GET, "/health", None, Vec::new()).await
}

#[tokio::test]
async fn after_a_disk_failed_the_hub_writes_again_without_a_restart() {
    let (world, mut bridge, _) = connected().await;
    let desk = bridge.encoder_id(IDENTITY);
    let user = json!({ "acs_system_id": world.site, "full_name": "Ada Guest" });
    let scan = json!({ "acs_encoder_id": desk });
    let before = world.everything().await;
    assert_eq!(health(&world).await.status, 200);

    let broken = [MAKE_A_USER, BEGIN_AN_ATTEMPT, TRY_TO_WRITE];
    break_the_disk(&world, &broken).await;
    for _ in 0..3 {
        let refused = world.post("/acs/users/create", user.clone()).await;
        assert_error(&refused, 500, "internal_server_error");
        let refused = world
            .post("/acs/encoders/scan_credential", scan.clone())
            .await;
        assert_error(&refused, 500, "internal_server_error");
    }
    let sick = health(&world).await;
    assert_eq!(sick.status, 503);
    assert_eq!(sick.body["ok"], false);
    assert_eq!(sick.body["service_health_statuses"][0]["status"], "down");

    mend_the_disk(&world, &broken).await;
    assert_eq!(world.everything().await, before);
    world.create_user().await;
    assert_eq!(health(&world).await.body["ok"], true);
    world.scan(&desk).await;
    bridge.hear_offer().await;
    world.end().await;
}

#[tokio::test]
async fn deadlines_that_a_failing_disk_kept_from_ending_end_when_it_works_again() {
    let world = World::start_with(|settings| {
        settings.card_wait = Duration::ZERO;
        settings.write_bound = Duration::ZERO;
        settings.deadline_margin = Duration::from_millis(10);
    })
    .await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let bridge = Bridge::connect(&world, &token).await;
    let broken = [END_AN_ATTEMPT, TRY_TO_WRITE];
    break_the_disk(&world, &broken).await;
    let attempt = world.scan(&bridge.encoder_id(IDENTITY)).await;
    let noticed = async {
        while health(&world).await.status == 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(GENEROUS, noticed).await.unwrap();
    mend_the_disk(&world, &broken).await;
    assert_eq!(
        world.ended(&attempt).await["error"]["type"],
        "action_attempt_expired"
    );
    assert_eq!(health(&world).await.status, 200);
    world.end().await;
}
