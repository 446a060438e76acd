//! Commands put together from their frames, and answers cut into frames (MF3ICD81 data sheet,
//! "Additional frame"). A sequence that is broken ends with an error, whatever came instead.

use std::collections::VecDeque;

use super::authentication::Handshake;
use super::session::{Cover, Session};
use super::{Desfire, Generation, data, status};
use crate::card::Eeprom;

/// The native command that asks for, or brings, the next frame.
const NEXT_FRAME: u8 = 0xAF;
/// The most that a frame carries behind command code or status: native, and inside an APDU.
pub(super) const NATIVE_FRAME: usize = 59;
pub(super) const WRAPPED_FRAME: usize = 55;

/// What the next frame is expected to be about.
#[derive(Debug, Clone, Default)]
pub(super) enum Talk {
    #[default]
    Idle,
    Authenticating(Box<Handshake>),
    /// A command of which so many bytes are expected.
    Collecting {
        command: u8,
        data: Vec<u8>,
        expected: usize,
    },
    /// An answer in frames.
    Sending(VecDeque<Vec<u8>>),
}

/// What a command that went well sends back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) data: Vec<u8>,
    pub(super) cover: Cover,
    /// Length of the first frames, where they are not simply filled.
    pub(super) frames: &'static [usize],
    /// How much is sent was not said by the reader.
    pub(super) is_open_ended: bool,
    /// Everything in one frame, which ISO/IEC 14443-4 cuts.
    pub(super) is_long: bool,
}

impl Answer {
    pub(super) fn of(data: Vec<u8>) -> Answer {
        Answer {
            data,
            cover: Cover::Ordinary,
            frames: &[],
            is_open_ended: false,
            is_long: false,
        }
    }

    pub(super) fn empty() -> Answer {
        Answer::of(Vec::new())
    }

    pub(super) fn with_cover(mut self, cover: Cover) -> Answer {
        self.cover = cover;
        self
    }
}

impl Desfire {
    pub(super) fn take(
        &mut self,
        code: u8,
        data: &[u8],
        room: usize,
        eeprom: &mut Eeprom,
    ) -> (u8, Vec<u8>) {
        self.take_frame(code, data, room, eeprom)
            .unwrap_or_else(|status| {
                // Saying that there was nothing to do is no error.
                if status != status::NO_CHANGES {
                    self.fail();
                }
                (status, Vec::new())
            })
    }

    fn take_frame(
        &mut self,
        code: u8,
        data: &[u8],
        room: usize,
        eeprom: &mut Eeprom,
    ) -> Result<(u8, Vec<u8>), u8> {
        if data.len() > room && !self.is_long(code) {
            return Err(status::LENGTH);
        }
        match std::mem::take(&mut self.talk) {
            Talk::Idle if code == NEXT_FRAME => Err(status::ILLEGAL_COMMAND),
            Talk::Idle => self.begin(code, data.to_vec(), eeprom),
            _ if code != NEXT_FRAME => Err(status::ABORTED),
            Talk::Authenticating(handshake) => self.finish_authentication(*handshake, data),
            Talk::Collecting {
                command,
                data: mut so_far,
                expected,
            } => {
                so_far.extend(data);
                self.collect(command, so_far, expected, eeprom)
            }
            Talk::Sending(frames) if data.is_empty() => Ok(self.send(frames)),
            Talk::Sending(_) => Err(status::LENGTH),
        }
    }

    /// EV2 has reading and writing in one frame of any length, too.
    pub(super) fn is_long(&self, code: u8) -> bool {
        self.generation >= Generation::Ev2 && matches!(code, data::READ_LONG | data::WRITE_LONG)
    }

    fn begin(
        &mut self,
        command: u8,
        data: Vec<u8>,
        eeprom: &mut Eeprom,
    ) -> Result<(u8, Vec<u8>), u8> {
        if self.session.as_ref().is_some_and(Session::is_used_up) {
            return Err(status::INTEGRITY);
        }
        match command {
            data::WRITE => {
                let expected = self.expected_write(&data)?;
                self.collect(command, data, expected, eeprom)
            }
            0x0A | 0x1A | 0xAA | 0x71 | 0x77 => self.begin_authentication(command, &data),
            _ => self.finish(command, data, eeprom),
        }
    }

    fn collect(
        &mut self,
        command: u8,
        data: Vec<u8>,
        expected: usize,
        eeprom: &mut Eeprom,
    ) -> Result<(u8, Vec<u8>), u8> {
        if data.len() > expected {
            return Err(status::LENGTH);
        }
        if data.len() == expected {
            return self.finish(command, data, eeprom);
        }
        self.talk = Talk::Collecting {
            command,
            data,
            expected,
        };
        Ok((status::ADDITIONAL_FRAME, Vec::new()))
    }

    fn finish(
        &mut self,
        command: u8,
        data: Vec<u8>,
        eeprom: &mut Eeprom,
    ) -> Result<(u8, Vec<u8>), u8> {
        let answer = self.execute(command, &data, eeprom)?;
        let data = match &mut self.session {
            Some(session) => session.close(answer.data, answer.cover, answer.is_open_ended),
            None => answer.data,
        };
        if answer.is_long {
            return Ok((status::OK, data));
        }
        let mut rest = data;
        let mut frames = VecDeque::new();
        let lengths = answer.frames.iter().copied();
        for length in lengths.chain(std::iter::repeat(NATIVE_FRAME)) {
            let after = rest.split_off(rest.len().min(length));
            frames.push_back(std::mem::replace(&mut rest, after));
            if rest.is_empty() {
                break;
            }
        }
        Ok(self.send(frames))
    }

    fn send(&mut self, mut frames: VecDeque<Vec<u8>>) -> (u8, Vec<u8>) {
        let frame = frames.pop_front().unwrap_or_default();
        if frames.is_empty() {
            return (status::OK, frame);
        }
        self.talk = Talk::Sending(frames);
        (status::ADDITIONAL_FRAME, frame)
    }
}
