//! Which readers there are, those that PC/SC shows and those at USB that it does not, and by what each is the same one
//! tomorrow: its serial number, else its USB port, else its name.

use crate::name::{Name, Wanted};
use crate::quirks::Quirks;
use crate::usb::UsbReader;

/// A reader that is there.
#[derive(Debug)]
pub(crate) struct Found {
    /// What means it from now on.
    pub(crate) wanted: Wanted,
    pub(crate) seen: Seen,
    /// How many of its kind are there, itself included.
    pub(crate) alike: usize,
}

/// A reader as PC/SC shows it, or as it should.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Its name in PC/SC; `None` when PC/SC does not show it.
    pub(crate) full: Option<String>,
    pub(crate) name: Name,
    /// The USB port that it is plugged in at, where that is known.
    pub(crate) port: Option<String>,
    pub(crate) quirks: &'static Quirks,
    /// What drives it instead of PC/SC.
    pub(crate) kernel_driver: Option<String>,
    /// Its port would tell it from others, and could not be asked for while somebody uses it: what it would be known by
    /// now is not what it will be known by.
    pub(crate) is_in_doubt: bool,
}

/// What a reader says of its place at USB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    /// Bus and device.
    At(u8, u8),
    /// Its driver does not tell.
    Untold,
    /// It cannot be asked now.
    InUse,
}

/// Matches what PC/SC shows with what is plugged in. `address_of` asks a reader for its place at USB; only readers that
/// nothing else tells apart are asked.
pub(crate) fn find(
    names: &[String],
    usb: &[UsbReader],
    address_of: impl Fn(&str) -> Address,
) -> Vec<Found> {
    let mut all: Vec<Seen> = names.iter().map(|full| Seen::of_reader(full)).collect();
    let ports: Vec<_> = all
        .iter()
        .map(|one| {
            let port = one.port_by_looks(&all, usb);
            if port.is_some() || one.has_own_serial(&all) || usb.is_empty() {
                return (port, false);
            }
            match one.full.as_deref().map_or(Address::Untold, &address_of) {
                Address::At(bus, device) => {
                    let at = usb.iter().find(|there| there.address == (bus, device));
                    (at.map(|there| there.port.clone()), false)
                }
                Address::Untold => (None, false),
                Address::InUse => (None, true),
            }
        })
        .collect();
    for (one, (port, is_in_doubt)) in all.iter_mut().zip(ports) {
        one.port = port;
        one.is_in_doubt = is_in_doubt;
    }
    let missing: Vec<_> = usb
        .iter()
        .filter(|device| !is_shown(device, &all))
        .flat_map(Seen::of_device)
        .collect();
    all.extend(missing);
    let told: Vec<_> = all
        .iter()
        .map(|one| {
            (
                one.wanted(&all),
                all.iter().filter(|other| one.is_alike(other)).count(),
            )
        })
        .collect();
    all.into_iter()
        .zip(told)
        .map(|(seen, (wanted, alike))| Found {
            wanted,
            seen,
            alike,
        })
        .collect()
}

impl Seen {
    fn of_reader(full: &str) -> Self {
        Self {
            name: Name::of_reader(full).0,
            full: Some(full.to_owned()),
            port: None,
            quirks: Quirks::of_name(full),
            kernel_driver: None,
            is_in_doubt: false,
        }
    }

    /// What PC/SC should show of a device that is in the table.
    fn of_device(device: &UsbReader) -> Vec<Self> {
        let Some(quirks) = Quirks::of_usb(device.vendor, device.product) else {
            return Vec::new();
        };
        let serial = device.serial.as_deref();
        device
            .interfaces
            .iter()
            .map(|interface| Self {
                full: None,
                name: Name::of_device(quirks.called, interface.name.as_deref(), serial),
                port: Some(device.port.clone()),
                quirks,
                kernel_driver: interface.driver.clone(),
                is_in_doubt: false,
            })
            .filter(|seen| seen.other().is_none())
            .collect()
    }

    /// What it is, when it is no encoder.
    pub(crate) fn other(&self) -> Option<&'static str> {
        self.quirks.other(self.name.interface.as_deref()?)
    }

    fn is_alike(&self, other: &Self) -> bool {
        std::ptr::eq(self.quirks, other.quirks) && self.name.is_like(&other.name)
    }

    fn has_own_serial(&self, all: &[Self]) -> bool {
        let same =
            |other: &&Self| other.name.serial == self.name.serial && other.name.is_like(&self.name);
        self.name.serial.is_some() && all.iter().filter(same).count() == 1
    }

    /// Its port, when there is one device only that it can be.
    fn port_by_looks(&self, all: &[Self], usb: &[UsbReader]) -> Option<String> {
        let of_kind =
            |device: &&UsbReader| self.quirks.usb.contains(&(device.vendor, device.product));
        let mut devices = usb.iter().filter(of_kind);
        match (devices.next(), devices.next()) {
            (Some(only), None) if all.iter().filter(|other| self.is_alike(other)).count() == 1 => {
                Some(only.port.clone())
            }
            _ if self.has_own_serial(all) => {
                let serial = &self.name.serial;
                Some(
                    usb.iter()
                        .find(|device| device.serial == *serial)?
                        .port
                        .clone(),
                )
            }
            _ => None,
        }
    }

    fn wanted(&self, all: &[Self]) -> Wanted {
        let no_other = |same: &dyn Fn(&Self) -> bool| {
            !all.iter()
                .any(|other| !std::ptr::eq(self, other) && same(other))
        };
        if self.has_own_serial(all) {
            return Wanted::Serial(self.name.clone());
        }
        if let Some(port) = &self.port
            && no_other(&|other| other.port == self.port && other.name.is_like(&self.name))
        {
            return Wanted::UsbPort(self.name.clone(), port.clone());
        }
        match &self.full {
            Some(full) if !no_other(&|other| other.name.text() == self.name.text()) => {
                Wanted::Exactly(full.clone())
            }
            _ => Wanted::Name(self.name.clone()),
        }
    }
}

/// Whether PC/SC shows a device. One of its kind that is nowhere at USB may be any.
fn is_shown(device: &UsbReader, all: &[Seen]) -> bool {
    let Some(quirks) = Quirks::of_usb(device.vendor, device.product) else {
        return true;
    };
    all.iter().any(|one| {
        one.port.as_deref() == Some(&device.port)
            || std::ptr::eq(one.quirks, quirks) && one.port.is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usb::tests::Plugged;

    const ACR122U: (u16, u16) = (0x072F, 0x2200);
    const OMNIKEY: (u16, u16) = (0x076B, 0x5422);
    const CL: &str = "HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422CL Smartcard Reader] (KJ0K3P000916363685)";

    fn found(
        names: &[&str],
        plugged: &Plugged,
        address_of: impl Fn(&str) -> Address,
    ) -> Vec<String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        find(&names, &plugged.tree().readers(), address_of)
            .iter()
            .map(|found| found.wanted.text())
            .collect()
    }

    fn nobody_is_asked(name: &str) -> Address {
        panic!("{name} was asked")
    }

    #[test]
    fn a_serial_number_tells_a_reader_wherever_it_is() {
        let plugged = Plugged::new();
        let names = [format!("{CL} 00 00"), format!("{CL} 03 00")];
        for (port, full) in ["1-1.4", "2-3"].iter().zip(&names) {
            let plugged = Plugged::new();
            plugged
                .plug(port, OMNIKEY, (1, 7))
                .serial(port, "KJ0K3P000916363685");
            assert_eq!(found(&[full], &plugged, nobody_is_asked), [CL]);
        }
        assert_eq!(found(&[&names[0]], &plugged, nobody_is_asked), [CL]);
    }

    #[test]
    fn readers_that_share_a_serial_number_are_told_by_their_ports() {
        let plugged = Plugged::new();
        for (port, device) in [("1-1", 4), ("1-2", 5)] {
            plugged
                .plug(port, OMNIKEY, (1, device))
                .serial(port, "KJ0K3P000916363685");
        }
        let names = [format!("{CL} 00 00"), format!("{CL} 01 00")];
        let names = names.each_ref().map(String::as_str);
        let told = found(&names, &plugged, |name| {
            Address::At(1, if name.ends_with("00 00") { 5 } else { 4 })
        });
        assert_eq!(
            told,
            [
                format!("{CL} at USB port 1-2"),
                format!("{CL} at USB port 1-1")
            ]
        );
    }

    #[test]
    fn a_lone_reader_without_serial_number_is_told_by_its_port_and_not_asked() {
        let plugged = Plugged::new();
        plugged.plug("1-1.4", ACR122U, (1, 7));
        let told = found(
            &["ACS ACR122U PICC Interface 00 00"],
            &plugged,
            nobody_is_asked,
        );
        assert_eq!(told, ["ACS ACR122U PICC Interface at USB port 1-1.4"]);
    }

    #[test]
    fn twins_are_asked_where_they_are() {
        let plugged = Plugged::new();
        plugged
            .plug("1-1.3", ACR122U, (1, 8))
            .plug("1-1.4", ACR122U, (1, 7));
        let names = [
            "ACS ACR122U PICC Interface 00 00",
            "ACS ACR122U PICC Interface 01 00",
        ];
        let told = found(&names, &plugged, |name| {
            Address::At(1, if name.ends_with("00 00") { 7 } else { 8 })
        });
        assert_eq!(
            told,
            [
                "ACS ACR122U PICC Interface at USB port 1-1.4",
                "ACS ACR122U PICC Interface at USB port 1-1.3"
            ]
        );
        // Where they do not tell, the number is all there is; and none is listed twice.
        assert_eq!(found(&names, &plugged, |_| Address::Untold), names);
    }

    #[test]
    fn a_twin_that_cannot_be_asked_now_is_in_doubt() {
        let plugged = Plugged::new();
        plugged
            .plug("1-1.3", ACR122U, (1, 8))
            .plug("1-1.4", ACR122U, (1, 7));
        let names = [
            "ACS ACR122U PICC Interface 00 00",
            "ACS ACR122U PICC Interface 01 00",
        ];
        let found = find(
            &names.map(str::to_owned),
            &plugged.tree().readers(),
            |name| match name.ends_with("00 00") {
                true => Address::InUse,
                false => Address::At(1, 8),
            },
        );
        let doubts: Vec<_> = found.iter().map(|found| found.seen.is_in_doubt).collect();
        assert_eq!(doubts, [true, false]);
    }

    #[test]
    fn a_reader_that_is_at_no_usb_port_is_told_by_its_name() {
        let names = ["Virtual PCD 00 00", "Virtual PCD 00 01"];
        let told = found(&names, &Plugged::new(), nobody_is_asked);
        assert_eq!(told, ["Virtual PCD", "Virtual PCD slot 1"]);
    }

    #[test]
    fn a_device_that_pcsc_does_not_show_has_the_identity_that_it_will_have() {
        let plugged = Plugged::new();
        plugged
            .plug("1-1.4", OMNIKEY, (1, 7))
            .interface("1-1.4", 0, Some("OMNIKEY 5422CL Smartcard Reader"))
            .interface("1-1.4", 1, Some("OMNIKEY 5422 Smartcard Reader"))
            .serial("1-1.4", "KJ0K3P000916363685")
            .plug("1-2", ACR122U, (1, 9))
            .driven_by("1-2", "pn533_usb");
        let absent = find(&[], &plugged.tree().readers(), nobody_is_asked);
        let texts: Vec<_> = absent.iter().map(|found| found.wanted.text()).collect();
        // Not the slot for cards with contacts.
        assert_eq!(texts, [CL, "ACS ACR122U PICC Interface at USB port 1-2"]);
        assert_eq!(absent[1].seen.kernel_driver.as_deref(), Some("pn533_usb"));

        let names = [
            format!("{CL} 00 00"),
            "ACS ACR122U PICC Interface 01 00".to_owned(),
        ];
        let present = find(&names, &plugged.tree().readers(), nobody_is_asked);
        let identities = |found: &[Found]| -> Vec<_> {
            found.iter().map(|found| found.wanted.identity()).collect()
        };
        assert_eq!(identities(&present), identities(&absent));
        assert!(present.iter().all(|found| found.seen.full.is_some()));
    }
}
