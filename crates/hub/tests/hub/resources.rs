//! Resources, pages and filters of the API, with both methods.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bridge::{Bridge, IDENTITY};
use crate::support::{NOBODY, World, assert_error, id};

#[tokio::test]
async fn every_resource_is_as_the_contract_says_with_both_methods() {
    let world = World::start().await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let bridge = Bridge::connect(&world, &token).await;
    let desk = bridge.encoder_id(IDENTITY);
    let credential = world.create_credential(&world.rooms[..1], None).await;
    let attempt = world.scan(&desk).await;
    let events = world.call("/events/list", json!({})).await;
    let reads = [
        ("/workspaces/get", json!({})),
        ("/workspaces/list", json!({})),
        ("/acs/systems/get", json!({ "acs_system_id": world.site })),
        ("/acs/systems/list", json!({ "search": "main" })),
        (
            "/acs/entrances/get",
            json!({ "acs_entrance_id": world.garage }),
        ),
        (
            "/acs/entrances/list",
            json!({ "acs_system_id": world.site }),
        ),
        (
            "/acs/users/get",
            json!({ "acs_user_id": credential["acs_user_id"] }),
        ),
        ("/acs/users/list", json!({ "search": "ada" })),
        (
            "/acs/credentials/get",
            json!({ "acs_credential_id": credential["acs_credential_id"] }),
        ),
        (
            "/acs/credentials/list",
            json!({ "acs_user_id": credential["acs_user_id"] }),
        ),
        ("/acs/encoders/get", json!({ "acs_encoder_id": desk })),
        (
            "/acs/encoders/list",
            json!({ "acs_system_ids": [world.site] }),
        ),
        (
            "/action_attempts/get",
            json!({ "action_attempt_id": attempt["action_attempt_id"] }),
        ),
        (
            "/action_attempts/list",
            json!({ "action_attempt_ids": [attempt["action_attempt_id"]] }),
        ),
        (
            "/events/get",
            json!({ "event_id": events["events"][0]["event_id"] }),
        ),
        (
            "/events/list",
            json!({ "acs_encoder_id": desk, "since": "2020-01-01T00:00:00Z" }),
        ),
    ];
    for (path, body) in reads {
        let posted = world.call(path, body.clone()).await;
        let got = world
            .get(&format!("{path}?{}_strict=true", query(&body)))
            .await;
        assert_eq!(got.status, 200, "{path}: {}", got.body);
        assert_eq!(without_pages(got.body), without_pages(posted), "{path}");
    }
    let system = world.call("/acs/systems/list", json!({})).await["acs_systems"][0].clone();
    assert_eq!(system["external_type"], "visionline_system");
    let image = id(&system["image_url"]).replace(&world.endpoint, "");
    assert_eq!(
        world.get(&image).await.headers["content-type"],
        "image/svg+xml"
    );
    let health = world.send(Method::GET, "/health", None, Vec::new()).await;
    assert_eq!(health.body["ok"], true);
    world.end().await;
}

fn query(body: &Value) -> String {
    let mut query = String::new();
    for (name, value) in body.as_object().unwrap() {
        let values = value
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![value.clone()]);
        for value in values {
            query.push_str(&format!("{name}={}&", value.as_str().unwrap()));
        }
    }
    query
}

/// `next_page_url` names the address of the hub and is compared elsewhere.
fn without_pages(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("pagination");
    body
}

#[tokio::test]
async fn a_list_comes_in_pages_that_cover_it_once() {
    let world = World::start().await;
    let mut names = Vec::new();
    let mut body = json!({ "acs_system_id": world.site, "limit": 4 });
    loop {
        let page = world.call("/acs/entrances/list", body.clone()).await;
        let entrances = page["acs_entrances"].as_array().unwrap();
        names.extend(
            entrances
                .iter()
                .map(|entrance| id(&entrance["display_name"])),
        );
        let pagination = &page["pagination"];
        if pagination["has_next_page"] == false {
            assert_eq!(pagination["next_page_cursor"], Value::Null);
            break;
        }
        let path = id(&pagination["next_page_url"]).replace(&world.endpoint, "");
        let by_url = world.get(&path).await;
        body["page_cursor"] = pagination["next_page_cursor"].clone();
        let by_cursor = world.call("/acs/entrances/list", body.clone()).await;
        assert_eq!(by_url.body, by_cursor);
    }
    assert_eq!(names, ["101", "102", "103", "104", "105", "Garage"]);

    let first = world
        .call("/acs/entrances/list", json!({ "limit": 1 }))
        .await;
    let cursor = first["pagination"]["next_page_cursor"].clone();
    for (path, body) in [
        (
            "/acs/entrances/list",
            json!({ "page_cursor": cursor, "search": "1" }),
        ),
        ("/acs/users/list", json!({ "page_cursor": cursor })),
        ("/acs/entrances/list", json!({ "page_cursor": "AAAA" })),
        ("/acs/entrances/list", json!({ "page_cursor": 7 })),
        ("/acs/entrances/list", json!({ "limit": 0 })),
        ("/acs/entrances/list", json!({ "limit": -1 })),
        ("/acs/entrances/list", json!({ "limit": "many" })),
    ] {
        assert_error(&world.post(path, body).await, 400, "invalid_input");
    }
    world.end().await;
}

#[tokio::test]
async fn a_user_is_kept_as_it_was_given() {
    let world = World::start().await;
    let body = json!({
        "acs_system_id": world.site,
        "full_name": "Zoë 100%_\\",
        "email_address": "zoe@example.com",
        "phone_number": "+491234",
        "access_schedule": { "starts_at": "2026-11-22T10:00:00+01:00", "ends_at": null },
    });
    let user = world.call("/acs/users/create", body).await["acs_user"].clone();
    assert_eq!(user["full_name"], "Zoë 100%_\\");
    assert_eq!(
        user["access_schedule"]["starts_at"],
        "2026-11-22T09:00:00.000Z"
    );
    for (search, count) in [("100%_\\", 1), ("example.com", 1), ("1%0", 0), ("_", 1)] {
        let found = world
            .call("/acs/users/list", json!({ "search": search }))
            .await;
        assert_eq!(
            found["acs_users"].as_array().unwrap().len(),
            count,
            "{search}"
        );
    }
    let events = world
        .call(
            "/events/list",
            json!({ "acs_user_id": user["acs_user_id"] }),
        )
        .await;
    assert_eq!(events["events"][0]["event_type"], "acs_user.created");
    world.end().await;
}

#[tokio::test]
async fn filters_for_what_does_not_exist_here_find_nothing() {
    let world = World::start().await;
    for (path, filter, key) in [
        ("/acs/entrances/list", "space_id", "acs_entrances"),
        ("/acs/systems/list", "customer_key", "acs_systems"),
        ("/acs/users/list", "user_identity_id", "acs_users"),
        ("/events/list", "device_id", "events"),
        ("/events/list", "acs_credential_id", "events"),
    ] {
        let found = world.call(path, json!({ filter: NOBODY })).await;
        assert_eq!(found[key], json!([]), "{path} {filter}");
    }
    world.end().await;
}
