//! Errors of the API and the one envelope that they leave in (facts: "HTTP conventions").
//!
//! State failures of encoders and cards are no HTTP errors but the ends of action attempts.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::issue_number::NoIssueNumber;
use crate::transactions::begin::Refusal;
use crate::transactions::not_granted::NotGranted;

/// Why a request was not done. It changed nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{message}")]
    InvalidInput {
        message: String,
        /// By parameter, dotted for inner ones.
        issues: BTreeMap<String, Vec<String>>,
    },
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error("{0}")]
    Forbidden(&'static str),
    /// Of no resource of this workspace.
    #[error("{resource} not found")]
    NotFound {
        resource: &'static str,
        data: Map<String, Value>,
    },
    #[error("there is no such path; see docs/api.md for those that are answered")]
    NoSuchPath,
    #[error("only {0} accepted")]
    MethodNotAllowed(&'static str),
    #[error("{message}")]
    Conflict { kind: &'static str, message: String },
    #[error("the request body is larger than 1 MiB")]
    TooLarge,
    #[error("the request body did not come in time")]
    TooSlow,
    #[error("the hub failed; try again, and look at its log for this request id")]
    Internal,
}

impl ApiError {
    /// One thing that is wrong with one parameter.
    pub(crate) fn invalid(parameter: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::InvalidInput {
            issues: BTreeMap::from([(parameter.to_owned(), vec![message.clone()])]),
            message,
        }
    }

    /// Something wrong with the request as a whole.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::InvalidInput {
            message: message.into(),
            issues: BTreeMap::new(),
        }
    }

    /// No such resource here; `resource` is its name in the contract.
    pub(crate) fn not_found(resource: &'static str, id: impl ToString) -> Self {
        let data = Map::from_iter([(format!("{resource}_id"), json!(id.to_string()))]);
        Self::NotFound { resource, data }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidInput { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound { .. } | Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn kind(&self) -> String {
        match self {
            Self::InvalidInput { .. } => "invalid_input".to_owned(),
            Self::Unauthorized(_) => "unauthorized".to_owned(),
            Self::Forbidden(_) => "forbidden".to_owned(),
            Self::NotFound { resource, .. } => format!("{resource}_not_found"),
            Self::NoSuchPath => "not_found".to_owned(),
            Self::MethodNotAllowed(_) => "method_not_allowed".to_owned(),
            Self::Conflict { kind, .. } => (*kind).to_owned(),
            Self::TooLarge => "payload_too_large".to_owned(),
            Self::TooSlow => "request_timeout".to_owned(),
            Self::Internal => "internal_server_error".to_owned(),
        }
    }

    /// The response with its envelope.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let mut error = json!({
            "type": self.kind(),
            "message": self.to_string(),
            "request_id": request_id,
        });
        match self {
            Self::InvalidInput { issues, .. } => error["validation_errors"] = nested(issues),
            Self::NotFound { data, .. } => error["data"] = Value::Object(data.clone()),
            _ => {}
        }
        let body = Json(json!({ "error": error, "ok": false }));
        let mut response = (self.status(), body).into_response();
        if let Self::MethodNotAllowed(methods) = self {
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

/// The shape that zod gives: `{"_errors": [], "a": {"_errors": ["Required"], "b": …}}`.
fn nested(issues: &BTreeMap<String, Vec<String>>) -> Value {
    let mut root = json!({ "_errors": [] });
    for (path, messages) in issues {
        let mut place = &mut root;
        for part in path.split('.') {
            place = &mut place[part];
            if place.is_null() {
                *place = json!({ "_errors": [] });
            }
        }
        place["_errors"] = json!(messages);
    }
    root
}

/// The envelope needs the request's id, which the outermost layer knows: it renders what it finds here.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the database failed");
        Self::Internal
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let conflict = |kind| Self::Conflict {
            kind,
            message: refusal.to_string(),
        };
        match refusal {
            Refusal::EncoderNotFound(id) => Self::not_found("acs_encoder", id),
            Refusal::CredentialNotFound(id) => Self::not_found("acs_credential", id),
            Refusal::OtherSite => Self::invalid("acs_credential_id", refusal.to_string()),
            Refusal::Busy => conflict("encoder_busy"),
            Refusal::EncodingElsewhere => conflict("credential_encoding_in_progress"),
            Refusal::Database(error) => error.into(),
        }
    }
}

/// The field of a refusal of the issue number rule.
fn field_of(refusal: &NoIssueNumber) -> &'static str {
    match refusal {
        NoIssueNumber::DeletedStay
        | NoIssueNumber::VoidStay
        | NoIssueNumber::SeveralStays
        | NoIssueNumber::StayOver
        | NoIssueNumber::StaffInStay
        | NoIssueNumber::NothingToJoin => "visionline_metadata.joiner_acs_credential_ids",
        NoIssueNumber::NoStayCoversDoors(_) => "visionline_metadata.auto_join",
        NoIssueNumber::DoorsBeyondStay(_) => "allowed_acs_entrance_ids",
        NoIssueNumber::OutOfRange
        | NoIssueNumber::StartsBeforeStay(_)
        | NoIssueNumber::LocksOutNextStay(_)
        | NoIssueNumber::JoinerEndsBefore
        | NoIssueNumber::Overridden => "starts_at",
    }
}

impl From<NotGranted> for ApiError {
    fn from(refusal: NotGranted) -> Self {
        let message = refusal.to_string();
        let about = |field: &str| Self::invalid(field, format!("{field}: {message}"));
        match refusal {
            NotGranted::DoesNotFit { .. } => about("allowed_acs_entrance_ids"),
            NotGranted::OutsideCalendar(field) => about(field),
            NotGranted::EndsBeforeStart => Self::invalid("ends_at", message),
            NotGranted::NoIssueNumber(refusal)
            | NotGranted::NoIssueNumberForDoors { refusal, .. } => about(field_of(&refusal)),
            NotGranted::JoinedNotFound(id) => Self::not_found("acs_credential", id),
            NotGranted::JoinedElsewhere(_) => {
                about("visionline_metadata.joiner_acs_credential_ids")
            }
            NotGranted::NumbersUsedUp => Self::Conflict {
                kind: "credential_numbers_used_up",
                message,
            },
            NotGranted::Database(error) => error.into(),
        }
    }
}
