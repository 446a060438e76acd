//! The lab over HTTP on loopback: the table of verbs and nothing else. Every refusal is JSON.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use emulator::{MemoryError, Options};
use jiff::Timestamp;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::disturb::{self, FaultShape, TimingShape};
use super::request::{
    JsonBody, LARGEST_BODY, Parameters, Problem, RawBody, Segment, local_only, uid,
};
use super::shapes::{EncoderShape, LogShape, PlaceCard, RemoveCard, ShowToLock};
use super::{Lab, LabError};
use crate::locks::{Decision, LockError, Locks};

/// How long requests under way may go on once the lab is told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// What the routes work on.
#[derive(Clone)]
struct Bench {
    lab: Lab,
    locks: Option<Locks>,
}

/// Serves a lab, and the locks of a site where there is one, until `shutdown` is ready.
///
/// # Errors
/// The listener is not on loopback, or it failed.
pub async fn serve(
    listener: TcpListener,
    lab: Lab,
    locks: Option<Locks>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    if !listener.local_addr()?.ip().is_loopback() {
        let why =
            "the lab has no passwords and is served on loopback only; listen on 127.0.0.1 or ::1";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        shutdown.await;
        let _ = stopping.send(());
    };
    let served = axum::serve(listener, routes(lab, locks)).with_graceful_shutdown(stop);
    tokio::select! {
        result = async { served.await } => result,
        () = async { let _ = stopped.await; tokio::time::sleep(GRACE).await } => Ok(()),
    }
}

fn routes(lab: Lab, locks: Option<Locks>) -> Router {
    Router::new()
        .route("/encoders", get(encoders))
        .route("/encoders/{name}/card", put(place).delete(remove))
        .route("/encoders/{name}/unplug", post(unplug))
        .route("/encoders/{name}/plug", post(plug))
        .route("/encoders/{name}/faults", put(set_faults))
        .route("/encoders/{name}/timing", put(set_timing))
        .route("/encoders/{name}/log", get(log))
        .route("/cards/{uid}/memory", get(memory).put(set_memory))
        .route("/locks/{entrance_id}/decision", get(decision))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn(local_only))
        .with_state(Bench { lab, locks })
}

async fn no_such_route() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "the lab has no such path; see `cardbridge lab --help` for those it has",
    )
}

async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path has other methods; see the header `Allow`",
    )
}

async fn encoders(State(bench): State<Bench>) -> Json<Vec<EncoderShape>> {
    Json(
        bench
            .lab
            .encoders()
            .into_iter()
            .map(EncoderShape::from)
            .collect(),
    )
}

async fn place(
    State(bench): State<Bench>,
    Segment(name): Segment,
    JsonBody(card): JsonBody<PlaceCard>,
) -> Result<Json<EncoderShape>, Problem> {
    let technology = card
        .technology
        .map(|name| name.parse().map_err(|_| LabError::UnsupportedTechnology))
        .transpose()?;
    let uid = card.uid.as_deref().map(uid).transpose()?;
    let options = if card.random_uid {
        Options::default().with_random_uid()
    } else {
        Options::default()
    };
    let made = if card.beside {
        bench
            .lab
            .place_beside(&name, technology, uid, card.foreign, &options)
    } else {
        bench
            .lab
            .place_made(&name, technology, uid, card.foreign, &options)
    };
    made?;
    Ok(Json(bench.lab.encoder(&name)?.into()))
}

async fn remove(
    State(bench): State<Bench>,
    Segment(name): Segment,
    Parameters(RemoveCard { after_exchanges }): Parameters<RemoveCard>,
) -> Result<Json<EncoderShape>, Problem> {
    match after_exchanges {
        None => bench.lab.remove(&name)?,
        Some(exchanges) => bench.lab.remove_after_exchanges(&name, exchanges)?,
    }
    Ok(Json(bench.lab.encoder(&name)?.into()))
}

async fn unplug(
    State(bench): State<Bench>,
    Segment(name): Segment,
) -> Result<Json<EncoderShape>, Problem> {
    off_the_runtime(move || {
        bench.lab.unplug(&name)?;
        bench.lab.encoder(&name)
    })
    .await
}

async fn plug(
    State(bench): State<Bench>,
    Segment(name): Segment,
) -> Result<Json<EncoderShape>, Problem> {
    off_the_runtime(move || {
        bench.lab.plug(&name)?;
        bench.lab.encoder(&name)
    })
    .await
}

/// Runs what waits for a device's thread where waiting harms nobody.
async fn off_the_runtime(
    verb: impl FnOnce() -> Result<super::EncoderView, LabError> + Send + 'static,
) -> Result<Json<EncoderShape>, Problem> {
    let view = tokio::task::spawn_blocking(verb)
        .await
        .map_err(|_| went_wrong())??;
    Ok(Json(view.into()))
}

async fn set_faults(
    State(bench): State<Bench>,
    Segment(name): Segment,
    JsonBody(shapes): JsonBody<Vec<FaultShape>>,
) -> Result<Json<Vec<FaultShape>>, Problem> {
    let faults = disturb::faults(&shapes).map_err(LabError::from)?;
    bench.lab.set_faults(&name, faults)?;
    Ok(Json(shapes))
}

async fn set_timing(
    State(bench): State<Bench>,
    Segment(name): Segment,
    JsonBody(shape): JsonBody<TimingShape>,
) -> Result<Json<TimingShape>, Problem> {
    bench.lab.set_timing(&name, shape.clone().into())?;
    Ok(Json(shape))
}

async fn log(
    State(bench): State<Bench>,
    Segment(name): Segment,
) -> Result<Json<LogShape>, Problem> {
    let log = bench.lab.log(&name)?;
    Ok(Json(LogShape::of(&log, bench.lab.faults(&name)?)))
}

async fn memory(
    State(bench): State<Bench>,
    Segment(text): Segment,
) -> Result<impl IntoResponse, Problem> {
    let card = bench.lab.card(uid(&text)?)?;
    if card.technology().has_files() {
        return Err(LabError::from(MemoryError::NoImage(card.technology())).into());
    }
    Ok(octets(card.memory()))
}

async fn set_memory(
    State(bench): State<Bench>,
    Segment(text): Segment,
    RawBody(image): RawBody,
) -> Result<impl IntoResponse, Problem> {
    let card = bench.lab.card(uid(&text)?)?;
    card.set_memory(&image).map_err(LabError::from)?;
    Ok(octets(card.memory()))
}

fn octets(image: impl Into<Bytes>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/octet-stream")],
        image.into(),
    )
}

async fn decision(
    State(bench): State<Bench>,
    Segment(entrance): Segment,
    Parameters(shown): Parameters<ShowToLock>,
) -> Result<Json<Decision>, Problem> {
    let locks = bench.locks.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "lock_not_found",
            "this lab runs without a site and has no locks; `cardbridge demo` has both",
        )
    })?;
    let entrance: Uuid = entrance
        .parse()
        .map_err(|_| Problem::invalid_request("the id of an entrance is a UUID"))?;
    let card = bench.lab.card(uid(&shown.uid)?)?;
    let at = shown.at.unwrap_or_else(Timestamp::now);
    tracing::debug!(%entrance, uid = shown.uid, commit = shown.commit, "a card is shown to a lock");
    match locks.decide(entrance, &card, at, shown.commit) {
        Ok(decision) => Ok(Json(decision)),
        Err(error @ LockError::UnknownEntrance) => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "lock_not_found",
            error.to_string(),
        )),
    }
}

fn went_wrong() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_error",
        "the lab failed at this; its log on stderr says more",
    )
}
