//! HTTP connections: each gets a task, a bounded time for the head of each request, and an end with the hub. Knows nothing
//! of what is answered.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// How many connections are held at once; more wait until one ends. Links, which showed a token, are not among them.
const MOST_CONNECTIONS: usize = 12_000;
/// How long no connection is taken after one could not be, because the process has too many files open for example.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Answers until `shutdown` is ready, then takes no more connections and ends when the last request has its answer.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    head_limit: Duration,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (close, closing) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, place) = next(&listener, &places) => {
                let answering = answer(stream, router.clone(), head_limit, closing.clone());
                connections.spawn(async move {
                    answering.await;
                    drop(place);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    drop(close);
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there is a place for it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // `None` only for a closed semaphore, and nobody closes it.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => accept_failed(&error).await,
        }
    }
}

async fn accept_failed(error: &io::Error) {
    if matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    ) {
        return;
    }
    tracing::error!(%error, "a connection could not be taken; trying again");
    tokio::time::sleep(AFTER_ERROR).await;
}

/// Answers the requests of one connection. A link leaves it and lives on in its own task.
async fn answer(
    stream: TcpStream,
    router: Router,
    head_limit: Duration,
    mut closing: watch::Receiver<()>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_limit)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // The sender says nothing: it is dropped when the hub closes.
        _ = closing.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
