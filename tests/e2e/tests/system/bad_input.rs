//! Requests that are wrong: each gets the documented envelope, and changes nothing.

use e2e::{Api, Demo, Hub};
use reqwest::Method;
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
const ENCODE: &str = "/acs/encoders/encode_credential";
const SCAN: &str = "/acs/encoders/scan_credential";
const CREATE: &str = "/acs/credentials/create";

/// Everything that a workspace's key can see.
async fn everything(api: &Api, acs_system_id: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    for (path, key) in [
        ("/acs/users/list", "acs_users"),
        ("/acs/credentials/list", "acs_credentials"),
        ("/acs/encoders/list", "acs_encoders"),
        ("/acs/entrances/list", "acs_entrances"),
        ("/action_attempts/list", "action_attempts"),
        ("/events/list", "events"),
    ] {
        let parameters = json!({"acs_system_id": acs_system_id, "since": "2020-01-01T00:00:00Z"});
        seen.push(api.post(path, parameters).await.ok(key));
    }
    seen
}

/// A demo with an encoder and a credential, and how everything was before.
struct Bench {
    demo: Demo,
    encoder: String,
    credential: String,
    before: Vec<Value>,
}

impl Bench {
    async fn start() -> Self {
        let demo = Demo::start("30s");
        Self {
            encoder: demo.encoder("front-desk").await,
            credential: demo.credential().await,
            before: everything(&demo.api, demo.acs_system_id()).await,
            demo,
        }
    }

    async fn refuses(&self, path: &str, parameters: Value, status: u16, kind: &str) {
        let answer = self.demo.api.post(path, parameters.clone()).await;
        let refused = answer.refused();
        assert_eq!(
            refused,
            (status, kind),
            "{path} {parameters} {}",
            answer.body
        );
    }

    /// To be called last: nothing was changed, and no card was looked for.
    async fn is_as_before(&self) {
        let now = everything(&self.demo.api, self.demo.acs_system_id()).await;
        assert_eq!(now, self.before);
        assert_eq!(self.demo.lab.log("front-desk").await["exchanges"], 0);
    }
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let bench = Bench::start().await;
    let Bench {
        encoder,
        credential,
        ..
    } = &bench;
    for (path, parameters, kind) in [
        (
            ENCODE,
            json!({"acs_encoder_id": NOBODY, "acs_credential_id": credential}),
            "acs_encoder",
        ),
        (
            ENCODE,
            json!({"acs_encoder_id": encoder, "acs_credential_id": NOBODY}),
            "acs_credential",
        ),
        (SCAN, json!({"acs_encoder_id": NOBODY}), "acs_encoder"),
        (
            "/action_attempts/get",
            json!({"action_attempt_id": NOBODY}),
            "action_attempt",
        ),
        (
            "/acs/credentials/get",
            json!({"acs_credential_id": NOBODY}),
            "acs_credential",
        ),
        (
            CREATE,
            json!({"acs_user_id": NOBODY, "access_method": "card"}),
            "acs_user",
        ),
    ] {
        let kind = format!("{kind}_not_found");
        bench.refuses(path, parameters, 404, &kind).await;
    }
    bench.is_as_before().await;
}

#[tokio::test]
async fn wrong_types_and_values_are_invalid_input() {
    let bench = Bench::start().await;
    let (encoder, credential) = (&bench.encoder, &bench.credential);
    let system = bench.demo.acs_system_id();
    for (path, parameters) in [
        (
            ENCODE,
            json!({"acs_encoder_id": 7, "acs_credential_id": credential}),
        ),
        (
            ENCODE,
            json!({"acs_encoder_id": "front-desk", "acs_credential_id": credential}),
        ),
        (
            ENCODE,
            json!({"acs_encoder_id": [encoder], "acs_credential_id": credential}),
        ),
        (
            ENCODE,
            json!([{"acs_encoder_id": encoder, "acs_credential_id": credential}]),
        ),
        (
            "/acs/users/create",
            json!({"acs_system_id": system, "full_name": {}}),
        ),
        (
            "/acs/credentials/list",
            json!({"acs_system_id": system, "limit": -1}),
        ),
        (
            "/acs/credentials/list",
            json!({"acs_system_id": system, "page_cursor": "x"}),
        ),
    ] {
        bench.refuses(path, parameters, 400, "invalid_input").await;
    }
    bench.is_as_before().await;
}

#[tokio::test]
async fn missing_fields_and_one_id_too_many_are_invalid_input() {
    let bench = Bench::start().await;
    let two_ids = json!({
        "acs_encoder_id": bench.encoder,
        "acs_credential_id": bench.credential,
        "access_method_id": NOBODY,
    });
    for (path, parameters) in [
        (ENCODE, json!({})),
        (ENCODE, json!({"acs_encoder_id": bench.encoder})),
        (ENCODE, json!({"acs_credential_id": bench.credential})),
        (SCAN, json!({})),
        (CREATE, json!({"access_method": "card"})),
        ("/acs/users/create", json!({"full_name": "Eve"})),
        (ENCODE, two_ids),
    ] {
        bench.refuses(path, parameters, 400, "invalid_input").await;
    }
    bench.is_as_before().await;
}

#[tokio::test]
async fn what_is_no_json_no_path_or_too_large_is_refused_in_the_same_envelope() {
    let bench = Bench::start().await;
    let api = &bench.demo.api;
    for body in [
        "{",
        "{\"acs_encoder_id\":",
        "\u{0}",
        "{\"a\":1}{",
        "nonsense",
    ] {
        let answer = api.send(Method::POST, ENCODE, body).await;
        assert_eq!(answer.refused(), (400, "invalid_input"), "{body}");
    }
    bench
        .refuses("/acs/encoders/explode", json!({}), 404, "not_found")
        .await;
    let answer = api.send(Method::DELETE, ENCODE, "{}").await;
    assert_eq!(answer.refused(), (405, "method_not_allowed"));
    let large = json!({"full_name": "x".repeat(10 << 20)});
    bench
        .refuses("/acs/users/create", large, 413, "payload_too_large")
        .await;
    bench.is_as_before().await;
}

#[tokio::test]
async fn without_a_right_key_nothing_is_answered_and_nothing_done() {
    let bench = Bench::start().await;
    let ids = json!({"acs_encoder_id": bench.encoder, "acs_credential_id": bench.credential});
    for key in [
        None,
        Some(""),
        Some("seam_wrong_key"),
        Some("seam_cst_wrong"),
    ] {
        let api = bench.demo.api.with_key(key);
        for path in [ENCODE, "/acs/credentials/list", "/workspaces/get"] {
            let answer = api.post(path, ids.clone()).await;
            assert_eq!(answer.refused().0, 401, "{key:?} {path} {}", answer.body);
        }
    }
    bench.is_as_before().await;
}

#[tokio::test]
async fn another_workspace_s_ids_are_unknown_here() {
    let hub = Hub::start("30s");
    let user = hub.api.user(&hub.acs_system_id).await;
    let credential = hub.api.credential(&user, &[]).await;
    let before = everything(&hub.api, &hub.acs_system_id).await;

    let theirs = hub.another_workspace();
    let api = hub.api.with_key(theirs["api_key"].as_str());
    let system = &hub.acs_system_id;
    for (path, parameters, kind) in [
        (
            "/acs/credentials/get",
            json!({"acs_credential_id": credential}),
            "acs_credential",
        ),
        ("/acs/users/get", json!({"acs_user_id": user}), "acs_user"),
        (
            "/acs/systems/get",
            json!({"acs_system_id": system}),
            "acs_system",
        ),
        (
            "/acs/users/create",
            json!({"acs_system_id": system, "full_name": "Eve"}),
            "acs_system",
        ),
        (
            CREATE,
            json!({"acs_user_id": user, "access_method": "card"}),
            "acs_user",
        ),
    ] {
        let answer = api.post(path, parameters).await;
        let refused = (404, format!("{kind}_not_found"));
        let (status, kind) = answer.refused();
        assert_eq!((status, kind.to_owned()), refused, "{path} {}", answer.body);
    }
    let listed = api.post("/acs/credentials/list", json!({})).await;
    assert_eq!(listed.ok("acs_credentials"), json!([]));
    assert_eq!(everything(&hub.api, &hub.acs_system_id).await, before);
}
