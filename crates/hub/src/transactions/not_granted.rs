//! Why a credential is not created or not changed: what no card can hold, and what no issue number can say.

use protocol::link::DoesNotFitFormat;

use crate::doors::{self, CardFormat, Door, TooManyDoors};
use crate::id::CredentialId;
use crate::issue_number::{CARD_EPOCH_MINUTES, LAST_CARD_MINUTE, NoIssueNumber};
use crate::moment::Moment;
use crate::store::entrances::Entrance;

/// Why a credential was not created or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotGranted {
    #[error(
        "a card in {format} holds up to 33 consecutive rooms, the first 28 common doors of the site and {most} more \
         doors; of these {asked} doors it would hold {} ({}){remedy}",
        fitting.len(),
        fitting.join(", ")
    )]
    DoesNotFit {
        format: &'static str,
        most: usize,
        asked: usize,
        fitting: Vec<String>,
        remedy: &'static str,
    },
    /// With the field.
    #[error("{}", DoesNotFitFormat::Times)]
    OutsideCalendar(&'static str),
    #[error("ends_at must be at least a minute after starts_at; choose others")]
    EndsBeforeStart,
    #[error(transparent)]
    NoIssueNumber(NoIssueNumber),
    /// A refusal that is about some of the doors.
    #[error("{refusal}; it would take in {}", doors.join(", "))]
    NoIssueNumberForDoors {
        refusal: NoIssueNumber,
        doors: Vec<String>,
    },
    #[error("acs_credential not found")]
    JoinedNotFound(CredentialId),
    #[error(
        "acs_credential {0} belongs to another acs_system than the acs_user; name one of this site"
    )]
    JoinedElsewhere(CredentialId),
    #[error("all credential numbers of this site are used up; make another site")]
    NumbersUsedUp,
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Both times have to be ones that a card can tell, the end after the start.
pub(super) fn check_calendar(starts_at: Moment, ends_at: Option<Moment>) -> Result<(), NotGranted> {
    for (field, time) in [("starts_at", Some(starts_at)), ("ends_at", ends_at)] {
        let minute = time.map(|time| time.minutes() - CARD_EPOCH_MINUTES);
        if minute.is_some_and(|minute| !(0..=LAST_CARD_MINUTE).contains(&minute)) {
            return Err(NotGranted::OutsideCalendar(field));
        }
    }
    match ends_at {
        Some(end) if !starts_at.is_a_minute_before(end) => Err(NotGranted::EndsBeforeStart),
        _ => Ok(()),
    }
}

/// The doors have to fit in the format.
pub(super) fn check_doors(
    entrances: &[Entrance],
    format: Option<CardFormat>,
) -> Result<(), NotGranted> {
    let doors: Vec<Door> = entrances.iter().map(Entrance::door).collect();
    doors::place(&doors, format)
        .map(drop)
        .map_err(|too_many| does_not_fit(entrances, &too_many))
}

fn does_not_fit(entrances: &[Entrance], too_many: &TooManyDoors) -> NotGranted {
    let format = too_many.format.on_link();
    NotGranted::DoesNotFit {
        format: format.name(),
        most: format.most_additional_doors(),
        asked: entrances.len(),
        fitting: entrances
            .iter()
            .filter(|entrance| too_many.fitting.contains(&entrance.door()))
            .map(|entrance| entrance.name.clone())
            .collect(),
        remedy: match too_many.format {
            CardFormat::Rfid48 => "; ask for those, or for card_format TLCode",
            CardFormat::TlCode => "; ask for those",
        },
    }
}

/// A refusal with the names of the doors that it is about.
pub(super) fn with_door_names(refusal: NoIssueNumber, entrances: &[Entrance]) -> NotGranted {
    let (NoIssueNumber::DoorsBeyondStay(ids) | NoIssueNumber::NoStayCoversDoors(ids)) = &refusal
    else {
        return NotGranted::NoIssueNumber(refusal);
    };
    let doors = entrances
        .iter()
        .filter(|entrance| ids.contains(&entrance.acs_entrance_id))
        .map(|entrance| entrance.name.clone())
        .collect();
    NotGranted::NoIssueNumberForDoors { refusal, doors }
}
