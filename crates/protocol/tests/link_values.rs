//! What a message may say beyond its shape: lists of site keys, and credentials that a format can express.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use jiff::Timestamp;
use protocol::link::{
    AdditionalDoor, CardFormat, CardFunction, Credential, DoesNotFitFormat, FromBridge, Hello,
    OfferRefusal, SiteKeyCheck,
};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn site_key(version: u8, check: &str) -> SiteKeyCheck {
    SiteKeyCheck {
        version,
        check: check.to_owned(),
    }
}

#[test]
fn a_hello_names_each_version_of_its_site_key_once_and_in_order() {
    let hello = |site_keys: Vec<SiteKeyCheck>| Hello {
        version: "0.1.0".to_owned(),
        name: "front-desk-pc".to_owned(),
        site_keys,
        hub_id: None,
        fences: Vec::new(),
    };
    let (first, second) = (
        site_key(1, "00112233aabbccdd"),
        site_key(2, "44556677eeff0011"),
    );
    for fine in [vec![second.clone()], vec![first.clone(), second.clone()]] {
        assert!(hello(fine).check_site_keys().is_ok());
    }
    for wrong in [
        Vec::new(),
        vec![second.clone(), first.clone()],
        vec![first.clone(), first.clone()],
        vec![site_key(0, "00112233aabbccdd")],
        vec![site_key(1, "00112233aabbccd")],
        vec![site_key(1, "00112233aabbccdg")],
    ] {
        assert!(hello(wrong.clone()).check_site_keys().is_err(), "{wrong:?}");
    }
}

/// A credential at all limits of its format.
fn full(format: CardFormat, additional: u16) -> Credential {
    Credential {
        acs_credential_id: uuid::Uuid::nil(),
        number: 1,
        format,
        function: CardFunction::Guest,
        starts_at: time("2020-01-01T00:00:00Z"),
        ends_at: Some(time("2051-11-24T20:14:59Z")),
        issue_number: 0xFF_FFFF,
        first_room: 32_735,
        room_count: 33,
        common_doors: (0..28).collect(),
        additional_doors: (1..=additional)
            .map(|number| AdditionalDoor {
                number,
                is_guest: number % 2 == 0,
            })
            .collect(),
    }
}

#[test]
fn a_credential_may_be_as_big_as_its_format_and_no_bigger() {
    assert_eq!(full(CardFormat::Rfid48, 7).check(), Ok(()));
    assert_eq!(full(CardFormat::TLCode, 255).check(), Ok(()));
    let too_many = |format, most, given| {
        Err(DoesNotFitFormat::TooManyAdditional {
            format,
            most,
            given,
        })
    };
    assert_eq!(
        full(CardFormat::Rfid48, 8).check(),
        too_many(CardFormat::Rfid48, 7, 8)
    );
    assert_eq!(
        full(CardFormat::TLCode, 256).check(),
        too_many(CardFormat::TLCode, 255, 256)
    );
}

#[test]
fn what_no_format_can_express_is_named() {
    type Change = fn(&mut Credential);
    let rooms = |first, count| DoesNotFitFormat::Rooms { first, count };
    let cases: [(Change, DoesNotFitFormat); 13] = [
        (|c| c.number = 0, DoesNotFitFormat::Number),
        (
            |c| c.issue_number = 1 << 24,
            DoesNotFitFormat::IssueNumber(1 << 24),
        ),
        (
            |c| c.starts_at = time("2019-12-31T23:59:59Z"),
            DoesNotFitFormat::Times,
        ),
        (
            |c| c.ends_at = Some(time("2051-11-24T20:15:00Z")),
            DoesNotFitFormat::Times,
        ),
        (
            |c| c.ends_at = Some(time("2020-01-01T00:00:59Z")),
            DoesNotFitFormat::Times,
        ),
        (|c| c.room_count = 34, rooms(32_735, 34)),
        (|c| c.first_room = 32_736, rooms(32_736, 33)),
        (|c| c.first_room = 0, rooms(0, 33)),
        (|c| c.room_count = 0, rooms(32_735, 0)),
        (
            |c| c.common_doors = vec![28],
            DoesNotFitFormat::CommonDoor(28),
        ),
        (
            |c| c.common_doors = vec![3, 3],
            DoesNotFitFormat::CommonDoor(3),
        ),
        (
            |c| c.additional_doors[6].number = 0,
            DoesNotFitFormat::AdditionalDoor(0),
        ),
        (
            |c| c.additional_doors[0].number = 32_768,
            DoesNotFitFormat::AdditionalDoor(32_768),
        ),
    ];
    for (change, named) in cases {
        let mut changed = full(CardFormat::Rfid48, 7);
        change(&mut changed);
        assert_eq!(changed.check(), Err(named));
    }
}

#[test]
fn a_refusal_of_a_newer_version_is_still_a_refusal() {
    let json = r#"{"type":"refused","attempt_id":"0192f0c4-7b1a-7c3e-9d5f-000000000005","reason":"moon_phase"}"#;
    match serde_json::from_str(json).unwrap() {
        FromBridge::Refused { reason, .. } => assert_eq!(reason, OfferRefusal::Other),
        other => panic!("expected a refusal, got {other:?}"),
    }
}
