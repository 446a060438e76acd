//! Cards that are left alone, and credentials that do not fit: nothing is written then.

use card::{
    AdditionalDoor, CardFormat, Condition, CopyIndex, PlanOptions, Purpose, Refusal, Suspects,
    Technology,
};

use crate::encode::encoded;
use crate::field::Field;
use crate::model::SHEETS;
use crate::site::{door, guest};

const RFID48: CardFormat = CardFormat::Rfid48;

fn refused(mut field: Field, why: &str) {
    let before = field.card.memory.clone();
    field.present(None);
    let refusal = field
        .encode(&guest(RFID48, 9, 109))
        .ended
        .done()
        .unwrap_err();
    assert!(
        matches!(refusal, Refusal::Foreign { .. }),
        "{why}: {refusal}"
    );
    assert_eq!(field.card.memory, before, "{why}");
    assert_eq!(field.written, [] as [u8; 0], "{why}");
    field.present(None);
    let condition = field.inspect(Purpose::Scan).done().unwrap().condition();
    assert!(
        matches!(condition, Condition::Foreign { .. }),
        "{why}: {condition:?}"
    );
}

#[test]
fn whatever_is_neither_as_delivered_nor_ours_is_left_alone() {
    for sheet in SHEETS {
        let name = sheet.technology.to_string();
        let changed = |change: &dyn Fn(&mut Vec<[u8; 4]>)| {
            let mut field = Field::blank(sheet.technology);
            change(&mut field.card.memory);
            field
        };
        refused(
            changed(&|memory| memory[9][2] = 7),
            &format!("{name}, content"),
        );
        let last = usize::from(sheet.user);
        refused(
            changed(&|memory| memory[last][3] = 1),
            &format!("{name}, last byte"),
        );
        refused(
            changed(&|memory| memory[2][3] = 0x80),
            &format!("{name}, page 0Fh locked"),
        );
        if sheet.technology.copies().len() == 2 {
            refused(
                changed(&|memory| memory[last + 1][0] = 0x80),
                &format!("{name}, locked"),
            );
        }
        if let Some(cfg0) = sheet.cfg0.map(usize::from) {
            for access in [0x80, 0x40, 0x01] {
                let field = changed(&|memory| memory[cfg0 + 1][0] = access);
                refused(field, &format!("{name}, ACCESS {access:02X}"));
            }
            refused(
                changed(&|memory| memory[cfg0][3] = 0x04),
                &format!("{name}, AUTH0"),
            );
            let closed = changed(&|memory| {
                memory[cfg0][3] = 0x00;
                memory[cfg0 + 1][0] = 0x80;
            });
            refused(closed, &format!("{name}, closed"));
        }
        if sheet.technology == Technology::MifareUltralightC {
            for auth0 in [0x03, 0x04, 0x10, 0x29, 0x2A, 0x2B] {
                refused(
                    changed(&|memory| memory[0x2A][0] = auth0),
                    &format!("{name} {auth0:02X}"),
                );
            }
            refused(
                changed(&|memory| memory[0x28][1] = 0x80),
                &format!("{name}, key locked"),
            );
        }
    }
}

#[test]
fn a_card_of_another_site_is_left_alone() {
    for sheet in SHEETS {
        let mut field = encoded(sheet.technology, RFID48, 1);
        let key = card::SiteKey::new([0x11; 32]);
        field.keys = card::SiteKeys::new(card::KeyVersion::FIRST, key);
        refused(field, &sheet.technology.to_string());
    }
}

#[test]
fn our_card_whose_pages_are_locked_is_read_and_verified_but_not_written() {
    for sheet in SHEETS {
        let mut field = encoded(sheet.technology, RFID48, 1);
        field.card.memory[2][3] = 0x80;
        let done = field.encode(&guest(RFID48, 1, 101)).ended.done().unwrap();
        assert_eq!(done.writes, 0);
        field.present(None);
        let refusal = field
            .encode(&guest(RFID48, 9, 109))
            .ended
            .done()
            .unwrap_err();
        assert!(refusal.to_string().contains("locked"), "{refusal}");
        assert_eq!(field.written, [] as [u8; 0]);
    }
}

/// The first page torn, and the card says nothing any more: only the journal can tell whose it is.
#[test]
fn what_only_the_journal_can_claim_is_foreign_without_it() {
    let mut field = Field::blank(Technology::MifareUltralight);
    field.card.memory[4] = [0x13, 0x37, 0x00, 0x01];
    refused(field.clone(), "without the journal");
    field.present(None);
    let suspects = Suspects::NONE.with(CopyIndex::A);
    let encode = field.encode_doubting(&guest(RFID48, 9, 109), suspects);
    encode.ended.done().unwrap();
}

#[test]
fn a_blank_card_is_refused_where_the_configuration_forbids_it() {
    for sheet in SHEETS {
        let mut field = Field::blank(sheet.technology);
        let options = PlanOptions {
            personalise_blank: false,
            ..PlanOptions::default()
        };
        let planned = field.plan(&guest(RFID48, 9, 109), &options).done();
        assert_eq!(planned.unwrap_err(), Refusal::BlankNotAllowed);
    }
}

#[test]
fn a_credential_that_does_not_fit_is_refused_with_what_would() {
    let with_doors = |doors: u32| {
        let mut credential = guest(CardFormat::TlCode, 9, 109);
        credential.doors.additional = (301..301 + doors)
            .map(|number| AdditionalDoor::Guest(door(number)))
            .collect();
        credential
    };
    for (technology, doors, why) in [
        (Technology::MifareUltralight, 0, "holds rfid48 only"),
        (Technology::MifareUltralightEv1_48, 0, "holds rfid48 only"),
        (
            Technology::MifareUltralightEv1_128,
            9,
            "holds 64; leave out",
        ),
        (Technology::Ntag213, 20, "use an NTAG215 or an NTAG216"),
        (Technology::Ntag215, 110, "holds 252; leave out"),
        (Technology::Ntag216, 250, "use a MIFARE Classic 4K"),
    ] {
        let mut field = Field::blank(technology);
        let refusal = field.encode(&with_doors(doors)).ended.done().unwrap_err();
        assert!(matches!(refusal, Refusal::DoesNotFit { .. }), "{refusal}");
        assert!(refusal.to_string().contains(why), "{refusal}");
        assert_eq!(field.written, [] as [u8; 0]);
    }
}
