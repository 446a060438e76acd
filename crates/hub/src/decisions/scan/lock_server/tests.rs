//! Cards in the nights when clocks change, and cards that are no guest's.

use super::*;
use crate::decisions::rows;

const CARD: &str = "04A1B2C3";

fn guest(ends_at: &str) -> ServerCard {
    ServerCard {
        uid: Some(CARD.to_owned()),
        content: ServerCardContent::Guest(ServerGuestCard {
            rooms: vec!["guest 101".to_owned()],
            is_checked_in: true,
            copy: None,
            is_one_shot: false,
            granted: Vec::new(),
            starts_at: None,
            ends_at: Some(ends_at.parse().unwrap()),
            operator: None,
        }),
    }
}

fn scan(card: &ServerCard, known: Option<&CredentialWithDoors>) -> ScanResult {
    let doors = [rows::entrance(DoorCategory::Guest, 101)];
    let state = Circumstances {
        known,
        entrances: &doors,
        time_zone: &TimeZone::get("Europe/Berlin").unwrap(),
    };
    result(card, &state)
}

/// The credential on the card, which ends then.
fn known(ends_at: &str) -> CredentialWithDoors {
    let ends_at: jiff::Timestamp = ends_at.parse().unwrap();
    let mut credential = rows::credential(5);
    credential.ends_at = Some(ends_at.into());
    credential.issued_at = Some(rows::NOW);
    rows::with_rooms(credential, &[101])
}

#[test]
fn an_hour_that_comes_twice_is_not_out_of_sync_with_either() {
    for ends_at in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:59Z"] {
        let result = scan(&guest("2026-10-25T02:30:00"), Some(&known(ends_at)));
        assert_eq!(result.warnings, [], "{ends_at}");
    }
    let result = scan(
        &guest("2026-10-25T02:31:00"),
        Some(&known("2026-10-25T00:30:00Z")),
    );
    assert_eq!(result.warnings.len(), 1);
    assert!(result.warnings[0].warning_message.ends_with(": ends_at"));
}

#[test]
fn an_hour_that_never_comes_is_still_an_instant() {
    let result = scan(&guest("2026-03-29T02:30:00"), None);
    let on_encoder = result.acs_credential_on_encoder.unwrap();
    assert_eq!(
        on_encoder.ends_at.unwrap().to_string(),
        "2026-03-29T01:30:00.000Z"
    );
}

#[test]
fn a_card_that_is_no_guests_is_told_as_what_it_is_and_nothing_more() {
    for content in [
        ServerCardContent::Staff,
        ServerCardContent::Spare,
        ServerCardContent::Invalid,
        ServerCardContent::Diagnostic,
    ] {
        let name = content.name();
        let card = ServerCard { uid: None, content };
        assert_eq!(refusal(&card), None);
        let result = scan(&card, None);
        assert_eq!(result.warnings, []);
        let on_encoder = result.acs_credential_on_encoder.unwrap();
        assert_eq!(on_encoder.is_issued, None);
        let metadata = on_encoder.lock_server_metadata.unwrap();
        assert_eq!(metadata.card_type, name);
        assert_eq!(metadata.is_checked_in, None);
    }
}

#[test]
fn a_deleted_credential_is_not_on_the_hub_any_more() {
    let mut known = known("2026-11-25T10:00:00Z");
    known.credential.deleted_at = Some(rows::NOW);
    let result = scan(&guest("2026-11-25T11:00:00"), Some(&known));
    assert!(result.acs_credential_on_seam.is_none());
    assert_eq!(result.warnings[0].warning_code, NOT_FOUND);
}
