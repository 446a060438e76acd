//! The daemon's local socket: how `cardbridge scan` and `cardbridge encode` reach a bridge that runs.
//!
//! One request a connection, as a line of JSON; lines of progress come back, then one with the result. The socket
//! belongs to the daemon's user (0600); the file system decides who may ask.

mod served;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use protocol::link::Phase;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use crate::{Bridge, Encoded, Found, LocalEncode, Preview, RequestError};
pub use served::{HubState, Served, ServedEncoder, ServedJob, UnusedDevice};

/// The longest request that is read, in bytes.
const MAX_REQUEST: u64 = 64 * 1024;
/// How long a connection may take to say what it wants.
const REQUEST_PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait after a connection could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
enum Verb {
    Encoders,
    Scan {
        encoder: Option<String>,
        card_wait_ms: u64,
    },
    Encode(LocalEncode),
    Preview {
        wish: LocalEncode,
        card_wait_ms: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Progress(Phase),
    Encoders(Served),
    Scanned(Found),
    Encoded(Encoded),
    Previewed(Preview),
    Error { kind: String, message: String },
}

/// The socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The system refused.
    #[error(
        "the local socket {path} cannot be opened; check that its directory exists and belongs to this user"
    )]
    System {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something else is in its place.
    #[error("{path} is there already and is no socket; give [bridge] socket another path")]
    Occupied {
        /// The path that was to become the socket.
        path: PathBuf,
    },
}

/// Serves local requests until it is dropped. A socket file left by an earlier run is replaced: whoever holds the
/// journal's lock is the only bridge.
///
/// # Errors
/// When the socket cannot be made.
pub fn serve(
    bridge: Arc<Bridge>,
    path: &Path,
) -> Result<impl Future<Output = ()> + Send + use<>, SocketError> {
    use std::os::unix::fs::FileTypeExt;
    let failed = |source| SocketError::System {
        path: path.to_owned(),
        source,
    };
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(SocketError::Occupied {
                path: path.to_owned(),
            });
        }
        Ok(_) => std::fs::remove_file(path).map_err(failed)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let listener = bind_private(path).map_err(failed)?;
    Ok(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let bridge = Arc::clone(&bridge);
                    tokio::spawn(async move {
                        if let Err(error) = answer(&bridge, stream).await {
                            tracing::debug!(%error, "a local request broke off");
                        }
                    });
                }
                Err(error) => {
                    // Out of descriptors, say: the next one may do.
                    tracing::warn!(%error, "a local request could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
}

/// Binds under a private name first, so that the socket is never open to others, not even for a moment.
fn bind_private(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let private = path.with_extension(format!("{}.new", std::process::id()));
    let listener = UnixListener::bind(&private)?;
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&private, path)?;
    Ok(listener)
}

async fn answer(bridge: &Bridge, stream: UnixStream) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut request = String::new();
    let mut reader = BufReader::new(reader.take(MAX_REQUEST));
    tokio::time::timeout(REQUEST_PATIENCE, reader.read_line(&mut request))
        .await
        .map_err(|_| std::io::ErrorKind::TimedOut)??;
    let verb = match serde_json::from_str(&request) {
        Ok(verb) => verb,
        Err(error) => {
            let message = format!(
                "The request is not understood ({error}); use the same version on both sides."
            );
            return say(
                &mut writer,
                &Line::Error {
                    kind: "invalid_input".to_owned(),
                    message,
                },
            )
            .await;
        }
    };
    let (progress, mut phases) = mpsc::unbounded_channel();
    let work = carry_out(bridge, verb, move |phase| {
        // Nobody to tell once the connection is gone.
        let _ = progress.send(phase);
    });
    tokio::pin!(work);
    let last = loop {
        tokio::select! {
            biased;
            Some(phase) = phases.recv() => say(&mut writer, &Line::Progress(phase)).await?,
            line = &mut work => break line,
            // Nothing more is to be said there: whoever asked has gone, and with the work the job is withdrawn.
            _ = reader.read_u8() => return Ok(()),
        }
    };
    while let Ok(phase) = phases.try_recv() {
        say(&mut writer, &Line::Progress(phase)).await?;
    }
    say(&mut writer, &last).await
}

async fn carry_out(bridge: &Bridge, verb: Verb, mut progress: impl FnMut(Phase) + Send) -> Line {
    let result = match verb {
        Verb::Encoders => Ok(Line::Encoders(Served::by(bridge))),
        Verb::Scan {
            encoder,
            card_wait_ms,
        } => bridge
            .scan(
                encoder.as_deref(),
                Duration::from_millis(card_wait_ms),
                &mut progress,
            )
            .await
            .map(Line::Scanned),
        Verb::Encode(wish) => bridge.encode(wish, &mut progress).await.map(Line::Encoded),
        Verb::Preview { wish, card_wait_ms } => {
            let card_wait = Duration::from_millis(card_wait_ms);
            let previewed = bridge.preview(wish, card_wait, &mut progress).await;
            previewed.map(Line::Previewed)
        }
    };
    result.unwrap_or_else(|RequestError { kind, message }| Line::Error { kind, message })
}

async fn say(writer: &mut (impl AsyncWriteExt + Unpin), line: &Line) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    writer.write_all(&text).await
}

/// A bridge that runs in another process.
pub struct Daemon {
    stream: UnixStream,
}

impl Daemon {
    /// Connects to the daemon at that socket; `None` when none runs there.
    ///
    /// # Errors
    /// When there is one but it may not be asked.
    pub async fn connect(path: &Path) -> Result<Option<Self>, SocketError> {
        use std::io::ErrorKind::{ConnectionRefused, NotFound};
        match UnixStream::connect(path).await {
            Ok(stream) => Ok(Some(Self { stream })),
            Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => Ok(None),
            Err(source) => Err(SocketError::System {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// All encoders that the daemon serves, and how its link is.
    ///
    /// # Errors
    /// When the daemon went away.
    pub async fn encoders(self) -> Result<Served, RequestError> {
        match self.ask(&Verb::Encoders, &mut |_| {}).await? {
            Line::Encoders(served) => Ok(served),
            other => Err(unexpected(other)),
        }
    }

    /// As [`Bridge::scan`].
    ///
    /// # Errors
    /// As [`Bridge::scan`], and when the daemon went away.
    pub async fn scan(
        self,
        encoder: Option<String>,
        card_wait: Duration,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<Found, RequestError> {
        let card_wait_ms = u64::try_from(card_wait.as_millis()).unwrap_or(u64::MAX);
        match self
            .ask(
                &Verb::Scan {
                    encoder,
                    card_wait_ms,
                },
                progress,
            )
            .await?
        {
            Line::Scanned(scanned) => Ok(scanned),
            other => Err(unexpected(other)),
        }
    }

    /// As [`Bridge::encode`].
    ///
    /// # Errors
    /// As [`Bridge::encode`], and when the daemon went away.
    pub async fn encode(
        self,
        wish: LocalEncode,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<Encoded, RequestError> {
        match self.ask(&Verb::Encode(wish), progress).await? {
            Line::Encoded(encoded) => Ok(encoded),
            other => Err(unexpected(other)),
        }
    }

    /// As [`Bridge::preview`].
    ///
    /// # Errors
    /// As [`Bridge::preview`], and when the daemon went away.
    pub async fn preview(
        self,
        wish: LocalEncode,
        card_wait: Duration,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<Preview, RequestError> {
        let card_wait_ms = u64::try_from(card_wait.as_millis()).unwrap_or(u64::MAX);
        let verb = Verb::Preview { wish, card_wait_ms };
        match self.ask(&verb, progress).await? {
            Line::Previewed(preview) => Ok(preview),
            other => Err(unexpected(other)),
        }
    }

    async fn ask(
        self,
        verb: &Verb,
        progress: &mut (dyn FnMut(Phase) + Send),
    ) -> Result<Line, RequestError> {
        let gone = |_| {
            RequestError {
            kind: "bridge_stopped".to_owned(),
            message: "The daemon went away before it answered; `cardbridge scan` tells what is on the card.".to_owned(),
        }
        };
        let (reader, mut writer) = self.stream.into_split();
        let mut text = serde_json::to_vec(verb).map_err(|error| gone(error.into()))?;
        text.push(b'\n');
        writer.write_all(&text).await.map_err(gone)?;
        let mut lines = BufReader::new(reader).lines();
        while let Some(line) = lines.next_line().await.map_err(gone)? {
            match serde_json::from_str(&line).map_err(|error| gone(error.into()))? {
                Line::Progress(phase) => progress(phase),
                Line::Error { kind, message } => return Err(RequestError { kind, message }),
                last => return Ok(last),
            }
        }
        Err(gone(std::io::ErrorKind::UnexpectedEof.into()))
    }
}

fn unexpected(line: Line) -> RequestError {
    RequestError {
        kind: "uncategorized_error".to_owned(),
        message: format!(
            "The daemon answered something else than was asked ({line:?}); use the same version on both sides."
        ),
    }
}

#[cfg(test)]
mod tests {
    use card::SiteKeys;

    use super::*;

    #[tokio::test]
    async fn whatever_is_no_socket_is_left_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let keys: SiteKeys = SiteKeys::new(card::KeyVersion::FIRST, card::SiteKey::new([1; 32]));
        let config = crate::Config {
            name: "Test".to_owned(),
            state_directory: folder.path().join("state"),
            socket: folder.path().join("site.key"),
            personalise_blank: true,
            discover: false,
            probing: encoder::Probing::Forbidden,
            hub: None,
            keys,
            encoders: Vec::new(),
        };
        std::fs::write(&config.socket, "precious").unwrap();
        let socket = config.socket.clone();
        let bridge = Bridge::start(config, encoder::Registry::new())
            .await
            .unwrap();
        let bridge = Arc::new(bridge);
        let refused = serve(Arc::clone(&bridge), &socket)
            .err()
            .unwrap()
            .to_string();
        assert!(refused.contains("is no socket"), "{refused}");
        assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");

        let free = folder.path().join("free.sock");
        let _first = serve(Arc::clone(&bridge), &free).unwrap();
        let _second = serve(Arc::clone(&bridge), &free).unwrap();
        bridge.stop().await;
    }
}
