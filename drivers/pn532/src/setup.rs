//! The chip found at whatever speed it is, set up, and brought to the highest speed that port and chip take together.

use crate::chip::{self, Firmware};
use crate::error::Pn532Error;
use crate::line::Line;
use crate::link::Link;
use crate::speed::{self, RESET, Speed};

/// Bytes of the pattern that must come back unharmed at a new speed. libnfc sends six with the same command.
const PATTERN: usize = 60;

/// A chip that is ready for work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) firmware: Firmware,
    /// The speed of the line now.
    pub(crate) speed: Speed,
}

impl Setup {
    /// Looks for the chip, tells it every setting, and raises the speed up to `highest`.
    pub(crate) fn begin<L: Line>(link: &mut Link<L>, highest: Speed) -> Result<Self, Pn532Error> {
        let speed = find(link)?;
        let firmware = firmware(link)?;
        let speed = raise(link, speed, highest)?;
        for setting in [
            &chip::SET_PARAMETERS[..],
            &chip::TIMINGS,
            &chip::NO_REPETITION,
            &chip::CHECKSUMS_ON,
            &chip::FIELD_OFF,
        ] {
            link.ask(setting)?;
        }
        Ok(Self { firmware, speed })
    }

    /// Puts the line back to where the next program expects the chip. That fails where it does not matter: the cable is
    /// out, or the chip silent.
    pub(crate) fn end<L: Line>(&self, link: &mut Link<L>) {
        if self.speed != RESET && !link.is_lost() {
            let _ = change(link, RESET);
        }
    }
}

/// Whether a PN532 is at the end of the line, and at which speed: it acknowledges SAMConfiguration, which it needs
/// first (UM 7.2.10).
///
/// # Errors
/// [`Pn532Error::Silent`] when it is at none.
pub(crate) fn find<L: Line>(link: &mut Link<L>) -> Result<Speed, Pn532Error> {
    let patience = link.patience();
    let quick = |speed: Speed| (speed, patience.probe);
    let patient = [(RESET, patience.wake)];
    let tries = speed::LIKELY
        .map(quick)
        .into_iter()
        .chain(patient)
        .chain(speed::UNLIKELY.map(quick));
    for (speed, within) in tries {
        match link.set_speed(speed.baud) {
            Err(Pn532Error::SpeedRefused { .. }) => continue,
            changed => changed?,
        }
        if link.wake(&chip::SAM_CONFIGURATION, within)? {
            return Ok(speed);
        }
    }
    // So that whatever else is there finds the port as usual.
    let _ = link.set_speed(RESET.baud);
    Err(Pn532Error::Silent)
}

/// Which chip it is, if it is one that this driver is for.
pub(crate) fn firmware<L: Line>(link: &mut Link<L>) -> Result<Firmware, Pn532Error> {
    chip::check_firmware(&link.ask(&chip::GET_FIRMWARE_VERSION)?)
}

/// Tries one speed after the other from `highest` down, and stays at the first at which everything comes through.
fn raise<L: Line>(
    link: &mut Link<L>,
    mut current: Speed,
    highest: Speed,
) -> Result<Speed, Pn532Error> {
    for speed in speed::raised_up_to(highest) {
        if speed != current {
            // Asked of the port first: once the chip has changed there is no way back at the old speed.
            if !link.port_takes(speed.baud)? {
                continue;
            }
            // What else became of it shows when it is tried.
            if let Err(error @ (Pn532Error::Gone(_) | Pn532Error::Stuck)) = change(link, speed) {
                return Err(error);
            }
        }
        if link.baud() == speed.baud && comes_through(link)? {
            return Ok(speed);
        }
        // The chip may have changed or not, and be understood or not.
        current = find(link).map_err(|error| lost_at(speed, error))?;
    }
    if current != RESET {
        change(link, RESET)?;
    }
    Ok(RESET)
}

/// A chip that is silent after it was told a speed has taken that speed, and nothing but its supply brings it back.
fn lost_at(speed: Speed, error: Pn532Error) -> Pn532Error {
    match error {
        Pn532Error::Silent => Pn532Error::LostAtSpeed {
            baud: speed.baud,
            slower: speed::below(speed).baud,
        },
        other => other,
    }
}

/// Tells the chip, acknowledges its answer, and follows it (UM 7.2.8).
fn change<L: Line>(link: &mut Link<L>, speed: Speed) -> Result<(), Pn532Error> {
    link.ask(&chip::set_speed(speed))?;
    link.acknowledge()?;
    link.set_speed(speed.baud)
}

/// Whether a long pattern of all kinds of bytes comes back as it was sent.
fn comes_through<L: Line>(link: &mut Link<L>) -> Result<bool, Pn532Error> {
    let mut command = vec![0x00, 0x00];
    // Every byte is another one, neighbours differ in many bits.
    command.extend((0..PATTERN).map(|at| (at as u8).wrapping_mul(0x55) ^ 0x33));
    match link.ask(&command) {
        Ok(echo) => Ok(echo[..] == command[1..]),
        Err(error @ (Pn532Error::Gone(_) | Pn532Error::Stuck)) => Err(error),
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests;
