//! What a scan answers: the card's side, the hub's side, and where they differ. Pure.

pub(crate) mod lock_server;

use std::collections::BTreeSet;

use protocol::api::{
    AcsCredential, CredentialOnEncoder, ScanResult, ScanWarning, ScannedVisionlineMetadata,
};
use protocol::link::{AttemptError, CardCondition, Scanned, ScannedCredential};
use uuid::Uuid;

use crate::attempt_error;
use crate::decisions::card_image;
use crate::doors::{self, Door};
use crate::moment::Moment;
use crate::resources;
use crate::store::credentials::{Credential, CredentialWithDoors};
use crate::store::entrances::Entrance;

/// A card of which nothing can be said: neither "empty" nor "holds this" would be true. The contract has no name for it,
/// so it is `uncategorized_error` (DESIGN §8).
pub(crate) fn refusal(scanned: &Scanned) -> Option<AttemptError> {
    match scanned.condition {
        CardCondition::Blank | CardCondition::Ours | CardCondition::Torn => None,
        CardCondition::Foreign => Some(attempt_error::foreign_card(
            &scanned.uid,
            &scanned.technology,
        )),
        CardCondition::Unsupported => Some(attempt_error::unsupported_card(
            &scanned.uid,
            &scanned.technology,
        )),
    }
}

/// The site's credential of the number on a card.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) credential: CredentialWithDoors,
    /// Whose it is.
    pub(crate) holder: Option<String>,
    /// How many cards of its stay were issued.
    pub(crate) issued_cards: u32,
}

/// What the hub knows of a card that was scanned.
#[derive(Debug)]
pub(crate) struct Circumstances<'a> {
    /// The site's credential of the number on the card.
    pub(crate) known: Option<&'a Known>,
    /// Of a card without a credential: the one that was written on it last, or perhaps was.
    pub(crate) believed: Option<&'a CredentialWithDoors>,
    /// The site's doors.
    pub(crate) entrances: &'a [Entrance],
}

/// The result for a card that could be read.
pub(crate) fn result(scanned: &Scanned, state: &Circumstances<'_>, now: Moment) -> ScanResult {
    let Some(read) = &scanned.credential else {
        return without_credential(scanned, state.believed);
    };
    let on_encoder = on_encoder(&scanned.uid, read, state, now);
    let on_seam = state
        .known
        .filter(|known| !known.credential.credential.is_deleted())
        .map(|known| resources::credential(&known.credential));
    let warning = match &on_seam {
        Some(on_seam) => out_of_sync(&on_encoder, on_seam),
        None => Some(not_found(read, state.known.is_some())),
    };
    ScanResult {
        warnings: warning.into_iter().collect(),
        acs_credential_on_encoder: Some(on_encoder),
        acs_credential_on_seam: on_seam,
    }
}

/// A blank card is just that. One whose writing was interrupted should hold what the hub believes it to.
fn without_credential(scanned: &Scanned, believed: Option<&CredentialWithDoors>) -> ScanResult {
    let mut result = ScanResult {
        acs_credential_on_encoder: None,
        acs_credential_on_seam: None,
        warnings: Vec::new(),
    };
    if scanned.condition == CardCondition::Torn {
        let live = believed.filter(|believed| !believed.credential.is_deleted());
        result.acs_credential_on_seam = live.map(resources::credential);
        result.warnings.push(if live.is_some() {
            warning(
                OUT_OF_SYNC,
                "Writing this card was interrupted, so it opens no door. Put it on the encoder and encode the \
                 credential again.",
            )
        } else {
            warning(
                NOT_FOUND,
                "Writing this card was interrupted, so it opens no door, and the hub knows no credential that it \
                 should hold. Encode any credential on it.",
            )
        });
    }
    result
}

fn on_encoder(
    uid: &str,
    read: &ScannedCredential,
    state: &Circumstances<'_>,
    now: Moment,
) -> CredentialOnEncoder {
    let doors = doors::read(
        read.first_room,
        read.room_count,
        &read.common_doors,
        &read.additional_doors,
    );
    let ids = |is_wanted: fn(&Door) -> bool| -> Vec<Uuid> {
        state
            .entrances
            .iter()
            .filter(|entrance| is_wanted(&entrance.door()) && doors.contains(&entrance.door()))
            .map(|entrance| entrance.acs_entrance_id.0)
            .collect()
    };
    let known = state.known.map(|known| &known.credential);
    let is = |flag: fn(&Credential) -> bool| known.is_some_and(|known| flag(&known.credential));
    CredentialOnEncoder {
        card_number: Some(uid.to_owned()),
        created_at: None,
        is_issued: Some(true),
        starts_at: Some(Moment::from(read.starts_at).into()),
        ends_at: read.ends_at.map(|end| Moment::from(end).into()),
        lock_server_metadata: None,
        visionline_metadata: Some(ScannedVisionlineMetadata {
            card_format: read.format.name().to_owned(),
            card_holder: state.known.and_then(|known| known.holder.clone()),
            card_id: uid.to_owned(),
            number_of_issued_cards: state.known.map_or(1, |known| known.issued_cards.max(1)),
            guest_acs_entrance_ids: ids(|door| matches!(door, Door::Guest(_))),
            common_acs_entrance_ids: ids(|door| matches!(door, Door::Common(_))),
            expired: read.ends_at.is_some_and(|end| Moment::from(end) <= now),
            overridden: is(|credential| credential.is_overridden),
            overwritten: is(|credential| credential.is_overwritten),
            cancelled: is(Credential::is_deleted),
            discarded: is(|credential| credential.is_discarded),
            pending_auto_update: known.is_some_and(|known| {
                !known.credential.is_deleted() && card_image::is_out_of_date(read, known)
            }),
        }),
    }
}

const NOT_FOUND: &str = "acs_credential_on_seam_not_found";
const OUT_OF_SYNC: &str = "acs_credential_on_encoder_out_of_sync";
/// The numbers from here on are given at encoder PCs without a hub (DESIGN §5).
const FIRST_STANDALONE_NUMBER: u32 = 0x8000_0000;

fn warning(code: &str, message: impl Into<String>) -> ScanWarning {
    ScanWarning {
        warning_code: code.to_owned(),
        warning_message: message.into(),
    }
}

fn not_found(read: &ScannedCredential, is_deleted: bool) -> ScanWarning {
    let number = read.number;
    let why = if is_deleted {
        "which was deleted. Encode another credential on the card"
    } else if number >= FIRST_STANDALONE_NUMBER {
        "which was made at an encoder PC without this hub"
    } else {
        "which the hub does not know"
    };
    let message = format!("The card holds credential {number} of this site, {why}.");
    warning(NOT_FOUND, message)
}

fn out_of_sync(on_encoder: &CredentialOnEncoder, on_seam: &AcsCredential) -> Option<ScanWarning> {
    let metadata = on_encoder.visionline_metadata.as_ref()?;
    // The issue number or the format: neither is a property of the hub's side.
    differ(&differing_properties(on_encoder, metadata, on_seam)).or_else(|| {
        metadata.pending_auto_update.then(|| {
            warning(
                OUT_OF_SYNC,
                "The card holds an older state of its credential. Encode the credential again on this card.",
            )
        })
    })
}

/// The warning that these properties differ, if there are any.
fn differ(properties: &[&str]) -> Option<ScanWarning> {
    let message = format!(
        "The following properties are out of sync between acs_credential_on_encoder and acs_credential_on_seam: {}",
        properties.join(", ")
    );
    (!properties.is_empty()).then(|| warning(OUT_OF_SYNC, message))
}

fn differing_properties(
    on_encoder: &CredentialOnEncoder,
    metadata: &ScannedVisionlineMetadata,
    on_seam: &AcsCredential,
) -> Vec<&'static str> {
    let minute = |time: protocol::api::Time| Moment::from(time.timestamp()).to_the_minute();
    let seam_metadata = &on_seam.visionline_metadata;
    let set = |ids: &[Uuid]| ids.iter().copied().collect::<BTreeSet<_>>();
    [
        ("card_number", on_encoder.card_number != on_seam.card_number),
        ("is_issued", on_encoder.is_issued != Some(on_seam.is_issued)),
        (
            "starts_at",
            on_encoder.starts_at.map(minute) != Some(minute(on_seam.starts_at)),
        ),
        (
            "ends_at",
            on_encoder.ends_at.map(minute) != on_seam.ends_at.map(minute),
        ),
        (
            "visionline_metadata.guest_acs_entrance_ids",
            set(&metadata.guest_acs_entrance_ids) != set(&seam_metadata.guest_acs_entrance_ids),
        ),
        (
            "visionline_metadata.common_acs_entrance_ids",
            set(&metadata.common_acs_entrance_ids) != set(&seam_metadata.common_acs_entrance_ids),
        ),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests;
