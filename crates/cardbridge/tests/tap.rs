//! A vendor's program at a tapped port: libnfc, which believes that it has the encoder to itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "other tests use the rest")]
mod process;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use emulator::{Cards, Origin, Pn532Encoder, Slot, Technology};
use encoder::{Direction, Encoder, Opening, Piece, Recording, Selector, Value};
use process::{Ended, Running, cardbridge};

/// Only for a program that hangs.
const LIMIT: &str = "30";

/// An encoder with a factory-fresh card on it, and where the tap's files go.
struct Bench {
    encoder: Pn532Encoder,
    image: Vec<u8>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let encoder = Pn532Encoder::start(Slot::new(), folder.path().join("encoder")).unwrap();
        let uid = "04A1B2C3".parse().unwrap();
        let card = Cards::new()
            .card(Technology::MifareClassic1k, uid, Origin::Factory)
            .unwrap();
        encoder.slot().place(&card);
        Self {
            encoder,
            image: card.memory(),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tap(&self, more: &[&str]) -> Running {
        let mut running = Running::start(
            cardbridge()
                .arg("tap")
                .arg("--port")
                .arg(self.encoder.path())
                .arg("--link")
                .arg(self.path("vendor"))
                .args(more),
        );
        running.says("let the program use");
        running
    }

    /// Runs a program of libnfc on the far side of the tap.
    fn libnfc(&self, program: &str, arguments: &[&str]) -> String {
        let device = format!("pn532_uart:{}", self.path("vendor").display());
        let output = Command::new("timeout")
            .args(["--signal=KILL", LIMIT, program])
            .args(arguments)
            .env("LIBNFC_DEVICE", device)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{program} (of libnfc-bin): {said} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }

    fn recorded(&self, name: &str) -> Vec<Piece> {
        Recording::read_file(&self.path(name)).unwrap().pieces
    }
}

/// What went one way, in hex.
fn hex_of(pieces: &[Piece], direction: Direction) -> String {
    let bytes = pieces
        .iter()
        .filter(|piece| piece.direction == direction)
        .flat_map(|piece| &piece.bytes);
    bytes
        .map(|byte| byte.map_or("??".to_owned(), |byte| format!("{byte:02X}")))
        .collect()
}

fn is_done(ended: &Ended) {
    assert!(ended.status.success(), "{}", ended.stderr);
}

#[test]
fn what_libnfc_says_to_an_encoder_is_recorded_and_nothing_is_left_behind() {
    let bench = Bench::new();
    let out = bench.path("session").display().to_string();
    let tap = bench.tap(&["--out", &out]);
    let said = bench.libnfc("nfc-list", &[]);
    assert!(said.contains("04  a1  b2  c3"), "{said}");
    let ended = tap.terminate();
    is_done(&ended);
    assert!(ended.rest_of_stdout.contains("bytes went to the device"));
    assert!(bench.path("vendor").symlink_metadata().is_err());

    let pieces = bench.recorded("session");
    let (sent, answered) = (
        hex_of(&pieces, Direction::ToDevice),
        hex_of(&pieces, Direction::FromDevice),
    );
    // GetFirmwareVersion and its answer, InListPassiveTarget, and the card's UID.
    assert!(sent.contains("D402") && answered.contains("D503"), "{sent}");
    assert!(sent.contains("D44A01") && answered.contains("0404A1B2C3"));
    let mode = std::fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn keys_are_left_out_on_request_only() {
    for (mask, shows_keys) in [("none", true), ("pn532", false)] {
        let bench = Bench::new();
        std::fs::write(bench.path("keys.mfd"), &bench.image).unwrap();
        let out = bench.path("session").display().to_string();
        let tap = bench.tap(&["--out", &out, "--mask", mask]);
        bench.libnfc(
            "nfc-mfclassic",
            &["r", "A", "u", "read.mfd", "keys.mfd", "f"],
        );
        is_done(&tap.terminate());
        assert_eq!(std::fs::read(bench.path("read.mfd")).unwrap().len(), 1024);
        let sent = hex_of(&bench.recorded("session"), Direction::ToDevice);
        assert_eq!(sent.contains("FFFFFFFFFFFF"), shows_keys, "{mask}");
        assert_eq!(sent.contains("????????????04A1B2C3"), !shows_keys, "{mask}");
    }
}

/// The emulated chip garbles what comes at another speed than its own, as a UART does.
#[test]
fn a_program_that_changes_the_speed_is_followed() {
    let bench = Bench::new();
    let out = bench.path("session").display().to_string();
    let tap = bench.tap(&["--out", &out]);
    let registry = driver_all::registry();
    let driver = registry.driver("pn532").unwrap();
    for baud in [460_800, 115_200, 921_600] {
        let speed = ("speed".to_owned(), Value::Integer(baud));
        let how = Opening {
            settings: [speed].into_iter().collect(),
            recorder: None,
        };
        let selector = Selector::Port(bench.path("vendor"));
        // The driver finds the chip at 115200 baud, tells it the other speed, and has a long pattern come back at that.
        let Encoder::Block(encoder) = driver.open(&selector, &how).unwrap() else {
            panic!("an encoder of another kind");
        };
        let facts = encoder.facts();
        let speed = facts.iter().find(|(name, _)| *name == "speed");
        assert_eq!(speed.unwrap().1, format!("{baud} baud"));
    }
    is_done(&tap.terminate());
    let text = std::fs::read_to_string(&out).unwrap();
    let speeds: Vec<&str> = text
        .lines()
        .filter(|line| line.ends_with(" baud"))
        .collect();
    // The last way back, with which the driver closes, may come too late for the tap to be written down.
    let changes = ["460800", "115200", "921600"].map(|baud| format!("# {baud} baud"));
    assert_eq!(speeds[..3], changes);
}

#[test]
fn a_port_that_goes_away_ends_the_tap_with_a_sentence() {
    let bench = Bench::new();
    let tap = bench.tap(&["--live"]);
    bench.libnfc("nfc-list", &[]);
    bench.encoder.unplug();
    let ended = tap.wait();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("went away; the tap has ended"));
    assert!(ended.stderr.contains("> 00 00 FF"), "{}", ended.stderr);
    assert!(bench.path("vendor").symlink_metadata().is_err());
}

#[test]
fn a_port_that_is_not_free_and_a_link_that_is_there_are_refused() {
    let bench = Bench::new();
    std::fs::write(bench.path("vendor"), "precious").unwrap();
    let refused = |port: &str| {
        let output = cardbridge()
            .args(["tap", "--port", port, "--link"])
            .arg(bench.path("vendor"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let port = bench.encoder.path().display().to_string();
    assert!(refused(&port).contains("is there already"));
    let kept = std::fs::read_to_string(bench.path("vendor")).unwrap();
    assert_eq!(kept, "precious");

    std::fs::remove_file(bench.path("vendor")).unwrap();
    assert!(refused("/dev/no-such-port").contains("does not exist"));
    // Another program at the port.
    let held = std::fs::File::open(&port).unwrap();
    let mut holder = Command::new("sleep")
        .arg(LIMIT)
        .stdin(held)
        .spawn()
        .unwrap();
    let said = refused(&port);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(said.contains("in use by sleep"), "{said}");
    assert!(bench.path("vendor").symlink_metadata().is_err());
}
