//! The whole server, before a client that is written here: bytes through a socket, cards on a slot.

mod awkward;
mod cards;
mod dialogue;
mod faulty;
mod line;
mod transcripts;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::frame::{ACK, ENQ, ETX, Field, STX, frame};
use super::{Dialect, LockServer, LockServerSettings, LockServerWire};
use crate::{Card, Cards, Origin, Slot, Technology};

/// Only keeps a broken test from hanging.
const LIMIT: Duration = Duration::from_secs(15);

const STAY: &str = "1400211126|1200221126";

/// A server with two encoders, and a drawer of cards.
struct Bench {
    server: LockServer,
    encoders: [Slot; 2],
    cards: Cards,
}

impl Bench {
    fn start(dialect: Dialect) -> Bench {
        Bench::on(dialect, LockServerWire::Loopback(0))
    }

    fn on(dialect: Dialect, wire: LockServerWire) -> Bench {
        let encoders = [Slot::new(), Slot::new()];
        let settings = LockServerSettings::new(dialect)
            .with_encoder("1", encoders[0].clone())
            .with_encoder("2", encoders[1].clone())
            .with_rooms(["101", "102", "Suite"]);
        Bench {
            server: LockServer::start(&settings, wire).unwrap(),
            encoders,
            cards: Cards::new(),
        }
    }

    fn card(&self, uid: &str) -> Card {
        self.made(uid, Origin::Factory)
    }

    fn made(&self, uid: &str, origin: Origin) -> Card {
        let technology = Technology::MifareClassic1k;
        self.cards
            .card(technology, uid.parse().unwrap(), origin)
            .unwrap()
    }

    /// Puts a card on the first encoder.
    fn place(&self, uid: &str) -> Card {
        let card = self.card(uid);
        self.encoders[0].place(&card);
        card
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(self.server.address().unwrap()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Client { stream }
    }

    /// Asks by a connection of its own, and returns the answer.
    fn ask(&self, line: &str) -> String {
        self.client().ask(line)
    }

    /// Waits until the first encoder has a task.
    fn await_task(&self) {
        assert!(self.server.wait_for(LIMIT, |now| now.busy.contains(&"1")));
    }

    fn await_idle(&self) {
        assert!(self.server.wait_for(LIMIT, |now| now.busy.is_empty()));
    }
}

fn fields(line: &str) -> Vec<Field> {
    line.split('|')
        .map(|field| field.as_bytes().to_vec())
        .collect()
}

struct Client {
    stream: TcpStream,
}

impl Client {
    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn send_frame(&mut self, line: &str) {
        self.send(&frame(&fields(line), true));
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).unwrap();
        byte[0]
    }

    fn enquire(&mut self) -> u8 {
        self.send(&[ENQ]);
        self.byte()
    }

    /// Enquires, asks, and returns the answer with its fields in one line.
    fn ask(&mut self, line: &str) -> String {
        assert_eq!(self.enquire(), ACK);
        self.begin(line);
        self.answer()
    }

    /// Asks, and returns when that is acknowledged.
    fn begin(&mut self, line: &str) {
        self.send_frame(line);
        assert_eq!(self.byte(), ACK, "{line}");
    }

    fn answer(&mut self) -> String {
        assert_eq!(self.byte(), STX);
        let mut between = Vec::new();
        loop {
            match self.byte() {
                ETX => break,
                byte => between.push(byte),
            }
        }
        let checksum = self.byte();
        let xor = between.iter().fold(ETX, |sum, byte| sum ^ byte);
        assert!(checksum == xor || checksum == 0x0D);
        let text: String = between.iter().map(|byte| char::from(*byte)).collect();
        text.trim_matches('³').replace('³', "|")
    }

    /// Everything until the server closes the connection.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => rest,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => rest,
            Err(error) => panic!("{error}"),
        }
    }
}
