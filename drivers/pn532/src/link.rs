//! Commands and answers: acknowledgement, time limits, broken frames sent again, running commands aborted.
//!
//! The chip answers in order and its answers carry no number, only the code of the command. So whenever something was
//! late, lost or sent twice, a late answer could be taken for that of the next command with the same code, and one
//! block's data for another's. Then the link is *unsettled*, and before it carries the next command it asks the chip to
//! echo a number (Diagnose, UM 7.2.1): everything that was still to come has come once the echo is there.

use std::time::{Duration, Instant};

use encoder::{Recorder, Stop};
use zeroize::{Zeroize, Zeroizing};

use crate::error::Pn532Error;
use crate::frame::{ACK, Frame, NACK, Parser, encode};
use crate::line::Line;
use crate::patience::Patience;
use crate::speed::RESET;
use crate::tape::Tape;

/// An answer's data, without its response code.
pub(crate) type Data = Zeroizing<Vec<u8>>;

/// How often a long wait looks at its [`Stop`].
const SLICE: Duration = Duration::from_millis(100);
/// Times that a command is sent which the chip has not taken, or does not seem to have.
const SENDINGS: usize = 2;
/// Times that the chip is asked to repeat a broken answer.
const REPEATS: usize = 2;
/// Times that the chip is asked for an echo when something else comes; silence counts twice.
const ECHOES: usize = 4;
/// Reads after which a line that never falls silent is taken as it is.
const DRAINING_READS: usize = 64;

/// Leaves the LowVbat mode: 55h twice, then time to start up (libnfc; UM 6.2.3).
const WAKE_UP: [u8; 16] = [0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// Diagnose, test 0: the chip sends back what it was sent (UM 7.2.1).
const ECHO: [u8; 2] = [0x00, 0x00];

/// The chip at the end of a line.
pub(crate) struct Link<L> {
    line: L,
    parser: Parser,
    patience: Patience,
    /// The port's.
    baud: u32,
    /// Something may still come that belongs to an earlier command.
    unsettled: bool,
    /// The chip did not answer even when it was only asked for an echo.
    lost: bool,
    echoes: u16,
    tape: Tape,
}

impl<L: Line> Link<L> {
    /// A chip at a line that has the speed after a reset.
    pub(crate) fn new(line: L, patience: Patience, recorder: Option<Recorder>) -> Self {
        Self {
            line,
            parser: Parser::new(),
            patience,
            baud: RESET.baud,
            unsettled: true,
            lost: false,
            echoes: 0,
            tape: Tape::new(recorder),
        }
    }

    /// The speed of the port.
    pub(crate) fn baud(&self) -> u32 {
        self.baud
    }

    pub(crate) fn patience(&self) -> Patience {
        self.patience
    }

    /// Whether the chip has fallen silent: it must be woken and set up anew before anything else.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Wakes the chip at the speed of the port and ends whatever an earlier program left it doing, such as waiting for a
    /// card for ever. Whether it then acknowledged a first command within this time, and answered it.
    pub(crate) fn wake(&mut self, command: &[u8], within: Duration) -> Result<bool, Pn532Error> {
        self.drain()?;
        self.write(&WAKE_UP)?;
        self.write(&ACK)?;
        self.parser.reset();
        self.write_command(command)?;
        let is_there = match self.acknowledgement(command[0], within)? {
            Acknowledged::Yes => {
                let until = Instant::now() + self.patience.answer;
                self.answer(command[0], until, None)?.is_some()
            }
            Acknowledged::ByAnswer(_) => true,
            Acknowledged::No => false,
        };
        self.unsettled = true;
        self.lost = !is_there;
        Ok(is_there)
    }

    /// Changes the speed of the port alone.
    pub(crate) fn set_speed(&mut self, baud: u32) -> Result<(), Pn532Error> {
        if baud == self.baud {
            return Ok(());
        }
        std::thread::sleep(self.patience.settle);
        self.line.set_speed(baud)?;
        self.baud = baud;
        std::thread::sleep(self.patience.settle);
        // What was under way came at another speed.
        self.unsettled = true;
        self.drain()
    }

    /// Whether the port takes a speed. It is as it was afterwards.
    pub(crate) fn port_takes(&mut self, baud: u32) -> Result<bool, Pn532Error> {
        match self.line.set_speed(baud) {
            Ok(()) => self.line.set_speed(self.baud).map(|()| true),
            Err(Pn532Error::SpeedRefused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The host's acknowledgement of an answer, which the chip waits for before it changes its speed (UM 7.2.8).
    pub(crate) fn acknowledge(&mut self) -> Result<(), Pn532Error> {
        self.write(&ACK)
    }

    /// A command that the chip answers soon, and that may be carried out twice.
    pub(crate) fn ask(&mut self, command: &[u8]) -> Result<Data, Pn532Error> {
        self.ask_within(command, self.patience.answer, SENDINGS)
    }

    /// A command for a card in ISO/IEC 14443-4, which may take its time over it. It is sent once only: the second time it
    /// would be another step of whatever is going on between the card and its reader.
    pub(crate) fn ask_iso(&mut self, command: &[u8]) -> Result<Data, Pn532Error> {
        self.ask_within(command, self.patience.iso_answer, 1)
    }

    fn ask_within(
        &mut self,
        command: &[u8],
        within: Duration,
        sendings: usize,
    ) -> Result<Data, Pn532Error> {
        let mut refused = Pn532Error::NotAcknowledged {
            command: command[0],
        };
        for _ in 0..sendings {
            let until = Instant::now() + within;
            match self.send(command)? {
                Sent::Acknowledged => match self.answer(command[0], until, None)? {
                    Some(Answered::Data(data)) => return Ok(data),
                    Some(Answered::SyntaxError) => {
                        // Broken on its way, or unknown to the chip.
                        refused = Pn532Error::SyntaxError {
                            command: command[0],
                        };
                    }
                    None => return self.ask_for_lost_answer(command[0], within),
                },
                Sent::AndAnswered(data) => return Ok(data),
                Sent::NotTaken => {}
            }
        }
        Err(refused)
    }

    /// A command that the chip answers when something happens. `None` when nothing did by the deadline or until
    /// stopped; the chip then does not go on with it.
    pub(crate) fn ask_until(
        &mut self,
        command: &[u8],
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Option<Data>, Pn532Error> {
        for _ in 0..SENDINGS {
            match self.send(command)? {
                Sent::Acknowledged => match self.answer(command[0], deadline, Some(stop))? {
                    Some(Answered::Data(data)) => return Ok(Some(data)),
                    Some(Answered::SyntaxError) => {}
                    None => {
                        self.abort()?;
                        // Nothing happened, or just now, or nobody was there to say so.
                        return self.settle(Some(command[0]));
                    }
                },
                Sent::AndAnswered(data) => return Ok(Some(data)),
                Sent::NotTaken => {}
            }
        }
        Err(Pn532Error::NotAcknowledged {
            command: command[0],
        })
    }

    /// Sends a command once. When it is not acknowledged, an echo tells whether the chip has taken it.
    fn send(&mut self, command: &[u8]) -> Result<Sent, Pn532Error> {
        if self.unsettled {
            self.settle(None)?;
        }
        self.drain()?;
        self.parser.reset();
        self.write_command(command)?;
        match self.acknowledgement(command[0], self.patience.acknowledge)? {
            Acknowledged::Yes => Ok(Sent::Acknowledged),
            Acknowledged::ByAnswer(data) => Ok(Sent::AndAnswered(data)),
            Acknowledged::No => Ok(match self.settle(Some(command[0]))? {
                Some(data) => Sent::AndAnswered(data),
                None => Sent::NotTaken,
            }),
        }
    }

    /// An answer that comes before the acknowledgement is one to an earlier command, unless no acknowledgement comes at
    /// all.
    fn acknowledgement(
        &mut self,
        command: u8,
        within: Duration,
    ) -> Result<Acknowledged, Pn532Error> {
        let mut until = Instant::now() + within;
        let mut early = Acknowledged::No;
        let mut is_over = false;
        loop {
            while let Some(frame) = self.parser.next() {
                match frame {
                    Frame::Ack => return Ok(Acknowledged::Yes),
                    Frame::Answer(code, data) if code == command.wrapping_add(1) => {
                        early = Acknowledged::ByAnswer(data);
                        until = until.min(Instant::now() + self.patience.gap);
                    }
                    Frame::Nack | Frame::SyntaxError | Frame::Answer(..) => {}
                }
            }
            // What came while this thread was held up counts; a line that never falls silent does not.
            if is_over || self.read(until)? == 0 {
                return Ok(early);
            }
            is_over = Instant::now() >= until;
        }
    }

    /// Waits for an answer and has a broken one sent again. `None` when the time is over or a stop was raised.
    fn answer(
        &mut self,
        command: u8,
        until: Instant,
        stop: Option<&Stop>,
    ) -> Result<Option<Answered>, Pn532Error> {
        let mut repeats = 0;
        loop {
            while let Some(frame) = self.parser.next() {
                match frame {
                    Frame::Answer(code, data) if code == command.wrapping_add(1) => {
                        return Ok(Some(Answered::Data(data)));
                    }
                    Frame::SyntaxError => return Ok(Some(Answered::SyntaxError)),
                    Frame::Ack | Frame::Nack | Frame::Answer(..) => {}
                }
            }
            let now = Instant::now();
            if now >= until || stop.is_some_and(Stop::is_raised) {
                return Ok(None);
            }
            let broken = self.parser.is_dirty();
            let slice = if broken { self.patience.gap } else { SLICE };
            if self.read(until.min(now + slice))? == 0 && broken && repeats < REPEATS {
                repeats += 1;
                self.parser.reset();
                self.write(&NACK)?;
                // The whole one may come late, and then twice.
                self.unsettled = true;
            }
        }
    }

    /// The whole answer may have been lost on the line: asks for it once, and then ends the command.
    fn ask_for_lost_answer(&mut self, command: u8, within: Duration) -> Result<Data, Pn532Error> {
        self.write(&NACK)?;
        self.unsettled = true;
        let until = Instant::now() + self.patience.acknowledge;
        if let Some(Answered::Data(data)) = self.answer(command, until, None)? {
            return Ok(data);
        }
        self.abort()?;
        self.settle(None)?;
        Err(Pn532Error::NoAnswer { command, within })
    }

    /// Ends the running command (UM 6.2.1.3).
    fn abort(&mut self) -> Result<(), Pn532Error> {
        self.unsettled = true;
        self.write(&ACK)
    }

    /// Has the chip echo a number, behind which nothing of the past can come. Yields the answer to `command` when that
    /// comes before it.
    ///
    /// # Errors
    /// The chip is silent: it is lost until it is woken.
    fn settle(&mut self, command: Option<u8>) -> Result<Option<Data>, Pn532Error> {
        self.unsettled = true;
        let mut late = None;
        let mut tries = 0;
        while tries < ECHOES {
            self.echoes = self.echoes.wrapping_add(1);
            let [high, low] = self.echoes.to_be_bytes();
            let echo = [ECHO[1], high, low];
            self.write_command(&[ECHO[0], ECHO[1], high, low])?;
            let until = Instant::now() + self.patience.acknowledge;
            let (mut is_silent, mut is_over) = (true, false);
            loop {
                while let Some(frame) = self.parser.next() {
                    match frame {
                        Frame::Answer(0x01, data) if **data == echo => {
                            self.unsettled = false;
                            return Ok(late);
                        }
                        Frame::Answer(code, data)
                            if command.is_some_and(|command| code == command.wrapping_add(1)) =>
                        {
                            late = Some(data);
                        }
                        _ => {}
                    }
                }
                if is_over || self.read(until)? == 0 {
                    break;
                }
                is_over = Instant::now() >= until;
                is_silent = false;
            }
            tries += if is_silent { 2 } else { 1 };
            self.parser.reset();
        }
        self.lost = true;
        Err(Pn532Error::Silent)
    }

    /// Takes in, and throws away, what has come already.
    fn drain(&mut self) -> Result<(), Pn532Error> {
        for _ in 0..DRAINING_READS {
            if self.read(Instant::now())? == 0 {
                break;
            }
            self.parser.reset();
        }
        Ok(())
    }

    fn write_command(&mut self, command: &[u8]) -> Result<(), Pn532Error> {
        let frame = encode(command);
        self.tape.command(command, &frame, !self.unsettled);
        self.line.write(&frame)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Pn532Error> {
        self.tape.sent(bytes);
        self.line.write(bytes)
    }

    fn read(&mut self, until: Instant) -> Result<usize, Pn532Error> {
        let mut buffer = Zeroizing::new([0; 256]);
        let count = self.line.read(buffer.as_mut(), until)?;
        let bytes = &buffer[..count];
        self.tape.received(bytes);
        let taken = self.parser.push(bytes);
        debug_assert_eq!(taken, count, "whole frames were taken out before");
        buffer.zeroize();
        Ok(count)
    }
}

enum Sent {
    Acknowledged,
    AndAnswered(Data),
    /// The chip did not take it, or did not carry it out to an end.
    NotTaken,
}

enum Acknowledged {
    Yes,
    ByAnswer(Data),
    No,
}

enum Answered {
    Data(Data),
    SyntaxError,
}

#[cfg(test)]
mod tests;
