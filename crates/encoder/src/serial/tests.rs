//! Trees of devices the way udev and the kernel lay them out.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use rustix::pty::{self, OpenptFlags};

use super::*;

/// Generous: it only keeps a broken test from hanging.
const LIMIT: Duration = Duration::from_secs(10);

struct Tree {
    home: tempfile::TempDir,
    ports: SerialPorts,
}

impl Tree {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["dev/serial/by-id", "dev/serial/by-path", "sys/class/tty"] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let ports = SerialPorts::below(home.path().join("dev"), home.path().join("sys"));
        Self { home, ports }
    }

    fn dev(&self, name: &str) -> PathBuf {
        self.ports.dev.join(name)
    }

    /// Plugs an adapter in at a USB port. Its node is a character device, as far as this can be had without rights.
    fn plug(&self, name: &str, usb_port: &str, attributes: &[(&str, &str)]) -> PathBuf {
        let usb = self.ports.sys.join("devices/usb1").join(usb_port);
        let interface = usb.join(format!("{usb_port}:1.0"));
        let port = interface.join(name);
        fs::create_dir_all(&port).unwrap();
        let ids = [("idVendor", "0403"), ("idProduct", "6001"), ("devnum", "7")];
        for (attribute, text) in ids.iter().chain(attributes) {
            fs::write(usb.join(attribute), format!("{text}\n")).unwrap();
        }
        let driver = self.ports.sys.join("bus/usb/drivers/ftdi_sio");
        fs::create_dir_all(&driver).unwrap();
        symlink(&driver, interface.join("driver")).unwrap();
        self.name(name, &port);
        let node = self.dev(name);
        symlink("/dev/null", &node).unwrap();
        node
    }

    fn name(&self, name: &str, port: &Path) {
        let class = self.ports.sys.join("class/tty").join(name);
        fs::create_dir_all(&class).unwrap();
        symlink(port, class.join("device")).unwrap();
    }

    fn unplug(&self, name: &str) {
        fs::remove_file(self.dev(name)).unwrap();
        let class = self.ports.sys.join("class/tty").join(name);
        let port = fs::canonicalize(class.join("device")).unwrap();
        fs::remove_dir_all(port.ancestors().nth(2).unwrap()).unwrap();
        fs::remove_dir_all(class).unwrap();
    }
}

fn reason(access: Access) -> String {
    match access {
        Access::Accessible => panic!("accessible"),
        Access::Absent { reason }
        | Access::Unclaimed { reason }
        | Access::Inaccessible { reason } => reason,
    }
}

#[test]
fn usb_ports_are_found_and_others_are_not() {
    let tree = Tree::new();
    tree.plug("ttyUSB10", "1-3", &[]);
    tree.plug("ttyUSB9", "1-2", &[]);
    tree.plug("ttyACM0", "1-1.4", &[("product", "Pico")]);
    // A port on the board, and one that is gone but for its name.
    tree.name("ttyS0", &tree.ports.sys.join("devices"));
    fs::write(tree.dev("ttyS0"), "").unwrap();
    tree.plug("ttyUSB11", "1-4", &[]);
    fs::remove_file(tree.dev("ttyUSB11")).unwrap();
    let nodes: Vec<_> = tree.ports.usb().into_iter().map(|port| port.node).collect();
    assert_eq!(
        nodes,
        ["ttyACM0", "ttyUSB9", "ttyUSB10"].map(|name| tree.dev(name))
    );
}

#[test]
fn the_adapter_behind_a_port_is_found_through_links() {
    let tree = Tree::new();
    let attributes = [
        ("serial", "AL00XQ3T"),
        ("product", "FT232R USB UART"),
        ("manufacturer", "FTDI"),
    ];
    let node = tree.plug("ttyUSB0", "1-1.4", &attributes);
    let link = tree.dev("serial/by-id/usb-FTDI_AL00XQ3T-if00-port0");
    symlink("../../ttyUSB0", &link).unwrap();
    let own = tree.home.path().join("front-desk");
    symlink(&link, &own).unwrap();
    for path in [&node, &link, &own] {
        let port = tree.ports.usb_behind(path).unwrap();
        assert_eq!(port.node, node);
        assert_eq!(port.serial.as_deref(), Some("AL00XQ3T"));
        assert_eq!((&*port.usb_port, &*port.interface), ("1-1.4", "1-1.4:1.0"));
        assert_eq!(port.driver.as_deref(), Some("ftdi_sio"));
        assert_eq!(port.device_number.as_deref(), Some("7"));
    }
    let facts = tree.ports.facts(&own);
    let facts: Vec<(&str, &str)> = facts.iter().collect();
    for fact in [
        ("usb ids", "0403:6001"),
        ("maker", "FTDI"),
        ("product", "FT232R USB UART"),
        ("serial number", "AL00XQ3T"),
        ("usb port", "1-1.4"),
        ("kernel driver", "ftdi_sio"),
        ("port", node.to_str().unwrap()),
        ("links", link.to_str().unwrap()),
        ("owner", "root:root 0666"),
    ] {
        assert!(facts.contains(&fact), "{fact:?} in {facts:?}");
    }
}

#[test]
fn a_link_that_is_called_like_another_port_is_that_one_no_more_than_any_link() {
    let tree = Tree::new();
    tree.plug("ttyUSB0", "1-1", &[]);
    let meant = tree.plug("ttyUSB1", "1-2", &[]);
    let link = tree.home.path().join("ttyUSB0");
    symlink(&meant, &link).unwrap();
    assert_eq!(tree.ports.usb_behind(&link).unwrap().node, meant);
}

#[test]
fn a_port_with_nothing_known_behind_it_is_none() {
    let tree = Tree::new();
    let link = tree.dev("loop");
    symlink(&link, &link).unwrap();
    for path in [
        &link,
        &tree.dev("ttyUSB0"),
        Path::new("/"),
        Path::new("ttyUSB0"),
    ] {
        assert_eq!(tree.ports.usb_behind(path), None);
    }
}

#[test]
fn an_adapter_is_found_at_whichever_port_it_is() {
    let tree = Tree::new();
    let wanted = Selector::Usb("AL00XQ3T".to_owned());
    let absent = Access::from(tree.ports.find(&wanted).unwrap_err());
    assert!(matches!(&absent, Access::Absent { .. }));
    assert!(reason(absent).contains("AL00XQ3T"));
    for (name, usb_port) in [("ttyUSB0", "1-1"), ("ttyACM3", "1-2.1")] {
        let node = tree.plug(name, usb_port, &[("serial", "AL00XQ3T")]);
        assert_eq!(tree.ports.find(&wanted), Ok(node.clone()));
        let place = Selector::UsbPort(usb_port.to_owned());
        assert_eq!(tree.ports.find(&place), Ok(node));
        tree.unplug(name);
    }
    tree.plug("ttyUSB0", "1-1", &[("serial", "AL00XQ3T")]);
    tree.plug("ttyUSB1", "1-3", &[("serial", "AL00XQ3T")]);
    let both = Access::from(tree.ports.find(&wanted).unwrap_err());
    assert!(matches!(&both, Access::Inaccessible { .. }));
    assert!(reason(both).contains("at 1-1 and 1-3"));
}

#[test]
fn whatever_means_a_port_claims_it() {
    let tree = Tree::new();
    let node = tree.plug("ttyUSB0", "1-1", &[("serial", "AL00XQ3T")]);
    let other = tree.plug("ttyUSB1", "1-2", &[("serial", "AL00XQ4U")]);
    let link = tree.dev("serial/by-path/pci-0:1:1.0-port0");
    symlink("../../ttyUSB0", &link).unwrap();
    let server = |address: &Path| Selector::Server {
        address: address.display().to_string(),
        encoder: "1".to_owned(),
    };
    let port = tree.ports.usb_behind(&node).unwrap();
    for (selector, is_meant) in [
        (Selector::Port(node.clone()), true),
        (Selector::Port(link.clone()), true),
        (Selector::Port(other.clone()), false),
        (server(&link), true),
        (server(&other), false),
        (server(Path::new("tcp://ttyUSB0:8090")), false),
        (Selector::Usb("AL00XQ3T".to_owned()), true),
        (Selector::Usb("AL00XQ4U".to_owned()), false),
        (Selector::UsbPort("1-1".to_owned()), true),
        (Selector::Reader("ttyUSB0".to_owned()), false),
    ] {
        assert_eq!(
            tree.ports.is_meant(&port, &selector),
            is_meant,
            "{selector}"
        );
    }
}

#[test]
fn a_missing_port_is_absent_and_a_file_is_no_port() {
    let tree = Tree::new();
    let path = tree.dev("ttyUSB0");
    let absent = tree.ports.access(&path, "port");
    assert!(matches!(absent, Access::Absent { .. }));
    assert!(reason(absent).contains("correct `port`"));
    fs::write(&path, "").unwrap();
    let file = tree.ports.access(&path, "address");
    assert!(matches!(file, Access::Inaccessible { .. }));
    assert!(reason(file).contains("is no serial port; correct `address`"));
}

/// Another program, with files open as its input and output.
struct Program(Child);

impl Program {
    fn with_open(path: &Path) -> Self {
        Self::with(fs::File::open(path).unwrap(), Stdio::null())
    }

    fn with(input: impl Into<Stdio>, output: impl Into<Stdio>) -> Self {
        let mut program = Command::new("sleep");
        program.arg("60").stdin(input).stdout(output);
        Self(program.spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What follows the name of the port in every message, so it must go on as a sentence does.
#[test]
fn who_may_open_a_port_is_told_with_the_remedy() {
    let tree = Tree::new();
    let port = tree.dev("ttyUSB0");
    fs::write(&port, "").unwrap();
    let shown = port.display();
    let told_with = |mode: u32| {
        fs::set_permissions(&port, fs::Permissions::from_mode(mode)).unwrap();
        not_permitted(&port)
    };
    let group = name_of_id("/etc/group", fs::metadata(&port).unwrap().gid());
    assert_eq!(
        told_with(0o660),
        format!(
            "{shown} may be opened only by members of group {group}; run `usermod -aG {group} USER` and start the \
             program anew"
        )
    );
    assert_eq!(
        told_with(0o600),
        format!(
            "{shown} may be opened only by its owner; write a udev rule with GROUP=\"dialout\", MODE=\"0660\" for it"
        )
    );
}

#[test]
fn whoever_has_a_port_open_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(
        holder::of(file.path(), true).as_deref(),
        Some("this program itself")
    );
    assert_eq!(holder::of(file.path(), false), None);
    let link = file.path().with_extension("link");
    symlink(file.path(), &link).unwrap();
    let program = Program::with_open(&link);
    let named = format!("(process {})", program.0.id());
    let holder = holder::of(&link, false).unwrap();
    assert!(holder.ends_with(&named), "{holder}");
    drop(program);
    assert_eq!(holder::of(&link, false), None);
    fs::remove_file(link).unwrap();
}

#[test]
fn whoever_emulates_a_terminal_is_not_in_the_way_and_whoever_uses_it_is() {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let near = pty::openpt(flags).unwrap();
    pty::grantpt(&near).unwrap();
    pty::unlockpt(&near).unwrap();
    let far = pty::ioctl_tiocgptpeer(&near, flags).unwrap();
    let path = pty::ptsname(&near, Vec::new()).unwrap();
    let path = PathBuf::from(path.into_string().unwrap());
    {
        let emulator = Program::with(far.try_clone().unwrap(), near.try_clone().unwrap());
        assert_eq!(holder::of(&path, false), None, "{}", emulator.0.id());
    }
    let host = Program::with(far, Stdio::null());
    let holder = holder::of(&path, false).unwrap();
    assert!(holder.ends_with(&format!("(process {})", host.0.id())));
}

#[test]
fn a_group_is_named_only_if_it_may_do_both() {
    use std::os::unix::fs::PermissionsExt;
    let file = tempfile::NamedTempFile::new().unwrap();
    for (mode, told) in [
        (0o660, "members of group"),
        (0o640, "its owner"),
        (0o620, "its owner"),
        (0o600, "its owner"),
    ] {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        let who = permitted(file.path());
        assert!(who.starts_with(told), "{mode:o}: {who}");
    }
}

#[test]
fn programs_that_take_ports_unasked_have_a_remedy_of_their_own() {
    assert!(holder::remedy("ModemManager (process 7)").contains("ID_MM_DEVICE_IGNORE"));
    assert!(holder::remedy("brltty (process 8)").contains("remove the package"));
    assert_eq!(holder::remedy("minicom (process 9)"), "close that program");
}

#[test]
fn an_adapter_that_comes_and_goes_is_told() {
    let tree = Tree::new();
    let (tx, changes) = channel();
    let changed = std::sync::Arc::new(move || tx.send(()).unwrap_or_default());
    let _watch = tree.ports.watch([], changed).unwrap();
    tree.plug("ttyUSB0", "1-1", &[]);
    changes.recv_timeout(LIMIT).unwrap();
    tree.unplug("ttyUSB0");
    changes.recv_timeout(LIMIT).unwrap();
}
