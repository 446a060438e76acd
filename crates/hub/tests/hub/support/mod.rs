//! A hub on port 0 with a database of its own, an API client, and a bridge that does what the test says.

pub(crate) mod bridge;
pub(crate) mod contract;

use std::time::Duration;

use hub::{Admin, DoorCategory, Hub, HubSettings};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use self::bridge::Bridge;

/// An id that nothing has.
pub(crate) const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// Against hanging; nothing that works comes near it.
pub(crate) const GENEROUS: Duration = Duration::from_secs(60);

/// A running hub with one workspace, one site, rooms 101 to 105 and a garage.
pub(crate) struct World {
    pub(crate) hub: Hub,
    pub(crate) admin: Admin,
    pub(crate) api_key: String,
    pub(crate) workspace: Uuid,
    pub(crate) site: Uuid,
    pub(crate) rooms: Vec<Uuid>,
    pub(crate) garage: Uuid,
    pub(crate) endpoint: String,
    /// What the hub is opened with at the next restart.
    pub(crate) settings: HubSettings,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<()>>>,
    folder: tempfile::TempDir,
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut HubSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = HubSettings::new(folder.path().join("hub.sqlite"));
        change(&mut settings);
        let hub = Hub::open(settings.clone()).await.unwrap();
        let admin = hub.admin();
        let workspace = admin.create_workspace("Grand Hotel").await.unwrap();
        let site = admin
            .create_site(workspace, "Main building", "Europe/Berlin")
            .await
            .unwrap();
        let mut rooms = Vec::new();
        for room in 101..=105 {
            let name = room.to_string();
            rooms.push(
                admin
                    .add_entrance(site, &name, DoorCategory::Guest)
                    .await
                    .unwrap(),
            );
        }
        let garage = admin
            .add_entrance(site, "Garage", DoorCategory::Common)
            .await
            .unwrap();
        let api_key = admin.create_api_key(workspace, "tests").await.unwrap();
        let mut world = Self {
            hub,
            admin,
            api_key,
            workspace,
            site,
            rooms,
            garage,
            endpoint: String::new(),
            settings,
            client: reqwest::Client::builder()
                .timeout(GENEROUS)
                .build()
                .unwrap(),
            stop: None,
            served: None,
            folder,
        };
        world.serve().await;
        world
    }

    async fn serve(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let hub = self.hub.clone();
        self.stop = Some(stop);
        self.served = Some(tokio::spawn(async move {
            hub.serve(listener, async {
                let _ = stopped.await;
            })
            .await
        }));
    }

    async fn stop(&mut self) {
        drop(self.stop.take());
        let served = self.served.take().unwrap();
        tokio::time::timeout(GENEROUS, served)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }

    /// Stops the hub and starts it again on the same database, at another address.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.hub = Hub::open(self.settings.clone()).await.unwrap();
        self.admin = self.hub.admin();
        self.serve().await;
    }

    /// Ends the hub and everything it left.
    pub(crate) async fn end(mut self) {
        self.stop().await;
        self.folder.close().unwrap();
    }

    /// A POST with the key; must be answered 200 and as the contract says.
    pub(crate) async fn call(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.body["ok"], true);
        contract::check(path, &answer.body);
        answer.body
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(
            Method::POST,
            path,
            Some(&self.api_key),
            body.to_string().into_bytes(),
        )
        .await
    }

    pub(crate) async fn get(&self, path_and_query: &str) -> Answer {
        self.send(Method::GET, path_and_query, Some(&self.api_key), Vec::new())
            .await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        api_key: Option<&str>,
        body: Vec<u8>,
    ) -> Answer {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.endpoint))
            .body(body);
        if let Some(key) = api_key {
            request = request.bearer_auth(key);
        }
        Self::answer(request).await
    }

    pub(crate) async fn send_with_header(&self, path: &str, name: &str, value: &str) -> Answer {
        let url = format!("{}{path}", self.endpoint);
        let request = self
            .client
            .get(url)
            .bearer_auth(&self.api_key)
            .header(name, value);
        Self::answer(request).await
    }

    async fn answer(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer {
            status,
            headers,
            body,
        }
    }

    pub(crate) async fn create_user(&self) -> String {
        let body = json!({ "acs_system_id": self.site, "full_name": "Ada Guest" });
        id(&self.call("/acs/users/create", body).await["acs_user"]["acs_user_id"])
    }

    /// A guest credential for these rooms; `metadata` is its `visionline_metadata`.
    pub(crate) async fn create_credential(&self, rooms: &[Uuid], metadata: Option<Value>) -> Value {
        let mut body = json!({
            "acs_user_id": self.create_user().await,
            "access_method": "card",
            "allowed_acs_entrance_ids": rooms,
            "starts_at": "2026-11-22T14:00:30Z",
            "ends_at": "2045-11-25T10:00:00Z",
        });
        if let Some(metadata) = metadata {
            body["visionline_metadata"] = metadata;
        }
        self.call("/acs/credentials/create", body).await["acs_credential"].clone()
    }

    pub(crate) async fn encode(&self, encoder: &str, credential: &Value) -> Value {
        let body = json!({
            "acs_encoder_id": encoder,
            "acs_credential_id": credential["acs_credential_id"],
        });
        self.call("/acs/encoders/encode_credential", body).await["action_attempt"].clone()
    }

    pub(crate) async fn scan(&self, encoder: &str) -> Value {
        let body = json!({ "acs_encoder_id": encoder });
        self.call("/acs/encoders/scan_credential", body).await["action_attempt"].clone()
    }

    pub(crate) async fn attempt(&self, attempt: &Value) -> Value {
        let body = json!({ "action_attempt_id": attempt["action_attempt_id"] });
        self.call("/action_attempts/get", body).await["action_attempt"].clone()
    }

    pub(crate) async fn credential(&self, credential: &Value) -> Value {
        let body = json!({ "acs_credential_id": credential["acs_credential_id"] });
        self.call("/acs/credentials/get", body).await["acs_credential"].clone()
    }

    /// Waits for the end of an attempt.
    pub(crate) async fn ended(&self, attempt: &Value) -> Value {
        let id = id(&attempt["action_attempt_id"]).parse().unwrap();
        let ended = tokio::time::timeout(GENEROUS, self.hub.attempt_ended(id));
        ended.await.unwrap().unwrap().unwrap();
        self.attempt(attempt).await
    }

    /// The database, past the hub.
    pub(crate) async fn database(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(&self.settings.database)
            .busy_timeout(GENEROUS);
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// What the database looks like after the clock was set back by a day.
    pub(crate) async fn date_grants_from_the_future(&self) {
        let mut database = self.database().await;
        let moved = sqlx::query("UPDATE grants SET granted_at = granted_at + 86400000")
            .execute(&mut database)
            .await
            .unwrap();
        assert!(moved.rows_affected() > 0);
        database.close().await.unwrap();
    }

    /// The types of all events about a credential, in order.
    pub(crate) async fn events_of(&self, credential: &Value) -> Vec<String> {
        let body = json!({ "acs_credential_id": credential["acs_credential_id"] });
        self.call("/events/list", body).await["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| id(&event["event_type"]))
            .collect()
    }

    /// Everything that an API client could see, to show that nothing changed.
    pub(crate) async fn everything(&self) -> Value {
        let all = json!({});
        let by_site = json!({ "acs_system_id": self.site });
        json!([
            self.call("/acs/systems/list", all.clone()).await,
            self.call("/acs/entrances/list", all.clone()).await,
            self.call("/acs/users/list", all.clone()).await,
            self.call("/acs/credentials/list", all.clone()).await,
            self.call("/acs/encoders/list", by_site).await,
            self.call("/action_attempts/list", all.clone()).await,
            self.call("/events/list", all).await,
        ])
    }
}

/// The text of a JSON string.
pub(crate) fn id(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no string"))
        .to_owned()
}

/// Asserts the envelope of an error.
pub(crate) fn assert_error(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let error = &answer.body["error"];
    assert_eq!(answer.body["ok"], false);
    assert_eq!(error["type"], kind, "{}", answer.body);
    assert!(!id(&error["message"]).is_empty());
    let content_type = answer.headers["content-type"].to_str().unwrap();
    assert!(content_type.starts_with("application/json"));
    assert_eq!(
        answer.headers["seam-request-id"].to_str().unwrap(),
        id(&error["request_id"])
    );
    assert_eq!(
        error["validation_errors"].is_object(),
        kind == "invalid_input"
    );
}

/// A hub that waits for a bridge with this token.
pub(crate) async fn world_with_token() -> (World, String) {
    let world = World::start().await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    (world, token)
}

/// A hub and one bridge, with its token.
pub(crate) async fn connected() -> (World, Bridge, String) {
    let world = World::start().await;
    let token = world
        .admin
        .create_bridge_token(world.site, "front desk")
        .await
        .unwrap();
    let bridge = Bridge::connect(&world, &token).await;
    (world, bridge, token)
}
