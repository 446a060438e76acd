//! The reader's connection, with the test in the place of `vpcd`.

mod faulty;

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use crate::{Card, Cards, Origin, PcscReader, ReaderSettings, Slot, Technology};

const LIMIT: Duration = Duration::from_secs(10);
const ATR: &str = "3b8f8001804f0ca000000306030001000000006a";

struct Bench {
    vpcd: TcpListener,
    reader: PcscReader,
    card: Card,
}

impl Bench {
    fn new() -> Bench {
        let vpcd = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = vpcd.local_addr().unwrap().port();
        let reader = PcscReader::start(Slot::new(), port, ReaderSettings::default()).unwrap();
        Bench {
            vpcd,
            reader,
            card: card("04A1B2C3"),
        }
    }

    fn accept(&self) -> Vpcd {
        let (stream, _) = self.vpcd.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Vpcd { stream }
    }
}

fn card(uid: &str) -> Card {
    Cards::new()
        .card(
            Technology::MifareClassic1k,
            uid.parse().unwrap(),
            Origin::Factory,
        )
        .unwrap()
}

/// The far end of a connection: a card is there while it lasts.
struct Vpcd {
    stream: TcpStream,
}

impl Vpcd {
    fn send(&mut self, hex: &str) {
        let body = hex::decode(hex.replace(' ', "")).unwrap();
        let length = u16::try_from(body.len()).unwrap();
        // Length and body go apart, as `vpcd` sends them.
        self.stream.write_all(&length.to_be_bytes()).unwrap();
        self.stream.write_all(&body).unwrap();
    }

    fn ask(&mut self, hex: &str) -> String {
        self.send(hex);
        self.hear()
    }

    fn hear(&mut self) -> String {
        let mut length = [0; 2];
        self.stream.read_exact(&mut length).unwrap();
        let mut body = vec![0; usize::from(u16::from_be_bytes(length))];
        self.stream.read_exact(&mut body).unwrap();
        hex::encode(body)
    }

    /// Waits for the connection to end; `false` if anything comes before.
    fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0; 1]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

#[test]
fn a_card_placed_connects_and_answers_to_reset() {
    let bench = Bench::new();
    bench.reader.slot().place(&bench.card);
    let mut vpcd = bench.accept();
    assert_eq!(vpcd.ask("04"), ATR);
    vpcd.send("01");
    assert_eq!(vpcd.ask("FFCA000000"), "04a1b2c39000");
}

#[test]
fn a_card_removed_disconnects_and_another_one_connects_anew() {
    let bench = Bench::new();
    bench.reader.slot().place(&bench.card);
    let mut vpcd = bench.accept();
    assert_eq!(vpcd.ask("04"), ATR);
    bench.reader.slot().remove();
    assert!(vpcd.is_closed());

    bench.reader.slot().place(&bench.card);
    let mut vpcd = bench.accept();
    assert_eq!(vpcd.ask("FFCA000000"), "04a1b2c39000");
    bench.reader.slot().place(&card("01020304"));
    assert!(vpcd.is_closed());
    assert_eq!(bench.accept().ask("FFCA000000"), "010203049000");
}

#[test]
fn a_card_that_leaves_after_an_exchange_answers_that_exchange_first() {
    let bench = Bench::new();
    bench.reader.slot().place(&bench.card);
    let mut vpcd = bench.accept();
    bench.reader.slot().remove_after_exchanges(1);
    assert_eq!(vpcd.ask("FF820000 06 FFFFFFFFFFFF"), "9000");
    assert_eq!(vpcd.ask("FF860000 05 0100046000"), "9000");
    assert!(vpcd.is_closed());
}

#[test]
fn a_reset_ends_an_authentication_and_cures_a_halted_card() {
    let bench = Bench::new();
    bench.reader.slot().place(&bench.card);
    let mut vpcd = bench.accept();
    assert_eq!(vpcd.ask("FF820000 06 FFFFFFFFFFFF"), "9000");
    assert_eq!(vpcd.ask("FF820001 06 000000000000"), "9000");
    for cure in ["02", "01"] {
        assert_eq!(vpcd.ask("FF860000 05 0100046001"), "6300");
        assert_eq!(vpcd.ask("FF860000 05 0100046000"), "6300");
        vpcd.send(cure);
        assert_eq!(vpcd.ask("FF860000 05 0100046000"), "9000");
        vpcd.send(cure);
        assert_eq!(vpcd.ask("FFB0000410"), "6982");
        vpcd.send(cure);
    }
}

#[test]
fn a_card_waits_for_a_vpcd_that_comes_later_or_again() {
    // A port that was free a moment ago, with nobody listening.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let reader = PcscReader::start(Slot::new(), port, ReaderSettings::default()).unwrap();
    let card = card("04A1B2C3");
    reader.slot().place(&card);
    assert!(
        reader.slot().wait_for(LIMIT, |now| now.is_field_on),
        "it looks for the card"
    );

    let bench = Bench {
        vpcd: TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap(),
        reader,
        card,
    };
    let mut vpcd = bench.accept();
    assert_eq!(vpcd.ask("04"), ATR);
    drop(vpcd);
    assert_eq!(bench.accept().ask("04"), ATR);
}

#[test]
fn an_unplugged_reader_shows_no_card() {
    let bench = Bench::new();
    bench.reader.slot().place(&bench.card);
    let mut vpcd = bench.accept();
    bench.reader.unplug();
    assert!(vpcd.is_closed());
    assert!(!bench.reader.is_plugged());
    bench.reader.plug();
    assert_eq!(bench.accept().ask("04"), ATR);
}

#[test]
fn a_reader_that_is_dropped_disconnects() {
    let Bench { vpcd, reader, card } = Bench::new();
    reader.slot().place(&card);
    let (stream, _) = vpcd.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    drop(reader);
    assert!(Vpcd { stream }.is_closed());
}
