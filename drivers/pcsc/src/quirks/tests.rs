//! Readers by the names and numbers that they have been seen with, and the table as a whole.

use super::*;

/// Names that readers have in `pcscd`, each with where it was seen.
const SEEN: &[(&str, &str, &str)] = &[
    (
        "ACS ACR122U PICC Interface 00 00",
        "acr122u",
        "LudovicRousseau/pcsc-tools#97",
    ),
    (
        "ACS ACR122U 00 00",
        "acr122u",
        "LudovicRousseau/pcsc-tools#10",
    ),
    (
        "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00",
        "acr1252u",
        "minimonk.net, pcsc_scan",
    ),
    (
        "ACS ACR1252 1S CL Reader(1)",
        "acr1252u",
        "acshk/acsccid#10",
    ),
    (
        "HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422CL Smartcard Reader] (KJ0K3P000916363685) 00 00",
        "omnikey-5422",
        "Yubico/yubico-piv-tool#298",
    ),
    (
        "HID Global OMNIKEY 5022 Smart Card Reader 00 00",
        "omnikey-5022",
        "libccid Info.plist",
    ),
    (
        "Identiv uTrust 3700 F CL Reader [uTrust 3700 F CL Reader] (55021722297869) 00 00",
        "utrust-3700f",
        "LudovicRousseau/PCSC#66",
    ),
    (
        "Elatec TWN4 E/B1.06/CKF1.64/SGSS1.01 00 00",
        "twn4",
        "LudovicRousseau/CCID#59",
    ),
    ("Virtual PCD 00 00", "generic", "vsmartcard-vpcd"),
    (
        "Watchdata W5181  [Contactless Reader ] 01 00",
        "generic",
        "LudovicRousseau/PCSC#121",
    ),
];

#[test]
fn a_reader_is_known_by_the_name_that_pcscd_gives_it() {
    for (name, model, seen) in SEEN {
        assert_eq!(Quirks::of_name(name).model, *model, "{name}, {seen}");
    }
}

#[test]
fn a_reader_is_known_by_its_numbers_at_usb() {
    for (vendor, product, model) in [
        (0x072F, 0x2200, Some("acr122u")),
        (0x072F, 0x223E, Some("acr1252u")),
        (0x076B, 0x5422, Some("omnikey-5422")),
        (0x04E6, 0x5790, Some("utrust-3700f")),
        (0x09D8, 0x0428, Some("twn4")),
        // SCM SCL3711, which is no PC/SC reader.
        (0x04E6, 0x5591, None),
    ] {
        let row = Quirks::of_usb(vendor, product);
        assert_eq!(row.map(|row| row.model), model);
    }
}

#[test]
fn every_row_is_whole_and_found_by_its_own_name() {
    for row in Quirks::all() {
        assert!(
            !row.source.is_empty() && !row.key_places.is_empty(),
            "{}",
            row.model
        );
        assert!(std::ptr::eq(Quirks::of_model(row.model).unwrap(), row));
        if row.model != GENERIC {
            assert!(std::ptr::eq(Quirks::of_name(row.called), row));
        }
    }
    assert!(Quirks::of_model("acr123").is_none());
}

#[test]
fn an_interface_that_is_no_encoder_is_known() {
    let is_other = |name, interface| Quirks::of_name(name).other(interface).is_some();
    assert!(is_other(
        "ACS ACR1252 Dual Reader",
        "ACR1252 Dual Reader SAM"
    ));
    assert!(!is_other(
        "ACS ACR1252 Dual Reader",
        "ACR1252 Dual Reader PICC"
    ));
    let omnikey = "HID Global OMNIKEY 5422 Smartcard Reader";
    assert!(is_other(omnikey, "OMNIKEY 5422 Smartcard Reader"));
    assert!(!is_other(omnikey, "OMNIKEY 5422CL Smartcard Reader"));
}
