//! A tree of devices with adapters that come and go, the way udev and the kernel show them, and emulated encoders at
//! their ports.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use driver_pn532::Pn532Driver;
use encoder::serial::SerialPorts;

pub(crate) struct Tree {
    home: tempfile::TempDir,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["dev/serial/by-path", "sys/class/tty"] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        Self { home }
    }

    pub(crate) fn driver(&self) -> Pn532Driver {
        let ports = SerialPorts::below(self.path("dev"), self.path("sys"));
        Pn532Driver::default().with_ports(ports)
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        // The way the ports are told: without links.
        fs::canonicalize(self.home.path()).unwrap().join(below)
    }

    pub(crate) fn node(&self, name: &str) -> PathBuf {
        self.path("dev").join(name)
    }

    /// Plugs an adapter in at a USB port, as the n-th device of its bus, with this behind it.
    pub(crate) fn plug(
        &self,
        name: &str,
        usb_port: &str,
        serial: Option<&str>,
        device: u32,
        behind: &Path,
    ) {
        let usb = self.path("sys/devices/usb1").join(usb_port);
        let port = usb.join(format!("{usb_port}:1.0")).join(name);
        fs::create_dir_all(&port).unwrap();
        let device = device.to_string();
        let attributes = [
            ("idVendor", "1a86"),
            ("idProduct", "7523"),
            ("product", "USB Serial"),
            ("devnum", &device),
            ("serial", serial.unwrap_or_default()),
        ];
        for (attribute, text) in attributes {
            fs::write(usb.join(attribute), format!("{text}\n")).unwrap();
        }
        let class = self.path("sys/class/tty").join(name);
        fs::create_dir_all(&class).unwrap();
        symlink(&port, class.join("device")).unwrap();
        symlink(behind, self.node(name)).unwrap();
        let by_path = self.by_path(usb_port);
        symlink(self.node(name), by_path).unwrap();
    }

    pub(crate) fn by_path(&self, usb_port: &str) -> PathBuf {
        self.node(&format!("serial/by-path/pci-usb-{usb_port}"))
    }

    pub(crate) fn unplug(&self, name: &str, usb_port: &str) {
        fs::remove_file(self.by_path(usb_port)).unwrap();
        fs::remove_file(self.node(name)).unwrap();
        fs::remove_dir_all(self.path("sys/class/tty").join(name)).unwrap();
        fs::remove_dir_all(self.path("sys/devices/usb1").join(usb_port)).unwrap();
    }

    /// A reader on USB that a driver of the kernel has taken.
    pub(crate) fn plug_reader_of_kernel(&self, usb_port: &str) {
        let usb = self.path("sys/devices/usb1").join(usb_port);
        let interface = usb.join(format!("{usb_port}:1.0"));
        fs::create_dir_all(&interface).unwrap();
        for (attribute, text) in [
            ("idVendor", "072f"),
            ("idProduct", "2200"),
            ("product", "ACR122U"),
        ] {
            fs::write(usb.join(attribute), format!("{text}\n")).unwrap();
        }
        let driver = self.path("sys/bus/usb/drivers/pn533_usb");
        fs::create_dir_all(&driver).unwrap();
        fs::write(driver.join("bind"), "").unwrap();
        symlink(&interface, driver.join(format!("{usb_port}:1.0"))).unwrap();
    }
}
