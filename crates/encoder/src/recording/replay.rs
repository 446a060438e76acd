//! Stands in for a device in a test of its driver: expects what the recording says the program sends, and answers what
//! the recording says the device answered.

use std::collections::VecDeque;

use super::{Direction, Recording};

/// A device that behaves as recorded. What it expects and answers is a stream each: how it was cut into pieces then
/// and is cut now does not matter.
#[derive(Debug, Clone)]
pub struct Replay {
    ahead: VecDeque<Step>,
}

/// One byte of the recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    line: usize,
    direction: Direction,
    byte: Option<u8>,
}

/// The program did not do what it did when the recording was made, or the recording cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Deviation {
    /// Another byte was sent.
    #[error("line {line} of the recording has {expected:02X} where {sent:02X} was sent")]
    OtherByte {
        /// The line, from 1.
        line: usize,
        /// What was sent when it was recorded.
        expected: u8,
        /// What was sent now.
        sent: u8,
    },
    /// Something was sent where the device answered.
    #[error(
        "{sent:02X} was sent where line {line} of the recording has an answer that was not read"
    )]
    SentTooEarly {
        /// The line, from 1.
        line: usize,
        /// What was sent now.
        sent: u8,
    },
    /// Something was sent after the end.
    #[error("{sent:02X} was sent after the end of the recording")]
    SentAfterEnd {
        /// What was sent now.
        sent: u8,
    },
    /// The answer is not in the recording.
    #[error(
        "line {line} of the recording leaves out what the device answered, so it cannot be replayed; record it again from a test card, with secrets in plain"
    )]
    AnswerLeftOut {
        /// The line, from 1.
        line: usize,
    },
    /// The program ended early.
    #[error("the program ended before line {line} of the recording")]
    EndedEarly {
        /// The line, from 1.
        line: usize,
    },
}

impl Replay {
    /// A device at the beginning of a recording.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let ahead = recording
            .pieces
            .iter()
            .flat_map(|piece| {
                piece.bytes.iter().map(|&byte| Step {
                    line: piece.line,
                    direction: piece.direction,
                    byte,
                })
            })
            .collect();
        Self { ahead }
    }

    /// Takes what the program sends. A byte that the recording leaves out matches any.
    ///
    /// # Errors
    /// Says where it is not what was recorded.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Deviation> {
        bytes.iter().try_for_each(|&sent| {
            let step = *self.ahead.front().ok_or(Deviation::SentAfterEnd { sent })?;
            let line = step.line;
            match step {
                Step {
                    direction: Direction::FromDevice,
                    ..
                } => return Err(Deviation::SentTooEarly { line, sent }),
                Step {
                    byte: Some(expected),
                    ..
                } if expected != sent => {
                    return Err(Deviation::OtherByte {
                        line,
                        expected,
                        sent,
                    });
                }
                _ => {}
            }
            self.ahead.pop_front();
            Ok(())
        })
    }

    /// Gives what the device answers next, as much as there is room for; 0 where it waits for the program.
    ///
    /// # Errors
    /// The recording leaves the answer out.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Deviation> {
        let mut count = 0;
        for place in buffer {
            let Some(&Step { line, byte, .. }) = self.answer() else {
                break;
            };
            match byte {
                Some(byte) => *place = byte,
                // What comes before it is good; the next read tells.
                None if count > 0 => break,
                None => return Err(Deviation::AnswerLeftOut { line }),
            }
            self.ahead.pop_front();
            count += 1;
        }
        Ok(count)
    }

    /// Throws away what the device answered and nobody read.
    pub fn discard_input(&mut self) {
        while self.answer().is_some() {
            self.ahead.pop_front();
        }
    }

    /// Says whether everything was sent that was recorded.
    ///
    /// # Errors
    /// Names the line that was not reached.
    pub fn finish(&self) -> Result<(), Deviation> {
        match self.ahead.front() {
            None => Ok(()),
            Some(step) => Err(Deviation::EndedEarly { line: step.line }),
        }
    }

    fn answer(&self) -> Option<&Step> {
        self.ahead
            .front()
            .filter(|step| step.direction == Direction::FromDevice)
    }
}

#[cfg(test)]
mod tests {
    use super::super::HEADING;
    use super::*;

    fn replay(lines: &str) -> Replay {
        Replay::of(&Recording::read(&format!("{HEADING}\n{lines}")).unwrap())
    }

    #[test]
    fn a_program_that_does_the_same_gets_the_same_answers() {
        let mut device = replay("0 > 0102\n0 > 03\n1 < A0A1\n1 < A2\n2 > 04\n");
        device.write(&[1]).unwrap();
        let mut buffer = [0; 2];
        assert_eq!(device.read(&mut buffer), Ok(0));
        device.write(&[2, 3]).unwrap();
        assert_eq!(device.read(&mut buffer), Ok(2));
        assert_eq!(buffer, [0xA0, 0xA1]);
        assert_eq!(device.read(&mut buffer), Ok(1));
        assert_eq!(buffer[0], 0xA2);
        assert_eq!(device.finish(), Err(Deviation::EndedEarly { line: 6 }));
        device.write(&[4]).unwrap();
        assert_eq!(device.finish(), Ok(()));
    }

    #[test]
    fn a_program_that_does_otherwise_is_told_where() {
        let mut device = replay("0 > 01FF\n1 < A0\n");
        let (expected, sent) = (0xFF, 0xFE);
        let other = Deviation::OtherByte {
            line: 2,
            expected,
            sent,
        };
        assert_eq!(device.write(&[1, 0xFE]), Err(other));
        device.write(&[0xFF]).unwrap();
        let early = Deviation::SentTooEarly { line: 3, sent: 9 };
        assert_eq!(device.write(&[9]), Err(early));
        device.discard_input();
        assert_eq!(device.write(&[9]), Err(Deviation::SentAfterEnd { sent: 9 }));
    }

    #[test]
    fn what_was_left_out_matches_when_sent_and_is_never_made_up_as_an_answer() {
        let mut device = replay("0 > 60????\n1 < A0??\n");
        device.write(&[0x60, 1, 2]).unwrap();
        let mut buffer = [0; 4];
        assert_eq!(device.read(&mut buffer), Ok(1));
        let left_out = device.read(&mut buffer).unwrap_err();
        assert_eq!(left_out, Deviation::AnswerLeftOut { line: 3 });
        assert!(left_out.to_string().contains("record it again"));
    }
}
