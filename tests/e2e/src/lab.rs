//! The lab over HTTP: hands for virtual cards and cables.

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// A lab of another process.
#[derive(Debug, Clone)]
pub struct Lab {
    client: Client,
    url: String,
}

impl Lab {
    /// The lab at that address.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            client: Client::new(),
            url: url.into(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Vec<u8> {
        let request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .body(body);
        let response = request.send().await.expect("the lab answers");
        let status = response.status();
        let body = response
            .bytes()
            .await
            .expect("the lab finishes what it answers");
        assert!(
            status.is_success(),
            "{path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
        body.to_vec()
    }

    async fn json(&self, method: Method, path: &str, body: Vec<u8>) -> Value {
        let answer = self.send(method, path, body).await;
        serde_json::from_slice(&answer).expect("the lab answers with JSON")
    }

    /// The encoders there are.
    pub async fn encoders(&self) -> Vec<Value> {
        let encoders = self.json(Method::GET, "/encoders", Vec::new()).await;
        encoders.as_array().cloned().unwrap_or_default()
    }

    /// Puts a MIFARE Classic 1K on an encoder, a new one unless one of that UID is known.
    pub async fn place(&self, encoder: &str, uid: &str) {
        self.place_a(encoder, "mifare_classic_1k", uid).await;
    }

    /// Puts a card of a technology on an encoder, a new one unless one of that UID is known.
    pub async fn place_a(&self, encoder: &str, technology: &str, uid: &str) {
        let card = json!({"technology": technology, "uid": uid});
        let path = format!("/encoders/{encoder}/card");
        self.json(Method::PUT, &path, card.to_string().into_bytes())
            .await;
    }

    /// Takes the card off.
    pub async fn remove(&self, encoder: &str) {
        let path = format!("/encoders/{encoder}/card");
        self.json(Method::DELETE, &path, Vec::new()).await;
    }

    /// Takes the card off at the n-th exchange from now.
    pub async fn remove_after_exchanges(&self, encoder: &str, exchanges: u64) {
        let path = format!("/encoders/{encoder}/card?after_exchanges={exchanges}");
        self.json(Method::DELETE, &path, Vec::new()).await;
    }

    /// Pulls the cable.
    pub async fn unplug(&self, encoder: &str) {
        let path = format!("/encoders/{encoder}/unplug");
        self.json(Method::POST, &path, Vec::new()).await;
    }

    /// Puts the cable in.
    pub async fn plug(&self, encoder: &str) {
        let path = format!("/encoders/{encoder}/plug");
        self.json(Method::POST, &path, Vec::new()).await;
    }

    /// What happened on an encoder.
    pub async fn log(&self, encoder: &str) -> Value {
        let path = format!("/encoders/{encoder}/log");
        self.json(Method::GET, &path, Vec::new()).await
    }

    /// The image of a card.
    pub async fn memory(&self, uid: &str) -> Vec<u8> {
        let path = format!("/cards/{uid}/memory");
        self.send(Method::GET, &path, Vec::new()).await
    }

    /// What the lock of an entrance makes of a card.
    pub async fn decision(&self, acs_entrance_id: &str, uid: &str) -> Value {
        let path = format!("/locks/{acs_entrance_id}/decision?uid={uid}");
        self.json(Method::GET, &path, Vec::new()).await
    }
}
