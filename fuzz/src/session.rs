//! Seeds for procedures: what emulated cards answer, exchange by exchange.

use card::fuzzing::{Scene, encode_with, read_copies_with, scan_with, write_reply};
use card::{ClassicCommand, Command, KeyType, PresentedCard, Reply, SelectAnswer, Uid};
use emulator::{Answer, Antenna, Card, Cards, Origin, Selected, Slot};

use crate::write;

const TLCODE: u8 = 1;
const OTHER_CREDENTIAL: u8 = 2;
const ROLLED: u8 = 4;

/// What is recorded: encodes in these choices of credential and keys, each row on a new card, from encode to encode as
/// the one before left it.
const CARDS: [&[(&str, u8)]; 2] = [
    &[
        ("blank", 0),
        ("unchanged", 0),
        ("another", OTHER_CREDENTIAL | ROLLED),
    ],
    &[("tlcode", TLCODE)],
];
/// The encode after which a scan is recorded too, and those after which a lock is.
const SCANNED: &str = "another";
const LOCKED: [&str; 2] = ["another", "tlcode"];

type Body = fn(&Scene, &mut dyn FnMut(&Command) -> Option<Reply>) -> bool;

pub(crate) fn write_all() {
    for technology in card::Technology::ALL {
        let index = position(technology);
        let uid = Scene::new(index, 0).presented().uid.to_string();
        let uid = uid.parse().expect("a UID is a UID");
        let emulated = technology
            .slug()
            .parse()
            .expect("every technology is emulated");
        for encodes in CARDS {
            let card = Cards::new()
                .card(emulated, uid, Origin::Factory)
                .expect("a card of every technology can be made");
            for (name, choice) in encodes {
                let seed = format!("{}-{name}", technology.slug());
                record(&card, "card_encode", &seed, index, *choice, encode_with);
                if *name == SCANNED {
                    record(&card, "card_scan", &seed, index, *choice, scan_with);
                }
                if LOCKED.contains(name) {
                    record(
                        &card,
                        "card_read_copies",
                        &seed,
                        index,
                        *choice,
                        read_copies_with,
                    );
                }
            }
        }
    }
}

fn position(technology: card::Technology) -> u8 {
    let position = card::Technology::ALL
        .iter()
        .position(|it| *it == technology);
    position.expect("it is one of all") as u8
}

/// Runs a procedure on a card, and writes down what that answered if it came to a good end.
fn record(card: &Card, target: &str, name: &str, index: u8, choice: u8, body: Body) {
    let scene = Scene::new(index, choice);
    let slot = Slot::new();
    slot.place(card);
    let mut antenna = Antenna::over(slot);
    antenna.select();
    let mut seed = vec![index, choice];
    let ended = body(&scene, &mut |command| {
        let reply = answer(&mut antenna, command)?;
        write_reply(&reply, &scene, &mut seed);
        Some(reply)
    });
    if ended {
        write(target, name, &seed);
    }
}

fn answer(antenna: &mut Antenna, command: &Command) -> Option<Reply> {
    let answer = match command {
        Command::Reselect => {
            return antenna
                .select()
                .map(|card| Reply::Reselected(presented(card)));
        }
        Command::Classic(ClassicCommand::Authenticate {
            block,
            key_type,
            key,
        }) => {
            let key_type = match key_type {
                KeyType::A => emulator::KeyType::A,
                KeyType::B => emulator::KeyType::B,
            };
            antenna.authenticate(*block, key_type, *key.expose())
        }
        Command::Classic(ClassicCommand::Read { block }) => antenna.read(*block),
        Command::Classic(ClassicCommand::Write { block, data }) => {
            antenna.write(*block, data.expose())
        }
        Command::Type2(command) => antenna.transceive(&command.to_bytes()),
        Command::Iso(apdu) => antenna.apdu(apdu.expose()),
    };
    Some(match answer {
        Answer::Acknowledged => Reply::Done,
        Answer::Data(data) => Reply::Data(data),
        Answer::Refused | Answer::Silence => Reply::Refused,
    })
}

fn presented(selected: &Selected) -> PresentedCard {
    let [low, high] = selected.atqa;
    PresentedCard {
        uid: Uid::new(selected.uid.as_bytes()).expect("a UID is a UID"),
        answer: SelectAnswer::Iso14443a {
            atqa: [high, low],
            sak: selected.sak,
            ats: Vec::new(),
        },
    }
}
