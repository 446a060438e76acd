//! A reader's name taken apart, and which reader a person means by one.
//!
//! pcsc-lite makes names of `NAME [INTERFACE] (SERIAL) II SS`: what the driver's list calls the model, the names of the
//! USB interface and the serial number where the device has them (hotplug_libudev.c), then the first free number and
//! the slot, in hex (readerfactory.c). The number is another one after every replug.

use encoder::{Identity, serial};

/// Who the identity belongs to.
pub(crate) const DRIVER: &str = "pcsc";

/// Between a reader's name and the USB port that tells it from another of this name.
const AT_PORT: &str = " at USB port ";
const SLOT: &str = " slot ";

/// A reader's name without its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// Everything before the number.
    pub(crate) whole: String,
    pub(crate) interface: Option<String>,
    /// A serial number that looks like one of its own.
    pub(crate) serial: Option<String>,
    pub(crate) slot: u8,
}

/// Which reader is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The one with this serial number.
    Serial(Name),
    /// Whichever of this kind is plugged in at this USB port.
    UsbPort(Name, String),
    /// The only one of this name.
    Name(Name),
    /// The one of exactly this name, number included.
    Exactly(String),
}

impl Name {
    /// Takes the name apart that PC/SC gives a reader. The second part is whether it has a number at all.
    pub(crate) fn of_reader(full: &str) -> (Self, bool) {
        match split_number(full) {
            Some((whole, slot)) => (Self::new(whole, slot), true),
            None => (Self::new(full, 0), false),
        }
    }

    /// Of a name without number.
    pub(crate) fn new(whole: &str, slot: u8) -> Self {
        let (rest, serial) = match between(whole, " (", ')') {
            Some((rest, serial)) if serial::is_plausible(serial) => (rest, Some(serial)),
            _ => (whole, None),
        };
        let interface = between(rest, " [", ']').map(|(_, interface)| interface);
        Self {
            whole: whole.to_owned(),
            interface: interface.map(str::to_owned),
            serial: serial.map(str::to_owned),
            slot,
        }
    }

    /// What pcsc-lite will call a device, apart from the number.
    pub(crate) fn of_device(called: &str, interface: Option<&str>, serial: Option<&str>) -> Self {
        let mut whole = called.to_owned();
        if let Some(interface) = interface {
            whole.push_str(&format!(" [{interface}]"));
        }
        if let Some(serial) = serial.filter(|serial| !whole.contains(serial)) {
            whole.push_str(&format!(" ({serial})"));
        }
        Self::new(&whole, 0)
    }

    /// Whether both are the same interface and slot, of whatever device.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (&self.interface, self.slot) == (&other.interface, other.slot)
    }

    /// For a person, without the number.
    pub(crate) fn text(&self) -> String {
        match self.slot {
            0 => self.whole.clone(),
            slot => format!("{}{SLOT}{slot}", self.whole),
        }
    }

    /// What else is part of an identity: several interfaces and slots share one serial number and one port.
    fn part(&self, of: &str) -> String {
        let mut text = of.to_owned();
        if let Some(interface) = &self.interface {
            text.push_str(&format!(" [{interface}]"));
        }
        match self.slot {
            0 => text,
            slot => format!("{text}{SLOT}{slot}"),
        }
    }
}

impl Wanted {
    /// What a selector means: a name as PC/SC gives it, or as the listing shows it.
    pub(crate) fn parse(text: &str) -> Self {
        if let Some((rest, port)) = text.rsplit_once(AT_PORT) {
            return Self::UsbPort(without_number(rest), port.to_owned());
        }
        match Name::of_reader(text) {
            (name, _) if name.serial.is_some() => Self::Serial(without_number(text)),
            (_, true) => Self::Exactly(text.to_owned()),
            (_, false) => Self::Name(without_number(text)),
        }
    }

    /// The text that means the same.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Serial(name) | Self::Name(name) => name.text(),
            Self::UsbPort(name, port) => format!("{}{AT_PORT}{port}", name.text()),
            Self::Exactly(full) => full.clone(),
        }
    }

    /// The same for the same text, whether the reader is there or not.
    pub(crate) fn identity(&self) -> Identity {
        match self {
            Self::Serial(name) => {
                let serial = name.serial.as_deref().unwrap_or_default();
                Identity::of_serial_number(DRIVER, &name.part(serial))
            }
            Self::UsbPort(name, port) => Identity::of_usb_port(DRIVER, &name.part(port)),
            Self::Name(name) => Identity::of_reader(&name.text()),
            Self::Exactly(full) => Identity::of_reader(full),
        }
    }

    /// Whether a reader is meant, of which the full name is known and perhaps its USB port.
    pub(crate) fn is(&self, full: Option<&str>, name: &Name, port: Option<&str>) -> bool {
        match self {
            Self::Serial(wanted) => wanted.serial == name.serial && wanted.is_like(name),
            Self::UsbPort(wanted, at) => port == Some(at) && wanted.is_like(name),
            Self::Name(wanted) => (&wanted.whole, wanted.slot) == (&name.whole, name.slot),
            Self::Exactly(wanted) => full == Some(wanted),
        }
    }
}

/// A name as a person writes it: with pcsc-lite's number, with a slot, or with neither.
fn without_number(text: &str) -> Name {
    let slot = text
        .rsplit_once(SLOT)
        .and_then(|(whole, slot)| Some((whole, slot.parse().ok()?)));
    match (split_number(text), slot) {
        (Some((whole, slot)), _) | (None, Some((whole, slot))) => Name::new(whole, slot),
        (None, None) => Name::new(text, 0),
    }
}

/// Parts ` II SS` from the end; the second part is the slot.
fn split_number(full: &str) -> Option<(&str, u8)> {
    let (rest, slot) = full.rsplit_once(' ')?;
    let (whole, number) = rest.rsplit_once(' ')?;
    let hex = |text: &str| (text.len() == 2).then(|| u8::from_str_radix(text, 16).ok())?;
    hex(number)?;
    Some((whole, hex(slot)?))
}

/// What stands in the last brackets, and what stands before them.
fn between<'a>(text: &'a str, open: &str, close: char) -> Option<(&'a str, &'a str)> {
    text.strip_suffix(close)?.rsplit_once(open)
}

#[cfg(test)]
mod tests {
    use encoder::Scope;

    use super::*;

    const OMNIKEY: &str = "HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422CL Smartcard Reader] (KJ0K3P000916363685)";

    #[test]
    fn a_name_of_pcscd_is_taken_apart() {
        for (full, interface, serial, slot) in [
            (
                format!("{OMNIKEY} 00 00"),
                Some("OMNIKEY 5422CL Smartcard Reader"),
                Some("KJ0K3P000916363685"),
                0,
            ),
            ("ACS ACR122U PICC Interface 00 00".to_owned(), None, None, 0),
            ("ACS ACR1281 1S Dual Reader 00 02".to_owned(), None, None, 2),
            // No serial number, for all its brackets.
            (
                "Elatec TWN4/B1.06/CPF3.05/S1SC1.32/P (Beta 3) 0A 00".to_owned(),
                None,
                None,
                0,
            ),
        ] {
            let (name, has_number) = Name::of_reader(&full);
            assert!(has_number, "{full}");
            assert_eq!(name.whole, full[..full.len() - 6]);
            assert_eq!(name.interface.as_deref(), interface, "{full}");
            assert_eq!(name.serial.as_deref(), serial, "{full}");
            assert_eq!(name.slot, slot, "{full}");
        }
        assert!(!Name::of_reader("ACS ACR1252 1S CL Reader(1)").1);
    }

    #[test]
    fn one_reader_has_one_identity_under_every_name_that_means_it() {
        let identities: Vec<_> = [" 00 00", " 01 00", ""]
            .map(|number| Wanted::parse(&format!("{OMNIKEY}{number}")).identity())
            .to_vec();
        assert!(identities.iter().all(|identity| *identity == identities[0]));
        assert_eq!(identities[0].scope, Scope::Site);
        // A slot and an interface of the same device are others.
        let slot = Wanted::parse(&format!("{OMNIKEY} 00 01")).identity();
        let contact = OMNIKEY.replace("[OMNIKEY 5422CL", "[OMNIKEY 5422");
        let contact = Wanted::parse(&contact).identity();
        assert_ne!(slot, identities[0]);
        assert_ne!(contact, identities[0]);
    }

    #[test]
    fn a_text_means_itself() {
        for text in [
            OMNIKEY,
            "ACS ACR122U PICC Interface at USB port 1-1.4",
            "ACS ACR1281 1S Dual Reader slot 2 at USB port 1-1.4",
            "ACS ACR122U PICC Interface",
            "ACS ACR122U PICC Interface 00 00",
            "Virtual PCD slot 1",
        ] {
            assert_eq!(Wanted::parse(text).text(), text);
        }
    }

    #[test]
    fn a_reader_is_meant_by_its_number_only_where_nothing_else_tells() {
        let is = |wanted: &str, full: &str, port| {
            Wanted::parse(wanted).is(Some(full), &Name::of_reader(full).0, port)
        };
        // The number after a replug is another one.
        let (before, after) = (format!("{OMNIKEY} 00 00"), format!("{OMNIKEY} 02 00"));
        assert!(is(&before, &after, None));
        let (one, other) = (
            "ACS ACR122U PICC Interface 00 00",
            "ACS ACR122U PICC Interface 01 00",
        );
        assert!(is(one, one, None) && !is(one, other, None));
        let at_port = "ACS ACR122U PICC Interface at USB port 1-1.4";
        assert!(is(at_port, one, Some("1-1.4")) && !is(at_port, one, Some("1-1.3")));
        assert!(is("ACS ACR122U PICC Interface", other, None));
    }

    #[test]
    fn what_a_device_will_be_called_is_what_pcscd_calls_it() {
        let (called, interface) = (
            "HID Global OMNIKEY 5422 Smartcard Reader",
            Some("OMNIKEY 5422CL Smartcard Reader"),
        );
        let name = Name::of_device(called, interface, Some("KJ0K3P000916363685"));
        assert_eq!(name, Name::of_reader(&format!("{OMNIKEY} 00 00")).0);
        let bare = Name::of_device("ACS ACR122U PICC Interface", None, None);
        assert_eq!(bare.text(), "ACS ACR122U PICC Interface");
    }
}
