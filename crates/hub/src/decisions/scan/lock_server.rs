//! What a scan answers where a lock server reads the card: what the server says, and the hub's credential where the
//! server tells which card it is. Nothing that the server does not say is made up. Pure.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use protocol::api::{
    AcsCredential, CredentialOnEncoder, LockServerMetadata, ScanResult, ScanWarning,
};
use protocol::link::{AttemptError, ServerCard, ServerCardContent, ServerGuestCard};

use super::{NOT_FOUND, differ, warning};
use crate::attempt_error;
use crate::doors::DoorCategory;
use crate::moment::Moment;
use crate::resources;
use crate::store::credentials::CredentialWithDoors;
use crate::store::entrances::Entrance;

/// What the hub knows of a card that a lock server read.
#[derive(Debug)]
pub(crate) struct Circumstances<'a> {
    /// The credential that was made on this card last; none where the server does not tell which card it is.
    pub(crate) known: Option<&'a CredentialWithDoors>,
    /// The site's doors.
    pub(crate) entrances: &'a [Entrance],
    /// The site's time zone.
    pub(crate) time_zone: &'a TimeZone,
}

/// A card of which the server says nothing but that it is not its own.
pub(crate) fn refusal(card: &ServerCard) -> Option<AttemptError> {
    matches!(card.content, ServerCardContent::Unidentified)
        .then(|| attempt_error::not_of_this_server(card.uid.as_deref()))
}

/// The result for a card that the server knows.
pub(crate) fn result(card: &ServerCard, state: &Circumstances<'_>) -> ScanResult {
    let on_encoder = on_encoder(card, state);
    let known = state.known.filter(|known| !known.credential.is_deleted());
    let on_seam = known.map(resources::credential);
    let warnings = match (&card.content, known, &on_seam) {
        (ServerCardContent::Guest(guest), Some(known), Some(on_seam)) => {
            out_of_sync(guest, &on_encoder, known, on_seam, state.time_zone)
        }
        (ServerCardContent::Guest(_), ..) => Some(not_found(card)),
        _ => None,
    };
    ScanResult {
        acs_credential_on_encoder: Some(on_encoder),
        acs_credential_on_seam: on_seam,
        warnings: warnings.into_iter().collect(),
    }
}

fn on_encoder(card: &ServerCard, state: &Circumstances<'_>) -> CredentialOnEncoder {
    let guest = match &card.content {
        ServerCardContent::Guest(guest) => Some(guest),
        _ => None,
    };
    let instant = |time: Option<DateTime>| {
        let zoned = time?.to_zoned(state.time_zone.clone()).ok()?;
        Some(Moment::from(zoned.timestamp()).into())
    };
    let rooms = guest.map_or(&[][..], |guest| &guest.rooms);
    let is_room = |entrance: &&Entrance| {
        entrance.category == DoorCategory::Guest && rooms.contains(&entrance.name)
    };
    CredentialOnEncoder {
        card_number: card.uid.clone(),
        created_at: None,
        is_issued: guest.map(|_| true),
        starts_at: instant(guest.and_then(|guest| guest.starts_at)),
        ends_at: instant(guest.and_then(|guest| guest.ends_at)),
        visionline_metadata: None,
        lock_server_metadata: Some(LockServerMetadata {
            card_type: card.content.name().to_owned(),
            rooms: rooms.to_vec(),
            guest_acs_entrance_ids: state
                .entrances
                .iter()
                .filter(is_room)
                .map(|entrance| entrance.acs_entrance_id.0)
                .collect(),
            is_checked_in: guest.map(|guest| guest.is_checked_in),
            copy_number: guest.and_then(|guest| guest.copy),
            is_one_shot: guest.map(|guest| guest.is_one_shot),
            authorisations: guest.map_or_else(Vec::new, |guest| guest.granted.clone()),
            operator: guest.and_then(|guest| guest.operator.clone()),
        }),
    }
}

fn not_found(card: &ServerCard) -> ScanWarning {
    let message = match &card.uid {
        Some(uid) => format!("The hub knows no credential on card {uid}."),
        None => "The lock server does not tell which card this is, so the hub cannot say which credential is on it."
            .to_owned(),
    };
    warning(NOT_FOUND, message)
}

/// Times are compared as the lock server knows them, since in the night when clocks are set back one of its times means
/// two instants.
fn out_of_sync(
    guest: &ServerGuestCard,
    on_encoder: &CredentialOnEncoder,
    known: &CredentialWithDoors,
    on_seam: &AcsCredential,
    time_zone: &TimeZone,
) -> Option<ScanWarning> {
    let wall = |moment: Moment| time_zone.to_datetime(moment.to_the_minute().timestamp());
    let differs = |read: Option<DateTime>, granted: Option<Moment>| {
        read.is_some_and(|read| Some(read) != granted.map(wall))
    };
    let metadata = on_encoder.lock_server_metadata.iter();
    let read: BTreeSet<_> = metadata
        .flat_map(|metadata| &metadata.guest_acs_entrance_ids)
        .collect();
    let granted: BTreeSet<_> = on_seam
        .visionline_metadata
        .guest_acs_entrance_ids
        .iter()
        .collect();
    let credential = &known.credential;
    let differing: Vec<_> = [
        (
            "starts_at",
            differs(guest.starts_at, Some(credential.starts_at)),
        ),
        ("ends_at", differs(guest.ends_at, credential.ends_at)),
        ("guest_acs_entrance_ids", read != granted),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect();
    differ(&differing)
}

#[cfg(test)]
mod tests;
