//! How jobs end, in the words of the API: the one place where the failures of encoders and cards get their names.

use card::{CommandKind, Refusal};
use encoder::{Certainty, ErrorKind};
use protocol::link::{AttemptError, OfferRefusal, Outcome};

use super::event::NotIssued;
use super::job::Job;
use crate::error_text::sentence;

const NO_CARD: &str = "no_card_on_encoder";
const INCOMPATIBLE: &str = "incompatible_card_format";
const INTERRUPTED: &str = "encoding_interrupted";
const EXPIRED: &str = "action_attempt_expired";
const OFFLINE: &str = "encoder_not_online";
const TIMEOUT: &str = "encoder_communication_timeout";
const DISCONNECTED: &str = "bridge_disconnected";
const BUSY: &str = "encoder_busy";
const OTHER: &str = "uncategorized_error";

fn error(kind: &str, message: impl Into<String>) -> AttemptError {
    AttemptError {
        kind: kind.to_owned(),
        message: message.into(),
    }
}

fn unwritten(kind: &str, message: impl Into<String>) -> Outcome {
    Outcome::Unwritten {
        error: error(kind, message),
    }
}

/// The encoder failed before anything of the credential was written.
pub(super) fn failed(kind: ErrorKind, job: &Job) -> Outcome {
    Outcome::Unwritten {
        error: encoder_error(kind, job),
    }
}

/// The encoder failed after the first byte of the credential.
pub(super) fn in_doubt(uid: card::Uid, error: AttemptError) -> Outcome {
    let AttemptError { kind, message } = error;
    let message = format!(
        "{message} Whether the card was written is not known: put the same card on again and encode it again."
    );
    Outcome::Unknown {
        uid: Some(uid.to_string()),
        error: AttemptError { kind, message },
    }
}

/// A lock server made no card, or nobody knows whether it did.
pub(super) fn not_issued(failure: &NotIssued, job: &Job) -> Outcome {
    let mut error = encoder_error(failure.kind, job);
    let server_says = matches!(failure.kind, ErrorKind::Refused | ErrorKind::ServerFailed);
    if let (true, Some(cause)) = (server_says, &failure.cause) {
        error.message = sentence(&format!("{}: {cause}", failure.kind));
    }
    match failure.certainty {
        Certainty::Unwritten => denied(error),
        Certainty::Unknown => order_in_doubt(error),
    }
}

/// Something failed after the order had gone to the lock server, or may have.
pub(super) fn order_in_doubt(error: AttemptError) -> Outcome {
    let AttemptError { kind, message } = error;
    let message = format!("{message} {ORDER_IN_DOUBT}");
    Outcome::Unknown {
        uid: None,
        error: AttemptError { kind, message },
    }
}

const ORDER_IN_DOUBT: &str = "Whether the lock server made a card is not known: put the card aside, delete the \
                              credential, and make a new one that overrides it.";

/// What an encoder's failure is called.
pub(super) fn encoder_error(kind: ErrorKind, job: &Job) -> AttemptError {
    let name = match kind {
        ErrorKind::NoCard => NO_CARD,
        // The scan's errors have no name for an interruption.
        ErrorKind::CardGone if job.is_scan() => NO_CARD,
        ErrorKind::CardGone => INTERRUPTED,
        ErrorKind::SeveralCards | ErrorKind::Protocol => OTHER,
        ErrorKind::Cancelled => EXPIRED,
        ErrorKind::Absent | ErrorKind::Held | ErrorKind::NotPermitted => OFFLINE,
        ErrorKind::Unresponsive => TIMEOUT,
        ErrorKind::Unsupported | ErrorKind::NoRawFrames | ErrorKind::UnusableCard
            if job.is_scan() =>
        {
            OTHER
        }
        ErrorKind::Unsupported | ErrorKind::NoRawFrames | ErrorKind::UnusableCard => INCOMPATIBLE,
        ErrorKind::Busy | ErrorKind::Refused | ErrorKind::ServerFailed => OTHER,
    };
    error(name, sentence(&kind.to_string()))
}

/// The card needs commands that its encoder does not translate.
pub(super) fn untranslated(kind: CommandKind, job: &Job) -> Outcome {
    let kind = match kind {
        // Every encoder finds such cards; what some lack is a way to send them their own commands.
        CommandKind::Type2 => ErrorKind::NoRawFrames,
        CommandKind::Classic | CommandKind::Iso | CommandKind::Reselect => ErrorKind::Unsupported,
    };
    failed(kind, job)
}

/// What a card's refusal is called.
pub(super) fn card_error(refusal: &Refusal) -> AttemptError {
    let name = match refusal {
        Refusal::Unsupported { .. }
        | Refusal::Foreign { .. }
        | Refusal::BlankNotAllowed
        | Refusal::WornOut
        | Refusal::DoesNotFit { .. } => INCOMPATIBLE,
        Refusal::Swapped | Refusal::CardRefused { .. } => INTERRUPTED,
        _ => OTHER,
    };
    error(name, sentence(&refusal.to_string()))
}

pub(super) fn refused(refusal: &Refusal) -> Outcome {
    Outcome::Unwritten {
        error: card_error(refusal),
    }
}

pub(super) fn denied(error: AttemptError) -> Outcome {
    Outcome::Unwritten { error }
}

pub(super) fn expired() -> Outcome {
    unwritten(
        EXPIRED,
        "The time of this request was over before its turn came; ask again.",
    )
}

pub(super) fn cancelled() -> Outcome {
    unwritten(
        EXPIRED,
        "The request was withdrawn before anything was written.",
    )
}

pub(super) fn queue_full() -> Outcome {
    unwritten(
        BUSY,
        "Too many jobs wait for this encoder already; try again later.",
    )
}

/// The end of a job that was not taken in.
pub(super) fn offer_refused(reason: OfferRefusal) -> Outcome {
    match reason {
        OfferRefusal::QueueFull => queue_full(),
        OfferRefusal::PastDeadline => expired(),
        OfferRefusal::JournalFailed => journal_failed(),
        OfferRefusal::EncoderAbsent => unwritten(
            OFFLINE,
            "The encoder is not there; check its cable and its power.",
        ),
        OfferRefusal::InvalidCredential => unwritten(
            INCOMPATIBLE,
            "The credential cannot be expressed on a card; make another one.",
        ),
        OfferRefusal::StaleFence | OfferRefusal::ForbiddenByPolicy | OfferRefusal::Other => {
            unwritten(OTHER, "This PC did not take the request; ask again.")
        }
    }
}

pub(super) fn no_grant() -> Outcome {
    unwritten(
        DISCONNECTED,
        "The hub did not answer in time, so nothing was written; try again when the connection is back.",
    )
}

pub(super) fn too_slow() -> Outcome {
    unwritten(
        OTHER,
        "This PC was too slow to begin writing in time, so nothing was written; try again.",
    )
}

pub(super) fn journal_failed() -> Outcome {
    unwritten(
        OTHER,
        "This PC could not write its journal (is the disk full?), so nothing was written to the card.",
    )
}

pub(super) fn overdue() -> AttemptError {
    error(
        TIMEOUT,
        "Writing the card took too long and was broken off.",
    )
}

/// The end of a job that a restart found accepted, with nothing granted.
#[must_use]
pub fn lost_by_restart(is_scan: bool) -> Outcome {
    let name = if is_scan { OTHER } else { INTERRUPTED };
    unwritten(
        name,
        "The bridge was restarted before anything was written; try again.",
    )
}

/// The end of a job that a restart found in the middle of writing that card; `None` when a lock server had, or was about
/// to get, the order.
#[must_use]
pub fn interrupted_by_restart(uid: Option<String>) -> Outcome {
    if uid.is_none() {
        let message = "The bridge was restarted while a lock server was making a card.";
        return order_in_doubt(error(INTERRUPTED, message));
    }
    Outcome::Unknown {
        uid,
        error: error(
            INTERRUPTED,
            "The bridge was restarted in the middle of writing. Whether the card was written is not known: \
             put the same card on again and encode it again.",
        ),
    }
}
