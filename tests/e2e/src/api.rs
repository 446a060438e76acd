//! The API as somebody without an SDK would use it.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::until;

/// Somebody with an API key.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    endpoint: String,
    key: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body, which is JSON always.
    pub body: Value,
}

impl Answer {
    /// What a good answer holds under a key.
    ///
    /// # Panics
    /// It is not a good one, or has no such key.
    #[must_use]
    #[track_caller]
    pub fn ok(mut self, key: &str) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert_eq!(self.body["ok"], true, "{}", self.body);
        assert!(self.body.get(key).is_some(), "no {key} in {}", self.body);
        self.body[key].take()
    }

    /// Status and type of a refusal, after a look at its form.
    ///
    /// # Panics
    /// It is not a refusal, or not in the documented envelope.
    #[must_use]
    #[track_caller]
    pub fn refused(&self) -> (u16, &str) {
        let Self { status, body } = self;
        assert!(status.is_client_error(), "{status} {body}");
        assert_eq!(body["ok"], false, "{body}");
        let error = &body["error"];
        let message = error["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{body}");
        let kind = error["type"].as_str().unwrap_or_default();
        (status.as_u16(), kind)
    }
}

impl Api {
    /// Talks to an endpoint with a key.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            client: Client::new(),
            endpoint: endpoint.into(),
            key: Some(key.into()),
        }
    }

    /// The same endpoint with another key, or with none.
    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self {
            key: key.map(str::to_owned),
            ..self.clone()
        }
    }

    /// Sends any bytes as a body.
    ///
    /// # Panics
    /// There is no answer, or it is no JSON.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.endpoint))
            .header("content-type", "application/json")
            .body(body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await.expect("the hub answers");
        let status = response.status();
        let text = response
            .text()
            .await
            .expect("the hub finishes what it answers");
        let body = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error} in {status} {text:?}"));
        Answer { status, body }
    }

    /// A POST with parameters.
    pub async fn post(&self, path: &str, parameters: Value) -> Answer {
        self.send(Method::POST, path, parameters.to_string()).await
    }

    /// Makes a user of a site; their id.
    pub async fn user(&self, acs_system_id: &str) -> String {
        let parameters = json!({"acs_system_id": acs_system_id, "full_name": "Jane Doe"});
        let user = self.post("/acs/users/create", parameters).await;
        id(&user.ok("acs_user"), "acs_user_id")
    }

    /// Makes a credential for two days that opens these doors; its id.
    pub async fn credential(&self, acs_user_id: &str, doors: &[&str]) -> String {
        let parameters = json!({
            "acs_user_id": acs_user_id,
            "access_method": "card",
            "allowed_acs_entrance_ids": doors,
        });
        let credential = self.post("/acs/credentials/create", parameters).await;
        id(&credential.ok("acs_credential"), "acs_credential_id")
    }

    /// Asks for a credential to be encoded; the id of the attempt.
    pub async fn encode(&self, acs_credential_id: &str, acs_encoder_id: &str) -> String {
        let parameters =
            json!({"acs_credential_id": acs_credential_id, "acs_encoder_id": acs_encoder_id});
        let path = "/acs/encoders/encode_credential";
        let attempt = self.post(path, parameters).await.ok("action_attempt");
        id(&attempt, "action_attempt_id")
    }

    /// Asks for a card to be scanned; the id of the attempt.
    pub async fn scan(&self, acs_encoder_id: &str) -> String {
        let path = "/acs/encoders/scan_credential";
        let parameters = json!({"acs_encoder_id": acs_encoder_id});
        let attempt = self.post(path, parameters).await.ok("action_attempt");
        id(&attempt, "action_attempt_id")
    }

    /// An attempt as it is now.
    pub async fn attempt(&self, action_attempt_id: &str) -> Value {
        let parameters = json!({"action_attempt_id": action_attempt_id});
        let attempt = self.post("/action_attempts/get", parameters).await;
        attempt.ok("action_attempt")
    }

    /// An attempt once it has ended.
    ///
    /// # Panics
    /// It does not end.
    pub async fn ended(&self, action_attempt_id: &str) -> Value {
        until("the end of an attempt", async || {
            let attempt = self.attempt(action_attempt_id).await;
            (attempt["status"] != "pending").then_some(attempt)
        })
        .await
    }

    /// Encodes as soon as the encoder takes a job again: until its bridge has opened it, attempts end as
    /// `encoder_not_online`. The attempt that ended otherwise.
    ///
    /// # Panics
    /// The encoder stays out of service.
    pub async fn ended_once_online(&self, acs_credential_id: &str, acs_encoder_id: &str) -> Value {
        until("an encoder in service", async || {
            let attempt = self.encode(acs_credential_id, acs_encoder_id).await;
            let ended = self.ended(&attempt).await;
            (ended["error"]["type"] != "encoder_not_online").then_some(ended)
        })
        .await
    }

    /// The result of an encode as soon as the encoder takes a job again.
    ///
    /// # Panics
    /// It ends in another way, or the encoder stays out of service.
    pub async fn encode_once_online(&self, acs_credential_id: &str, acs_encoder_id: &str) -> Value {
        let mut ended = self
            .ended_once_online(acs_credential_id, acs_encoder_id)
            .await;
        assert_eq!(ended["status"], "success", "{ended}");
        ended["result"].take()
    }

    /// The result of an attempt that ends well.
    ///
    /// # Panics
    /// It does not.
    pub async fn result(&self, action_attempt_id: &str) -> Value {
        let mut attempt = self.ended(action_attempt_id).await;
        assert_eq!(attempt["status"], "success", "{attempt}");
        assert_eq!(attempt["error"], Value::Null, "{attempt}");
        attempt["result"].take()
    }

    /// The type of the error with which an attempt ends.
    ///
    /// # Panics
    /// It ends well.
    pub async fn error(&self, action_attempt_id: &str) -> String {
        let attempt = self.ended(action_attempt_id).await;
        assert_eq!(attempt["status"], "error", "{attempt}");
        assert_eq!(attempt["result"], Value::Null, "{attempt}");
        id(&attempt["error"], "type")
    }
}

/// A field that is text.
#[track_caller]
fn id(object: &Value, key: &str) -> String {
    object[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {object}"))
        .to_owned()
}
