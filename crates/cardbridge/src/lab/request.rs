//! What stands between a socket and the lab's verbs: who may ask, how bodies and queries are read, and how a refusal
//! looks. Nothing in here touches a card.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use emulator::Uid;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{LabError, Undisturbed};

/// The largest body that the lab reads, in bytes. The largest card image has 4096.
pub(super) const LARGEST_BODY: usize = 64 * 1024;

/// A request that was refused, as `{"error":{"type","message"}}`.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
        }
    }

    pub(super) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }
}

impl From<LabError> for Problem {
    fn from(error: LabError) -> Self {
        let status = match &error {
            LabError::UnknownEncoder { .. } | LabError::UnknownCard { .. } => StatusCode::NOT_FOUND,
            LabError::NoCard { .. }
            | LabError::Undisturbed(Undisturbed::Unplugged)
            | LabError::Card(emulator::CardsError::OtherTechnology { .. })
            | LabError::Memory(emulator::MemoryError::NoImage(_)) => StatusCode::CONFLICT,
            LabError::TechnologyMissing
            | LabError::UnsupportedTechnology
            | LabError::Undisturbed(_)
            | LabError::Card(_)
            | LabError::Memory(_) => StatusCode::BAD_REQUEST,
            LabError::NoEncoders
            | LabError::TwoOfOneName { .. }
            | LabError::Encoder(_)
            | LabError::Reader(_)
            | LabError::LockServer(_)
            | LabError::Randomness(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.kind(), error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({"error": {"type": self.kind, "message": self.message}});
        (self.status, Json(body)).into_response()
    }
}

/// Lets through only what was meant for this machine: a web page elsewhere may neither name the lab by a host name of
/// its own nor send requests from its own origin.
pub(super) async fn local_only(request: Request, next: Next) -> Response {
    match refusal(request.headers(), request.uri()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(headers: &HeaderMap, uri: &Uri) -> Option<Problem> {
    let named = headers
        .get(header::HOST)
        .map(|host| host.to_str().unwrap_or(""));
    let asked = uri.authority().map(|authority| authority.as_str());
    let host = asked.or(named).unwrap_or("");
    let is_consistent = asked.is_none() || named.is_none_or(|named| asked == Some(named));
    if !is_loopback(host) || !is_consistent {
        return Some(Problem::new(
            StatusCode::FORBIDDEN,
            "foreign_host",
            "the lab answers only under 127.0.0.1, [::1] or localhost; use the URL that it printed",
        ));
    }
    let origin = headers.get(header::ORIGIN)?;
    let is_own = origin
        .to_str()
        .is_ok_and(|origin| origin.strip_prefix("http://") == Some(host));
    (!is_own).then(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "the lab takes no requests from web pages of another origin",
        )
    })
}

/// Whether `host[:port]` names this machine by an address or a name that no resolver can change.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.rfind(':') {
        Some(colon) if !host.ends_with(']') => (&host[..colon], Some(&host[colon + 1..])),
        _ => (host, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    is_port && ["127.0.0.1", "[::1]", "localhost"].contains(&name)
}

/// A JSON object in the body, whatever the content type says: nothing but the owner of this machine gets here.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        serde_json::from_slice(&bytes)
            .map(JsonBody)
            .map_err(|error| {
                let kind = if error.is_data() {
                    "invalid_request"
                } else {
                    "invalid_json"
                };
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    kind,
                    format!("the body cannot be read: {error}"),
                )
            })
    }
}

/// The body as it came, not above [`LARGEST_BODY`].
pub(super) struct RawBody(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "body_too_large",
                    format!("the lab reads no body above {LARGEST_BODY} bytes"),
                ))
            }
            Err(_) => Err(Problem::invalid_request("the body broke off")),
        }
    }
}

/// The query, with no parameter that the route does not know.
pub(super) struct Parameters<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(Problem::invalid_request(rejection.body_text())),
        }
    }
}

/// The one variable segment of a path.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(rejection) => Err(Problem::invalid_request(rejection.body_text())),
        }
    }
}

/// Reads a UID where one stands in a request.
pub(super) fn uid(text: &str) -> Result<Uid, Problem> {
    text.parse().map_err(|error: emulator::UidError| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_uid", error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost:1",
            "[::1]",
            "[::1]:65535",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io:80",
            "::1",
            "localhost:",
            "localhost:99999",
            "localhost:80:80",
            "10.0.0.1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
