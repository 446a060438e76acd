//! What a reader's driver tells of it, over a connection that touches no card. Only while nobody uses the reader: whoever
//! keeps a transaction there would be waited for without end.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::{Arc, Mutex, PoisonError};

use encoder::Facts;
use pcsc::{Attribute, Card, Context, Disposition, Protocols, ShareMode, State};

use crate::context::{self, establish};
use crate::find::Address;
use crate::usb::UsbReader;

/// In the upper half of SCARD_ATTR_CHANNEL_ID: the lower has bus and device (libccid, ifdhandler.c).
const USB_CHANNEL: u32 = 0x0020;

/// Where readers are at USB, as they said themselves, by their names. Good for as long as a device is there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses(Arc<Mutex<BTreeMap<String, (u8, u8)>>>);

impl Addresses {
    /// Where a reader is.
    pub(crate) fn of(&self, reader: &str, usb: &[UsbReader]) -> Address {
        let known = self.lock().get(reader).copied();
        if let Some((bus, device)) = known
            && usb.iter().any(|there| there.address == (bus, device))
        {
            return Address::At(bus, device);
        }
        let (Ok(context), Ok(name)) = (establish(), context::name(reader)) else {
            return Address::Untold;
        };
        let Some(connection) = connect(&context, &name) else {
            return Address::InUse;
        };
        let channel = number(&connection, Attribute::ChannelId);
        let _ = connection.disconnect(Disposition::LeaveCard);
        let Some((bus, device)) = channel.and_then(usb_address) else {
            return Address::Untold;
        };
        self.lock().insert(reader.to_owned(), (bus, device));
        Address::At(bus, device)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (u8, u8)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds what the reader's driver knows of it.
pub(crate) fn facts(context: &Context, reader: &CStr, facts: Facts) -> Facts {
    let Some(connection) = connect(context, reader) else {
        return facts;
    };
    let facts = facts
        .with_known("maker", text(&connection, Attribute::VendorName))
        .with_known(
            "firmware version",
            number(&connection, Attribute::VendorIfdVersion).and_then(version),
        )
        .with_known(
            "serial number",
            text(&connection, Attribute::VendorIfdSerialNo),
        );
    let _ = connection.disconnect(Disposition::LeaveCard);
    facts
}

fn connect(context: &Context, reader: &CStr) -> Option<Card> {
    let state = context::state(context, reader).ok()?;
    if state.intersects(State::INUSE | State::EXCLUSIVE) {
        return None;
    }
    context
        .connect(reader, ShareMode::Direct, Protocols::UNDEFINED)
        .ok()
}

/// A text that ends with a zero byte. Many drivers answer with none.
fn text(connection: &Card, attribute: Attribute) -> Option<String> {
    let mut buffer = [0; 256];
    let bytes = connection.get_attribute(attribute, &mut buffer).ok()?;
    let text: String = String::from_utf8_lossy(bytes)
        .chars()
        .filter(|letter| !letter.is_control())
        .collect();
    Some(text).filter(|text| !text.is_empty())
}

fn number(connection: &Card, attribute: Attribute) -> Option<u32> {
    let mut buffer = [0; 8];
    let bytes = connection.get_attribute(attribute, &mut buffer).ok()?;
    Some(u32::from_ne_bytes(*bytes.first_chunk()?))
}

fn usb_address(channel: u32) -> Option<(u8, u8)> {
    let [_, _, bus, device] = channel.to_be_bytes();
    (channel >> 16 == USB_CHANNEL).then_some((bus, device))
}

/// `MMmmbbbb`: major, minor and build; libccid puts USB's bcdDevice into the first two, which is decimal in hex.
fn version(word: u32) -> Option<String> {
    let [major, minor, ..] = word.to_be_bytes();
    (word != 0).then(|| format!("{major:x}.{minor:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_libccid_are_read() {
        assert_eq!(usb_address(0x0020_0307), Some((3, 7)));
        assert_eq!(usb_address(0x0001_0307), None);
        assert_eq!(version(0x0214_0000).as_deref(), Some("2.14"));
        assert_eq!(version(0), None);
    }
}
