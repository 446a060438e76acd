//! What an entry may say, and what a listing says of readers that cannot be used.

use encoder::{Access, Value};

use super::*;
use crate::usb::tests::Plugged;

fn configure(pairs: &[(&str, Value)]) -> Result<Selector, SettingsError> {
    let settings = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    PcscDriver::default().configure(&settings)
}

#[test]
fn a_name_is_all_it_needs() {
    let name = "ACS ACR1252 Dual Reader 00 00".to_owned();
    assert_eq!(
        configure(&[("reader", Value::Text(name.clone()))]),
        Ok(Selector::Reader(name))
    );
}

#[test]
fn wrong_settings_are_refused_with_the_key_and_what_to_write() {
    let reader = ("reader", Value::Text("R 00 00".to_owned()));
    for (pairs, key) in [
        (vec![], None),
        (vec![("reader", Value::Integer(3))], Some("reader")),
        (vec![("reader", Value::Text(String::new()))], Some("reader")),
        (vec![("port", Value::Boolean(true))], Some("port")),
        (
            vec![reader, ("feedback", Value::Integer(1))],
            Some("feedback"),
        ),
    ] {
        let error = configure(&pairs).unwrap_err();
        assert_eq!(error.key.as_deref(), key, "{pairs:?}");
        assert!(
            error.to_string().contains(key.unwrap_or("reader")),
            "{error}"
        );
    }
}

#[test]
fn an_unknown_model_is_refused_with_the_known_ones() {
    let error = configure(&[
        ("reader", Value::Text("R 00 00".to_owned())),
        ("model", Value::Text("acr123".to_owned())),
    ]);
    assert_eq!(
        error.unwrap_err().to_string(),
        "no model is called `acr123`; leave it out, or write one of acr122u, acr1252u, omnikey-5022, omnikey-5422, \
         utrust-3700f, twn4, generic"
    );
}

fn reason(access: Access) -> String {
    match access {
        Access::Absent { reason }
        | Access::Inaccessible { reason }
        | Access::Unclaimed { reason } => reason,
        Access::Accessible => panic!("it can be used"),
    }
}

#[test]
fn a_device_that_the_kernel_holds_is_listed_with_the_remedy() {
    let plugged = Plugged::new();
    plugged
        .plug("1-2", (0x072F, 0x2200), (1, 9))
        .driven_by("1-2", "pn533_usb");
    let driver = PcscDriver {
        usb: plugged.tree(),
        ..PcscDriver::default()
    };
    let text = "ACS ACR122U PICC Interface at USB port 1-2";
    let mut listings = driver.list(Probing::Forbidden, &[]);
    listings.retain(|listing| listing.selector == Selector::Reader(text.to_owned()));
    assert_eq!(listings.len(), 1);
    let looked_up = driver.look_up(&Selector::Reader(text.to_owned()));
    assert_eq!(looked_up, listings[0]);
    let said = reason(looked_up.access);
    assert!(said.contains("modprobe -r pn533_usb"), "{said}");
    // One that an entry means is told of by that entry.
    let claimed = [Selector::Reader(text.to_owned())];
    let listings = driver.list(Probing::Forbidden, &claimed);
    assert!(!listings.iter().any(|listing| listing.description == text));
}

#[test]
fn why_a_plugged_in_device_is_not_shown_is_told_with_what_to_do() {
    let service = |error| Some(PcscError::Service(error));
    for (error, remedy) in [
        (service(pcsc::Error::NoService), "start pcscd"),
        (
            service(pcsc::Error::SecurityViolation),
            "org.debian.pcsc-lite.access_pcsc",
        ),
        (None, "libacsccid1"),
    ] {
        let access = listing::not_shown(None, error.as_ref());
        let said = reason(access);
        assert!(said.contains(remedy), "{said}");
    }
}

#[test]
fn a_slot_for_other_cards_is_listed_as_what_it_is() {
    let names = ["ACS ACR1252 Dual Reader [ACR1252 Dual Reader SAM] 01 00".to_owned()];
    let found = find(&names, &[], |_| crate::find::Address::Untold);
    let service = Err(&PcscError::NoSuchReader);
    let access = listing::access(service, &found[0], &Processes::default());
    assert!(matches!(access, Access::Unclaimed { .. }));
    assert!(reason(access).contains("SAM"));
}
