//! What must be refused, with the reason and without a change.

use hub::DoorCategory;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bridge::{Bridge, IDENTITY};
use crate::support::{NOBODY, World, assert_error, id};

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
        (
            "/events/list",
            json!({ "event_types": vec!["a"; 32_770] }),
            "event_types must have at most 1000 items",
        ),
        (
            "/action_attempts/list",
            json!({ "action_attempt_ids": vec![NOBODY; 1001] }),
            "action_attempt_ids must have at most 1000 items",
        ),
        (
            "/acs/users/list",
            json!({ "search": "x".repeat(1001) }),
            "search must have at most 1000 characters",
        ),
        (
            "/acs/entrances/list",
            json!({ "search": "x".repeat(60_000) }),
            "search must have at most 1000 characters",
        ),
        (
            "/acs/credentials/list",
            json!({ "search": "x".repeat(60_000) }),
            "search must have at most 1000 characters",
        ),
        (
            "/acs/systems/list",
            json!({ "search": "x".repeat(60_000) }),
            "search must have at most 1000 characters",
        ),
        (
            users,
            json!({ "acs_system_id": site, "full_name": "x", "access_schedule": { "starts_at": "-009999-01-02T00:00:00Z" } }),
            "starts_at must be a date and time",
        ),
        (
            "/events/list",
            json!({ "between": ["-000001-12-31T23:59:59Z", "2026-01-01T00:00:00Z"] }),
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
            json!({
                "allowed_acs_entrance_ids": every_second,
                "visionline_metadata": { "card_format": "rfid48" },
            }),
            "of these 10 doors it would hold 8 (101, 103, 105, 107, 109, 111, 113, 115); ask for those",
        ),
        (
            json!({ "hotek_metadata": { "override": true } }),
            "another kind of system",
        ),
        (
            metadata(json!({ "card_format": "tlcode" })),
            "'rfid48' | 'TLCode'",
        ),
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
