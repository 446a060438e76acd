//! A lab that answers on a free port, and what it answered.

use cardbridge::lab::{Lab, LabLockServer, LabSettings, http};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const UID: &str = "04A1B2C3";

/// A lab with two encoders, answering on a free port.
pub(crate) struct Bench {
    pub(crate) lab: Lab,
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) folder: TempDir,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(Vec::new()).await
    }

    /// The same with lock servers more.
    pub(crate) async fn with(lock_servers: Vec<LabLockServer>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lab = Lab::start(&LabSettings {
            serial: vec![
                "front-desk".parse().unwrap(),
                "back-office".parse().unwrap(),
            ],
            readers: Vec::new(),
            lock_servers,
            directory: folder.path().to_owned(),
        })
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { stopped.await.unwrap_or(()) };
        let served = tokio::spawn(http::serve(listener, lab.clone(), None, shutdown));
        Self {
            lab,
            url,
            client: Client::new(),
            folder,
            stop,
            served,
        }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .body(body);
        Answer::to(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    pub(crate) async fn place(&self, card: Value) -> Answer {
        let path = "/encoders/front-desk/card";
        self.send(Method::PUT, path, card.to_string()).await
    }

    /// The card on the front desk as the list tells it.
    pub(crate) async fn card(&self) -> Value {
        let encoders = self.get("/encoders").await.json();
        let front_desk = encoders
            .as_array()
            .unwrap()
            .iter()
            .find(|encoder| encoder["name"] == "front-desk");
        front_desk.unwrap()["card"].clone()
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
        drop(self.lab);
        let left: Vec<_> = std::fs::read_dir(self.folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn to(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let content_type = response
            .headers()
            .get("content-type")
            .map(|value| value.to_str().unwrap().to_owned());
        Self {
            status: response.status(),
            content_type: content_type.unwrap_or_default(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(
            self.status,
            StatusCode::OK,
            "{:?}",
            String::from_utf8_lossy(&self.body)
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The type of the error, after a look at its form.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> String {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.content_type, "application/json");
        let error: Value = serde_json::from_slice(&self.body).unwrap();
        let error = error["error"].as_object().unwrap();
        assert_eq!(error.len(), 2, "{text}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        error["type"].as_str().unwrap().to_owned()
    }
}
