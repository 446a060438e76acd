//! InDataExchange and InCommunicateThru: one command to a card and its answer (UM0701-02 §7.3.8,
//! §7.3.9). The firmware does the two halves of a MIFARE write and the authentication by itself.

use super::radio::{Answer, Radio};
use super::status;
use crate::air::Frame;
use crate::card::{Authentication, Key, Verdict};
use crate::reader::Failure;
use crate::slot::KeyType;

const AUTHENTICATE_A: u8 = 0x60;
const AUTHENTICATE_B: u8 = 0x61;
const WRITE: u8 = 0xA0;
const VALUE_COMMANDS: [u8; 3] = [0xC0, 0xC1, 0xC2];
/// A card's positive answer of four bits; every other is a NAK.
const ACK: u8 = 0xA;
/// The bits of `Tg` that are the target's number; 0x40 says that more data follows.
const NUMBER: u8 = 0x0F;
const MORE: u8 = 0x40;
/// The most data in one response, behind its code and status (§6.2.1.2).
const MOST_DATA: usize = 262;

/// What came back from the card.
enum Reply {
    Silence,
    Collision,
    Acknowledged,
    Refused,
    Data(Vec<u8>),
    Corrupt,
}

impl Radio {
    /// `Tg DataOut`.
    pub(super) fn in_data_exchange(&mut self, parameters: &[u8]) -> Answer {
        let &[tg, ref data @ ..] = parameters else {
            return Answer::SyntaxError;
        };
        let mut response = vec![0x41];
        let number = tg & NUMBER;
        if self.target(number).is_none() {
            response.push(status::WRONG_CONTEXT);
            return Answer::Now(response);
        }
        let selected = self.make_current(number);
        if selected != status::OK {
            response.push(selected);
        } else if let Some(outcome) = self.talk_in_blocks(tg, data) {
            match outcome {
                Ok((status, data)) => {
                    response.push(status);
                    response.extend(data);
                }
                Err(status) => response.push(status),
            }
        } else if tg & MORE != 0 || data.is_empty() {
            // Chaining is for ISO/IEC 14443-4 and NFCIP-1.
            response.push(status::INVALID_PARAMETER);
        } else {
            match self.talk(data) {
                Ok(data) => {
                    response.push(status::OK);
                    response.extend(data);
                }
                Err(status) => response.push(status),
            }
        }
        Answer::Now(response)
    }

    /// Talks to a card that was activated for ISO/IEC 14443-4; `None` if it was not. The chip cuts
    /// commands into blocks and puts answers together by itself; of what does not fit into its own
    /// response the host fetches the rest, with a command that has no data.
    fn talk_in_blocks(&mut self, tg: u8, data: &[u8]) -> Option<Result<(u8, Vec<u8>), u8>> {
        let slot = self.slot.clone();
        let target = self.target_mut(tg & NUMBER)?;
        let blocks = target.blocks.as_mut()?;
        if tg & MORE != 0 {
            target.gathered.extend(data);
            return Some(Ok((status::OK, Vec::new())));
        }
        if target.unfetched.is_empty() || !data.is_empty() {
            let mut command = std::mem::take(&mut target.gathered);
            command.extend(data);
            target.unfetched = match blocks.exchange(&slot, &command) {
                Ok(response) => response,
                Err(Failure::Silence) => return Some(Err(status::TIMEOUT)),
                Err(Failure::Collision) => return Some(Err(status::COLLISION)),
                Err(Failure::Protocol) => return Some(Err(status::PROTOCOL)),
            };
        }
        let rest = target
            .unfetched
            .split_off(target.unfetched.len().min(MOST_DATA));
        let part = std::mem::replace(&mut target.unfetched, rest);
        let more = if target.unfetched.is_empty() { 0 } else { MORE };
        Some(Ok((status::OK | more, part)))
    }

    /// The data of the card's answer, or the status that says why there is none.
    fn talk(&mut self, data: &[u8]) -> Result<Vec<u8>, u8> {
        match *data {
            [
                command @ (AUTHENTICATE_A | AUTHENTICATE_B),
                block,
                ref rest @ ..,
            ] => self.authenticate(command, block, rest),
            // GET_VERSION of a Type 2 card has the same code, and does not get through here.
            [AUTHENTICATE_A | AUTHENTICATE_B] => Err(status::INVALID_PARAMETER),
            [WRITE, block, ref content @ ..] if content.len() == 16 => {
                self.send(&[WRITE, block]).acknowledged()?;
                self.send(content).acknowledged()
            }
            [command, block, ref operand @ ..]
                if VALUE_COMMANDS.contains(&command) && operand.len() == 4 =>
            {
                self.send(&[command, block]).acknowledged()?;
                match self.send(operand) {
                    // The card is silent when all is well.
                    Reply::Silence => Ok(Vec::new()),
                    other => other.acknowledged(),
                }
            }
            _ => self.send(data).any(),
        }
    }

    fn authenticate(&mut self, command: u8, block: u8, rest: &[u8]) -> Result<Vec<u8>, u8> {
        let Ok(&[k0, k1, k2, k3, k4, k5, ref uid @ ..]) = <&[u8; 10]>::try_from(rest) else {
            return Err(status::INVALID_PARAMETER);
        };
        let authentication = Authentication {
            block,
            key_type: if command == AUTHENTICATE_A {
                KeyType::A
            } else {
                KeyType::B
            },
            key: Key([k0, k1, k2, k3, k4, k5]),
            uid: *uid,
        };
        let verdict = self.slot.authenticate(&authentication);
        self.registers.set_crypto1(verdict == Verdict::Accepted);
        match verdict {
            Verdict::Accepted => Ok(Vec::new()),
            Verdict::Refused => Err(status::MIFARE_AUTHENTICATION),
            Verdict::Mute => Err(status::TIMEOUT),
        }
    }

    /// Sends data with a checksum, as the firmware does whatever the registers say.
    fn send(&self, data: &[u8]) -> Reply {
        let answers = self.slot.transmit(&Frame::with_crc(data));
        let answer = match &answers[..] {
            [] => return Reply::Silence,
            [only] => only,
            _ => return Reply::Collision,
        };
        match (answer.short(4), answer.body()) {
            (Some(ACK), _) => Reply::Acknowledged,
            (Some(_), _) => Reply::Refused,
            (None, Some(body)) => Reply::Data(body.to_vec()),
            (None, None) => Reply::Corrupt,
        }
    }

    /// `DataOut`, as the registers say: partial bytes, with or without checksum.
    pub(super) fn in_communicate_thru(&mut self, parameters: &[u8]) -> Answer {
        let mut response = vec![0x43];
        match self.communicate(parameters) {
            Ok(data) => {
                response.push(status::OK);
                response.extend(data);
            }
            Err(status) => response.push(status),
        }
        Answer::Now(response)
    }

    fn communicate(&mut self, data: &[u8]) -> Result<Vec<u8>, u8> {
        if data.is_empty() {
            return Err(status::INVALID_PARAMETER);
        }
        if !self.registers.makes_parity() || !self.registers.speaks_type_a() {
            // Frames with the host's own parity bits, or modulated for other cards, make no sense to
            // the cards here.
            return Err(status::TIMEOUT);
        }
        let bits = self.registers.tx_last_bits();
        let frame = if bits == 8 && self.registers.sends_crc() {
            Frame::with_crc(data)
        } else {
            Frame::partial(data, bits)
        };
        let answers = self.slot.transmit(&frame);
        let answer = match &answers[..] {
            [] => return Err(status::TIMEOUT),
            [only] => only,
            _ => return Err(status::COLLISION),
        };
        self.registers.set_rx_last_bits(answer.bits_in_last());
        if self.registers.checks_crc() {
            answer.body().map(<[u8]>::to_vec).ok_or(status::CRC)
        } else {
            Ok(answer.bytes().to_vec())
        }
    }
}

impl Reply {
    fn acknowledged(self) -> Result<Vec<u8>, u8> {
        match self {
            Reply::Data(_) => Err(status::INVALID_FORMAT),
            other => other.any(),
        }
    }

    fn any(self) -> Result<Vec<u8>, u8> {
        match self {
            Reply::Acknowledged => Ok(Vec::new()),
            Reply::Data(data) => Ok(data),
            Reply::Silence => Err(status::TIMEOUT),
            Reply::Collision => Err(status::COLLISION),
            Reply::Refused => Err(status::INVALID_FORMAT),
            Reply::Corrupt => Err(status::CRC),
        }
    }
}
