//! What is known of ports and adapters without opening them, as a technician reads it.

use std::fs;
use std::path::Path;

use encoder::serial::{SerialPorts, ToldBy, UsbPort, is_plausible};
use encoder::{Access, Facts, Identity, Listing, Scope, Selector};

use crate::driver::NAME;
use crate::settings::{PORT, USB_SERIAL};

/// The kernel's driver for readers with a PN533 on USB, which keeps every program off them (NFC subsystem of Linux,
/// `drivers/nfc/pn533/usb.c`; libnfc ships a blacklist for it).
const KERNEL_DRIVER: &str = "pn533_usb";

/// What is known of the port of an adapter that is plugged in.
pub(crate) fn of_usb_port(
    ports: &SerialPorts,
    port: &UsbPort,
    all: &[UsbPort],
    access: Access,
) -> Listing {
    let told_by = port.told_by(all);
    let (selector, identity) = match &told_by {
        ToldBy::SerialNumber(serial) => (
            Selector::Usb(serial.clone()),
            Identity::of_serial_number(NAME, serial),
        ),
        ToldBy::UsbPort { place, .. } => (
            Selector::UsbPort(place.clone()),
            Identity::of_usb_port(NAME, place),
        ),
    };
    let facts = ports.facts(&port.node);
    let (description, facts) = match told_apart(&told_by) {
        None => (described(&port.node, Some(port)), facts),
        Some(how) => (
            format!("{}, {how}", described(&port.node, Some(port))),
            facts.with("told apart", how),
        ),
    };
    Listing {
        driver: NAME,
        selector,
        identity,
        description,
        access,
        facts,
    }
}

/// How an adapter is told from others of its make, if there are any.
fn told_apart(told_by: &ToldBy) -> Option<String> {
    match told_by {
        ToldBy::UsbPort { place, alike } if *alike > 1 => {
            let count = match alike {
                2 => "two".to_owned(),
                3 => "three".to_owned(),
                more => more.to_string(),
            };
            Some(format!(
                "one of {count} alike; told apart by USB port {place}"
            ))
        }
        ToldBy::UsbPort { .. } | ToldBy::SerialNumber(_) => None,
    }
}

/// What is known of what an entry, or an earlier listing, means; it may be absent.
pub(crate) fn of_selector(ports: &SerialPorts, selector: &Selector) -> Listing {
    if let Some(listing) = claimed_by_kernel(ports)
        .into_iter()
        .find(|listing| listing.selector == *selector)
    {
        return listing;
    }
    let (description, access, facts) = match ports.find(selector) {
        Ok(path) => (
            described(&path, ports.usb_behind(&path).as_ref()),
            ports.access(&path, PORT),
            ports.facts(&path),
        ),
        Err(missing) => (
            format!("PN532 at {selector}"),
            missing.into(),
            Facts::default(),
        ),
    };
    Listing {
        driver: NAME,
        selector: selector.clone(),
        identity: identity(selector),
        description,
        access,
        facts,
    }
}

/// A selector has one identity, whether something is plugged in there or not. A serial number that makers give to every
/// adapter of a kind says which one is meant at this computer, and nothing at the next.
fn identity(selector: &Selector) -> Identity {
    match selector {
        Selector::Port(path) => Identity::of_port(path),
        Selector::Usb(serial) if is_plausible(serial) => Identity::of_serial_number(NAME, serial),
        Selector::Usb(serial) => Identity {
            scope: Scope::Computer,
            ..Identity::of_serial_number(NAME, serial)
        },
        Selector::UsbPort(place) => Identity::of_usb_port(NAME, place),
        // Names nothing here.
        Selector::Reader(name) => Identity::of_reader(name),
        Selector::Server { address, encoder } => Identity::of_server(address, encoder),
    }
}

/// What a person would call the encoder at a port: the port, and the adapter that is plugged in behind it now.
fn described(path: &Path, usb: Option<&UsbPort>) -> String {
    let product = usb.and_then(|usb| usb.product.clone());
    let serial = usb.and_then(|usb| usb.serial.as_ref());
    let serial = serial.map(|serial| format!("serial number {serial}"));
    let behind: Vec<String> = product.into_iter().chain(serial).collect();
    let port = path.display();
    if behind.is_empty() {
        format!("PN532 at {port}")
    } else {
        format!("PN532 at {port} ({})", behind.join(", "))
    }
}

/// Why a port that nobody configured is left alone, and what to write if it is an encoder.
pub(crate) fn unclaimed(ports: &SerialPorts, port: &UsbPort, all: &[UsbPort], why: &str) -> Access {
    let (key, value) = match port.told_by(all) {
        ToldBy::SerialNumber(serial) => (USB_SERIAL, serial),
        ToldBy::UsbPort { .. } => {
            let lasting = ports.links(&port.node).into_iter().find(|link| {
                link.parent()
                    .is_some_and(|folder| folder.ends_with("by-path"))
            });
            let path = lasting.unwrap_or_else(|| port.node.clone());
            (PORT, path.display().to_string())
        }
    };
    Access::Unclaimed {
        reason: format!(
            "{why}; if a PN532 is connected to it, add these lines to the configuration:\n\
             [[encoder]]\ndriver = {NAME:?}\n{key} = {value:?}"
        ),
    }
}

/// The readers that the kernel's own driver keeps from everybody.
pub(crate) fn claimed_by_kernel(ports: &SerialPorts) -> Vec<Listing> {
    let folder = ports.sysfs().join("bus/usb/drivers").join(KERNEL_DRIVER);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        // Beside the devices' interfaces there are the driver's own files.
        .filter(|entry| entry.file_name().as_encoded_bytes().contains(&b':'))
        .filter_map(|entry| fs::canonicalize(entry.path()).ok())
        .filter_map(|interface| kernel_claimed(interface.parent()?))
        .collect()
}

fn kernel_claimed(device: &Path) -> Option<Listing> {
    let attribute = |name: &str| {
        let text = fs::read_to_string(device.join(name)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let place = device.file_name()?.to_str()?;
    let product = attribute("product").unwrap_or_else(|| "PN533 reader".to_owned());
    let ids = format!("{}:{}", attribute("idVendor")?, attribute("idProduct")?);
    Some(Listing {
        driver: NAME,
        selector: Selector::UsbPort(place.to_owned()),
        identity: Identity::of_usb_port(NAME, place),
        description: format!("{product} at USB port {place}"),
        // A reader of PC/SC, if of anybody: it must not become a PN532 that never comes online.
        access: Access::Unclaimed {
            reason: format!(
                "the kernel module {KERNEL_DRIVER} has taken it; run `modprobe -r {KERNEL_DRIVER}`, and write \
                 `blacklist {KERNEL_DRIVER}` into /etc/modprobe.d/cardbridge.conf so that it stays away; PC/SC finds \
                 the reader then"
            ),
        },
        facts: Facts::default()
            .with("usb ids", ids)
            .with("usb port", place)
            .with_known("serial number", attribute("serial"))
            .with("kernel driver", KERNEL_DRIVER),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_is_the_same_at_every_computer_only_by_a_number_of_its_own() {
        for (serial, scope) in [("AL00XQ3T", Scope::Site), ("0001", Scope::Computer)] {
            let identity = identity(&Selector::Usb(serial.to_owned()));
            assert_eq!(identity.scope, scope, "{serial}");
            assert_eq!(identity.text, format!("pn532:serial:{serial}"));
        }
    }
}
