//! What a scan answers: the card's side, the hub's side, and where they differ. Pure.

use std::collections::BTreeSet;

use protocol::api::{
    AcsCredential, CredentialOnEncoder, ScanResult, ScanWarning, ScannedVisionlineMetadata,
};
use protocol::link::{AttemptError, CardCondition, CardFormat, Scanned, ScannedCredential};
use uuid::Uuid;

use crate::attempt_error;
use crate::doors::{self, Door};
use crate::moment::Moment;
use crate::resources;
use crate::store::credentials::CredentialWithDoors;
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

/// The result for a card that could be read. `known` is the site's credential of the number on the card, `entrances`
/// are the site's doors.
pub(crate) fn result(
    scanned: &Scanned,
    known: Option<&CredentialWithDoors>,
    entrances: &[Entrance],
    now: Moment,
) -> ScanResult {
    let Some(read) = &scanned.credential else {
        return ScanResult {
            acs_credential_on_encoder: None,
            acs_credential_on_seam: None,
            warnings: Vec::new(),
        };
    };
    let on_encoder = on_encoder(&scanned.uid, read, known, entrances, now);
    let on_seam = known.map(resources::credential);
    ScanResult {
        warnings: warning(&on_encoder, on_seam.as_ref(), read)
            .into_iter()
            .collect(),
        acs_credential_on_encoder: Some(on_encoder),
        acs_credential_on_seam: on_seam,
    }
}

fn on_encoder(
    uid: &str,
    read: &ScannedCredential,
    known: Option<&CredentialWithDoors>,
    entrances: &[Entrance],
    now: Moment,
) -> CredentialOnEncoder {
    let doors = doors::read(
        read.first_room,
        read.room_count,
        &read.common_doors,
        &read.additional_doors,
    );
    let ids = |is_wanted: fn(&Door) -> bool| -> Vec<Uuid> {
        entrances
            .iter()
            .filter(|entrance| is_wanted(&entrance.door()) && doors.contains(&entrance.door()))
            .map(|entrance| entrance.acs_entrance_id.0)
            .collect()
    };
    CredentialOnEncoder {
        card_number: Some(uid.to_owned()),
        created_at: None,
        is_issued: Some(true),
        starts_at: Some(Moment::from(read.starts_at).into()),
        ends_at: read.ends_at.map(|end| Moment::from(end).into()),
        visionline_metadata: ScannedVisionlineMetadata {
            card_format: match read.format {
                CardFormat::Rfid48 => "rfid48",
                CardFormat::TLCode => "TLCode",
            }
            .to_owned(),
            card_id: uid.to_owned(),
            guest_acs_entrance_ids: ids(|door| matches!(door, Door::Guest(_))),
            common_acs_entrance_ids: ids(|door| matches!(door, Door::Common(_))),
            expired: read.ends_at.is_some_and(|end| Moment::from(end) <= now),
            overridden: known.is_some_and(|known| known.credential.is_overridden),
            overwritten: known.is_some_and(|known| known.credential.is_overwritten),
            cancelled: false,
            discarded: false,
        },
    }
}

fn warning(
    on_encoder: &CredentialOnEncoder,
    on_seam: Option<&AcsCredential>,
    read: &ScannedCredential,
) -> Option<ScanWarning> {
    let Some(on_seam) = on_seam else {
        return Some(ScanWarning {
            warning_code: "acs_credential_on_seam_not_found".to_owned(),
            warning_message: format!(
                "The card holds credential {} of this site, which the hub does not know.",
                read.number
            ),
        });
    };
    let differing = differing_properties(on_encoder, on_seam);
    (!differing.is_empty()).then(|| ScanWarning {
        warning_code: "acs_credential_on_encoder_out_of_sync".to_owned(),
        warning_message: format!(
            "The following properties are out of sync between acs_credential_on_encoder and acs_credential_on_seam: {}",
            differing.join(", ")
        ),
    })
}

fn differing_properties(
    on_encoder: &CredentialOnEncoder,
    on_seam: &AcsCredential,
) -> Vec<&'static str> {
    let minute = |time: protocol::api::Time| Moment::from(time.timestamp()).to_the_minute();
    let metadata = &on_encoder.visionline_metadata;
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
mod tests {
    use super::*;
    use crate::decisions::rows;
    use crate::doors::DoorCategory;
    use protocol::link::CardFunction;

    const CARD: &str = "04A1B2C3";

    fn scanned(condition: CardCondition, credential: Option<ScannedCredential>) -> Scanned {
        Scanned {
            uid: CARD.to_owned(),
            technology: "mifare_classic_1k".to_owned(),
            condition,
            credential,
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

    fn warnings(scanned: &Scanned, known: Option<&CredentialWithDoors>) -> Vec<(String, String)> {
        result(scanned, known, &doors(), rows::NOW)
            .warnings
            .into_iter()
            .map(|warning| (warning.warning_code, warning.warning_message))
            .collect()
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
    fn a_credential_that_the_hub_does_not_know_is_said_so() {
        let warnings = warnings(&scanned(CardCondition::Ours, Some(read())), None);
        assert_eq!(warnings[0].0, "acs_credential_on_seam_not_found");
    }

    #[test]
    fn a_card_without_a_credential_is_null_on_both_sides() {
        for condition in [CardCondition::Blank, CardCondition::Torn] {
            let scanned = scanned(condition, None);
            assert_eq!(refusal(&scanned), None);
            let result = result(&scanned, None, &doors(), rows::NOW);
            assert_eq!(result.acs_credential_on_encoder, None);
            assert_eq!(result.warnings, []);
        }
    }

    #[test]
    fn a_card_that_cannot_be_read_is_an_error_and_not_empty() {
        for condition in [CardCondition::Foreign, CardCondition::Unsupported] {
            let error = refusal(&scanned(condition, None)).unwrap();
            assert_eq!(error.kind, "uncategorized_error");
        }
    }
}
