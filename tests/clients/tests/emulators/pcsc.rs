//! The contactless reader behind a real `pcscd`, before OpenSC and pyscard.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};

use emulator::{
    Card, Cards, KeyStructures, Origin, PcscReader, PrivatePcscd, ReaderSettings, Slot, Technology,
};

use crate::{LIMIT, LONG_UID, UID, run, text};

/// A contactless reader behind a `pcscd` of its own, with one card on it.
pub(crate) struct PcscBench {
    // In this order: the reader goes before its pcscd.
    pub(crate) reader: PcscReader,
    pub(crate) card: Card,
    pcscd: PrivatePcscd,
}

impl PcscBench {
    fn with(uid: &str, key_structures: KeyStructures) -> PcscBench {
        let settings = ReaderSettings::default().with_key_structures(key_structures);
        PcscBench::over(Technology::MifareClassic1k, uid, settings)
    }

    pub(crate) fn over(technology: Technology, uid: &str, settings: ReaderSettings) -> PcscBench {
        let pcscd = PrivatePcscd::start(1).unwrap_or_else(|error| panic!("{error}"));
        let reader = PcscReader::start(Slot::new(), pcscd.ports()[0], settings).unwrap();
        let card = Cards::new()
            .card(technology, uid.parse().unwrap(), Origin::Factory)
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
    pub(crate) fn place_card(&self) {
        self.reader.slot().place(&self.card);
        // With `--wait` it does not show the answer to reset, so that is asked for afterwards.
        self.opensc(&["--wait", "--atr"]);
    }

    pub(crate) fn opensc(&self, arguments: &[&str]) -> String {
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

    pub(crate) fn pyscard(&self, script: &str) -> Output {
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
pub(crate) const PYSCARD: &str = r#"
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
