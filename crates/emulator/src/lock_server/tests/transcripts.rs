//! What public clients of the protocol send, byte by byte, and the answers that they were content with.
//!
//! Recorded between this server and clients, run by hand: coucounco/salto at d8b3502 (PHP; its own messages, and `CN` by
//! its message class), and one pieced together from what is public of a Python client: its classes for the connection and
//! the response, retyped, with messages of our own between them. What batiati/Onity at dcb0f7f (C#) sends was read in its
//! source, which does not run here.

use super::Client;
use crate::lock_server::frame::{ACK, ENQ, ETX, SEPARATOR, STX};
use crate::lock_server::{Dialect, LockServer, LockServerSettings, LockServerWire};
use crate::{Cards, Slot};

/// What is sent and its checksum, what is answered and its checksum; a bar for each separator.
type Exchange = (&'static str, u8, &'static str, u8);

const PYTHON: [Exchange; 10] = [
    (
        "CN1|front-desk|R|101||||19z||1400211126|1200221126|Ada||||2",
        0xBA,
        "CN1|front-desk|04A1B2C3",
        0x1E,
    ),
    (
        "LT|front-desk|R",
        0x1C,
        "LT|front-desk|101||||CI|0|19z|1400211126|1200221126|Ada",
        0xC4,
    ),
    (
        "CC1|front-desk|R|101||||19z||1400211126|1200221126|Ada||||2",
        0xB7,
        "CC1|front-desk|04A1B2C3",
        0x13,
    ),
    (
        "LT|front-desk|R",
        0x1C,
        "LT|front-desk|101||||CI|1|19z|1400211126|1200221126|Ada",
        0xC5,
    ),
    ("P1|front-desk|R|Ada", 0x92, "P1|front-desk", 0x84),
    ("L1|front-desk|R", 0x79, "L1|front-desk|Ada", 0x6F),
    ("CO|0|101", 0x0F, "CO|0", 0x8C),
    (
        "LT|front-desk|R",
        0x1C,
        "LT|front-desk|101||||CO|1|19z|1400211126|1200221126|Ada",
        0xC3,
    ),
    (
        "CC1|front-desk|R|101||||19z||1400211126|1200221126|Ada||||2",
        0xB7,
        "EA|front-desk",
        0xE1,
    ),
    // The checksum is a separator here.
    (
        "CN1|front-desk|R|999||||19z||1400211126|1200221126|Ada||||2",
        0xB3,
        "TD|front-desk",
        0xF5,
    ),
];

const PHP: [Exchange; 6] = [
    (
        "CN|front-desk|R|101||||||1400211126|1200221126|||||1",
        0xBE,
        "CN|front-desk|04A1B2C3",
        0x2F,
    ),
    ("MC|101|102|1100231126", 0xB8, "MC|101|102", 0x0E),
    ("CO|0|102", 0x0C, "CO|0", 0x8C),
    ("CO|0|999", 0x06, "TD|0", 0x90),
    // A right checksum that looks like the byte for none, and then that byte.
    ("INFO", 0x0D, "ES|", 0xA6),
    ("CO|0|101", 0x0D, "CO|0", 0x8C),
];

const ONITY: [Exchange; 4] = [
    (
        "CN|1|E|101||||||14211126|12221126|||",
        0xFC,
        "CN|1|04A1B2C3",
        0x4B,
    ),
    ("CO|1|101", 0x0E, "CO|1", 0x8D),
    ("EX|1", 0x9C, "EX|1", 0x9C),
    ("CC|2|R|101||||||14211126|12221126|||", 0xE5, "NC|2", 0x8F),
];

fn replay(server: &LockServer, exchanges: &[Exchange]) {
    let bytes = |line: &str, checksum| {
        let between: Vec<u8> = line
            .bytes()
            .map(|byte| if byte == b'|' { SEPARATOR } else { byte })
            .collect();
        let ends = [&[STX, SEPARATOR][..], &between, &[SEPARATOR, ETX, checksum]];
        ends.concat()
    };
    for (sent, sent_checksum, heard, heard_checksum) in exchanges {
        let stream = std::net::TcpStream::connect(server.address().unwrap()).unwrap();
        stream.set_read_timeout(Some(super::LIMIT)).unwrap();
        let mut client = Client { stream };
        if server.dialect() == Dialect::Onity {
            client.send(&[ENQ]);
            assert_eq!(client.byte(), ACK);
        }
        client.send(&bytes(sent, *sent_checksum));
        let expected = [&[ACK][..], &bytes(heard, *heard_checksum)].concat();
        let answer: Vec<_> = expected.iter().map(|_| client.byte()).collect();
        assert_eq!(hex::encode(answer), hex::encode(expected), "{sent}");
    }
}

fn server(dialect: Dialect, encoder: &str) -> (LockServer, Slot, Cards) {
    let slot = Slot::new();
    let settings = LockServerSettings::new(dialect)
        .with_encoder(encoder, slot.clone())
        .with_rooms(["101", "102"]);
    let cards = Cards::new();
    let uid = "04A1B2C3".parse().unwrap();
    let card = cards.card(
        crate::Technology::MifareClassic1k,
        uid,
        crate::Origin::Factory,
    );
    slot.place(&card.unwrap());
    let server = LockServer::start(&settings, LockServerWire::Loopback(0));
    (server.unwrap(), slot, cards)
}

#[test]
fn the_python_client_makes_copies_reads_and_checks_out() {
    replay(&server(Dialect::Salto, "front-desk").0, &PYTHON);
}

#[test]
fn the_php_client_makes_moves_and_checks_out() {
    replay(&server(Dialect::Salto, "front-desk").0, &PHP);
}

#[test]
fn onitys_client_makes_checks_out_and_ejects() {
    let (server, ..) = server(Dialect::Onity, "1");
    server.adjust(|knobs| knobs.awaits_removal = false);
    replay(&server, &ONITY);
}
