//! Dialling the hub: one WebSocket, over TLS unless the hub is on this machine.

use std::sync::Arc;
use std::time::Duration;

use protocol::link::{MAX_FRAME, PATH, SUBPROTOCOL};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};

use crate::config::HubConfig;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// Where the hub is and how to show who calls.
pub(crate) struct Dial {
    url: String,
    authorization: HeaderValue,
    tls: Option<Connector>,
}

/// No connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error(
        "the hub does not accept this bridge's token; write the token that `cardbridge admin init` printed into [hub] token"
    )]
    Unauthorized,
    #[error("the hub answered {0} instead of opening the link; check [hub] url")]
    Refused(StatusCode),
    #[error("the hub did not answer within 10 seconds; check [hub] url and the network")]
    TimedOut,
    #[error("the hub cannot be reached; check [hub] url and the network")]
    Unreachable(#[source] tungstenite::Error),
}

/// The configuration cannot be turned into a connection.
#[derive(Debug, thiserror::Error)]
pub enum DialConfigError {
    /// The token has characters that HTTP does not allow.
    #[error("the hub's token holds characters that a token cannot have; copy it again")]
    Token,
    /// The system has no certificates to trust.
    #[error("this system trusts no certificate at all; install the package ca-certificates")]
    NoRoots,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up; this build of cardbridge lacks what it needs")]
    Tls(#[source] rustls::Error),
}

impl Dial {
    pub(crate) fn new(hub: &HubConfig) -> Result<Self, DialConfigError> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", hub.token.expose()))
            .map_err(|_| DialConfigError::Token)?;
        authorization.set_sensitive(true);
        let (scheme, rest) = hub.url.scheme_and_rest();
        let tls = if scheme == "wss" { Some(tls()?) } else { None };
        Ok(Self {
            url: format!("{scheme}://{rest}{PATH}"),
            authorization,
            tls,
        })
    }

    pub(super) async fn connect(&self) -> Result<Socket, DialError> {
        let mut request = self
            .url
            .as_str()
            .into_client_request()
            .map_err(DialError::Unreachable)?;
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, self.authorization.clone());
        request.headers_mut().insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME))
            .max_frame_size(Some(MAX_FRAME));
        let connecting = tokio_tungstenite::connect_async_tls_with_config(
            request,
            Some(limits),
            true,
            self.tls.clone(),
        );
        match tokio::time::timeout(CONNECT_PATIENCE, connecting).await {
            Err(_) => Err(DialError::TimedOut),
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(tungstenite::Error::Http(answer))) => Err(match answer.status() {
                StatusCode::UNAUTHORIZED => DialError::Unauthorized,
                other => DialError::Refused(other),
            }),
            Ok(Err(error)) => Err(DialError::Unreachable(error)),
        }
    }
}

fn tls() -> Result<Connector, DialConfigError> {
    let mut roots = rustls::RootCertStore::empty();
    let (trusted, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if trusted == 0 {
        return Err(DialConfigError::NoRoots);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(DialConfigError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector::Rustls(Arc::new(config)))
}
