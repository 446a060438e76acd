//! What decodes the bytes of a lock server, as functions for fuzz targets. No part of the public face, and in no product.
//!
//! Each panics when something does not hold, and otherwise returns whether the bytes meant anything.

use std::time::{Duration, Instant};

use encoder::{Certainty, LocalTime, Order, OrderKind};

use crate::answer;
use crate::dialect::Dialect;
use crate::dialogue::{Dialogue, Ending, Event, Step, Why};
use crate::frame::{ENQ, Frame, Parser, Said};
use crate::request::{Afterwards, Asked, EncoderName};

/// Finds what a server said: the same however it was cut into reads, and each frame again when it is sent once more.
/// Every frame is then taken for the answer to everything, in both dialects.
#[must_use]
pub fn frames(bytes: &[u8]) -> bool {
    let said = parse(bytes.chunks(64));
    assert_eq!(parse(bytes.chunks(1)), said, "it matters how it was cut");
    let mut means_something = false;
    for said in said {
        let Said::Frame(frame) = said else { continue };
        means_something = true;
        let again = parse(std::iter::once(&frame.encode()[..]));
        assert_eq!(again, [Said::Frame(frame.clone())]);
        for dialect in [Dialect::Salto, Dialect::Onity] {
            answers(dialect, &frame);
        }
    }
    means_something
}

fn parse<'a>(reads: impl Iterator<Item = &'a [u8]>) -> Vec<Said> {
    let mut parser = Parser::default();
    let mut said = Vec::new();
    reads.for_each(|read| parser.take(read, &mut said));
    said
}

fn answers(dialect: Dialect, frame: &Frame) {
    if let Some(negative) = answer::negative(dialect, frame) {
        assert!(
            !negative
                .text
                .is_some_and(|text| text.contains(char::is_control))
        );
    }
    let _ = answer::issued(frame);
    if let Ok(card) = answer::card(dialect, frame) {
        assert!(!format!("{card:?}").contains(char::is_control));
    }
}

/// The longest that the request of [`conversation`] may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Holds a whole conversation about one new card with a server that says anything: `F8` is silence, `F9` a lost
/// connection, `FA` a change of mind, any other byte is said by the server; the first one chooses the dialect. Returns
/// whether a request was acknowledged.
///
/// What was acknowledged is never sent again, and is never surely unmade without the server saying so.
#[must_use]
pub fn conversation(bytes: &[u8]) -> bool {
    let [dialect, script @ ..] = bytes else {
        return false;
    };
    let dialect = if dialect % 2 == 0 {
        Dialect::Salto
    } else {
        Dialect::Onity
    };
    let began = Instant::now();
    let asked = asked(dialect);
    let request = asked.frame.encode();
    let mut listener = Listener::new(request);
    let mut now = began;
    let mut dialogue = Dialogue::new(asked, dialect.rules(), now, began + LIMIT);
    let mut step = dialogue.begin();
    let mut script = script.iter();
    loop {
        step = match step {
            Step::Done(ending) => {
                listener.judge(&ending);
                return listener.was_acknowledged;
            }
            Step::Send(bytes) => {
                listener.hears(&bytes);
                dialogue.on(Event::Sent, now)
            }
            Step::Wait(until) => {
                assert!(
                    until <= began + LIMIT + Duration::from_secs(1),
                    "it waits beyond its deadline"
                );
                match script.next() {
                    // At the end of the script the server says no more.
                    None | Some(0xF8) => {
                        now = now.max(until);
                        dialogue.on(Event::Quiet, now)
                    }
                    Some(0xF9) => dialogue.on(Event::Lost, now),
                    Some(0xFA) => dialogue.on(Event::Stopped, now),
                    Some(byte) => {
                        listener.says(*byte);
                        dialogue.on(Event::Received(&[*byte]), now)
                    }
                }
            }
        };
    }
}

/// Knows of a conversation what an onlooker would.
struct Listener {
    request: Vec<u8>,
    parser: Parser,
    requests: u8,
    enquiries: u8,
    was_acknowledged: bool,
    /// Whether the request is out and nobody refused it.
    is_out: bool,
}

impl Listener {
    fn new(request: Vec<u8>) -> Self {
        Self {
            request,
            parser: Parser::default(),
            requests: 0,
            enquiries: 0,
            was_acknowledged: false,
            is_out: false,
        }
    }

    fn hears(&mut self, bytes: &[u8]) {
        if bytes == self.request {
            assert!(
                !self.is_out,
                "it is sent again though it may have been taken"
            );
            self.requests += 1;
            self.is_out = true;
        } else if bytes == [ENQ] {
            self.enquiries += 1;
        }
        assert!(
            self.requests <= 3 && self.enquiries <= 10,
            "it never gives up"
        );
    }

    fn says(&mut self, byte: u8) {
        let mut said = Vec::new();
        self.parser.take(&[byte], &mut said);
        for said in said {
            match said {
                Said::Yes if self.is_out => self.was_acknowledged = true,
                Said::No if !self.was_acknowledged => self.is_out = false,
                _ => {}
            }
        }
    }

    fn judge(&self, ending: &Ending) {
        match ending {
            Ending::Ready => panic!("it asked for more than that"),
            Ending::Answer(_) => assert!(self.was_acknowledged, "an answer to what nobody took"),
            Ending::Failed { certainty, why } => {
                let is_in_doubt = *certainty == Certainty::Unknown;
                assert_eq!(is_in_doubt, self.is_out, "{why:?}");
                assert!(!self.is_out || *why != Why::TooLate);
            }
        }
    }
}

fn asked(dialect: Dialect) -> Asked {
    let order = Order {
        kind: OrderKind::New,
        rooms: vec!["101".to_owned()],
        granted: vec![],
        denied: vec![],
        starts_at: None,
        ends_at: LocalTime {
            year: 2026,
            month: 11,
            day: 22,
            hour: 12,
            minute: 0,
        },
        operator: None,
    };
    let encoder = EncoderName::new(dialect, "1").expect("a number is a name in both dialects");
    Asked::issue(dialect, &encoder, &order, None, Afterwards::Retain)
        .expect("this order can be sent")
}

#[cfg(test)]
mod tests;
