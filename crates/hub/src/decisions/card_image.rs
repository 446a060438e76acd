//! What of a credential goes on a card, and whether a card has it. Pure.

use protocol::link::{Credential, DoesNotFitFormat, ScannedCredential};

use crate::doors::{self, TooManyDoors};
use crate::store::credentials::{CardFunction, CredentialWithDoors};

/// Why a credential cannot go on any card. One that was made or changed went through here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotForACard {
    TooManyDoors(TooManyDoors),
    Format(DoesNotFitFormat),
}

/// A credential as it goes on a card: times cut to the minute, doors placed.
pub(crate) fn for_the_card(found: &CredentialWithDoors) -> Result<Credential, NotForACard> {
    let credential = &found.credential;
    let placing =
        doors::place(&found.doors(), credential.card_format).map_err(NotForACard::TooManyDoors)?;
    let image = Credential {
        acs_credential_id: credential.acs_credential_id.0,
        number: credential.number,
        format: placing.format.on_link(),
        function: match credential.card_function {
            CardFunction::Guest => protocol::link::CardFunction::Guest,
            CardFunction::Staff => protocol::link::CardFunction::Staff,
        },
        starts_at: credential.starts_at.to_the_minute().timestamp(),
        ends_at: credential
            .ends_at
            .map(|end| end.to_the_minute().timestamp()),
        issue_number: credential.issue_number,
        first_room: placing.first_room,
        room_count: placing.room_count,
        common_doors: placing.common_doors,
        additional_doors: placing.additional_doors,
    };
    image.check().map_err(NotForACard::Format)?;
    Ok(image)
}

/// Whether a card that was read with this credential would be written differently now. Which doors lie in which field
/// does not count: a lock sees the doors.
pub(crate) fn is_out_of_date(read: &ScannedCredential, known: &CredentialWithDoors) -> bool {
    let Ok(image) = for_the_card(known) else {
        return true;
    };
    let on_card = doors::read(
        read.first_room,
        read.room_count,
        &read.common_doors,
        &read.additional_doors,
    );
    on_card != known.doors().into_iter().collect()
        || (read.format, read.function) != (image.format, image.function)
        || (read.starts_at, read.ends_at) != (image.starts_at, image.ends_at)
        || read.issue_number != image.issue_number
}
