//! The API's paths, one file per resource. A route takes a request apart, calls a transaction or reads, and puts the
//! answer under its response key.

mod action_attempts;
mod credentials;
mod encoders;
mod entrances;
mod events;
mod systems;
mod users;
mod workspaces;

use std::future::Future;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::handler::Handler;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter, get, patch, post};
use protocol::api::Pagination;
use serde::Serialize;
use serde_json::{Value, json};

use crate::core::Core;
use crate::error::ApiError;
use crate::link;
use crate::moment::Moment;
use crate::request::{self, Call};
use crate::resources::SYSTEM_IMAGE_PATH;

/// What a route gives.
type Answer = Result<Json<Value>, ApiError>;

/// All that the hub answers.
pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/workspaces/get", read(workspaces::get))
        .route("/workspaces/list", read(workspaces::list))
        .route("/acs/systems/get", read(systems::get))
        .route("/acs/systems/list", read(systems::list))
        .route("/acs/entrances/get", read(entrances::get))
        .route("/acs/entrances/list", read(entrances::list))
        .route("/acs/users/create", write(users::create))
        .route("/acs/users/get", read(users::get))
        .route("/acs/users/list", read(users::list))
        .route("/acs/credentials/create", write(credentials::create))
        .route("/acs/credentials/get", read(credentials::get))
        .route("/acs/credentials/list", read(credentials::list))
        .route("/acs/credentials/update", update(credentials::update))
        .route("/acs/credentials/delete", delete(credentials::delete))
        .route("/acs/encoders/get", read(encoders::get))
        .route("/acs/encoders/list", read(encoders::list))
        .route(
            "/acs/encoders/encode_credential",
            write(encoders::encode_credential),
        )
        .route(
            "/acs/encoders/scan_credential",
            write(encoders::scan_credential),
        )
        .route("/action_attempts/get", read(action_attempts::get))
        .route("/action_attempts/list", read(action_attempts::list))
        .route("/events/get", read(events::get))
        .route("/events/list", read(events::list))
        .route(
            "/health",
            get(health).post(health).fallback(only_get_and_post),
        )
        .route(SYSTEM_IMAGE_PATH, get(system_image).fallback(only_get))
        .route(protocol::link::PATH, get(link::connect).fallback(only_get))
        .fallback(no_such_path)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&core),
            request::check,
        ))
        .with_state(core)
}

/// Reads are answered with both methods.
fn read<H, T>(handler: H) -> MethodRouter<Arc<Core>>
where
    H: Handler<T, Arc<Core>>,
    T: 'static,
{
    get(handler.clone())
        .post(handler)
        .fallback(only_get_and_post)
}

/// What changes something is a POST.
fn write<H, T>(handler: H) -> MethodRouter<Arc<Core>>
where
    H: Handler<T, Arc<Core>>,
    T: 'static,
{
    post(handler).fallback(only_post)
}

/// An update is a POST or a PATCH.
fn update<H, T>(handler: H) -> MethodRouter<Arc<Core>>
where
    H: Handler<T, Arc<Core>>,
    T: 'static,
{
    patch(handler.clone())
        .post(handler)
        .fallback(only_patch_and_post)
}

/// A deletion is a POST or a DELETE.
fn delete<H, T>(handler: H) -> MethodRouter<Arc<Core>>
where
    H: Handler<T, Arc<Core>>,
    T: 'static,
{
    routing::delete(handler.clone())
        .post(handler)
        .fallback(only_delete_and_post)
}

async fn only_patch_and_post() -> ApiError {
    ApiError::MethodNotAllowed("PATCH,POST")
}

async fn only_delete_and_post() -> ApiError {
    ApiError::MethodNotAllowed("DELETE,POST")
}

async fn only_get_and_post() -> ApiError {
    ApiError::MethodNotAllowed("GET,POST")
}

async fn only_get() -> ApiError {
    ApiError::MethodNotAllowed("GET")
}

async fn only_post() -> ApiError {
    ApiError::MethodNotAllowed("POST")
}

async fn no_such_path() -> ApiError {
    ApiError::NoSuchPath
}

/// Whether the hub can read its database and the last write succeeded; needs no key.
async fn health(State(core): State<Arc<Core>>) -> Result<(StatusCode, Json<Value>), ApiError> {
    crate::store::workspaces::all(&mut *core.store.read().await?).await?;
    let is_ok = !core.store.write_health.is_failing();
    let (code, message, status, description) = if is_ok {
        (
            StatusCode::OK,
            "I am healthy",
            "healthy",
            "The database can be read, and the last write succeeded.",
        )
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "I am not healthy",
            "down",
            "The database cannot be written. Look at the hub's disk and its log.",
        )
    };
    let body = json!({
        "ok": is_ok,
        "msg": message,
        "last_service_evaluation_at": protocol::api::Time::from(Moment::now()),
        "service_health_statuses": [
            { "service": "database", "status": status, "description": description },
        ],
    });
    Ok((code, Json(body)))
}

/// The picture of a site.
async fn system_image() -> Response {
    const IMAGE: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect x="8" y="36" width="48" height="18" rx="4" fill="#445"/><rect x="14" y="14" width="36" height="24" rx="3" fill="#7ab"/><rect x="19" y="20" width="8" height="6" rx="1" fill="#fd8"/></svg>"##;
    ([(header::CONTENT_TYPE, "image/svg+xml")], IMAGE).into_response()
}

/// One resource under its key.
fn one(key: &str, resource: &impl Serialize) -> Json<Value> {
    Json(json!({ key: resource, "ok": true }))
}

/// A success that has nothing to tell.
fn done() -> Json<Value> {
    Json(json!({ "ok": true }))
}

/// A list that comes whole.
fn list(key: &str, resources: &[impl Serialize]) -> Json<Value> {
    Json(json!({ key: resources, "ok": true }))
}

/// A page of a list.
fn page(key: &str, resources: &[impl Serialize], pagination: &Pagination) -> Json<Value> {
    Json(json!({ key: resources, "pagination": pagination, "ok": true }))
}

/// Runs to its end also when the client hangs up in between, so that what was committed is handed on.
async fn to_the_end<T, F>(work: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    tokio::spawn(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request ended in a panic");
        Err(ApiError::Internal)
    })
}

/// A parameter that was required and, since the input has no mistakes, is there.
fn present<T>(value: Option<T>) -> Result<T, ApiError> {
    value.ok_or(ApiError::Internal)
}

/// Whether one of these filters is given. They name things that do not exist here (spaces, customers, user identities),
/// so nothing can match them.
fn names_what_never_exists(call: &Call, filters: &[&str]) -> bool {
    filters
        .iter()
        .any(|filter| call.input.has(filter) && !call.input.is_null(filter))
}
