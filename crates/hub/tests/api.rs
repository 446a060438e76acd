//! The API without an encoder: resources, pages, both methods, and everything that must be refused without a change.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use hub::DoorCategory;
use reqwest::Method;
use serde_json::{Value, json};
use support::bridge::{Bridge, IDENTITY};
use support::{Answer, World, assert_error, contract, id};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

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

#[tokio::test]
async fn without_the_right_key_nothing_is_answered() {
    let world = World::start().await;
    let long = "0".repeat(64);
    let (prefix, _) = world.api_key.rsplit_once('_').unwrap();
    let wrong_secret = format!("{prefix}_{long}");
    let unknown_key = format!("seam_000000000000_{long}");
    for path in [
        "/workspaces/get",
        "/acs/encoders/encode_credential",
        "/events/list",
    ] {
        let none = world.send(Method::POST, path, None, b"{}".to_vec()).await;
        assert_error(&none, 401, "unauthorized");
        for key in ["", "seam", "seam_at1_x", &wrong_secret, &unknown_key] {
            let answer = world
                .send(Method::POST, path, Some(key), b"{}".to_vec())
                .await;
            assert_error(&answer, 401, "unauthorized");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn another_workspace_sees_and_changes_nothing_of_this_one() {
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
    let event = world.call("/events/list", json!({})).await["events"][0]["event_id"].clone();
    let before = world.everything().await;

    let other = world.admin.create_workspace("Other Hotel").await.unwrap();
    let other_site = world
        .admin
        .create_site(other, "Elsewhere", "UTC")
        .await
        .unwrap();
    let other_room = world
        .admin
        .add_entrance(other_site, "1", DoorCategory::Guest)
        .await
        .unwrap();
    let key = world.admin.create_api_key(other, "theirs").await.unwrap();
    let send = async |path: &str, body: Value| -> Answer {
        world
            .send(
                Method::POST,
                path,
                Some(&key),
                body.to_string().into_bytes(),
            )
            .await
    };
    let credential_id = &credential["acs_credential_id"];
    let user = &credential["acs_user_id"];
    let cases = [
        (
            "/acs/systems/get",
            json!({ "acs_system_id": world.site }),
            "acs_system",
        ),
        (
            "/acs/entrances/get",
            json!({ "acs_entrance_id": world.garage }),
            "acs_entrance",
        ),
        ("/acs/users/get", json!({ "acs_user_id": user }), "acs_user"),
        (
            "/acs/credentials/get",
            json!({ "acs_credential_id": credential_id }),
            "acs_credential",
        ),
        (
            "/acs/encoders/get",
            json!({ "acs_encoder_id": desk }),
            "acs_encoder",
        ),
        (
            "/acs/encoders/scan_credential",
            json!({ "acs_encoder_id": desk }),
            "acs_encoder",
        ),
        (
            "/acs/encoders/encode_credential",
            json!({ "acs_encoder_id": desk, "acs_credential_id": credential_id }),
            "acs_encoder",
        ),
        (
            "/action_attempts/get",
            json!({ "action_attempt_id": attempt["action_attempt_id"] }),
            "action_attempt",
        ),
        ("/events/get", json!({ "event_id": event }), "event"),
        (
            "/acs/users/create",
            json!({ "acs_system_id": world.site, "full_name": "Eve" }),
            "acs_system",
        ),
        (
            "/acs/credentials/create",
            json!({ "acs_user_id": user, "access_method": "card" }),
            "acs_user",
        ),
    ];
    for (path, body, resource) in cases {
        assert_error(
            &send(path, body).await,
            404,
            &format!("{resource}_not_found"),
        );
    }
    for (path, body, key) in [
        ("/acs/credentials/list", json!({}), "acs_credentials"),
        (
            "/acs/encoders/list",
            json!({ "acs_system_id": world.site }),
            "acs_encoders",
        ),
        ("/action_attempts/list", json!({}), "action_attempts"),
    ] {
        assert_eq!(send(path, body).await.body[key], json!([]), "{path}");
    }
    let foreign_door = json!({
        "acs_user_id": user,
        "access_method": "card",
        "allowed_acs_entrance_ids": [other_room],
    });
    let answer = world.post("/acs/credentials/create", foreign_door).await;
    assert_error(&answer, 404, "acs_entrance_not_found");
    assert_eq!(world.everything().await, before);
    world.end().await;
}

#[tokio::test]
async fn bad_input_is_named_and_changes_nothing() {
    let world = World::start().await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let bridge = Bridge::connect(&world, &token).await;
    let desk = bridge.encoder_id(IDENTITY);
    let user = world.create_user().await;
    let before = world.everything().await;

    let encode = "/acs/encoders/encode_credential";
    let scan = "/acs/encoders/scan_credential";
    let users = "/acs/users/create";
    let site = world.site;
    let invalid = [
        (
            encode,
            json!({}),
            "2 Input Errors: acs_encoder_id is required, acs_credential_id is required",
        ),
        (
            encode,
            json!({ "acs_encoder_id": desk }),
            "acs_credential_id is required",
        ),
        (
            encode,
            json!({ "acs_encoder_id": desk, "acs_credential_id": NOBODY, "access_method_id": NOBODY }),
            "not both",
        ),
        (
            encode,
            json!({ "acs_encoder_id": desk, "access_method_id": NOBODY }),
            "access methods",
        ),
        (
            encode,
            json!({ "acs_encoder_id": "x", "acs_credential_id": NOBODY }),
            "Invalid uuid for \"acs_encoder_id\"",
        ),
        (
            scan,
            json!({ "acs_encoder_id": 7 }),
            "Expected string, received number for \"acs_encoder_id\"",
        ),
        (
            scan,
            json!({ "acs_encoder_id": null }),
            "Expected string, received null for \"acs_encoder_id\"",
        ),
        (
            scan,
            json!({ "acs_encoder_id": [desk] }),
            "Expected string, received array for \"acs_encoder_id\"",
        ),
        (
            users,
            json!({ "acs_system_id": site }),
            "full_name is required",
        ),
        (
            users,
            json!({ "acs_system_id": site, "full_name": " " }),
            "must not be empty",
        ),
        (
            users,
            json!({ "acs_system_id": site, "full_name": "x".repeat(501) }),
            "at most 500",
        ),
        (
            users,
            json!({ "acs_system_id": site, "full_name": "x", "email_address": "nope" }),
            "Invalid email",
        ),
        (
            users,
            json!({ "acs_system_id": site, "full_name": "x", "access_schedule": 3 }),
            "Expected object, received number",
        ),
        ("/acs/users/get", json!({}), "acs_user_id is required"),
        ("/acs/encoders/list", json!({}), "is required"),
        (
            "/acs/encoders/list",
            json!({ "acs_system_id": site, "acs_encoder_ids": [] }),
            "only one",
        ),
        (
            "/acs/encoders/list",
            json!({ "acs_system_ids": site }),
            "Expected array, received string",
        ),
        (
            "/events/list",
            json!({ "since": "yesterday" }),
            "since must be a date and time",
        ),
        (
            "/events/list",
            json!({ "between": ["2026-01-01T00:00:00Z"] }),
            "between must be two times",
        ),
    ];
    for (path, body, message) in invalid {
        let answer = world.post(path, body).await;
        assert_error(&answer, 400, "invalid_input");
        let said = id(&answer.body["error"]["message"]);
        assert!(said.contains(message), "{path}: {said:?} lacks {message:?}");
    }
    let errors = world.post(scan, json!({})).await.body["error"]["validation_errors"].clone();
    assert_eq!(
        errors,
        json!({ "_errors": [], "acs_encoder_id": { "_errors": ["Required"] } })
    );

    for (path, body, kind) in [
        (
            scan,
            json!({ "acs_encoder_id": NOBODY }),
            "acs_encoder_not_found",
        ),
        (
            encode,
            json!({ "acs_encoder_id": desk, "acs_credential_id": NOBODY }),
            "acs_credential_not_found",
        ),
        (
            "/acs/credentials/create",
            json!({ "acs_user_id": NOBODY, "access_method": "card" }),
            "acs_user_not_found",
        ),
        (
            users,
            json!({ "acs_system_id": NOBODY, "full_name": "x" }),
            "acs_system_not_found",
        ),
        (
            users,
            json!({ "acs_system_id": site, "full_name": "x", "user_identity_id": NOBODY }),
            "user_identity_not_found",
        ),
        (
            "/acs/credentials/create",
            json!({ "acs_user_id": user, "access_method": "card", "allowed_acs_entrance_ids": [NOBODY] }),
            "acs_entrance_not_found",
        ),
    ] {
        assert_error(&world.post(path, body).await, 404, kind);
    }
    assert_eq!(world.everything().await, before);
    world.end().await;
}

#[tokio::test]
async fn a_credential_that_cannot_be_is_refused_with_the_reason() {
    let world = World::start().await;
    let user = world.create_user().await;
    for number in 106..=120 {
        world
            .admin
            .add_entrance(world.site, &number.to_string(), DoorCategory::Guest)
            .await
            .unwrap();
    }
    let rooms = world.admin.entrances(world.site).await.unwrap();
    let is_odd = |name: &str| name.parse::<u32>().is_ok_and(|room| room % 2 == 1);
    let every_second: Vec<_> = rooms
        .iter()
        .filter(|(_, name)| is_odd(name))
        .map(|(id, _)| *id)
        .collect();
    let before = world.everything().await;
    let metadata = |metadata: Value| json!({ "visionline_metadata": metadata });
    let cases = [
        (json!({ "access_method": "code" }), "must be card"),
        (json!({ "access_method": "paper" }), "Invalid enum value"),
        (
            json!({ "acs_user_id": null }),
            "Expected string, received null",
        ),
        (json!({ "user_identity_id": NOBODY }), "no user identities"),
        (json!({ "code": "1234" }), "leave it out"),
        (
            json!({ "starts_at": "2044-01-02T00:00:00Z", "ends_at": "2044-01-01T00:00:00Z" }),
            "after starts_at",
        ),
        (
            json!({ "ends_at": "2020-01-02T00:00:00Z" }),
            "in the future",
        ),
        (json!({ "ends_at": "2060-01-01T00:00:00Z" }), "2051"),
        (json!({ "starts_at": "2019-12-31T23:59:59Z" }), "2020"),
        (json!({ "starts_at": "tomorrow" }), "date and time"),
        (
            json!({ "allowed_acs_entrance_ids": every_second }),
            "8 (101, 103, 105, 107, 109, 111, 113",
        ),
        (
            json!({ "hotek_metadata": { "override": true } }),
            "another kind of system",
        ),
        (metadata(json!({ "card_format": "TLCode" })), "rfid48"),
        (
            metadata(json!({ "override": "yes" })),
            "for \"visionline_metadata.override\"",
        ),
        (
            metadata(json!({ "override": true, "auto_join": true })),
            "only one",
        ),
        (
            metadata(json!({ "override": true, "is_override_key": false })),
            "differ",
        ),
        (
            metadata(json!({ "override": false })),
            "joiner_acs_credential_ids or auto_join",
        ),
        (
            metadata(json!({ "card_function_type": "owner" })),
            "Invalid enum value",
        ),
        (
            json!({ "is_multi_phone_sync_credential": true }),
            "mobile keys",
        ),
        (json!({ "acs_system_id": NOBODY }), "another acs_system"),
    ];
    for (change, message) in cases {
        let mut body = json!({ "acs_user_id": user, "access_method": "card" });
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let answer = world.post("/acs/credentials/create", body).await;
        assert_error(&answer, 400, "invalid_input");
        let said = id(&answer.body["error"]["message"]);
        assert!(said.contains(message), "{said:?} lacks {message:?}");
    }
    let joiner = json!({
        "acs_user_id": user,
        "access_method": "card",
        "visionline_metadata": { "joiner_acs_credential_ids": [NOBODY] },
    });
    let answer = world.post("/acs/credentials/create", joiner).await;
    assert_error(&answer, 404, "acs_credential_not_found");
    assert_eq!(world.everything().await, before);
    world.end().await;
}

#[tokio::test]
async fn malformed_requests_are_refused_in_the_envelope() {
    let world = World::start().await;
    let before = world.everything().await;
    let path = "/acs/users/create";
    let key = Some(world.api_key.as_str());
    for body in ["{", "[]", "7", "\"x\"", "{\"a\":}", "\u{0}"] {
        let answer = world
            .send(Method::POST, path, key, body.as_bytes().to_vec())
            .await;
        assert_error(&answer, 400, "invalid_input");
    }
    let not_utf8 = world
        .send(Method::POST, path, key, vec![b'"', 0xFF, b'"'])
        .await;
    assert_error(&not_utf8, 400, "invalid_input");
    let deep = world
        .send(Method::POST, path, key, "[".repeat(100_000).into_bytes())
        .await;
    assert_error(&deep, 400, "invalid_input");
    for key in [key, None] {
        let large = format!("{{\"full_name\": \"{}\"}}", "x".repeat(10 * 1024 * 1024));
        let answer = world
            .send(Method::POST, path, key, large.into_bytes())
            .await;
        assert_error(&answer, 413, "payload_too_large");
    }
    for path in [
        "/",
        "/acs",
        "/acs/users/creates",
        "/acs/users/create/",
        "/../etc/passwd",
    ] {
        let answer = world.send(Method::POST, path, key, b"{}".to_vec()).await;
        assert_error(&answer, 404, "not_found");
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/acs/users/list", "GET,POST"),
        (Method::PUT, "/acs/encoders/list", "GET,POST"),
        (Method::GET, "/acs/users/create", "POST"),
        (Method::GET, "/acs/encoders/encode_credential", "POST"),
        (Method::PATCH, "/acs/encoders/scan_credential", "POST"),
    ] {
        let answer = world.send(method, path, key, Vec::new()).await;
        assert_error(&answer, 405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], allowed);
    }
    assert_eq!(world.everything().await, before);
    world.end().await;
}

#[tokio::test]
async fn pages_of_other_origins_and_other_host_names_are_refused() {
    let world =
        World::start_with(|settings| settings.public_url = Some("https://hub.example".to_owned()))
            .await;
    let own = world.endpoint.clone();
    for (name, value, is_fine) in [
        ("origin", own.as_str(), true),
        ("origin", "https://hub.example", true),
        ("origin", "https://evil.example", false),
        ("origin", "null", false),
        ("host", "hub.example", true),
        ("host", "HUB.example:443", true),
        ("host", "localhost:9", true),
        ("host", "[::1]:9", true),
        ("host", "evil.example", false),
        ("host", "hub.example.evil.example", false),
    ] {
        let answer = world.send_with_header("/workspaces/get", name, value).await;
        if is_fine {
            assert_eq!(answer.status, 200, "{name} {value}");
        } else {
            assert_error(&answer, 403, "forbidden");
        }
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let system = world.get("/acs/systems/list").await.body["acs_systems"][0].clone();
    assert!(id(&system["image_url"]).starts_with("https://hub.example/"));
    world.end().await;
}

#[tokio::test]
async fn doors_are_numbered_in_order_and_end_where_cards_end() {
    let world = World::start().await;
    let door = async |id| world.admin.door(id).await.unwrap().unwrap();
    assert_eq!(door(world.rooms[0]).await, hub::Door::Guest(1));
    assert_eq!(door(world.rooms[4]).await, hub::Door::Guest(5));
    assert_eq!(door(world.garage).await, hub::Door::Common(0));
    for number in 1..28 {
        let name = format!("Common {number}");
        world
            .admin
            .add_entrance(world.site, &name, DoorCategory::Common)
            .await
            .unwrap();
    }
    let admin = &world.admin;
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

#[test]
fn the_contract_check_finds_what_breaks_it() {
    let schema = json!({
        "type": "object",
        "required": ["a", "b"],
        "properties": {
            "a": { "type": "string", "format": "uuid" },
            "b": { "type": "array", "items": { "type": "string", "enum": ["x"] } },
            "c": { "oneOf": [{ "type": "string" }, { "type": "number" }] },
        },
    });
    let count = |value: Value| contract::breaches(&schema, &value, "").len();
    assert_eq!(count(json!({ "a": NOBODY, "b": ["x"], "c": 1 })), 0);
    assert_eq!(count(json!({ "a": "no uuid", "b": ["y"], "c": true })), 3);
    assert_eq!(count(json!({ "a": null })), 2);
    assert_eq!(count(json!([])), 1);
}
