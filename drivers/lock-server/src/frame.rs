//! Frames of the Industry Standard protocol as bytes: what goes on the wire, and finding it again in what comes.
//!
//! ```text
//! STX SEP field SEP field SEP … ETX LRC
//! ```
//!
//! LRC is the XOR of every byte after STX up to and including ETX. It may have any value, those of STX and ETX too, so
//! a frame is read to its ETX and exactly one byte further. The stream is bytes, never UTF-8.
//!
//! Source: the public clients coucounco/salto (PHP), `salto` (Python) and batiati/Onity (C#), which agree.

/// Start of a frame.
pub(crate) const STX: u8 = 0x02;
/// End of the fields of a frame.
pub(crate) const ETX: u8 = 0x03;
/// Asks whether the server takes a request.
pub(crate) const ENQ: u8 = 0x05;
/// Yes; or, after a frame: taken, the work begins.
pub(crate) const ACK: u8 = 0x06;
/// No; or, after a frame: not ready, or its LRC is wrong.
pub(crate) const NAK: u8 = 0x15;
/// Before, between and after fields: `│` in code page 437, `³` in Latin-1.
pub(crate) const SEPARATOR: u8 = 0xB3;
/// In the place of an LRC: there is none.
const NO_LRC: u8 = 0x0D;

/// The most bytes between STX and ETX. A request with every documented field at its greatest length has some 450; what
/// is longer than this never was a frame.
const LONGEST: usize = 2048;

/// The fields of a frame: the name of the command or of the error, then what it is about. No field has a byte in it
/// that would end it, so what is made here is read there as the same fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    fields: Vec<Vec<u8>>,
}

/// Whether a byte may be in a field: neither a separator nor a control byte.
pub(crate) fn may_be_sent(byte: u8) -> bool {
    byte >= 0x20 && byte != SEPARATOR
}

impl Frame {
    /// A frame of these fields; `None` when one has a byte in it that no field may have, or all are too long together.
    pub(crate) fn new(fields: Vec<Vec<u8>>) -> Option<Self> {
        let length = 1 + fields.iter().map(|field| field.len() + 1).sum::<usize>();
        let is_sendable = fields.iter().flatten().copied().all(may_be_sent);
        (!fields.is_empty() && is_sendable && length <= LONGEST).then_some(Self { fields })
    }

    /// The field with that number, counted from the name, which is 0. One that was left out at the end is empty.
    pub(crate) fn field(&self, number: usize) -> &[u8] {
        self.fields.get(number).map_or(&[], Vec::as_slice)
    }

    /// The bytes to send.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![STX, SEPARATOR];
        for field in &self.fields {
            bytes.extend_from_slice(field);
            bytes.push(SEPARATOR);
        }
        bytes.push(ETX);
        bytes.push(lrc(&bytes[1..]));
        bytes
    }

    /// The fields of what stood between STX and ETX; `None` when it does not begin and end with a separator.
    fn decode(body: &[u8]) -> Option<Self> {
        let inner = body
            .strip_prefix(&[SEPARATOR])?
            .strip_suffix(&[SEPARATOR])?;
        let fields = inner.split(|&byte| byte == SEPARATOR);
        Self::new(fields.map(<[u8]>::to_vec).collect())
    }
}

fn lrc(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// ACK.
    Yes,
    /// NAK.
    No,
    /// A frame that arrived whole.
    Frame(Frame),
    /// Something that began like a frame and is none: cut off, garbled, or too long.
    Rubbish,
}

/// Finds what a server said in the bytes that came, however they were cut into pieces.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    state: State,
    /// What came after STX.
    body: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    Inside,
    /// ETX came; the LRC is next.
    AtEnd,
    /// In something too long, up to its ETX.
    Overlong,
    /// The same after its ETX.
    AtEndOfOverlong,
}

impl Parser {
    /// Takes what came and adds what it completed to `said`.
    pub(crate) fn take(&mut self, bytes: &[u8], said: &mut Vec<Said>) {
        for &byte in bytes {
            self.take_one(byte, said);
        }
    }

    /// Whether a frame has begun and not ended.
    pub(crate) fn is_inside(&self) -> bool {
        self.state != State::Between
    }

    fn take_one(&mut self, byte: u8, said: &mut Vec<Said>) {
        match (self.state, byte) {
            (State::Between, ACK) => said.push(Said::Yes),
            (State::Between, NAK) => said.push(Said::No),
            (State::Between, STX) => {
                self.body.clear();
                self.state = State::Inside;
            }
            // Noise, which nothing can be concluded from.
            (State::Between, _) => {}
            (State::AtEnd, lrc) => {
                self.state = State::Between;
                said.push(self.ended(lrc));
            }
            (State::AtEndOfOverlong, _) => self.state = State::Between,
            (State::Inside, ETX) => {
                self.body.push(ETX);
                self.state = State::AtEnd;
            }
            (State::Overlong, ETX) => self.state = State::AtEndOfOverlong,
            // No field has a control byte in it: what was begun was cut off, and this begins something else.
            (State::Inside, 0..0x20) => {
                said.push(Said::Rubbish);
                self.state = State::Between;
                self.take_one(byte, said);
            }
            (State::Overlong, 0..0x20) => {
                self.state = State::Between;
                self.take_one(byte, said);
            }
            (State::Overlong, _) => {}
            (State::Inside, _) if self.body.len() == LONGEST => {
                said.push(Said::Rubbish);
                self.state = State::Overlong;
            }
            (State::Inside, _) => self.body.push(byte),
        }
    }

    /// What the body is, which ends with ETX, now that its LRC came.
    fn ended(&self, found: u8) -> Said {
        if found != NO_LRC && found != lrc(&self.body) {
            return Said::Rubbish;
        }
        self.body
            .strip_suffix(&[ETX])
            .and_then(Frame::decode)
            .map_or(Said::Rubbish, Said::Frame)
    }
}

#[cfg(test)]
mod tests;
