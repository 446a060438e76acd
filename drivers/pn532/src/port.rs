//! Serial ports as the system shows them: opened exclusively, or why not; and what is plugged in behind them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use encoder::Access;
use rustix::fs::Access as Permission;
use serialport::SerialPort;

use crate::error::Pn532Error;

/// The speed after a reset (UM 6.2.3). Raising it later means: tell the chip (SetSerialBaudRate), then the port, and
/// put it back before closing.
const BAUD: u32 = 115_200;

/// Opens a port for this program alone (TIOCEXCL and a lock, which `serialport` takes by default).
pub(crate) fn open(path: &Path) -> Result<Box<dyn SerialPort>, Pn532Error> {
    let here = path.to_owned();
    match fs::metadata(path) {
        Ok(metadata) if metadata.file_type().is_char_device() => {}
        Ok(_) => return Err(Pn532Error::NotSerial { path: here }),
        Err(_) => return Err(Pn532Error::NoPort { path: here }),
    }
    let name = path
        .to_str()
        .ok_or_else(|| Pn532Error::NotSerial { path: here.clone() })?;
    use serialport::ErrorKind::{Io, NoDevice};
    use std::io::ErrorKind::{NotFound, PermissionDenied};
    serialport::new(name, BAUD)
        .open()
        .map_err(|source| match source.kind {
            // How `serialport` reports EBUSY and a lock that is taken.
            NoDevice => Pn532Error::Held {
                holder: holder(path, true),
                path: here,
            },
            Io(PermissionDenied) => Pn532Error::NotPermitted {
                who: permitted(path),
                path: here,
            },
            Io(NotFound) => Pn532Error::NoPort { path: here },
            _ => Pn532Error::SetUp { path: here, source },
        })
}

/// Whether a port could be opened now, without opening it: opening moves the modem lines, which resets some boards.
pub(crate) fn access(path: &Path) -> Access {
    let Ok(metadata) = fs::metadata(path) else {
        return Access::Absent {
            reason: format!(
                "{} does not exist; plug the encoder in, or correct `port`",
                path.display()
            ),
        };
    };
    let reason = if !metadata.file_type().is_char_device() {
        format!("{} is no serial port; correct `port`", path.display())
    } else if rustix::fs::access(path, Permission::READ_OK | Permission::WRITE_OK).is_err() {
        format!("only {} may open it", permitted(path))
    } else if let Some(holder) = holder(path, false) {
        format!("it is in use by {holder}; close that program")
    } else {
        return Access::Accessible;
    };
    Access::Inaccessible { reason }
}

/// What a person would call the encoder at a port: the port, and the adapter that is plugged in behind it now.
pub(crate) fn description(path: &Path) -> String {
    describe(path, usb_device(Path::new("/sys"), path))
}

fn describe(path: &Path, usb: Option<UsbDevice>) -> String {
    let usb = usb.unwrap_or_default();
    let serial = usb.serial.map(|serial| format!("serial number {serial}"));
    let behind: Vec<String> = usb.name.into_iter().chain(serial).collect();
    let port = path.display();
    if behind.is_empty() {
        format!("PN532 at {port}")
    } else {
        format!("PN532 at {port} ({})", behind.join(", "))
    }
}

/// What a USB device says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct UsbDevice {
    serial: Option<String>,
    name: Option<String>,
}

/// The USB device behind a serial port: the nearest directory above the port's own in sysfs that has a vendor number.
fn usb_device(sysfs: &Path, port: &Path) -> Option<UsbDevice> {
    let node = fs::canonicalize(port).ok()?;
    let device = sysfs
        .join("class/tty")
        .join(node.file_name()?)
        .join("device");
    let device = fs::canonicalize(device).ok()?;
    let usb = device
        .ancestors()
        .take_while(|directory| directory.starts_with(sysfs))
        .find(|directory| directory.join("idVendor").is_file())?;
    let attribute = |name| {
        let text = fs::read_to_string(usb.join(name)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    Some(UsbDevice {
        serial: attribute("serial"),
        name: attribute("product"),
    })
}

/// Who may open a port, with what to do about it.
fn permitted(path: &Path) -> String {
    let group = fs::metadata(path)
        .ok()
        .filter(|metadata| metadata.mode() & 0o060 == 0o060)
        .map(|metadata| group_name(metadata.gid()));
    match group {
        Some(group) => format!(
            "members of group {group}; run `usermod -aG {group} USER` and start the program anew"
        ),
        None => "its owner; install the udev rules, or give its group read and write access".into(),
    }
}

fn group_name(gid: u32) -> String {
    let id = gid.to_string();
    fs::read_to_string("/etc/group")
        .ok()
        .and_then(|groups| {
            groups.lines().find_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next()?;
                (fields.nth(1)? == id).then(|| name.to_owned())
            })
        })
        .unwrap_or(id)
}

/// The program that has a port open, as far as this user may see. This program itself counts only where asked: what
/// it holds is no obstacle that a person could remove.
fn holder(path: &Path, count_own: bool) -> Option<String> {
    let node = fs::canonicalize(path).ok()?;
    if node.starts_with("/dev/pts") {
        // Whatever emulates a port has its terminal open too, which keeps nobody out.
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok())
        .filter(|&id| count_own || id != std::process::id())
        .find(|id| has_open(*id, &node))
        .map(|id| {
            if id == std::process::id() {
                return "this program itself".to_owned();
            }
            let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
            format!("{} (process {id})", name.trim())
        })
}

fn has_open(process: u32, node: &Path) -> bool {
    fs::read_dir(format!("/proc/{process}/fd")).is_ok_and(|fds| {
        fds.flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == node))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    /// A sysfs with one port, the way the kernel lays it out.
    fn sysfs(home: &Path, attributes: &[(&str, &str)]) -> PathBuf {
        // The port's own node only has to exist; its name leads into sysfs.
        let usb = home.join("devices/usb1/1-1");
        let port = usb.join("1-1:1.0/ttyUSB0");
        fs::create_dir_all(&port).unwrap();
        for (name, text) in attributes {
            fs::write(usb.join(name), format!("{text}\n")).unwrap();
        }
        let class = home.join("class/tty/ttyUSB0");
        fs::create_dir_all(&class).unwrap();
        symlink(&port, class.join("device")).unwrap();
        let node = home.join("ttyUSB0");
        fs::write(&node, "").unwrap();
        node
    }

    #[test]
    fn the_usb_device_behind_a_port_is_found() {
        let home = tempfile::tempdir().unwrap();
        let node = sysfs(
            home.path(),
            &[
                ("idVendor", "0403"),
                ("idProduct", "6001"),
                ("serial", "A50285BI"),
                ("product", "FT232R USB UART"),
            ],
        );
        let link = home.path().join("front-desk");
        symlink(&node, &link).unwrap();
        for port in [&node, &link] {
            let usb = usb_device(home.path(), port).unwrap();
            assert_eq!(usb.serial.as_deref(), Some("A50285BI"));
            assert_eq!(usb.name.as_deref(), Some("FT232R USB UART"));
            assert_eq!(
                describe(Path::new("/dev/front-desk"), Some(usb)),
                "PN532 at /dev/front-desk (FT232R USB UART, serial number A50285BI)"
            );
        }
    }

    #[test]
    fn a_port_with_nothing_known_behind_it_is_described_by_its_path() {
        let home = tempfile::tempdir().unwrap();
        let node = sysfs(home.path(), &[]);
        assert_eq!(usb_device(home.path(), &node), None);
        assert_eq!(
            describe(Path::new("/dev/ttyS0"), None),
            "PN532 at /dev/ttyS0"
        );
    }

    #[test]
    fn whoever_has_a_port_open_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let own = holder(file.path(), true);
        assert_eq!(own.as_deref(), Some("this program itself"));
        assert_eq!(holder(file.path(), false), None);
    }

    #[test]
    fn a_missing_port_is_absent_and_a_file_is_no_port() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("ttyUSB0");
        assert!(matches!(access(&path), Access::Absent { .. }));
        assert!(matches!(open(&path), Err(Pn532Error::NoPort { .. })));
        fs::write(&path, "").unwrap();
        assert!(matches!(access(&path), Access::Inaccessible { .. }));
        assert!(matches!(open(&path), Err(Pn532Error::NotSerial { .. })));
        assert!(matches!(
            open(Path::new("/dev/null")),
            Err(Pn532Error::SetUp { .. })
        ));
    }
}
