//! The encoder through its terminal, as a host opens it.

mod faulty;
mod pacing;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tempfile::TempDir;

use super::Pn532Encoder;
use super::chip::Chip;
use super::line::{Controls, Line};
use crate::bell::{Bell, timeout_until};
use crate::{Cards, Origin, Slot, Technology};

const LIMIT: Duration = Duration::from_secs(10);
const WAKE_UP_AND_CONFIGURE: &str = "55550000000000000000 0000ff05fbd414010000 1700";
const CONFIGURED: &str = "0000ff00ff00 0000ff02fed5151600";
const VERSION: &str = "0000ff02fed4022a00";
const VERSION_ANSWER: &str = "0000ff00ff00 0000ff06fad50332010607e800";

struct Bench {
    folder: TempDir,
    encoder: Pn532Encoder,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let encoder = Pn532Encoder::start(Slot::new(), folder.path().join("encoder")).unwrap();
        Bench { folder, encoder }
    }

    fn open(&self) -> Host {
        Host::open(self.encoder.path())
    }
}

/// The line without its thread: the test says when bytes are carried.
struct LineBench {
    line: Line,
    chip: Chip,
    controls: Controls,
    bell: Bell,
}

impl LineBench {
    fn new() -> LineBench {
        let controls = Controls::over(Slot::new());
        LineBench {
            line: Line::open(controls.clone()).unwrap(),
            chip: Chip::new(controls.slot.clone()),
            controls,
            bell: Bell::new().unwrap(),
        }
    }

    /// A host that has woken the chip and set both sides to another speed, by this command.
    fn raised(&mut self, command: &str, baud: u32) -> Host {
        let mut host = Host::open(self.line.path().as_ref());
        host.send(WAKE_UP_AND_CONFIGURE);
        host.send(command);
        self.carry();
        host.expect(CONFIGURED);
        host.expect("0000ff00ff00 0000ff02fed5111a00");
        host.send("0000ff00ff00");
        self.carry();
        host.set_baud(baud);
        host
    }

    /// Carries whatever there is to carry, until the line is quiet.
    fn carry(&mut self) {
        while self.line.is_busy(&self.chip, Duration::from_millis(50)) {
            self.line.turn(&mut self.chip, &self.bell).unwrap();
        }
    }
}

/// A host with the port open.
struct Host {
    port: File,
}

impl Host {
    fn open(path: &Path) -> Host {
        let noctty = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
        Host {
            port: OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags(noctty)
                .open(path)
                .unwrap(),
        }
    }

    fn set_baud(&self, baud: u32) {
        let mut settings = tcgetattr(&self.port).unwrap();
        settings.set_speed(baud).unwrap();
        tcsetattr(&self.port, OptionalActions::Now, &settings).unwrap();
    }

    fn send(&mut self, hex: &str) {
        self.port
            .write_all(&hex::decode(hex.replace(' ', "")).unwrap())
            .unwrap();
    }

    /// Whether there is anything to read just now.
    fn is_addressed(&self) -> bool {
        let mut fds = [PollFd::new(&self.port, PollFlags::IN)];
        poll(&mut fds, Some(&timeout_until(Instant::now()))).unwrap() != 0
    }

    /// Reads as many bytes as `hex` has and compares.
    fn expect(&mut self, hex: &str) {
        let expected = hex.replace(' ', "");
        assert_eq!(hex::encode(self.take(expected.len() / 2)), expected);
    }

    /// Asks, and reads until the answer has come; what came before it.
    fn take_until(&mut self, answer: &str, question: &str) -> String {
        self.send(question);
        let mut seen = String::new();
        while !seen.ends_with(&answer.replace(' ', "")) {
            seen.push_str(&hex::encode(self.take(1)));
        }
        seen.truncate(seen.len() - answer.replace(' ', "").len());
        seen
    }

    /// Waits for the encoder's thread to come so far.
    fn wait_until(&self, is_so_far: impl Fn() -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !is_so_far() {
            assert!(Instant::now() < deadline, "it never came so far");
            std::thread::yield_now();
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let deadline = Instant::now() + LIMIT;
        let mut seen = Vec::new();
        while seen.len() < count {
            let mut fds = [PollFd::new(&self.port, PollFlags::IN)];
            assert_eq!(
                poll(&mut fds, Some(&timeout_until(deadline))).unwrap(),
                1,
                "only {seen:02x?} came"
            );
            let mut buffer = vec![0; count - seen.len()];
            let read = self.port.read(&mut buffer).unwrap();
            assert_ne!(read, 0, "the line was hung up");
            seen.extend(&buffer[..read]);
        }
        seen
    }
}

#[test]
fn a_host_that_never_heard_of_terminals_gets_bytes_as_they_are() {
    let bench = Bench::new();
    let mut host = bench.open();
    host.send(WAKE_UP_AND_CONFIGURE);
    host.expect(CONFIGURED);
    host.send(VERSION);
    host.expect(VERSION_ANSWER);
}

#[test]
fn a_waiting_search_answers_when_a_card_is_placed() {
    let bench = Bench::new();
    let mut host = bench.open();
    host.send(WAKE_UP_AND_CONFIGURE);
    host.expect(CONFIGURED);
    host.send("0000ff04fcd44a0100e100");
    host.expect("0000ff00ff00");
    let card = Cards::new()
        .card(
            Technology::MifareClassic1k,
            "04A1B2C3".parse().unwrap(),
            Origin::Factory,
        )
        .unwrap();
    bench.encoder.slot().place(&card);
    host.expect("0000ff0cf4 d54b01010004080404a1b2c3 b4 00");
}

#[test]
fn at_the_wrong_speed_nothing_is_understood() {
    let mut bench = LineBench::new();
    let mut host = Host::open(bench.line.path().as_ref());
    host.send(WAKE_UP_AND_CONFIGURE);
    bench.carry();
    host.expect(CONFIGURED);
    host.set_baud(9_600);
    host.send(VERSION);
    bench.carry();
    assert!(!host.is_addressed());
    host.set_baud(115_200);
    host.send(VERSION);
    bench.carry();
    host.expect(VERSION_ANSWER);
}

#[test]
fn the_speed_is_raised_with_both_sides_in_step() {
    let bench = Bench::new();
    let mut host = bench.open();
    host.send(WAKE_UP_AND_CONFIGURE);
    host.expect(CONFIGURED);
    host.send("0000ff03fdd410071500");
    host.expect("0000ff00ff00 0000ff02fed5111a00");
    host.send("0000ff00ff00");
    host.set_baud(921_600);
    host.send(VERSION);
    host.expect(VERSION_ANSWER);
}

#[test]
fn what_an_earlier_host_did_not_fetch_is_gone_for_the_next() {
    let mut bench = LineBench::new();
    let mut host = Host::open(bench.line.path().as_ref());
    host.send(WAKE_UP_AND_CONFIGURE);
    host.send(VERSION);
    bench.carry();
    host.take(6);
    drop(host);
    bench.carry();

    let mut host = Host::open(bench.line.path().as_ref());
    bench.carry();
    assert!(!host.is_addressed());
    host.send(VERSION);
    bench.carry();
    host.expect(VERSION_ANSWER);
}

/// A claim does not bind root, and the tests may run as root: in a user namespace nobody is.
fn can_be_opened_by_an_ordinary_user(path: &str) -> bool {
    std::process::Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "sh",
            "-c",
            "exec 3<>\"$0\"",
            path,
        ])
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap()
        .success()
}

#[test]
fn a_host_that_died_with_a_claim_on_the_port_locks_nobody_out() {
    let mut bench = LineBench::new();
    let host = Host::open(bench.line.path().as_ref());
    rustix::termios::ioctl_tiocexcl(&host.port).unwrap();
    bench.carry();
    assert!(!can_be_opened_by_an_ordinary_user(bench.line.path()));
    drop(host);
    bench.carry();
    assert!(can_be_opened_by_an_ordinary_user(bench.line.path()));
}

#[test]
fn an_unplugged_encoder_hangs_up_and_its_path_is_gone() {
    let bench = Bench::new();
    let mut host = bench.open();
    bench.encoder.unplug();
    assert!(!bench.encoder.is_plugged());
    assert!(!bench.encoder.path().is_symlink());
    let mut buffer = [0; 1];
    assert!(
        matches!(host.port.read(&mut buffer), Ok(0) | Err(_)),
        "a hang-up"
    );
    bench.encoder.unplug();

    bench.encoder.plug().unwrap();
    bench.encoder.plug().unwrap();
    let mut host = bench.open();
    host.send(VERSION);
    host.send(WAKE_UP_AND_CONFIGURE);
    // It was powered anew: the first command woke it, or was lost.
    let answer = host.take(15);
    assert!(hex::encode(answer).starts_with("0000ff00ff00"));
}

#[test]
fn the_path_is_gone_with_the_encoder() {
    let Bench { folder, encoder } = Bench::new();
    let path = encoder.path().to_owned();
    assert!(path.is_symlink());
    drop(encoder);
    assert!(!path.is_symlink());
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_stale_link_is_replaced_and_a_file_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder");
    std::os::unix::fs::symlink("/dev/pts/999999", &path).unwrap();
    drop(Pn532Encoder::start(Slot::new(), &path).unwrap());

    std::fs::write(&path, b"somebody's").unwrap();
    let refused = Pn532Encoder::start(Slot::new(), &path).unwrap_err();
    assert!(refused.to_string().contains("choose a path"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody's");
}
