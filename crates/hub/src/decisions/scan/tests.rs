//! Every kind of card that a scan can meet, and each property of the one that holds a credential.

use protocol::link::{CardFormat, CardFunction};

use super::*;
use crate::decisions::rows;
use crate::doors::DoorCategory;

const CARD: &str = "04A1B2C3";

fn scanned(condition: CardCondition, credential: Option<ScannedCredential>) -> Scanned {
    Scanned {
        uid: CARD.to_owned(),
        technology: "mifare_classic_1k".to_owned(),
        condition,
        credential,
        key_version: None,
    }
}

fn read() -> ScannedCredential {
    let credential = rows::credential(5);
    ScannedCredential {
        number: 5,
        format: CardFormat::Rfid48,
        function: CardFunction::Guest,
        starts_at: credential.starts_at.timestamp(),
        ends_at: credential.ends_at.map(Moment::timestamp),
        issue_number: credential.issue_number,
        first_room: 101,
        room_count: 2,
        common_doors: vec![3],
        additional_doors: Vec::new(),
    }
}

fn known() -> CredentialWithDoors {
    let mut credential = rows::credential(5);
    credential.issued_at = Some(rows::NOW);
    credential.card_uid = Some(CARD.to_owned());
    let mut known = rows::with_rooms(credential, &[101, 102]);
    known
        .entrances
        .push(rows::entrance(DoorCategory::Common, 3));
    known
}

fn doors() -> Vec<Entrance> {
    let mut doors: Vec<Entrance> = (100..110)
        .map(|room| rows::entrance(DoorCategory::Guest, room))
        .collect();
    doors.extend((0..5).map(|bit| rows::entrance(DoorCategory::Common, bit)));
    doors
}

fn scan(scanned: &Scanned, known: Option<&CredentialWithDoors>) -> ScanResult {
    let known = known.map(|known| Known {
        credential: known.clone(),
        holder: Some("Ada Guest".to_owned()),
        issued_cards: 3,
    });
    let state = Circumstances {
        known: known.as_ref(),
        believed: None,
        entrances: &doors(),
    };
    result(scanned, &state, rows::NOW)
}

fn metadata(
    read: ScannedCredential,
    known: Option<&CredentialWithDoors>,
) -> ScannedVisionlineMetadata {
    let result = scan(&scanned(CardCondition::Ours, Some(read)), known);
    result
        .acs_credential_on_encoder
        .unwrap()
        .visionline_metadata
        .unwrap()
}

fn codes_and_messages(result: ScanResult) -> Vec<(String, String)> {
    result
        .warnings
        .into_iter()
        .map(|warning| (warning.warning_code, warning.warning_message))
        .collect()
}

fn warnings(scanned: &Scanned, known: Option<&CredentialWithDoors>) -> Vec<(String, String)> {
    codes_and_messages(scan(scanned, known))
}

#[test]
fn a_card_in_step_with_the_hub_has_no_warning() {
    let scanned = scanned(CardCondition::Ours, Some(read()));
    assert_eq!(warnings(&scanned, Some(&known())), []);
}

#[test]
fn seconds_of_the_hub_do_not_count_because_a_card_holds_minutes() {
    let mut known = known();
    known.credential.starts_at = known
        .credential
        .starts_at
        .after(std::time::Duration::from_secs(59));
    assert_eq!(
        warnings(&scanned(CardCondition::Ours, Some(read())), Some(&known)),
        []
    );
}

#[test]
fn every_property_that_differs_is_named_as_documented() {
    let base = "The following properties are out of sync between acs_credential_on_encoder and \
                acs_credential_on_seam: ";
    type Change = fn(&mut ScannedCredential);
    let cases: [(Change, &str); 3] = [
        (|read| read.ends_at = None, "ends_at"),
        (
            |read| read.room_count = 1,
            "visionline_metadata.guest_acs_entrance_ids",
        ),
        (
            |read| {
                read.common_doors.clear();
                read.starts_at = rows::NOW
                    .after(std::time::Duration::from_secs(60))
                    .timestamp();
            },
            "starts_at, visionline_metadata.common_acs_entrance_ids",
        ),
    ];
    for (change, names) in cases {
        let mut read = read();
        change(&mut read);
        assert_eq!(
            warnings(&scanned(CardCondition::Ours, Some(read)), Some(&known())),
            [(
                "acs_credential_on_encoder_out_of_sync".to_owned(),
                format!("{base}{names}")
            )]
        );
    }
}

#[test]
fn a_credential_that_the_hub_does_not_know_is_said_so_and_nothing_is_claimed_of_it() {
    for (number, says) in [(77, "does not know"), (0x8000_0001, "without this hub")] {
        let mut unknown = read();
        unknown.number = number;
        let warnings = warnings(&scanned(CardCondition::Ours, Some(unknown.clone())), None);
        assert_eq!(warnings[0].0, "acs_credential_on_seam_not_found");
        assert!(warnings[0].1.contains(says), "{}", warnings[0].1);
        let metadata = metadata(unknown, None);
        let flags = [
            metadata.cancelled,
            metadata.discarded,
            metadata.overridden,
            metadata.overwritten,
            metadata.pending_auto_update,
        ];
        assert_eq!(flags, [false; 5]);
        assert_eq!(
            (metadata.card_holder, metadata.number_of_issued_cards),
            (None, 1)
        );
    }
}

#[test]
fn what_became_of_a_credential_shows_at_its_card() {
    type Change = fn(&mut Credential);
    type Flag = fn(&ScannedVisionlineMetadata) -> bool;
    let cases: [(Change, Flag); 4] = [
        (|known| known.is_overridden = true, |card| card.overridden),
        (|known| known.is_overwritten = true, |card| card.overwritten),
        (|known| known.is_discarded = true, |card| card.discarded),
        (
            |known| known.deleted_at = Some(rows::NOW),
            |card| card.cancelled,
        ),
    ];
    for (change, flag) in cases {
        let mut known = known();
        assert!(!flag(&metadata(read(), Some(&known))));
        change(&mut known.credential);
        assert!(flag(&metadata(read(), Some(&known))));
    }
    let card = metadata(read(), Some(&known()));
    assert_eq!(card.card_holder.as_deref(), Some("Ada Guest"));
    assert_eq!(
        (card.card_id.as_str(), card.number_of_issued_cards),
        (CARD, 3)
    );
    assert!(!card.expired);
    let mut over = read();
    over.ends_at = Some(rows::NOW.timestamp());
    assert!(metadata(over, Some(&known())).expired, "as the card has it");
}

#[test]
fn a_card_that_would_be_written_differently_now_is_pending_an_update() {
    assert!(!metadata(read(), Some(&known())).pending_auto_update);
    type Change = fn(&mut ScannedCredential);
    let changes: [Change; 7] = [
        |read| read.format = CardFormat::TLCode,
        |read| read.function = CardFunction::Staff,
        |read| {
            read.starts_at = rows::NOW
                .after(std::time::Duration::from_secs(60))
                .timestamp()
        },
        |read| read.ends_at = None,
        |read| read.issue_number += 1,
        |read| read.room_count = 1,
        |read| read.common_doors = vec![3, 4],
    ];
    for change in changes {
        let mut read = read();
        change(&mut read);
        assert!(
            metadata(read.clone(), Some(&known())).pending_auto_update,
            "{read:?}"
        );
        let warnings = warnings(&scanned(CardCondition::Ours, Some(read)), Some(&known()));
        assert_eq!(warnings[0].0, "acs_credential_on_encoder_out_of_sync");
    }
    let mut laid_out_differently = read();
    laid_out_differently.room_count = 1;
    laid_out_differently.additional_doors = vec![protocol::link::AdditionalDoor {
        number: 102,
        is_guest: true,
    }];
    assert!(!metadata(laid_out_differently, Some(&known())).pending_auto_update);
    let mut cancelled = known();
    cancelled.credential.deleted_at = Some(rows::NOW);
    let mut old = read();
    old.issue_number += 1;
    assert!(!metadata(old, Some(&cancelled)).pending_auto_update);
}

#[test]
fn a_deleted_credential_is_not_found_on_the_hub_but_named() {
    let mut deleted = known();
    deleted.credential.deleted_at = Some(rows::NOW);
    let result = scan(&scanned(CardCondition::Ours, Some(read())), Some(&deleted));
    assert_eq!(result.acs_credential_on_seam, None);
    let warnings = codes_and_messages(result);
    assert_eq!(warnings[0].0, "acs_credential_on_seam_not_found");
    assert!(warnings[0].1.contains("deleted"));
}

#[test]
fn a_blank_card_is_null_on_both_sides_without_a_warning() {
    let blank = scanned(CardCondition::Blank, None);
    assert_eq!(refusal(&blank), None);
    let result = scan(&blank, None);
    assert_eq!(result.acs_credential_on_encoder, None);
    assert_eq!(result.acs_credential_on_seam, None);
    assert_eq!(result.warnings, []);
}

#[test]
fn a_torn_card_is_told_with_the_credential_that_it_should_hold() {
    let torn = scanned(CardCondition::Torn, None);
    assert_eq!(refusal(&torn), None);
    let mut deleted = known();
    deleted.credential.deleted_at = Some(rows::NOW);
    for (believed, code) in [
        (Some(known()), "acs_credential_on_encoder_out_of_sync"),
        (Some(deleted), "acs_credential_on_seam_not_found"),
        (None, "acs_credential_on_seam_not_found"),
    ] {
        let state = Circumstances {
            known: None,
            believed: believed.as_ref(),
            entrances: &doors(),
        };
        let result = result(&torn, &state, rows::NOW);
        assert_eq!(result.acs_credential_on_encoder, None);
        let is_told = code == "acs_credential_on_encoder_out_of_sync";
        assert_eq!(result.acs_credential_on_seam.is_some(), is_told);
        assert_eq!(codes_and_messages(result)[0].0, code);
    }
}

#[test]
fn a_card_that_cannot_be_read_is_an_error_and_not_empty() {
    for condition in [CardCondition::Foreign, CardCondition::Unsupported] {
        let error = refusal(&scanned(condition, None)).unwrap();
        assert_eq!(error.kind, "uncategorized_error");
    }
}
