//! Serial ports as the system shows them: which there are, what is plugged in behind them, whether they may be opened.
//!
//! Everything is read from `/dev`, `/sys` and `/proc`; no port is opened for it, as opening moves the modem lines, which
//! resets some boards.

mod holder;
mod usb;

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::Access as Permission;

pub use self::usb::{ToldBy, UsbPort, is_plausible};
use crate::listing::{Access, Facts, Selector};
use crate::watch::{LINKS_FOLLOWED, Names};
use crate::{Changed, Error, PathWatch};

/// What the names of USB serial ports begin with: adapters, and devices of the class CDC-ACM. Others (`ttyS*`) exist
/// whether anything is connected or not.
pub(crate) const USB_PORTS: &[&str] = &["ttyUSB", "ttyACM"];

/// The serial ports of a computer. A value, so that a test can show a tree of its own.
#[derive(Debug, Clone)]
pub struct SerialPorts {
    dev: PathBuf,
    sys: PathBuf,
}

impl Default for SerialPorts {
    /// Those of this computer.
    fn default() -> Self {
        Self::below("/dev", "/sys")
    }
}

impl SerialPorts {
    /// Those that are shown by a tree of devices and a sysfs at these places.
    #[must_use]
    pub fn below(dev: impl Into<PathBuf>, sys: impl Into<PathBuf>) -> Self {
        let canonical = |path: PathBuf| fs::canonicalize(&path).unwrap_or(path);
        Self {
            dev: canonical(dev.into()),
            sys: canonical(sys.into()),
        }
    }

    /// Where sysfs is.
    #[must_use]
    pub fn sysfs(&self) -> &Path {
        &self.sys
    }

    /// Every USB serial port that is there, in the order of their names.
    #[must_use]
    pub fn usb(&self) -> Vec<UsbPort> {
        let Ok(entries) = fs::read_dir(self.sys.join("class/tty")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| USB_PORTS.iter().any(|prefix| name.starts_with(prefix)))
            .collect();
        // ttyUSB10 after ttyUSB9.
        names.sort_by_key(|name| (name.len(), name.clone()));
        names
            .iter()
            .map(|name| self.dev.join(name))
            .filter(|node| node.exists())
            .filter_map(|node| self.usb_behind(&node))
            .collect()
    }

    /// The USB adapter that a port belongs to, if it belongs to one.
    #[must_use]
    pub fn usb_behind(&self, path: &Path) -> Option<UsbPort> {
        UsbPort::read(&self.sys, self.node(path)?)
    }

    /// The port's own node, behind the links that udev or an administrator made for it.
    fn node(&self, path: &Path) -> Option<PathBuf> {
        let mut path = path.to_owned();
        for _ in 0..LINKS_FOLLOWED {
            let folder = fs::canonicalize(path.parent()?).ok()?;
            let name = path.file_name()?;
            if folder == self.dev && self.sys.join("class/tty").join(name).exists() {
                return Some(folder.join(name));
            }
            path = folder.join(fs::read_link(&path).ok()?);
        }
        None
    }

    /// The path to open for a selector that means a serial port.
    ///
    /// # Errors
    /// No such adapter is plugged in, or several are.
    pub fn find(&self, selector: &Selector) -> Result<PathBuf, NotFound> {
        let ports = self.usb();
        let having = |is_it: &dyn Fn(&UsbPort) -> bool| -> Vec<&UsbPort> {
            ports.iter().filter(|port| is_it(port)).collect()
        };
        let (found, remedy) = match selector {
            Selector::Port(path) => return Ok(path.clone()),
            Selector::Usb(serial) => (
                having(&|port| port.serial.as_ref() == Some(serial)),
                "plug the adapter in, or correct `usb_serial`",
            ),
            Selector::UsbPort(place) => (
                having(&|port| port.place(&ports) == *place),
                "plug the adapter in there",
            ),
            Selector::Reader(_) | Selector::Server { .. } => (Vec::new(), "name a serial port"),
        };
        match found[..] {
            [] => Err(NotFound::Absent {
                selector: selector.clone(),
                remedy,
            }),
            [port] => Ok(port.node.clone()),
            _ => Err(NotFound::Several {
                selector: selector.clone(),
                places: found.iter().map(|port| port.place(&ports)).collect(),
            }),
        }
    }

    /// Whether a selector, of whichever driver, means this port.
    #[must_use]
    pub fn is_meant(&self, port: &UsbPort, selector: &Selector) -> bool {
        match selector {
            Selector::Port(path) => self.node(path).as_ref() == Some(&port.node),
            Selector::Server { address, .. } => {
                address.starts_with('/')
                    && self.node(Path::new(address)).as_ref() == Some(&port.node)
            }
            Selector::Usb(serial) => port.serial.as_ref() == Some(serial),
            Selector::UsbPort(place) => port.place(&self.usb()) == *place,
            Selector::Reader(_) => false,
        }
    }

    /// Whether a port could be opened now, without opening it. `setting` is what the configuration calls its path.
    #[must_use]
    pub fn access(&self, path: &Path, setting: &str) -> Access {
        let shown = path.display();
        let Ok(metadata) = fs::metadata(path) else {
            return Access::Absent {
                reason: format!(
                    "{shown} does not exist; plug the encoder in, or correct `{setting}`"
                ),
            };
        };
        let reason = if !metadata.file_type().is_char_device() {
            format!("{shown} is no serial port; correct `{setting}`")
        } else if rustix::fs::access(path, Permission::READ_OK | Permission::WRITE_OK).is_err() {
            not_permitted(path)
        } else if let Some(holder) = holder::of(path, false) {
            format!("it is in use by {holder}; {}", holder::remedy(&holder))
        } else {
            return Access::Accessible;
        };
        Access::Inaccessible { reason }
    }

    /// The program that has a port open, as far as this user may see: its name and its process, in words. This program
    /// itself counts too.
    #[must_use]
    pub fn holder(&self, path: &Path) -> Option<String> {
        holder::of(path, true)
    }

    /// What the system tells of a port.
    #[must_use]
    pub fn facts(&self, path: &Path) -> Facts {
        let node = self.node(path);
        let usb = node.clone().and_then(|node| UsbPort::read(&self.sys, node));
        let links = node.as_deref().map(|node| self.links(node));
        let shown = node.as_deref().unwrap_or(path).display().to_string();
        let facts = Facts::default().with("port", shown);
        let facts = match &usb {
            None => facts,
            Some(usb) => facts
                .with("usb ids", format!("{}:{}", usb.vendor_id, usb.product_id))
                .with_known("maker", usb.maker.clone())
                .with_known("product", usb.product.clone())
                .with_known("serial number", usb.serial.clone())
                .with("usb port", usb.usb_port.clone())
                .with_known("kernel driver", usb.driver.clone()),
        };
        facts
            .with_known(
                "links",
                links.filter(|links| !links.is_empty()).map(shown_together),
            )
            .with_known("owner", owner(path))
            .with_known("held by", self.holder(path))
    }

    /// The links that udev made for a port.
    #[must_use]
    pub fn links(&self, node: &Path) -> Vec<PathBuf> {
        let mut links: Vec<PathBuf> = ["serial/by-id", "serial/by-path"]
            .iter()
            .filter_map(|folder| fs::read_dir(self.dev.join(folder)).ok())
            .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
            .filter(|link| self.node(link).as_deref() == Some(node))
            .collect();
        links.sort();
        links
    }

    /// Calls `changed` whenever a USB serial port came, went or got other permissions, and whenever one of `paths` did.
    ///
    /// # Errors
    /// Those of [`PathWatch`].
    pub fn watch(
        &self,
        paths: impl IntoIterator<Item = PathBuf>,
        changed: Changed,
    ) -> Result<PathWatch, Error> {
        let usb = Names {
            folder: self.dev.clone(),
            prefixes: USB_PORTS,
        };
        PathWatch::with_names(paths, usb, changed)
    }
}

/// Why there is no port for a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// No such adapter is plugged in.
    #[error("no serial adapter is plugged in with {selector}; {remedy}")]
    Absent {
        /// What was looked for.
        selector: Selector,
        /// What to do.
        remedy: &'static str,
    },
    /// More than one is.
    #[error(
        "{selector} is that of {} ports, at {}; name the right one by `port` and a path below /dev/serial/by-path",
        .places.len(), .places.join(" and ")
    )]
    Several {
        /// What was looked for.
        selector: Selector,
        /// The USB ports at which they are.
        places: Vec<String>,
    },
}

impl From<NotFound> for Access {
    fn from(error: NotFound) -> Self {
        let reason = error.to_string();
        match error {
            NotFound::Absent { .. } => Self::Absent { reason },
            NotFound::Several { .. } => Self::Inaccessible { reason },
        }
    }
}

fn shown_together(paths: Vec<PathBuf>) -> String {
    let shown: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    shown.join(", ")
}

/// That this user may not open a port, as a sentence.
fn not_permitted(path: &Path) -> String {
    format!(
        "{} may be opened only by {}",
        path.display(),
        permitted(path)
    )
}

/// Who may open a port, with what to do about it: goes on after "may be opened only by".
#[must_use]
pub fn permitted(path: &Path) -> String {
    let group = fs::metadata(path)
        .ok()
        .filter(|metadata| metadata.mode() & 0o060 == 0o060)
        .map(|metadata| name_of_id("/etc/group", metadata.gid()));
    match group {
        Some(group) => format!(
            "members of group {group}; run `usermod -aG {group} USER` and start the program anew"
        ),
        None => "its owner; write a udev rule with GROUP=\"dialout\", MODE=\"0660\" for it".into(),
    }
}

/// Owner, group and permissions, the way `ls -l` tells them: `root:dialout 0660`.
fn owner(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    let owner = name_of_id("/etc/passwd", metadata.uid());
    let group = name_of_id("/etc/group", metadata.gid());
    let mode = metadata.mode() & 0o7777;
    Some(format!("{owner}:{group} {mode:04o}"))
}

/// The name behind a number; both files have the number in the third field.
fn name_of_id(file: &str, id: u32) -> String {
    let id = id.to_string();
    fs::read_to_string(file)
        .ok()
        .and_then(|lines| {
            lines.lines().find_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next()?;
                (fields.nth(1)? == id).then(|| name.to_owned())
            })
        })
        .unwrap_or(id)
}

#[cfg(test)]
mod tests;
