//! The USB adapter behind a serial port, and by what it is the same one tomorrow.

use std::fs;
use std::path::{Path, PathBuf};

/// A serial port of a USB adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbPort {
    /// Its node: `/dev/ttyUSB0`.
    pub node: PathBuf,
    /// `idVendor`, four hexadecimal digits.
    pub vendor_id: String,
    /// `idProduct`, four hexadecimal digits.
    pub product_id: String,
    /// What the adapter calls its maker.
    pub maker: Option<String>,
    /// What the adapter calls itself.
    pub product: Option<String>,
    /// The adapter's serial number as it gives it, which need not be one of its own.
    pub serial: Option<String>,
    /// The USB port that the adapter is plugged in at: bus, then the ports of hub after hub (`1-1.4`).
    pub usb_port: String,
    /// The interface of the adapter that this port is (`1-1.4:1.0`).
    pub interface: String,
    /// The number of the port within its interface, where the kernel gives one.
    pub port_number: Option<u8>,
    /// The kernel's driver: `ftdi_sio`, `ch341`, `cdc_acm`…
    pub driver: Option<String>,
    /// Counts up with every device that is plugged in at its bus: another number is another time.
    pub device_number: Option<String>,
}

/// By what an adapter is known from one day to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToldBy {
    /// A serial number that no other adapter here has.
    SerialNumber(String),
    /// The USB port that it is plugged in at, as it has no serial number of its own.
    UsbPort {
        /// `1-1.4`; of an adapter with several ports `1-1.4:1.0`.
        place: String,
        /// How many of the same make are plugged in, itself included.
        alike: usize,
    },
}

impl UsbPort {
    /// What sysfs shows of the port with this node. The nearest folder above the port's own that has a vendor number is
    /// the USB device's.
    pub(super) fn read(sys: &Path, node: PathBuf) -> Option<Self> {
        let device = sys.join("class/tty").join(node.file_name()?).join("device");
        let device = fs::canonicalize(device).ok()?;
        let above = || {
            device
                .ancestors()
                .take_while(|folder| folder.starts_with(sys))
        };
        let usb = above().find(|folder| folder.join("idVendor").is_file())?;
        let interface = above()
            .find(|folder| folder.parent() == Some(usb))
            .unwrap_or(usb);
        let attribute = |folder: &Path, name: &str| {
            let text = fs::read_to_string(folder.join(name)).ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let driver = fs::read_link(interface.join("driver")).ok();
        Some(Self {
            vendor_id: attribute(usb, "idVendor")?,
            product_id: attribute(usb, "idProduct").unwrap_or_default(),
            maker: attribute(usb, "manufacturer"),
            product: attribute(usb, "product"),
            serial: attribute(usb, "serial"),
            usb_port: name_of(usb)?,
            interface: name_of(interface)?,
            port_number: attribute(&device, "port_number").and_then(|text| text.parse().ok()),
            driver: driver.as_deref().and_then(name_of),
            device_number: attribute(usb, "devnum"),
            node,
        })
    }

    /// By what this adapter is told from the others that are plugged in, `all` of them.
    #[must_use]
    pub fn told_by(&self, all: &[UsbPort]) -> ToldBy {
        let others = || all.iter().filter(|port| port.node != self.node);
        if let Some(serial) = self.serial.as_deref().filter(|serial| is_plausible(serial))
            && !others().any(|port| port.serial.as_deref() == Some(serial))
        {
            return ToldBy::SerialNumber(serial.to_owned());
        }
        let is_alike = |port: &&UsbPort| {
            (&port.vendor_id, &port.product_id) == (&self.vendor_id, &self.product_id)
        };
        ToldBy::UsbPort {
            place: self.place(all),
            alike: 1 + others().filter(is_alike).count(),
        }
    }

    /// Where this port is: the USB port, and of an adapter with several ports its interface and its number there.
    #[must_use]
    pub fn place(&self, all: &[UsbPort]) -> String {
        let others = || all.iter().filter(|port| port.node != self.node);
        if others().all(|port| port.usb_port != self.usb_port) {
            return self.usb_port.clone();
        }
        match self.port_number {
            Some(number) if others().any(|port| port.interface == self.interface) => {
                format!("{}.{number}", self.interface)
            }
            _ => self.interface.clone(),
        }
    }
}

fn name_of(folder: &Path) -> Option<String> {
    Some(folder.file_name()?.to_str()?.to_owned())
}

/// Serial numbers that makers give to every adapter of a kind, each with where it is known from. Rows of one character,
/// such as the zeros of pico-uart-bridge (Noltari/pico-uart-bridge#8), need no line.
const PLACEHOLDERS: &[(&str, &str)] = &[
    (
        "0001",
        "Silicon Labs CP2102/9 data sheet, default USB configuration: serial string 0001",
    ),
    ("12345678", "example code of USB stacks, left as it was"),
    ("123456789", "example code of USB stacks, left as it was"),
    ("1234567890", "example code of USB stacks, left as it was"),
    (
        "0123456789ABCDEF",
        "example code of USB stacks, left as it was",
    ),
    (
        "A50285BI",
        "on FT232R adapters of many unrelated owners, by their public logs: imitations share it",
    ),
];

/// The fewest characters of a serial number that can be one of its own: FTDI gives eight, and four are a placeholder.
const SHORTEST: usize = 6;

/// Whether a serial number of a USB device looks like one that was given to this one device.
#[must_use]
pub fn is_plausible(serial: &str) -> bool {
    let is_readable = serial.bytes().all(|byte| byte.is_ascii_graphic());
    let is_one_character = serial
        .bytes()
        .all(|byte| Some(byte) == serial.bytes().next());
    serial.len() >= SHORTEST
        && is_readable
        && !is_one_character
        && !PLACEHOLDERS
            .iter()
            .any(|(placeholder, _)| serial.eq_ignore_ascii_case(placeholder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(node: &str, usb_port: &str, serial: Option<&str>) -> UsbPort {
        UsbPort {
            node: node.into(),
            vendor_id: "0403".to_owned(),
            product_id: "6001".to_owned(),
            maker: None,
            product: None,
            serial: serial.map(str::to_owned),
            usb_port: usb_port.to_owned(),
            interface: format!("{usb_port}:1.0"),
            port_number: None,
            driver: None,
            device_number: None,
        }
    }

    fn place(place: &str, alike: usize) -> ToldBy {
        ToldBy::UsbPort {
            place: place.to_owned(),
            alike,
        }
    }

    #[test]
    fn a_serial_number_of_its_own_is_told_from_a_placeholder() {
        for own in ["AL00XQ3T", "5573932393735161E0D2", "0000000012AB"] {
            assert!(is_plausible(own), "{own}");
        }
        for shared in [
            "",
            "0",
            "0001",
            "00000000",
            "FFFFFFFFFF",
            "123456789",
            "0123456789abcdef",
            "A50285BI",
            "AL 0XQ3T",
            "\u{fffd}12345X",
        ] {
            assert!(!is_plausible(shared), "{shared}");
        }
    }

    #[test]
    fn an_adapter_is_told_by_its_serial_number_unless_another_has_the_same() {
        let one = port("/dev/ttyUSB0", "1-1", Some("AL00XQ3T"));
        let other = port("/dev/ttyUSB1", "1-2", Some("AL00XQ4U"));
        let twin = port("/dev/ttyUSB2", "1-3", Some("AL00XQ3T"));
        let all = [one.clone(), other.clone()];
        assert_eq!(
            one.told_by(&all),
            ToldBy::SerialNumber("AL00XQ3T".to_owned())
        );
        let all = [one.clone(), other, twin.clone()];
        assert_eq!(one.told_by(&all), place("1-1", 3));
        assert_eq!(twin.told_by(&all), place("1-3", 3));
    }

    #[test]
    fn an_adapter_without_a_serial_number_is_told_by_its_usb_port() {
        let lone = port("/dev/ttyUSB0", "1-1.4", None);
        assert_eq!(lone.told_by(std::slice::from_ref(&lone)), place("1-1.4", 1));
        let placeholder = port("/dev/ttyUSB1", "1-1.3", Some("0001"));
        assert_eq!(
            placeholder.told_by(&[lone, placeholder.clone()]),
            place("1-1.3", 2)
        );
    }

    #[test]
    fn the_ports_of_one_adapter_are_told_apart() {
        let mut ports = [0, 1].map(|number| {
            let node = format!("/dev/ttyUSB{number}");
            let mut port = port(&node, "1-1", Some("AL00XQ3T"));
            port.interface = format!("1-1:1.{number}");
            port
        });
        assert_eq!(ports[1].told_by(&ports), place("1-1:1.1", 2));
        for (number, port) in (0..).zip(&mut ports) {
            port.interface = "1-1:1.0".to_owned();
            port.port_number = Some(number);
        }
        assert_eq!(ports[1].told_by(&ports), place("1-1:1.0.1", 2));
    }
}
