//! The readers that are plugged in at USB, as sysfs shows them, whether PC/SC knows them or not.

use std::fs;
use std::path::{Path, PathBuf};

use crate::quirks::Quirks;

/// bInterfaceClass of smart card readers (USB class codes).
const SMART_CARD: &str = "0b";

/// Where sysfs is. A value, so that a test can show a tree of its own.
#[derive(Debug, Clone)]
pub(crate) struct UsbTree {
    sysfs: PathBuf,
}

/// A reader at USB: of the class of smart card readers, or in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsbReader {
    /// Bus, then the ports of hub after hub: `1-1.4`.
    pub(crate) port: String,
    pub(crate) vendor: u16,
    pub(crate) product: u16,
    pub(crate) serial: Option<String>,
    /// Its bus and its number there, which is another one after every replug.
    pub(crate) address: (u8, u8),
    pub(crate) interfaces: Vec<UsbInterface>,
}

/// An interface of a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsbInterface {
    pub(crate) name: Option<String>,
    /// The kernel's driver that has it: none for a CCID reader, as those are driven by a program (`usbfs`).
    pub(crate) driver: Option<String>,
}

impl Default for UsbTree {
    fn default() -> Self {
        Self::at("/sys")
    }
}

impl UsbTree {
    pub(crate) fn at(sysfs: impl Into<PathBuf>) -> Self {
        Self {
            sysfs: sysfs.into(),
        }
    }

    /// Every reader that is plugged in, by its port.
    pub(crate) fn readers(&self) -> Vec<UsbReader> {
        let folder = self.sysfs.join("bus/usb/devices");
        let mut entries: Vec<String> = fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        entries.sort();
        let (interfaces, devices): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|name| name.contains(':'));
        devices
            .into_iter()
            .filter_map(|port| {
                let own: Vec<_> = interfaces
                    .iter()
                    .filter(|name| name.split(':').next() == Some(&port))
                    .map(|name| folder.join(name))
                    .collect();
                reader(&folder.join(&port), port, own)
            })
            .collect()
    }
}

fn reader(device: &Path, port: String, interfaces: Vec<PathBuf>) -> Option<UsbReader> {
    let hex = |name| u16::from_str_radix(&attribute(device, name)?, 16).ok();
    let number = |name| attribute(device, name)?.parse().ok();
    let (vendor, product) = (hex("idVendor")?, hex("idProduct")?);
    let is_known = Quirks::of_usb(vendor, product).is_some();
    let interfaces: Vec<_> = interfaces
        .into_iter()
        .filter(|folder| {
            is_known || attribute(folder, "bInterfaceClass").as_deref() == Some(SMART_CARD)
        })
        .map(|folder| UsbInterface {
            name: attribute(&folder, "interface"),
            driver: fs::read_link(folder.join("driver"))
                .ok()
                .and_then(|driver| Some(driver.file_name()?.to_str()?.to_owned())),
        })
        .collect();
    (!interfaces.is_empty()).then_some(UsbReader {
        port,
        vendor,
        product,
        serial: attribute(device, "serial"),
        address: (number("busnum")?, number("devnum")?),
        interfaces,
    })
}

fn attribute(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A sysfs with what a test plugs in.
    pub(crate) struct Plugged(TempDir);

    impl Plugged {
        pub(crate) fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        pub(crate) fn tree(&self) -> UsbTree {
            UsbTree::at(self.0.path())
        }

        /// A device with one interface.
        pub(crate) fn plug(&self, port: &str, ids: (u16, u16), address: (u8, u8)) -> &Self {
            let device = self.folder(port);
            write(&device, "idVendor", &format!("{:04x}", ids.0));
            write(&device, "idProduct", &format!("{:04x}", ids.1));
            write(&device, "busnum", &address.0.to_string());
            write(&device, "devnum", &address.1.to_string());
            self.interface(port, 0, None)
        }

        pub(crate) fn interface(&self, port: &str, number: u8, name: Option<&str>) -> &Self {
            let folder = self.folder(&format!("{port}:1.{number}"));
            write(&folder, "bInterfaceClass", SMART_CARD);
            if let Some(name) = name {
                write(&folder, "interface", name);
            }
            self
        }

        pub(crate) fn serial(&self, port: &str, serial: &str) -> &Self {
            write(&self.folder(port), "serial", serial);
            self
        }

        pub(crate) fn driven_by(&self, port: &str, driver: &str) -> &Self {
            let link = self.folder(&format!("{port}:1.0")).join("driver");
            symlink(Path::new("../../drivers").join(driver), link).unwrap();
            self
        }

        fn folder(&self, name: &str) -> PathBuf {
            let folder = self.0.path().join("bus/usb/devices").join(name);
            fs::create_dir_all(&folder).unwrap();
            folder
        }
    }

    fn write(folder: &Path, name: &str, text: &str) {
        fs::write(folder.join(name), format!("{text}\n")).unwrap();
    }

    #[test]
    fn readers_are_found_with_their_interfaces_and_nothing_else() {
        let plugged = Plugged::new();
        plugged
            .plug("1-1.4", (0x076B, 0x5422), (1, 7))
            .interface("1-1.4", 0, Some("OMNIKEY 5422CL Smartcard Reader"))
            .interface("1-1.4", 1, Some("OMNIKEY 5422 Smartcard Reader"))
            .serial("1-1.4", "KJ0K3P000916363685")
            .plug("1-2", (0x072F, 0x2200), (1, 9))
            .driven_by("1-2", "pn533_usb")
            .plug("2-1", (0x046D, 0xC31C), (2, 3));
        // A keyboard, that one.
        let keyboard = plugged.folder("2-1:1.0");
        write(&keyboard, "bInterfaceClass", "03");
        let readers = plugged.tree().readers();
        let ports: Vec<_> = readers.iter().map(|reader| reader.port.as_str()).collect();
        assert_eq!(ports, ["1-1.4", "1-2"]);
        assert_eq!(readers[0].interfaces.len(), 2);
        assert_eq!(readers[0].serial.as_deref(), Some("KJ0K3P000916363685"));
        assert_eq!(readers[1].address, (1, 9));
        assert_eq!(
            readers[1].interfaces[0].driver.as_deref(),
            Some("pn533_usb")
        );
        assert_eq!(UsbTree::at("/nonexistent").readers(), []);
    }
}
