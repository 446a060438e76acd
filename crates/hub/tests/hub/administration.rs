//! What is made beside the API: doors, sites, and the hub itself.

use hub::DoorCategory;
use serde_json::json;
use sqlx::Connection;

use crate::support::World;

#[tokio::test]
async fn doors_are_numbered_in_order_and_end_where_cards_end() {
    let world = World::start().await;
    let door = async |id| world.admin.door(id).await.unwrap().unwrap();
    assert_eq!(door(world.rooms[0]).await, hub::Door::Guest(1));
    assert_eq!(door(world.rooms[4]).await, hub::Door::Guest(5));
    assert_eq!(door(world.garage).await, hub::Door::Common(0));
    let admin = &world.admin;
    let mut last = world.garage;
    for number in 1..=28 {
        let name = format!("Common {number}");
        let added = admin.add_entrance(world.site, &name, DoorCategory::Common);
        last = added.await.unwrap();
    }
    assert_eq!(door(last).await, hub::Door::Common(28));
    let mut database = world.database().await;
    sqlx::query("UPDATE entrances SET door = 32767 WHERE name = 'Common 28'")
        .execute(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
    for refused in [
        admin
            .add_entrance(world.site, "One more", DoorCategory::Common)
            .await,
        admin
            .add_entrance(world.site, "101", DoorCategory::Guest)
            .await,
        admin
            .add_entrance(world.site, " ", DoorCategory::Guest)
            .await,
        admin
            .add_entrance(world.workspace, "1", DoorCategory::Guest)
            .await,
        admin.create_site(world.site, "x", "UTC").await,
        admin
            .create_site(world.workspace, "x", "Mars/Olympus Mons")
            .await,
    ] {
        assert!(refused.is_err());
    }
    world.end().await;
}

#[tokio::test]
async fn one_database_is_served_by_one_process_only() {
    let world = World::start().await;
    world.call("/workspaces/get", json!({})).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let second = world.hub.serve(listener, std::future::ready(())).await;
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    world.end().await;
}
