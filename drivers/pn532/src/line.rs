//! The line to the chip: bytes with a time limit. The one place that touches the serial port's handle.

use std::io::{ErrorKind, Write as _};
use std::time::{Duration, Instant};

use serialport::{ClearBuffer, SerialPort};

use crate::error::Pn532Error;

/// The longest that the port may take to accept a frame; at 9600 baud the longest frame takes 0.3 s.
const WRITE_LIMIT: Duration = Duration::from_secs(1);

/// A line to a chip.
pub(crate) trait Line: Send {
    /// Reads what is there, or waits for it until then. 0 means that nothing came in time.
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> Result<usize, Pn532Error>;

    /// Sends all of it.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Pn532Error>;

    /// Throws away what came and was not read.
    fn discard_input(&mut self) -> Result<(), Pn532Error>;
}

impl Line for Box<dyn SerialPort> {
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> Result<usize, Pn532Error> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.set_timeout(left)
                .map_err(|error| Pn532Error::Gone(error.into()))?;
            match (**self).read(buffer) {
                // A line whose far end is gone reads as ended.
                Ok(0) => return Err(Pn532Error::Gone(ErrorKind::UnexpectedEof.into())),
                Ok(count) => return Ok(count),
                Err(error) => match error.kind() {
                    ErrorKind::TimedOut | ErrorKind::WouldBlock => return Ok(0),
                    ErrorKind::Interrupted => {}
                    _ => return Err(Pn532Error::Gone(error)),
                },
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Pn532Error> {
        self.set_timeout(WRITE_LIMIT)
            .map_err(|error| Pn532Error::Gone(error.into()))?;
        // Not followed by a flush: draining a port has no time limit.
        self.write_all(bytes).map_err(|error| match error.kind() {
            ErrorKind::TimedOut => Pn532Error::Stuck,
            _ => Pn532Error::Gone(error),
        })
    }

    fn discard_input(&mut self) -> Result<(), Pn532Error> {
        self.clear(ClearBuffer::Input)
            .map_err(|error| Pn532Error::Gone(error.into()))
    }
}
