//! The errors that the hub itself gives to action attempts: names of the API (DESIGN §8), sentences for the desk.
//! The bridge's own errors pass through as they come.

use protocol::link::{AttemptError, OfferRefusal};

use crate::decisions::card_order::NotForAServer;
use crate::decisions::site_keys::SiteKeys;
use crate::moment::Moment;

fn error(kind: &str, message: impl Into<String>) -> AttemptError {
    AttemptError {
        kind: kind.to_owned(),
        message: message.into(),
    }
}

pub(crate) fn bridge_disconnected() -> AttemptError {
    error(
        "bridge_disconnected",
        "The encoder PC is not connected to the hub. Check that it is on, that cardbridge runs there and that it has a \
         network, then try again.",
    )
}

pub(crate) fn request_abandoned() -> AttemptError {
    error(
        "bridge_disconnected",
        "The encoder PC lost its connection before it had taken the card's job, so nothing was written. Ask for the card \
         again.",
    )
}

pub(crate) fn encoder_not_online(reason: Option<&str>) -> AttemptError {
    error(
        "encoder_not_online",
        match reason {
            Some(reason) => format!("The encoder is not ready. {reason}"),
            None => "The encoder is not ready. Check its cable, then try again.".to_owned(),
        },
    )
}

pub(crate) fn expired_before_grant() -> AttemptError {
    error(
        "action_attempt_expired",
        "The encoder did not finish in time and nothing was written. Try again.",
    )
}

/// `uid` is `None` where a lock server was to make the card.
pub(crate) fn expired_after_grant(uid: Option<&str>) -> AttemptError {
    let message = match uid {
        Some(uid) => format!(
            "The encoder PC did not report in time whether card {uid} was written. Put the same card on the encoder and \
             encode again."
        ),
        None => "The encoder PC did not report in time whether the lock server made a card. If there is one, put it \
                 aside; delete the credential and create a new one that overrides it."
            .to_owned(),
    };
    error("action_attempt_expired", message)
}

pub(crate) fn attempt_over() -> AttemptError {
    error(
        "action_attempt_expired",
        "The attempt has already ended. Try again.",
    )
}

pub(crate) fn attempt_unknown() -> AttemptError {
    error(
        "uncategorized_error",
        "The hub does not know this attempt for this encoder. Start a new one.",
    )
}

pub(crate) fn ask_changed() -> AttemptError {
    error(
        "encoding_interrupted",
        "The card was exchanged for another one while it was being encoded. Start again and leave one card on the encoder.",
    )
}

/// `held_uid` is the card that may be encoded again; `None` where a lock server made one or is to make one.
pub(crate) fn cannot_be_reissued(held_uid: Option<&str>) -> AttemptError {
    let message = match held_uid {
        Some(uid) => format!(
            "This credential belongs to card {uid}. Put that card on the encoder, or create a new credential for this \
             card."
        ),
        None => "This credential has a card already, or may have one, and a lock server makes each card once. Create a \
                 new credential for this card."
            .to_owned(),
    };
    error("credential_cannot_be_reissued", message)
}

pub(crate) fn not_for_a_lock_server(why: &NotForAServer) -> AttemptError {
    let text = why.to_string();
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let message: String = first.chain(letters).chain(['.']).collect();
    error("uncategorized_error", message)
}

pub(crate) fn not_of_this_server(uid: Option<&str>) -> AttemptError {
    let card = uid.map_or_else(|| "This card".to_owned(), |uid| format!("Card {uid}"));
    error(
        "uncategorized_error",
        format!(
            "{card} was not made by this lock server, or cannot be read; what it holds is not known here."
        ),
    )
}

pub(crate) fn card_in_other_hands() -> AttemptError {
    error(
        "uncategorized_error",
        "An earlier attempt on this card has not reported how it ended. Wait until its encoder PC is connected again, or \
         use another card.",
    )
}

/// Why a bridge with such site keys may not encode; `None` when it may.
pub(crate) fn site_keys(keys: SiteKeys) -> Option<AttemptError> {
    match keys {
        SiteKeys::Newest => None,
        SiteKeys::Differ => Some(error(
            "uncategorized_error",
            "The encoder PC has another site key than the rest of this site, so its cards would not open the doors. Give \
             it the site's key file, with all versions that are in use.",
        )),
        SiteKeys::Behind { has, newest } => Some(error(
            "uncategorized_error",
            format!(
                "The encoder PC writes cards with version {has} of the site key, and `cardbridge keys roll` has brought \
                 this site to version {newest}. Copy the key file from a PC that has version {newest} and restart \
                 cardbridge there."
            ),
        )),
    }
}

pub(crate) fn credential_ended(ended_at: Moment) -> AttemptError {
    error(
        "uncategorized_error",
        format!(
            "The credential ended at {}. Create a new one.",
            protocol::api::Time::from(ended_at)
        ),
    )
}

pub(crate) fn credential_deleted() -> AttemptError {
    error(
        "credential_deleted",
        "The credential was deleted and can no longer be encoded. Create a new one.",
    )
}

pub(crate) fn written_without_leave() -> AttemptError {
    error(
        "uncategorized_error",
        "The encoder PC reported a card that it had no leave to write. Put the card aside and tell whoever looks after \
         the system.",
    )
}

pub(crate) fn wrong_report() -> AttemptError {
    error(
        "uncategorized_error",
        "The encoder PC reported another kind of result than was asked for. Install one version of cardbridge everywhere.",
    )
}

pub(crate) fn foreign_card(uid: &str, technology: &str) -> AttemptError {
    error(
        "uncategorized_error",
        format!(
            "Card {uid} ({technology}) was not made for this site, or somebody else's data is on it; what it holds cannot \
             be read here."
        ),
    )
}

pub(crate) fn unsupported_card(uid: &str, technology: &str) -> AttemptError {
    error(
        "uncategorized_error",
        format!(
            "Card {uid} ({technology}) is of a kind that cannot hold a credential here. Use another card."
        ),
    )
}

/// What a refused offer becomes.
pub(crate) fn refused(reason: OfferRefusal) -> AttemptError {
    match reason {
        OfferRefusal::PastDeadline => expired_before_grant(),
        OfferRefusal::EncoderAbsent => encoder_not_online(None),
        OfferRefusal::StaleFence => error(
            "uncategorized_error",
            "The encoder PC has already seen newer attempts than this one. Try again.",
        ),
        OfferRefusal::QueueFull => error(
            "uncategorized_error",
            "Too many cards wait at this encoder. Try again when it is free.",
        ),
        OfferRefusal::ForbiddenByPolicy => error(
            "uncategorized_error",
            "The policy of the encoder PC does not allow this credential. Ask whoever set it up.",
        ),
        OfferRefusal::InvalidCredential => error(
            "uncategorized_error",
            "This credential does not fit on a card. Create one with fewer doors or another time.",
        ),
        OfferRefusal::JournalFailed => error(
            "uncategorized_error",
            "The encoder PC cannot write its journal. Check its disk.",
        ),
        OfferRefusal::Other => error(
            "uncategorized_error",
            "The encoder PC refused the attempt. Look at its log.",
        ),
    }
}
