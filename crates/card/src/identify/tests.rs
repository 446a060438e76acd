//! What is asked of which card, and what its answers make it.

use super::*;
use crate::SelectAnswer;

fn presented(uid: &str, answer: SelectAnswer) -> PresentedCard {
    PresentedCard {
        uid: uid.parse().unwrap(),
        answer,
    }
}

fn selected(sak: u8, ats: &[u8]) -> PresentedCard {
    let answer = SelectAnswer::Iso14443a {
        atqa: [0x00, 0x44],
        sak,
        ats: ats.to_vec(),
    };
    presented("04A1B2C3D4E5F6", answer)
}

fn behind_pcsc(atr: &str) -> PresentedCard {
    presented(
        "04A1B2C3D4E5F6",
        SelectAnswer::Atr(hex::decode(atr).unwrap()),
    )
}

/// Runs the identification on a card that gives these answers in turn (`None`: refused), reselections left out.
fn identified(card: &PresentedCard, answers: &[Option<&str>]) -> Result<Identified, Refusal> {
    let mut identify = Identify::new(card.clone())?;
    let mut answers = answers.iter();
    let mut last = None;
    loop {
        match identify.next(last.take()) {
            Step::Done(result) => {
                assert_eq!(answers.len(), 0, "more was expected to be asked");
                return result;
            }
            Step::Exchange(Command::Reselect, Effect::Reads) => {
                last = Some(Reply::Reselected(card.clone()));
            }
            Step::Exchange(_, effect) => {
                assert_eq!(effect, Effect::Reads);
                last = Some(match answers.next().expect("no more is asked") {
                    Some(answer) => Reply::Data(hex::decode(answer).unwrap()),
                    None => Reply::Refused,
                });
            }
        }
    }
}

fn technology(card: &PresentedCard, answers: &[Option<&str>]) -> Technology {
    identified(card, answers).unwrap().technology
}

fn name(card: &PresentedCard, answers: &[Option<&str>]) -> String {
    match identified(card, answers) {
        Err(Refusal::Unsupported { name }) => name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_classic_is_known_without_a_word_on_every_encoder() {
    for (sak, expected) in [
        (0x08, Technology::MifareClassic1k),
        (0x28, Technology::MifareClassic1k),
        (0x68, Technology::MifareClassic1k),
        (0x88, Technology::MifareClassic1k),
        (0x09, Technology::MifareClassicMini),
        (0x18, Technology::MifareClassic4k),
        (0x38, Technology::MifareClassic4k),
    ] {
        assert_eq!(technology(&selected(sak, &[]), &[]), expected);
    }
    for (atr, expected) in [
        (
            "3B8F8001804F0CA000000306030001000000006A",
            Technology::MifareClassic1k,
        ),
        (
            "3B8F8001804F0CA0000003060300020000000069",
            Technology::MifareClassic4k,
        ),
        (
            "3B8F8001804F0CA000000306030026000000004D",
            Technology::MifareClassicMini,
        ),
    ] {
        assert_eq!(technology(&behind_pcsc(atr), &[]), expected);
    }
}

#[test]
fn a_type_2_card_is_known_by_its_version() {
    for (version, expected) in [
        ("0004030101000B03", Technology::MifareUltralightEv1_48),
        ("0004030101000E03", Technology::MifareUltralightEv1_128),
        ("0004040201000F03", Technology::Ntag213),
        ("0004040201001103", Technology::Ntag215),
        ("0004040201001303", Technology::Ntag216),
    ] {
        for card in [
            selected(0x00, &[]),
            behind_pcsc("3B8F8001804F0CA0000003060300030000000068"),
        ] {
            assert_eq!(technology(&card, &[Some(version)]), expected);
        }
    }
    let card = selected(0x00, &[]);
    assert_eq!(name(&card, &[Some("0004040502021303")]), "NTAG I2C");
    assert!(name(&card, &[Some("0053030101000B03")]).starts_with("card of unknown type"));
}

#[test]
fn an_ultralight_c_is_known_by_its_challenge_which_is_kept_and_an_ultralight_by_its_silence() {
    let challenge = Some("AF0102030405060708");
    let card = selected(0x00, &[]);
    let expected = Identified {
        technology: Technology::MifareUltralightC,
        challenge: Some([1, 2, 3, 4, 5, 6, 7, 8]),
    };
    assert_eq!(identified(&card, &[None, challenge]), Ok(expected.clone()));
    assert_eq!(
        technology(&card, &[None, None]),
        Technology::MifareUltralight
    );
    let named = behind_pcsc("3B8F8001804F0CA00000030603003A0000000051");
    assert_eq!(identified(&named, &[challenge]), Ok(expected));
}

#[test]
fn a_card_in_iso_14443_4_is_known_by_all_three_frames_of_its_version() {
    for (hardware, software, expected) in [
        ("04010101001805", "04010101031805", Technology::DesfireEv1),
        ("04010112001A05", "04010102011A05", Technology::DesfireEv2),
        ("04010133001A05", "04010103001A05", Technology::DesfireEv3),
        ("04040230001105", "04040201021105", Technology::Ntag424Dna),
    ] {
        let frames = [format!("{hardware}91AF"), format!("{software}91AF")];
        let frames = [
            Some(frames[0].as_str()),
            Some(frames[1].as_str()),
            Some("04A1B2C3D4E5F6B90C16A1403017269100"),
        ];
        for card in [
            selected(0x20, &[0x75, 0x77, 0x81, 0x02, 0x80]),
            behind_pcsc("3B8180018080"),
        ] {
            assert_eq!(technology(&card, &frames), expected);
        }
    }
}

#[test]
fn a_card_without_a_placing_is_named_and_left_alone() {
    assert_eq!(name(&selected(0x43, &[]), &[]), "phone (NFC-DEP)");
    assert_eq!(
        name(&selected(0x0C, &[]), &[]),
        "card of unknown type (SEL_RES 0C)"
    );
    assert_eq!(
        name(&behind_pcsc("3B00"), &[]),
        "card of unknown type (ATR 3B00)"
    );
    assert_eq!(name(&behind_pcsc(""), &[]), "card of unknown type (ATR )");
    assert_eq!(
        name(
            &behind_pcsc("3B8F8001804F0CA000000306030077000000001C"),
            &[]
        ),
        "storage card of unknown type (PC/SC name 0077)"
    );
    let payment = selected(0x20, &[0x78, 0x80, 0x70, 0x02]);
    assert_eq!(
        name(&payment, &[Some("6E00")]),
        "payment card or other smart card (ISO/IEC 14443-4)"
    );
    let phone = selected(0x60, &[0x78]);
    assert_eq!(
        name(&phone, &[Some("6D00")]),
        "phone (ISO/IEC 14443-4 and NFC-DEP)"
    );
    let light = [
        "040801300013059 1AF".replace(' ', ""),
        "0408010102130591AF".to_owned(),
    ];
    assert_eq!(
        name(
            &selected(0x20, &[]),
            &[
                Some(&light[0]),
                Some(&light[1]),
                Some("00000000000000000000000000009100")
            ]
        ),
        "MIFARE DESFire Light"
    );
}

#[test]
fn a_card_that_answers_something_else_than_a_version_is_not_taken_for_one() {
    let card = selected(0x20, &[]);
    for answers in [
        &[Some("")][..],
        &[Some("91AF")],
        &[Some("040101010018059100")],
        &[Some("0401010100180591AF"), Some("911C")],
        &[
            Some("0401010100180591AF"),
            Some("0401010103180591AF"),
            Some("91AE"),
        ],
    ] {
        assert!(
            name(&card, answers).contains("ISO/IEC 14443-4"),
            "{answers:?}"
        );
    }
}

#[test]
fn an_atr_with_a_damaged_byte_is_not_taken_for_a_classic() {
    let whole = hex::decode("3B8F8001804F0CA000000306030001000000006A").unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        let card = behind_pcsc(&hex::encode(damaged));
        let found = Identify::new(card).map(|mut identify| match identify.next(None) {
            Step::Done(found) => found.ok(),
            Step::Exchange(..) => None,
        });
        assert!(!matches!(found, Ok(Some(_))), "byte {at}");
    }
}

#[test]
fn another_card_in_the_middle_is_noticed() {
    let mut identify = Identify::new(selected(0x00, &[])).unwrap();
    let _ = identify.next(None);
    let _ = identify.next(Some(Reply::Refused));
    let mut other = selected(0x00, &[]);
    other.uid = "04A1B2C3D4E5F7".parse().unwrap();
    assert!(matches!(
        identify.next(Some(Reply::Reselected(other))),
        Step::Done(Err(Refusal::Swapped))
    ));
}
