//! The emulators before programs that know nothing of them: libnfc and libfreefare on the serial
//! line, OpenSC and pyscard behind a real `pcscd`.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use emulator::{
    Card, Cards, KeyStructures, Origin, PcscReader, Pn532Encoder, PrivatePcscd, ReaderSettings,
    Slot, Technology,
};
use tempfile::TempDir;

/// Every program here is done within a second; this is for one that hangs.
const LIMIT: Duration = Duration::from_secs(30);

const UID: &str = "04A1B2C3";
const LONG_UID: &str = "04A1B2C3D4E5F6";

/// Runs a program to its end and returns what it printed.
fn run(program: &str, package: &str, prepare: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new("timeout");
    command
        .args(["--signal=KILL", &LIMIT.as_secs().to_string(), program])
        .stdin(Stdio::null());
    prepare(&mut command);
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("coreutils' timeout could not be run: {error}"));
    assert_ne!(
        output.status.code(),
        Some(127),
        "{program} is missing; install the Debian package {package}"
    );
    output
}

/// What a program printed on both streams, for messages and for finding words in it.
fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A PN532 on a pseudo-terminal with one card on it.
struct SerialBench {
    folder: TempDir,
    encoder: Pn532Encoder,
    card: Card,
}

impl SerialBench {
    fn with(uid: &str, origin: Origin) -> SerialBench {
        let folder = tempfile::tempdir().unwrap();
        let encoder = Pn532Encoder::start(Slot::new(), folder.path().join("encoder")).unwrap();
        let card = Cards::new()
            .card(Technology::MifareClassic1k, uid.parse().unwrap(), origin)
            .unwrap();
        encoder.slot().place(&card);
        SerialBench {
            folder,
            encoder,
            card,
        }
    }

    fn run(&self, program: &str, package: &str, arguments: &[&str]) -> Output {
        run(program, package, |command| {
            command.args(arguments).current_dir(self.folder.path());
            command.env(
                "LIBNFC_DEVICE",
                format!("pn532_uart:{}", self.encoder.path().display()),
            );
        })
    }

    fn libnfc(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, "libnfc-bin", arguments);
        assert!(
            output.status.success(),
            "{program} failed:\n{}",
            text(&output)
        );
        text(&output)
    }

    fn libfreefare(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, "libfreefare-bin", arguments);
        assert!(
            output.status.success(),
            "{program} failed:\n{}",
            text(&output)
        );
        text(&output)
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }

    fn write_file(&self, name: &str, content: &[u8]) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }
}

/// Output with all runs of blanks made one, since libnfc sets its columns with them.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn nfc_list_tells_the_card_and_its_kind() {
    for (uid, shown, atqa) in [
        (UID, "04 a1 b2 c3", "00 04"),
        (LONG_UID, "04 a1 b2 c3 d4 e5 f6", "00 44"),
    ] {
        let bench = SerialBench::with(uid, Origin::Factory);
        let said = squeezed(&bench.libnfc("nfc-list", &["-v"]));
        assert!(
            said.contains("1 ISO14443A passive target(s) found"),
            "{said}"
        );
        assert!(
            said.contains(&format!("ATQA (SENS_RES): {atqa} ")),
            "{said}"
        );
        assert!(
            said.contains(&format!("UID (NFCID1): {shown} SAK (SEL_RES): 08")),
            "{said}"
        );
        assert!(said.contains("MIFARE Classic 1K"), "{said}");
        assert!(
            said.contains("0 ISO14443B passive target(s) found"),
            "{said}"
        );
    }
}

#[test]
fn nfc_list_finds_nothing_on_an_empty_encoder() {
    let bench = SerialBench::with(UID, Origin::Factory);
    bench.encoder.slot().remove();
    let said = squeezed(&bench.libnfc("nfc-list", &["-v"]));
    assert!(
        said.contains("0 ISO14443A passive target(s) found"),
        "{said}"
    );
}

#[test]
fn nfc_mfclassic_reads_the_whole_card() {
    for uid in [UID, LONG_UID] {
        let bench = SerialBench::with(uid, Origin::Factory);
        let mut image = bench.card.memory();
        for (at, byte) in image.iter_mut().enumerate().filter(|(at, _)| at % 64 < 48) {
            *byte = (at % 251) as u8;
        }
        bench.card.set_memory(&image).unwrap();
        // What cannot be read from a card, its keys, the program takes from this file.
        bench.write_file("keys.mfd", &bench.card.memory());
        let said = bench.libnfc("nfc-mfclassic", &["r", "a", "u", "dump.mfd", "keys.mfd"]);
        assert!(said.contains("Done, 64 of 64 blocks read."), "{said}");
        assert_eq!(bench.file("dump.mfd"), bench.card.memory());
        assert_eq!(bench.encoder.slot().log().writes().len(), 0);
    }
}

#[test]
fn nfc_mfclassic_cannot_open_a_card_in_use_by_somebody_else() {
    let bench = SerialBench::with(UID, Origin::Foreign);
    let before = bench.card.memory();
    let output = bench.run("nfc-mfclassic", "libnfc-bin", &["r", "a", "u", "dump.mfd"]);
    assert!(
        !text(&output).contains("64 of 64 blocks read"),
        "{}",
        text(&output)
    );
    assert!(
        text(&output).contains("authentication failed"),
        "{}",
        text(&output)
    );
    assert_eq!(bench.card.memory(), before);
}

#[test]
fn libfreefare_formats_the_card_and_an_ndef_message_comes_back_from_it() {
    let message = b"\xD1\x01\x0EU\x01example.com/a";
    for uid in [UID, LONG_UID] {
        let bench = SerialBench::with(uid, Origin::Factory);
        let said = bench.libfreefare("mifare-classic-format", &["-y"]);
        assert!(
            said.contains("Formatting 16 sectors") && said.contains("done."),
            "{said}"
        );

        bench.write_file("message", message);
        bench.libfreefare("mifare-classic-write-ndef", &["-y", "-i", "message"]);
        // MIFARE application directory with NFC Forum sectors, and the message as a TLV in sector 1.
        let memory = bench.card.memory();
        assert_eq!(memory[16..20], [0xDB, 0x00, 0x03, 0xE1]);
        assert_eq!(memory[64..68], [0x03, 0x12, 0xD1, 0x01]);
        assert_eq!(memory[48..54], [0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5]);

        let said = bench.libfreefare("mifare-classic-read-ndef", &["-y", "-o", "read"]);
        assert!(
            said.contains("NFC Forum application contains a \"NDEF Message TLV\""),
            "{said}"
        );
        assert_eq!(bench.file("read"), message);
    }
}

#[test]
fn a_card_pulled_while_libnfc_reads_ends_the_reading_and_not_the_encoder() {
    let bench = SerialBench::with(UID, Origin::Factory);
    bench.encoder.slot().remove_after_exchanges(17);
    let output = bench.run("nfc-mfclassic", "libnfc-bin", &["r", "a", "u", "dump.mfd"]);
    assert!(
        !text(&output).contains("64 of 64 blocks read"),
        "{}",
        text(&output)
    );
    assert_eq!(bench.encoder.slot().log().exchanges(), 17);
    assert!(bench.encoder.slot().cards().is_empty());

    bench.encoder.slot().place(&bench.card);
    let said = bench.libnfc("nfc-mfclassic", &["r", "a", "u", "dump.mfd"]);
    assert!(said.contains("Done, 64 of 64 blocks read."), "{said}");
}

#[test]
fn an_encoder_that_was_unplugged_works_again_behind_the_same_path() {
    let bench = SerialBench::with(UID, Origin::Factory);
    bench.encoder.unplug();
    assert!(!bench.encoder.path().is_symlink());
    let output = bench.run("nfc-list", "libnfc-bin", &[]);
    assert!(
        !squeezed(&text(&output)).contains("04 a1 b2 c3"),
        "{}",
        text(&output)
    );

    bench.encoder.plug().unwrap();
    let said = squeezed(&bench.libnfc("nfc-list", &[]));
    assert!(said.contains("04 a1 b2 c3"), "{said}");
}

/// A contactless reader behind a `pcscd` of its own, with one card on it.
struct PcscBench {
    // In this order: the reader goes before its pcscd.
    reader: PcscReader,
    card: Card,
    pcscd: PrivatePcscd,
}

impl PcscBench {
    fn with(uid: &str, key_structures: KeyStructures) -> PcscBench {
        let pcscd = PrivatePcscd::start(1).unwrap_or_else(|error| panic!("{error}"));
        let settings = ReaderSettings::default().with_key_structures(key_structures);
        let reader = PcscReader::start(Slot::new(), pcscd.ports()[0], settings).unwrap();
        let card = Cards::new()
            .card(
                Technology::MifareClassic1k,
                uid.parse().unwrap(),
                Origin::Factory,
            )
            .unwrap();
        PcscBench {
            reader,
            card,
            pcscd,
        }
    }

    fn socket(&self) -> &Path {
        self.pcscd.socket()
    }

    /// Puts the card on and returns when PC/SC has seen it.
    fn place_card(&self) {
        self.reader.slot().place(&self.card);
        // With `--wait` it does not show the answer to reset, so that is asked for afterwards.
        self.opensc(&["--wait", "--atr"]);
    }

    fn opensc(&self, arguments: &[&str]) -> String {
        let output = run("opensc-tool", "opensc", |command| {
            command
                .args(["--reader", "0"])
                .args(arguments)
                .env("PCSCLITE_CSOCK_NAME", self.socket());
        });
        assert!(
            output.status.success(),
            "opensc-tool failed:\n{}",
            text(&output)
        );
        text(&output)
    }

    fn pyscard(&self, script: &str) -> Output {
        let output = run("/usr/bin/python3", "python3", |command| {
            command
                .args(["-c", script])
                .env("PCSCLITE_CSOCK_NAME", self.socket());
        });
        let said = text(&output);
        assert!(
            !said.contains("No module named 'smartcard'"),
            "pyscard is missing; install the Debian package python3-pyscard"
        );
        output
    }
}

#[test]
fn opensc_tool_shows_the_answer_to_reset_of_a_storage_card() {
    let bench = PcscBench::with(UID, KeyStructures::Volatile);
    bench.place_card();
    let said = bench.opensc(&["--atr"]);
    assert!(
        said.contains("3b:8f:80:01:80:4f:0c:a0:00:00:03:06:03:00:01:00:00:00:00:6a"),
        "{said}"
    );
}

#[test]
fn opensc_tool_reads_uid_and_a_block() {
    let bench = PcscBench::with(LONG_UID, KeyStructures::Volatile);
    let mut image = bench.card.memory();
    image[64..80].copy_from_slice(b"written by hand.");
    bench.card.set_memory(&image).unwrap();
    bench.place_card();
    let said = bench.opensc(&[
        "--send-apdu",
        "FFCA000000",
        "--send-apdu",
        "FF82000006FFFFFFFFFFFF",
        "--send-apdu",
        "FF860000050100046000",
        "--send-apdu",
        "FFB0000410",
    ]);
    assert!(said.contains("04 A1 B2 C3 D4 E5 F6"), "{said}");
    assert_eq!(said.matches("SW1=0x90, SW2=0x00").count(), 4, "{said}");
    assert!(said.contains("written by hand."), "{said}");
}

/// Waits for a card, then has `send(hex)`, which returns data and status word as hex.
const PYSCARD: &str = r#"
from smartcard.CardRequest import CardRequest
from smartcard.CardType import AnyCardType
from smartcard.util import toBytes, toHexString, PACK
service = CardRequest(timeout=20, cardType=AnyCardType()).waitforcard()
connection = service.connection
connection.connect()
def send(apdu):
    data, sw1, sw2 = connection.transmit(toBytes(apdu))
    return toHexString(data, PACK) + " %02X%02X" % (sw1, sw2)
"#;

#[test]
fn pyscard_authenticates_writes_and_reads_back() {
    let bench = PcscBench::with(UID, KeyStructures::Persistent);
    bench.reader.slot().place(&bench.card);
    let output = bench.pyscard(&format!(
        r#"{PYSCARD}
print("uid", send("FFCA000000"))
print("volatile", send("FF82000006FFFFFFFFFFFF"))
print("load", send("FF82200006FFFFFFFFFFFF"))
print("too early", send("FFB0000510"))
"#
    ));
    let said = text(&output);
    assert!(said.contains("uid 04A1B2C3 9000"), "{said}");
    assert!(said.contains("volatile  6986"), "{said}");
    assert!(said.contains("load  9000"), "{said}");
    assert!(said.contains("too early  6982"), "{said}");

    let output = bench.pyscard(&format!(
        r#"{PYSCARD}
print("load", send("FF82200006FFFFFFFFFFFF"))
print("authenticate", send("FF860000050100056000"))
print("write", send("FFD6000510" + "00112233445566778899AABBCCDDEEFF"))
print("read", send("FFB0000510"))
"#
    ));
    let said = text(&output);
    assert!(said.contains("authenticate  9000"), "{said}");
    assert!(said.contains("write  9000"), "{said}");
    assert!(
        said.contains("read 00112233445566778899AABBCCDDEEFF 9000"),
        "{said}"
    );
    assert_eq!(
        hex::encode(&bench.card.memory()[80..96]),
        "00112233445566778899aabbccddeeff"
    );
    assert_eq!(bench.reader.slot().log().writes().len(), 1);
}

#[test]
fn pyscard_is_refused_with_a_wrong_key_until_the_card_is_powered_again() {
    let bench = PcscBench::with(UID, KeyStructures::Volatile);
    bench.reader.slot().place(&bench.card);
    let output = bench.pyscard(&format!(
        r#"{PYSCARD}
print("right", send("FF82000006FFFFFFFFFFFF"))
print("wrong", send("FF82000106A0A1A2A3A4A5"))
print("first", send("FF860000050100046001"))
print("second", send("FF860000050100046000"))
from smartcard.scard import SCARD_UNPOWER_CARD
connection.disconnect()
connection.disposition = SCARD_UNPOWER_CARD
connection.connect()
print("again", send("FF860000050100046000"))
"#
    ));
    let said = text(&output);
    assert!(said.contains("first  6300"), "{said}");
    assert!(said.contains("second  6300"), "{said}");
    assert!(said.contains("again  9000"), "{said}");
}

#[test]
fn pyscard_sees_cards_come_and_go() {
    let bench = PcscBench::with(UID, KeyStructures::Volatile);
    let socket = bench.socket().to_owned();
    let (events, seen) = channel();
    let watching = std::thread::spawn(move || {
        use std::io::{BufRead, BufReader};
        let script = r#"
import sys
from smartcard.CardMonitoring import CardMonitor, CardObserver
from smartcard.util import toHexString
class Print(CardObserver):
    def update(self, observable, actions):
        added, removed = actions
        for card in added: print("added", flush=True)
        for card in removed: print("removed", flush=True)
monitor = CardMonitor()
observer = Print()
monitor.addObserver(observer)
print("watching", flush=True)
sys.stdin.read()
monitor.deleteObserver(observer)
"#;
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", script])
            .env("PCSCLITE_CSOCK_NAME", socket)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is missing; install the Debian package python3");
        let output = child.stdout.take().unwrap();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if events.send(line).is_err() {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let expect = |event: &str| match seen.recv_timeout(LIMIT) {
        Ok(line) => assert_eq!(line, event),
        Err(RecvTimeoutError::Timeout) => panic!("pyscard did not see \"{event}\""),
        Err(RecvTimeoutError::Disconnected) => {
            panic!("pyscard ended; is python3-pyscard installed?")
        }
    };
    expect("watching");
    bench.reader.slot().place(&bench.card);
    expect("added");
    bench.reader.slot().remove();
    expect("removed");
    bench.reader.slot().place(&bench.card);
    expect("added");
    bench.reader.unplug();
    expect("removed");
    drop(seen);
    drop(bench);
    drop(watching);
}

#[test]
fn two_pcscds_with_several_readers_stand_beside_each_other_and_leave_nothing_behind() {
    let benches: Vec<_> = [2, 1]
        .into_iter()
        .map(|readers| {
            let pcscd = PrivatePcscd::start(readers).unwrap_or_else(|error| panic!("{error}"));
            let readers: Vec<_> = pcscd
                .ports()
                .iter()
                .map(|&port| {
                    PcscReader::start(Slot::new(), port, ReaderSettings::default()).unwrap()
                })
                .collect();
            (readers, pcscd)
        })
        .collect();
    for (readers, pcscd) in &benches {
        let said = run("opensc-tool", "opensc", |command| {
            command
                .arg("--list-readers")
                .env("PCSCLITE_CSOCK_NAME", pcscd.socket());
        });
        let said = text(&said);
        for n in 0..readers.len() {
            assert!(said.contains(&pcscd.reader_name(n)), "{said}");
        }
        assert!(!said.contains(&pcscd.reader_name(readers.len())), "{said}");
    }
    let sockets: Vec<_> = benches
        .iter()
        .map(|(_, pcscd)| pcscd.socket().to_owned())
        .collect();
    assert!(sockets.iter().all(|socket| socket.exists()));
    drop(benches);
    assert!(!sockets.iter().any(|socket| socket.exists()));
}
