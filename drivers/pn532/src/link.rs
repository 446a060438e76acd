//! Commands and answers: acknowledgement, time limits, broken frames sent again, running commands aborted.

use std::time::{Duration, Instant};

use encoder::Stop;
use zeroize::{Zeroize, Zeroizing};

use crate::error::Pn532Error;
use crate::frame::{ACK, Frame, NACK, Parser, encode};
use crate::line::Line;

/// An answer's data, without its response code.
pub(crate) type Data = Zeroizing<Vec<u8>>;

/// The chip acknowledges within 15 ms (UM 6.2.1.3); USB adapters add up to 16 ms each way, a busy PC some more. nfcpy
/// allows 100 ms.
const ACKNOWLEDGE_LIMIT: Duration = Duration::from_millis(250);
/// A chip that has just been woken, behind an adapter that has just been opened, takes longer (nfcpy allows 1.5 s).
const FIRST_ACKNOWLEDGE_LIMIT: Duration = Duration::from_millis(750);
/// The longest command about a card that is there, or is looked for a few times only.
const ANSWER_LIMIT: Duration = Duration::from_millis(600);
/// Silence within a frame that means the rest of it is lost. A byte takes 1 ms at 9600 baud, an adapter holds 16 ms.
const GAP: Duration = Duration::from_millis(100);
/// Silence after an abort that means nothing is on its way any more.
const QUIET: Duration = Duration::from_millis(20);
/// How often a long wait looks at its [`Stop`].
const SLICE: Duration = Duration::from_millis(100);
/// Times that a command is sent when it is not acknowledged.
const SENDINGS: usize = 2;
/// Times that the chip is asked to repeat a broken answer.
const REPEATS: usize = 2;

/// Leaves the LowVbat mode: 55h twice, then time to start up (libnfc; UM 6.2.3).
const WAKE_UP: [u8; 16] = [0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The chip at the end of a line.
pub(crate) struct Link<L> {
    line: L,
    parser: Parser,
    acknowledge_limit: Duration,
}

impl<L: Line> Link<L> {
    pub(crate) fn new(line: L) -> Self {
        Self {
            line,
            parser: Parser::new(),
            acknowledge_limit: FIRST_ACKNOWLEDGE_LIMIT,
        }
    }

    /// Wakes the chip and ends whatever an earlier program left it doing, such as waiting for a card for ever.
    pub(crate) fn wake(&mut self) -> Result<(), Pn532Error> {
        self.line.write(&WAKE_UP)?;
        self.line.write(&ACK)
    }

    /// A command that the chip answers soon.
    pub(crate) fn ask(&mut self, command: &[u8]) -> Result<Data, Pn532Error> {
        self.ask_within(command, ANSWER_LIMIT)
    }

    /// A command that a card may take its time over.
    pub(crate) fn ask_within(
        &mut self,
        command: &[u8],
        within: Duration,
    ) -> Result<Data, Pn532Error> {
        let until = Instant::now() + within;
        if let Some(data) = self.send(command)? {
            return Ok(data);
        }
        if let Some(data) = self.answer(command[0], until, None)? {
            return Ok(data);
        }
        // The whole answer may have been lost on the line.
        self.line.write(&NACK)?;
        let until = Instant::now() + self.acknowledge_limit;
        if let Some(data) = self.answer(command[0], until, None)? {
            return Ok(data);
        }
        self.abort()?;
        Err(Pn532Error::NoAnswer {
            command: command[0],
            within,
        })
    }

    /// A command that the chip answers when something happens. `None` when nothing did by the deadline or until
    /// stopped; the chip then does not go on with it.
    pub(crate) fn ask_until(
        &mut self,
        command: &[u8],
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Option<Data>, Pn532Error> {
        if let Some(data) = self.send(command)? {
            return Ok(Some(data));
        }
        let answer = self.answer(command[0], deadline, Some(stop))?;
        if answer.is_none() {
            self.abort()?;
        }
        Ok(answer)
    }

    /// Sends a command until it is acknowledged. Yields the answer when that came but the acknowledgement was lost.
    fn send(&mut self, command: &[u8]) -> Result<Option<Data>, Pn532Error> {
        let frame = encode(command);
        for _ in 0..SENDINGS {
            self.parser.reset();
            self.line.discard_input()?;
            self.line.write(&frame)?;
            match self.acknowledgement(command[0])? {
                Acknowledged::Yes => {
                    self.acknowledge_limit = ACKNOWLEDGE_LIMIT;
                    return Ok(None);
                }
                Acknowledged::ByAnswer(data) => return Ok(Some(data)),
                Acknowledged::No => {}
            }
        }
        Err(Pn532Error::NotAcknowledged {
            command: command[0],
        })
    }

    /// An answer that comes before the acknowledgement is a late one to an aborted command, unless no acknowledgement
    /// comes at all.
    fn acknowledgement(&mut self, command: u8) -> Result<Acknowledged, Pn532Error> {
        let until = Instant::now() + self.acknowledge_limit;
        let mut early = Acknowledged::No;
        loop {
            while let Some(frame) = self.parser.next() {
                match frame {
                    Frame::Ack => return Ok(Acknowledged::Yes),
                    Frame::Answer(code, data) if code == command.wrapping_add(1) => {
                        early = Acknowledged::ByAnswer(data);
                    }
                    Frame::Nack | Frame::SyntaxError | Frame::Answer(..) => {}
                }
            }
            if self.read(until)? == 0 {
                return Ok(early);
            }
        }
    }

    /// Waits for an answer and has a broken one sent again. `None` when the time is over or a stop was raised.
    fn answer(
        &mut self,
        command: u8,
        until: Instant,
        stop: Option<&Stop>,
    ) -> Result<Option<Data>, Pn532Error> {
        let mut repeats = 0;
        loop {
            while let Some(frame) = self.parser.next() {
                match frame {
                    Frame::Answer(code, data) if code == command.wrapping_add(1) => {
                        return Ok(Some(data));
                    }
                    Frame::SyntaxError => return Err(Pn532Error::SyntaxError { command }),
                    Frame::Ack | Frame::Nack | Frame::Answer(..) => {}
                }
            }
            let now = Instant::now();
            if now >= until || stop.is_some_and(Stop::is_raised) {
                return Ok(None);
            }
            let broken = self.parser.is_dirty();
            let slice = if broken { GAP } else { SLICE };
            if self.read(until.min(now + slice))? == 0 && broken && repeats < REPEATS {
                repeats += 1;
                self.parser.reset();
                self.line.write(&NACK)?;
            }
        }
    }

    /// Ends the running command (UM 6.2.1.3) and lets pass what was already on its way.
    fn abort(&mut self) -> Result<(), Pn532Error> {
        self.line.write(&ACK)?;
        let until = Instant::now() + SLICE;
        while self.read(until.min(Instant::now() + QUIET))? > 0 {
            self.parser.reset();
        }
        Ok(())
    }

    fn read(&mut self, until: Instant) -> Result<usize, Pn532Error> {
        let mut buffer = Zeroizing::new([0; 256]);
        let count = self.line.read(buffer.as_mut(), until)?;
        let taken = self.parser.push(&buffer[..count]);
        debug_assert_eq!(taken, count, "whole frames were taken out before");
        buffer.zeroize();
        Ok(count)
    }
}

enum Acknowledged {
    Yes,
    ByAnswer(Data),
    No,
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const ACKNOWLEDGEMENT: [u8; 6] = ACK;
    /// GetFirmwareVersion and its answer.
    const COMMAND: [u8; 1] = [0x02];
    const ANSWER: [u8; 13] = [
        0x00, 0x00, 0xFF, 0x06, 0xFA, 0xD5, 0x03, 0x32, 0x01, 0x06, 0x07, 0xE8, 0x00,
    ];

    /// A chip that answers the n-th thing it is sent with the n-th line of a script.
    struct Scripted {
        script: VecDeque<Vec<u8>>,
        sent: Sender<Vec<u8>>,
        reply: Sender<u8>,
        bytes: Receiver<u8>,
    }

    impl Line for Scripted {
        fn read(&mut self, buffer: &mut [u8], until: Instant) -> Result<usize, Pn532Error> {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(first) = self.bytes.recv_timeout(left) else {
                return Ok(0);
            };
            let bytes: Vec<u8> = std::iter::once(first)
                .chain(self.bytes.try_iter())
                .collect();
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }

        fn write(&mut self, bytes: &[u8]) -> Result<(), Pn532Error> {
            self.sent.send(bytes.to_vec()).unwrap();
            for byte in self.script.pop_front().unwrap_or_default() {
                self.reply.send(byte).unwrap();
            }
            Ok(())
        }

        fn discard_input(&mut self) -> Result<(), Pn532Error> {
            while self.bytes.try_recv().is_ok() {}
            Ok(())
        }
    }

    fn link(script: &[&[&[u8]]]) -> (Link<Scripted>, Receiver<Vec<u8>>) {
        let (sent, was_sent) = channel();
        let (reply, bytes) = channel();
        let line = Scripted {
            script: script.iter().map(|line| line.concat()).collect(),
            sent,
            reply,
            bytes,
        };
        (Link::new(line), was_sent)
    }

    fn ask(script: &[&[&[u8]]]) -> (Result<Vec<u8>, Pn532Error>, Vec<Vec<u8>>) {
        let (mut link, sent) = link(script);
        link.acknowledge_limit = ACKNOWLEDGE_LIMIT;
        let answer = link.ask(&COMMAND).map(|data| data.to_vec());
        (answer, sent.try_iter().collect())
    }

    fn command() -> Vec<u8> {
        encode(&COMMAND).to_vec()
    }

    #[test]
    fn waking_it_also_ends_what_it_was_doing() {
        let (mut link, sent) = link(&[]);
        link.wake().unwrap();
        let sent: Vec<_> = sent.try_iter().collect();
        assert_eq!(sent, [WAKE_UP.to_vec(), ACK.to_vec()]);
    }

    #[test]
    fn a_command_is_acknowledged_and_answered() {
        let (answer, sent) = ask(&[&[&ACKNOWLEDGEMENT, &ANSWER]]);
        assert_eq!(answer.unwrap(), [0x32, 1, 6, 7]);
        assert_eq!(sent, [command()]);
    }

    #[test]
    fn garbage_before_the_frames_does_not_matter() {
        let (answer, sent) = ask(&[&[
            &[0x12, 0x00, 0xFF, 0x34],
            &ACKNOWLEDGEMENT,
            &[0xFF],
            &ANSWER,
        ]]);
        assert_eq!(answer.unwrap(), [0x32, 1, 6, 7]);
        assert_eq!(sent, [command()]);
    }

    #[test]
    fn a_command_that_is_not_acknowledged_is_sent_again() {
        let (answer, sent) = ask(&[&[], &[&ACKNOWLEDGEMENT, &ANSWER]]);
        assert_eq!(answer.unwrap(), [0x32, 1, 6, 7]);
        assert_eq!(sent, [command(), command()]);
    }

    #[test]
    fn a_chip_that_stays_silent_is_given_up() {
        let (answer, sent) = ask(&[]);
        assert!(matches!(
            answer,
            Err(Pn532Error::NotAcknowledged { command: 0x02 })
        ));
        assert_eq!(sent.len(), SENDINGS);
    }

    #[test]
    fn an_answer_does_for_a_broken_acknowledgement() {
        let (answer, sent) = ask(&[&[&[0x00, 0x00, 0xFF, 0x00, 0xFE, 0x00], &ANSWER]]);
        assert_eq!(answer.unwrap(), [0x32, 1, 6, 7]);
        assert_eq!(sent, [command()]);
    }

    #[test]
    fn a_late_answer_to_an_aborted_command_is_not_taken_for_this_ones() {
        let mut late = ANSWER;
        (late[8], late[11]) = (0x02, 0xE7);
        let (answer, _) = ask(&[&[&late, &ACKNOWLEDGEMENT, &ANSWER]]);
        assert_eq!(answer.unwrap(), [0x32, 1, 6, 7]);
    }

    #[test]
    fn a_broken_answer_is_asked_for_again() {
        let mut broken = ANSWER;
        broken[8] ^= 0x10;
        for broken in [&broken[..], &ANSWER[..9], &[0x00, 0x00, 0x3F, 0x06, 0xFA]] {
            let (answer, sent) = ask(&[&[&ACKNOWLEDGEMENT, broken], &[broken], &[&ANSWER]]);
            assert_eq!(answer.unwrap(), [0x32, 1, 6, 7]);
            assert_eq!(sent, [command(), NACK.to_vec(), NACK.to_vec()]);
        }
    }

    #[test]
    fn a_lost_answer_is_asked_for_once_and_then_the_command_is_aborted() {
        let (answer, sent) = ask(&[&[&ACKNOWLEDGEMENT], &[&ANSWER]]);
        assert_eq!(answer.unwrap(), [0x32, 1, 6, 7]);
        assert_eq!(sent, [command(), NACK.to_vec()]);

        let (answer, sent) = ask(&[&[&ACKNOWLEDGEMENT]]);
        assert!(matches!(answer, Err(Pn532Error::NoAnswer { .. })));
        assert_eq!(sent, [command(), NACK.to_vec(), ACK.to_vec()]);
    }

    #[test]
    fn a_syntax_error_ends_the_command() {
        let error = [0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00];
        let (answer, _) = ask(&[&[&ACKNOWLEDGEMENT, &error]]);
        assert!(matches!(
            answer,
            Err(Pn532Error::SyntaxError { command: 2 })
        ));
    }

    #[test]
    fn a_wait_is_aborted_at_its_deadline_and_when_it_is_stopped() {
        let stopped = Stop::default();
        stopped.raise();
        let soon = Instant::now() + Duration::from_millis(30);
        let far = Instant::now() + Duration::from_secs(60);
        for (deadline, stop) in [(soon, Stop::default()), (far, stopped)] {
            let (mut link, sent) = link(&[&[&ACKNOWLEDGEMENT]]);
            assert!(link.ask_until(&COMMAND, deadline, &stop).unwrap().is_none());
            let sent: Vec<_> = sent.try_iter().collect();
            assert_eq!(sent, [command(), ACK.to_vec()]);
        }
    }
}
