//! What is asked of a lock server, checked before anything is sent.

use encoder::{LocalTime, Order, OrderKind};

use crate::codes;
use crate::dialect::{Dialect, Rules};
use crate::frame::Frame;
use crate::text::Charset;
use crate::time::Rounding;

/// Most rooms of one card.
const ROOMS: usize = 4;

/// The most characters of an operator's name (Python `EncodeCard`, C# client of SALTO).
const OPERATOR: usize = 24;

/// The most characters of any field. The longest that is documented is the authorisation code with 64 (C# client of
/// SALTO); how long a room's name may be nobody says, so the server judges that.
const LONGEST_FIELD: usize = 64;

/// What stands in the place of a room when the card that was read is no guest's. A room of that name would be read as
/// such a card.
pub(crate) const NO_ROOMS: &[&str] = &["LM", "LR", "LC", "LD", "LS"];

/// What becomes of a card when the encoder is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// It stays where it is, and the encoder is free at once.
    Retain,
    /// A machine that swallows cards gives it out. The encoder is busy, or the answer waits, until it was taken.
    Eject,
}

impl Afterwards {
    fn field(self) -> Vec<u8> {
        match self {
            Self::Retain => b"R".to_vec(),
            Self::Eject => b"E".to_vec(),
        }
    }
}

/// An encoder as its server calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncoderName {
    text: String,
    bytes: Vec<u8>,
}

/// A card cannot be ordered like this. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the order names no room; name one to four")]
    NoRoom,
    #[error(
        "the order names {count} rooms; a lock server takes four on a card, order the others as authorisations"
    )]
    TooManyRooms { count: usize },
    #[error("room {room:?} has a name that lock servers use for something else ({}); rename it there", NO_ROOMS.join(", "))]
    ReservedRoom { room: String },
    #[error(
        "room {room:?} has no name, or one of more than {LONGEST_FIELD} characters; name it as the lock server does"
    )]
    RoomLength { room: String },
    #[error(
        "{character:?} in room {room:?} cannot be sent to this lock server; rename the room there"
    )]
    RoomCharacter { room: String, character: char },
    #[error("this lock server has no authorisation {number}; it has 1 to {highest}")]
    NoAuthorisation { number: u8, highest: usize },
    #[error("{} cannot be sent to a lock server, which knows the years 2000 to 2099", show(.time))]
    NoSuchTime { time: LocalTime },
    #[error("the card would end at {}, before it begins at {}", show(.ends_at), show(.starts_at))]
    EndsFirst {
        starts_at: LocalTime,
        ends_at: LocalTime,
    },
    #[error("the order is too long to be sent")]
    TooLong,
}

/// The name of an encoder cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidName;

impl EncoderName {
    /// A name or number, as the dialect has it.
    pub(crate) fn new(dialect: Dialect, text: &str) -> Result<Self, InvalidName> {
        let rules = dialect.rules();
        let is_number = text.parse::<u16>().is_ok_and(|number| number > 0);
        let is_known = !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= LONGEST_FIELD
            && (is_number || !rules.numbers_encoders);
        if !is_known {
            return Err(InvalidName);
        }
        let bytes = rules.charset.encode(text).map_err(|_| InvalidName)?;
        Ok(Self {
            text: text.to_owned(),
            bytes,
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a server means this encoder. Servers echo the name; what they do with its case and leading zeros is not
    /// documented, and no two encoders differ by that alone.
    pub(crate) fn is_meant_by(&self, field: &[u8]) -> bool {
        let field = field.trim_ascii();
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<u16>().ok();
        field.eq_ignore_ascii_case(&self.bytes)
            || number(field).is_some_and(|it| Some(it) == number(&self.bytes))
    }
}

/// A request, and how its answer is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) frame: Frame,
    /// Whether it makes a card.
    pub(crate) writes: bool,
    /// What takes it back, where the server offers that.
    pub(crate) take_back: Option<Frame>,
    /// The names of a positive answer.
    answers: &'static [&'static str],
    encoder: EncoderName,
}

impl Asked {
    /// `CN` or `CC`: make a card.
    pub(crate) fn issue(
        dialect: Dialect,
        encoder: &EncoderName,
        order: &Order,
        operator: Option<&str>,
        afterwards: Afterwards,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            frame: issue(dialect, encoder, order, operator, afterwards)?,
            writes: true,
            take_back: take_back(dialect, encoder),
            // Onity's client takes either for an answer to a `CC`.
            answers: match order.kind {
                OrderKind::New => &["CN"],
                OrderKind::Copy => &["CC", "CN"],
            },
            encoder: encoder.clone(),
        })
    }

    /// `LT`: read the card.
    pub(crate) fn read(dialect: Dialect, encoder: &EncoderName, afterwards: Afterwards) -> Self {
        Self {
            frame: short("LT", encoder, Some(afterwards)),
            writes: false,
            take_back: take_back(dialect, encoder),
            answers: &["LT"],
            encoder: encoder.clone(),
        }
    }

    /// Whether a frame is the answer to this, positive or negative. An error that names no encoder is, as requests go
    /// out one at a time.
    pub(crate) fn is_answered_by(&self, frame: &Frame) -> bool {
        let encoder = frame.field(1);
        if codes::is_error(frame.field(0)) {
            return encoder.is_empty() || self.encoder.is_meant_by(encoder);
        }
        self.is_done_by(frame)
    }

    /// Whether a frame says how this ended, also when it may be the answer to something else about the same encoder.
    pub(crate) fn is_settled_by(&self, frame: &Frame) -> bool {
        let is_no_card = frame.field(0) == b"ED" && self.encoder.is_meant_by(frame.field(1));
        is_no_card || self.is_done_by(frame)
    }

    /// Whether a frame says that this was taken back.
    pub(crate) fn is_taken_back_by(&self, frame: &Frame) -> bool {
        frame.field(0) == b"EX" && self.encoder.is_meant_by(frame.field(1))
    }

    fn is_done_by(&self, frame: &Frame) -> bool {
        let name = frame.field(0);
        let is_ours = self.answers.iter().any(|it| {
            // Some servers may echo the number of cards: `CN1`.
            name.strip_prefix(it.as_bytes())
                .is_some_and(|rest| rest.iter().all(u8::is_ascii_digit))
        });
        is_ours && self.encoder.is_meant_by(frame.field(1))
    }
}

fn issue(
    dialect: Dialect,
    encoder: &EncoderName,
    order: &Order,
    operator: Option<&str>,
    afterwards: Afterwards,
) -> Result<Frame, Refusal> {
    let rules = dialect.rules();
    let command = match order.kind {
        OrderKind::New => "CN",
        OrderKind::Copy => "CC",
    };
    let mut fields = vec![command.into(), encoder.bytes.clone(), afterwards.field()];
    fields.extend(rooms(rules.charset, &order.rooms)?);
    fields.push(authorisations(rules, &order.granted)?);
    fields.push(authorisations(rules, &order.denied)?);
    fields.extend(times(rules, order)?);
    let operator = order.operator.as_deref().or(operator).unwrap_or_default();
    fields.push(rules.charset.encode_roughly(operator, OPERATOR));
    if rules.asks_for_serial {
        // Three tracks or lines of print, then: the number of the last card.
        fields.extend([vec![], vec![], vec![], b"1".to_vec()]);
    }
    Frame::new(fields).ok_or(Refusal::TooLong)
}

/// `EX`: end the task of the encoder and give the card out.
fn take_back(dialect: Dialect, encoder: &EncoderName) -> Option<Frame> {
    dialect
        .rules()
        .takes_back
        .then(|| short("EX", encoder, None))
}

fn short(command: &str, encoder: &EncoderName, afterwards: Option<Afterwards>) -> Frame {
    let mut fields = vec![command.into(), encoder.bytes.clone()];
    fields.extend(afterwards.map(Afterwards::field));
    Frame::new(fields).expect("a name that was checked is short and has no control byte in it")
}

/// Four fields, empty behind the last room.
fn rooms(charset: Charset, rooms: &[String]) -> Result<Vec<Vec<u8>>, Refusal> {
    match rooms.len() {
        0 => return Err(Refusal::NoRoom),
        1..=ROOMS => {}
        count => return Err(Refusal::TooManyRooms { count }),
    }
    let mut fields = rooms
        .iter()
        .map(|room| self::room(charset, room))
        .collect::<Result<Vec<_>, _>>()?;
    fields.resize(ROOMS, vec![]);
    Ok(fields)
}

fn room(charset: Charset, name: &str) -> Result<Vec<u8>, Refusal> {
    let room = name.to_owned();
    if NO_ROOMS.contains(&name.trim()) {
        return Err(Refusal::ReservedRoom { room });
    }
    if name.trim().is_empty() || name.chars().count() > LONGEST_FIELD {
        return Err(Refusal::RoomLength { room });
    }
    charset
        .encode(name)
        .map_err(|character| Refusal::RoomCharacter { room, character })
}

fn authorisations(rules: &Rules, numbers: &[u8]) -> Result<Vec<u8>, Refusal> {
    rules
        .write_authorisations(numbers)
        .map_err(|number| Refusal::NoAuthorisation {
            number,
            highest: rules.authorisations.len(),
        })
}

/// The beginning, which is empty when the server may begin at once, and the end.
fn times(rules: &Rules, order: &Order) -> Result<[Vec<u8>; 2], Refusal> {
    let write = |time: LocalTime, rounding| {
        rules
            .times
            .write(time, rounding)
            .map_err(|_| Refusal::NoSuchTime { time })
    };
    let start = order
        .starts_at
        .map_or(Ok(vec![]), |it| write(it, Rounding::Back))?;
    let end = write(order.ends_at, Rounding::On)?;
    match order.starts_at {
        Some(starts_at) if starts_at >= order.ends_at => Err(Refusal::EndsFirst {
            starts_at,
            ends_at: order.ends_at,
        }),
        _ => Ok([start, end]),
    }
}

/// `2026-11-21 14:00`.
pub(crate) fn show(time: &LocalTime) -> String {
    let LocalTime {
        year,
        month,
        day,
        hour,
        minute,
    } = time;
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests;
