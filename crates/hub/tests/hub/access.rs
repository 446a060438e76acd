//! Who may see and do what: keys, workspaces, origins and host names.

use hub::DoorCategory;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::bridge::{Bridge, IDENTITY};
use crate::support::{Answer, GENEROUS, World, assert_error, id};

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
async fn pages_of_other_origins_and_other_host_names_are_refused() {
    let world =
        World::start_with(|settings| settings.public_url = Some("https://hub.example".to_owned()))
            .await;
    let own = world.endpoint.clone();
    for (name, value, is_fine) in [
        ("origin", own.as_str(), true),
        ("origin", "https://hub.example", true),
        ("origin", "https://evil.example", false),
        ("origin", "http://hub.example", false),
        ("origin", &own.replace("http:", "https:"), false),
        ("origin", "null", false),
        ("host", "hub.example", true),
        ("host", "HUB.example:443", true),
        ("host", "localhost:9", true),
        ("host", "LOCALHOST:9", true),
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
async fn a_request_that_names_two_hosts_is_refused() {
    let world = World::start().await;
    let address = world.endpoint.strip_prefix("http://").unwrap();
    for (head, status) in [
        ("GET /health HTTP/1.1\r\nHost: localhost", "200"),
        (
            "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
            "400",
        ),
        (
            "GET http://localhost/health HTTP/1.1\r\nHost: localhost",
            "200",
        ),
        (
            "GET http://evil.example/health HTTP/1.1\r\nHost: localhost",
            "400",
        ),
        ("GET /health HTTP/1.1", "403"),
    ] {
        let mut client = TcpStream::connect(address).await.unwrap();
        let request = format!("{head}\r\nConnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let reading = client.read_to_string(&mut answer);
        tokio::time::timeout(GENEROUS, reading)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&answer[9..12], status, "{head:?}");
    }
    world.end().await;
}
