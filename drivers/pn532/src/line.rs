//! The line to the chip: bytes with a time limit. The one place that touches the serial port's handle.
//!
//! The kernel raises DTR and RTS when a port is opened, and nothing here moves them: some boards hang their reset on
//! one, and a pseudo-terminal has none.

use std::io::{ErrorKind, Write as _};
use std::time::{Duration, Instant};

use serialport::SerialPort;

use crate::error::Pn532Error;

/// The longest that the port may take to accept a frame; at 9600 baud the longest frame takes 0.3 s.
const WRITE_LIMIT: Duration = Duration::from_secs(1);
/// How often a port is asked whether everything has left it.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// A UART takes its speed from a clock by division, and so does the chip. The manual allows 4 % in all (quoted in
/// nfc-tools/libnfc#708), of which the port may use half.
const TOLERANCE_PERCENT: u32 = 2;

/// A line to a chip.
pub(crate) trait Line: Send {
    /// Reads what is there, or waits for it until then. 0 means that nothing came in time.
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> Result<usize, Pn532Error>;

    /// Sends all of it.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Pn532Error>;

    /// Changes the speed, once everything that was written has left the port.
    ///
    /// # Errors
    /// [`Pn532Error::SpeedRefused`] when the port cannot: then it is as it was.
    fn set_speed(&mut self, baud: u32) -> Result<(), Pn532Error>;
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

    fn set_speed(&mut self, baud: u32) -> Result<(), Pn532Error> {
        let until = Instant::now() + WRITE_LIMIT;
        while self.bytes_to_write().is_ok_and(|waiting| waiting > 0) {
            if Instant::now() >= until {
                return Err(Pn532Error::Stuck);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let before = self.baud_rate().ok();
        let became = self.set_baud_rate(baud).and_then(|()| self.baud_rate());
        match became {
            Ok(actual) if actual.abs_diff(baud) * 100 <= baud * TOLERANCE_PERCENT => Ok(()),
            Ok(_) => {
                if let Some(before) = before {
                    // What it had it can have again.
                    let _ = self.set_baud_rate(before);
                }
                Err(Pn532Error::SpeedRefused { baud })
            }
            Err(error) if error.kind == serialport::ErrorKind::InvalidInput => {
                Err(Pn532Error::SpeedRefused { baud })
            }
            Err(error) => Err(match std::io::Error::from(error) {
                error if error.kind() == ErrorKind::InvalidInput => {
                    Pn532Error::SpeedRefused { baud }
                }
                error => Pn532Error::Gone(error),
            }),
        }
    }
}
