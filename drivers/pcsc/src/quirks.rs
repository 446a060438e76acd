//! What is known of readers, one row for each model: facts with their sources, not code.
//!
//! A row says what to try first, and what asking a reader cannot tell. What it does not know, or has wrong, is asked: the
//! row without a name is for all others, and asks for everything. No row has run on a real reader here.

mod feedback;

use card::KeyType;

use crate::raw::RawWay;

pub(crate) use feedback::{Feedback, FeedbackWay};

/// One model of readers.
#[derive(Debug)]
pub(crate) struct Quirks {
    /// What the setting `model` calls it.
    pub(crate) model: &'static str,
    /// What the names begin with that PC/SC gives it; of other drivers than libccid too.
    pub(crate) names: &'static [&'static str],
    /// Vendor and product at USB.
    pub(crate) usb: &'static [(u16, u16)],
    /// What libccid calls it (its Info.plist), for devices that PC/SC does not show.
    pub(crate) called: &'static str,
    /// Where it takes a key, in the order in which that is tried.
    pub(crate) key_places: &'static [KeyPlace],
    /// How it may send a card any frame, in the order in which that is tried. What is not named is not tried.
    pub(crate) raw_ways: &'static [RawWay],
    /// How it tells the person at the desk something.
    pub(crate) feedback: Option<&'static Feedback>,
    /// Interfaces of the same device that are no encoders: what is in their names, and what they are.
    pub(crate) others: &'static [(&'static str, &'static str)],
    /// Time-outs, polling and bad behaviour that are known. For people.
    pub(crate) notes: &'static [&'static str],
    /// Where all this is from.
    pub(crate) source: &'static str,
}

/// Where a reader takes a key (PC/SC part 3, 3.2.2.1.4: P1 of LOAD KEYS), and by what number it is meant later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyPlace {
    /// In memory that keeps it, 20h, at number 00h.
    Persistent,
    /// In memory that forgets it, 00h, at number 00h.
    Volatile,
    /// In memory that forgets it, where the number is the key's type, 60h or 61h; authentication then names key 01h.
    ByKeyType,
}

impl KeyPlace {
    /// In the order in which an unknown reader is asked. Readers that want 20h answer 00h with an error, while some that
    /// want 00h answer 20h with success and keep the key all the same (danm-de/pcsc-sharp#17, #102).
    const ALL: &[Self] = &[Self::Persistent, Self::Volatile, Self::ByKeyType];

    /// P1 of LOAD KEYS.
    pub(crate) fn structure(self) -> u8 {
        match self {
            Self::Persistent => 0x20,
            Self::Volatile | Self::ByKeyType => 0x00,
        }
    }

    /// P2 of LOAD KEYS.
    pub(crate) fn loaded_as(self, key_type: KeyType) -> u8 {
        match (self, key_type) {
            (Self::Persistent | Self::Volatile, _) => 0x00,
            (Self::ByKeyType, KeyType::A) => 0x60,
            (Self::ByKeyType, KeyType::B) => 0x61,
        }
    }

    /// The key's number in GENERAL AUTHENTICATE.
    pub(crate) fn used_as(self) -> u8 {
        match self {
            Self::Persistent | Self::Volatile => 0x00,
            Self::ByKeyType => 0x01,
        }
    }

    /// The types whose keys lie in places of their own.
    pub(crate) fn types(self) -> &'static [KeyType] {
        match self {
            Self::Persistent | Self::Volatile => &[KeyType::A],
            Self::ByKeyType => &[KeyType::A, KeyType::B],
        }
    }
}

/// What the row for all other readers is called.
const GENERIC: &str = "generic";

/// Names and numbers are those of libccid (LudovicRousseau/CCID, Info.plist) unless a row says otherwise.
static TABLE: [Quirks; 6] = [
    Quirks {
        model: "acr122u",
        names: &["ACS ACR122"],
        usb: &[(0x072F, 0x2200)],
        called: "ACS ACR122U PICC Interface",
        key_places: &[KeyPlace::Volatile, KeyPlace::Persistent],
        raw_ways: &[RawWay::DirectTransmit, RawWay::Transparent],
        feedback: Some(&feedback::ACR122U),
        others: &[],
        notes: &[
            "the kernel's module pn533_usb takes it (LudovicRousseau/pcsc-tools#97)",
            "libccid does not support it officially and waits 1 s for its slot; acsccid does support it",
            "it stops answering under load until it is unplugged (LudovicRousseau/PCSC#77, #93; pokusew/nfc-pcsc#116)",
        ],
        source: "ACS ACR122U API 2.04, 4.2 to 5.5.1 and 6.2",
    },
    Quirks {
        model: "acr1252u",
        names: &["ACS ACR1252"],
        usb: &[(0x072F, 0x223B), (0x072F, 0x223E)],
        called: "ACS ACR1252 Dual Reader",
        key_places: &[KeyPlace::Volatile, KeyPlace::Persistent],
        raw_ways: &[RawWay::Transparent, RawWay::DirectTransmit],
        feedback: Some(&feedback::ACR1252U),
        others: &[("SAM", "a slot for SAM cards")],
        notes: &["of its two interfaces the second is for SAM cards (acshk/acsccid#10)"],
        source: "ACS ACR1252U API 1.09, 5.2 and 5.4; ACS ACM1252U-Y3 Reference Manual 1.03, 5.2 and 5.3, of the same family",
    },
    Quirks {
        model: "omnikey-5022",
        names: &["HID Global OMNIKEY 5022"],
        usb: &[(0x076B, 0x5022)],
        called: "HID Global OMNIKEY 5022 Smart Card Reader",
        key_places: &[KeyPlace::Persistent, KeyPlace::Volatile],
        raw_ways: &[RawWay::Transparent],
        feedback: None,
        others: &[],
        notes: &[
            "a key for its volatile memory is refused on some firmware (danm-de/pcsc-sharp#17)",
        ],
        source: "HID-OMNIKEY-Sample-Codes, ContactlessCardCommunication.cs, LoadKeyCommand",
    },
    Quirks {
        model: "omnikey-5422",
        names: &["HID Global OMNIKEY 5422", "HID Global OMNIKEY 5122"],
        usb: &[(0x076B, 0x5422), (0x076B, 0x5412), (0x076B, 0x5432)],
        called: "HID Global OMNIKEY 5422 Smartcard Reader",
        key_places: &[KeyPlace::Persistent, KeyPlace::Volatile],
        raw_ways: &[RawWay::Transparent],
        feedback: None,
        others: &[
            ("OMNIKEY 5422 Smartcard", "the slot for cards with contacts"),
            ("OMNIKEY 5122 Smartcard", "the slot for cards with contacts"),
        ],
        notes: &[
            "of its two interfaces the one with CL is contactless (Yubico/yubico-piv-tool#298)",
        ],
        source: "HID-OMNIKEY-Sample-Codes, ContactlessCardCommunication.cs, LoadKeyCommand",
    },
    Quirks {
        model: "utrust-3700f",
        names: &[
            "Identiv uTrust 3700 F",
            "Identiv uTrust 3701 F",
            "Identive CLOUD 3700 F",
            "Identive CLOUD 3701 F",
        ],
        usb: &[(0x04E6, 0x5790), (0x04E6, 0x5791)],
        called: "Identiv uTrust 3700 F CL Reader",
        key_places: &[
            KeyPlace::ByKeyType,
            KeyPlace::Volatile,
            KeyPlace::Persistent,
        ],
        // FF 00 00 00 is this maker's command for keys and PIN in its permanent memory (6.4): not to be tried.
        raw_ways: &[RawWay::Transparent],
        feedback: None,
        others: &[],
        notes: &[
            "its first answers come late: libccid waits four times as long (LudovicRousseau/PCSC#66, #94)",
            "now and then it fails to power a card up (LudovicRousseau/PCSC#102)",
        ],
        source: "Identiv Reference Manual for uTrust 3720F and 3721F, 1.00, 6.2.3, 6.2.4 and 6.4, of the same family",
    },
    Quirks {
        model: "twn4",
        names: &["Elatec TWN4"],
        usb: &[(0x09D8, 0x0427), (0x09D8, 0x0428)],
        called: "Elatec TWN4 SmartCard NFC",
        key_places: KeyPlace::ALL,
        raw_ways: RawWay::ALL,
        feedback: None,
        others: &[],
        notes: &[
            "it is a PC/SC reader with its CCID firmware only, and a keyboard or a serial port with others",
            "libccid waits 1 s for its slot",
        ],
        source: "LudovicRousseau/CCID, Info.plist and ccid.c; its maker publishes no commands, so all is asked",
    },
];

static OTHERS: Quirks = Quirks {
    model: GENERIC,
    names: &[],
    usb: &[],
    called: "",
    key_places: KeyPlace::ALL,
    raw_ways: RawWay::ALL,
    feedback: None,
    others: &[],
    notes: &[],
    source: "PC/SC part 3, 3.2.2, and its supplement 2.02; what differs is asked",
};

impl Quirks {
    /// The row for a reader, by its name in PC/SC.
    pub(crate) fn of_name(name: &str) -> &'static Self {
        TABLE
            .iter()
            .find(|row| row.names.iter().any(|begin| name.starts_with(begin)))
            .unwrap_or(&OTHERS)
    }

    /// The row for a USB device, if it is in the table.
    pub(crate) fn of_usb(vendor: u16, product: u16) -> Option<&'static Self> {
        TABLE
            .iter()
            .find(|row| row.usb.contains(&(vendor, product)))
    }

    /// The row with this name.
    pub(crate) fn of_model(model: &str) -> Option<&'static Self> {
        Self::all().find(|row| row.model == model)
    }

    /// Every row.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        TABLE.iter().chain([&OTHERS])
    }

    /// What an interface of such a reader is, when it is no encoder.
    pub(crate) fn other(&self, interface: &str) -> Option<&'static str> {
        let row = self
            .others
            .iter()
            .find(|(part, _)| interface.contains(part))?;
        Some(row.1)
    }
}

#[cfg(test)]
mod tests;
