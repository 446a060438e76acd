//! A request on its way in: the checks that every one passes (host, origin, size, id) and the two extractors that routes
//! take, who calls and with what (DESIGN invariant 10).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;

use crate::auth::{PresentedToken, TokenKind};
use crate::core::Core;
use crate::error::ApiError;
use crate::id::{BridgeId, WorkspaceId};
use crate::store::{bridges, workspaces};
use crate::validation::Input;

/// The largest body that is looked at.
const MOST_BODY_BYTES: usize = 1024 * 1024;
/// What is read and thrown away of a larger one, so that the client gets to read the refusal.
const MOST_DRAINED_BYTES: usize = 64 * 1024 * 1024;
/// How long a body may take.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
const REQUEST_ID: &str = "seam-request-id";

/// An authenticated request: whose it is and what it says.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) core: Arc<Core>,
    pub(crate) workspace: WorkspaceId,
    pub(crate) input: Input,
    /// Under which address the client reaches the hub.
    pub(crate) base_url: String,
}

impl FromRequest<Arc<Core>> for Call {
    type Rejection = ApiError;

    async fn from_request(request: Request, core: &Arc<Core>) -> Result<Self, ApiError> {
        let workspace = authenticate(core, request.headers()).await?;
        let base_url = base_url(core, request.headers());
        let input = match *request.method() {
            // A DELETE has its parameters where the client puts them.
            Method::GET | Method::HEAD => Input::from_query(query_pairs(request.uri())?),
            Method::DELETE if request.uri().query().is_some_and(|query| !query.is_empty()) => {
                Input::from_query(query_pairs(request.uri())?)
            }
            _ => {
                let body = Bytes::from_request(request, core)
                    .await
                    .map_err(|error| ApiError::malformed(error.body_text()))?;
                Input::from_body(&body)?
            }
        };
        Ok(Self {
            core: Arc::clone(core),
            workspace,
            input,
            base_url,
        })
    }
}

fn query_pairs(uri: &Uri) -> Result<Vec<(String, String)>, ApiError> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| ApiError::malformed(error.body_text()))?;
    Ok(pairs)
}

/// The workspace of an API key.
async fn authenticate(core: &Core, headers: &HeaderMap) -> Result<WorkspaceId, ApiError> {
    let token = bearer(headers)?;
    let unknown = ApiError::Unauthorized("API Key not found");
    let Some(presented) = PresentedToken::parse(TokenKind::ApiKey, token) else {
        return Err(unknown);
    };
    let stored = workspaces::key(&mut *core.store.read().await?, presented.short).await?;
    match stored {
        Some(key) if presented.matches(&key.hash) => Ok(key.workspace_id),
        _ => Err(unknown),
    }
}

/// The bridge of a bridge token.
pub(crate) async fn authenticate_bridge(
    core: &Core,
    headers: &HeaderMap,
) -> Result<BridgeId, ApiError> {
    let token = bearer(headers)?;
    let unknown = ApiError::Unauthorized("bridge token not found");
    let Some(presented) = PresentedToken::parse(TokenKind::Bridge, token) else {
        return Err(unknown);
    };
    let stored = bridges::token(&mut *core.store.read().await?, presented.short).await?;
    match stored {
        Some(token) if presented.matches(&token.token_hash) => Ok(token.bridge_id),
        _ => Err(unknown),
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let header = headers
        .get(header::AUTHORIZATION)
        .ok_or(ApiError::Unauthorized("No Authorization header"))?;
    let (scheme, token) = header
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(ApiError::Unauthorized(
            "Authorization must be Bearer and a token",
        ))?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(ApiError::Unauthorized(
            "Authorization must be Bearer and a token",
        ))
    }
}

/// The outermost layer: gives the request its id, checks it, and puts errors into their envelope.
pub(crate) async fn check(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let id = uuid::Uuid::new_v4().to_string();
    let checked = match check_host_and_origin(&core, request.uri(), request.headers()) {
        Ok(()) => read_body(request).await,
        Err(error) => Err(error),
    };
    let mut response = match checked {
        Ok(request) => next.run(request).await,
        Err(error) => error.render(&id),
    };
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        if matches!(error, ApiError::Internal) {
            tracing::error!(request_id = id, "a request failed");
        }
        response = error.render(&id);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Reads a body as far as it may be long. A longer one is drained before it is refused.
async fn read_body(request: Request) -> Result<Request, ApiError> {
    let (parts, body) = request.into_parts();
    let mut chunks = body.into_data_stream();
    let reading = async {
        let mut bytes = Vec::new();
        let mut seen = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| ApiError::malformed("The request body broke off"))?;
            seen += chunk.len();
            if seen > MOST_DRAINED_BYTES {
                return Err(ApiError::TooLarge);
            }
            if seen <= MOST_BODY_BYTES {
                bytes.extend_from_slice(&chunk);
            }
        }
        if seen > MOST_BODY_BYTES {
            return Err(ApiError::TooLarge);
        }
        Ok(bytes)
    };
    let bytes = tokio::time::timeout(BODY_DEADLINE, reading)
        .await
        .map_err(|_| ApiError::TooSlow)??;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// A page of somebody else's in a browser on the same network must reach nothing, also not under a name of its own
/// that points here (DNS rebinding).
fn check_host_and_origin(core: &Core, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let host = host(headers).unwrap_or_default();
    let is_another_target = uri
        .authority()
        .is_some_and(|target| !target.as_str().eq_ignore_ascii_case(host));
    if headers.get_all(header::HOST).iter().count() > 1 || is_another_target {
        return Err(ApiError::malformed("a request names exactly one host"));
    }
    let public_url = core.settings.public_url.as_deref();
    let name = host_name(host);
    let is_public = public_url
        .and_then(authority)
        .is_some_and(|public| host_name(public).eq_ignore_ascii_case(name));
    let is_own_host =
        is_public || name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok();
    if !is_own_host {
        return Err(ApiError::Forbidden(
            "this hub does not go by that host name; use its public URL, or set it with public_url",
        ));
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    // Under its public name the hub is reached as its public URL says; under the others it speaks HTTP itself.
    let direct = (!is_public).then(|| format!("http://{host}"));
    let is_own_origin = origin
        .to_str()
        .ok()
        .and_then(origin_of)
        .is_some_and(|origin| {
            let own = [public_url, direct.as_deref()];
            own.into_iter()
                .flatten()
                .any(|url| origin_of(url).as_ref() == Some(&origin))
        });
    if is_own_origin {
        Ok(())
    } else {
        Err(ApiError::Forbidden(
            "requests from pages of another origin are refused",
        ))
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// `host:port` of a URL.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next()
}

/// Scheme and authority of a URL in lower case, without the scheme's own port (RFC 6454, section 4).
fn origin_of(url: &str) -> Option<String> {
    let (scheme, _) = url.split_once("://")?;
    let origin = format!("{scheme}://{}", authority(url)?).to_ascii_lowercase();
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" => ":443",
        _ => ":80",
    };
    Some(origin.strip_suffix(port).unwrap_or(&origin).to_owned())
}

/// A host without its port and brackets.
fn host_name(host: &str) -> &str {
    if let Some(bracketed) = host.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or(bracketed);
    }
    host.split(':').next().unwrap_or(host)
}

fn base_url(core: &Core, headers: &HeaderMap) -> String {
    match &core.settings.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", host(headers).unwrap_or("localhost")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_with_and_without_port_and_brackets() {
        for (host, name) in [
            ("localhost", "localhost"),
            ("localhost:8080", "localhost"),
            ("[::1]:8080", "::1"),
            ("[::1]", "::1"),
            ("127.0.0.1:1", "127.0.0.1"),
        ] {
            assert_eq!(host_name(host), name);
        }
        assert_eq!(authority("https://hub.example:1/x"), Some("hub.example:1"));
        assert_eq!(authority("null"), None);
    }

    #[test]
    fn an_origin_is_its_scheme_host_and_port() {
        for (url, origin) in [
            ("https://Hub.example/x", "https://hub.example"),
            ("https://hub.example:443", "https://hub.example"),
            ("http://hub.example:443", "http://hub.example:443"),
            ("http://[::1]:80/", "http://[::1]"),
        ] {
            assert_eq!(origin_of(url).as_deref(), Some(origin));
        }
        assert_eq!(origin_of("null"), None);
    }
}
