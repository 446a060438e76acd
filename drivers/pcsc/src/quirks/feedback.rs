//! The commands by which readers tell the person at the desk how it ended. Held by their bytes; untested on metal.

use encoder::Signal;

/// How a reader tells something: by commands, and by which way they go to it.
#[derive(Debug)]
pub(crate) struct Feedback {
    pub(crate) way: FeedbackWay,
    success: &'static [u8],
    failure: &'static [u8],
}

/// By which way a command for the reader itself goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeedbackWay {
    /// Like one for the card, while one lies there. Needs no leave.
    Transmit,
    /// As an escape. libccid sends none unless its administrator allowed it (`ifdDriverOptions`, bit 0).
    Escape,
}

impl Feedback {
    /// The command for a signal.
    pub(crate) fn command(&self, signal: Signal) -> &'static [u8] {
        match signal {
            Signal::Success => self.success,
            Signal::Failure => self.failure,
        }
    }
}

/// Bi-colour LED and buzzer control (ACS ACR122U API 2.04, 6.2): P2 has the masks, then come the two times in units of
/// 100 ms, the repetitions, and when the buzzer sounds. The LED goes back to what it was.
pub(super) static ACR122U: Feedback = Feedback {
    way: FeedbackWay::Transmit,
    // Green once, with one sound.
    success: &[0xFF, 0x00, 0x40, 0xA0, 0x04, 0x01, 0x01, 0x01, 0x01],
    // Red twice, with two sounds.
    failure: &[0xFF, 0x00, 0x40, 0x50, 0x04, 0x01, 0x01, 0x02, 0x01],
};

/// Buzzer control (ACS ACM1252U-Y3 Reference Manual 1.03, 5.3; ACS ACR1255U-J1 Reference Manual 1.07, 6.8.5): a duration
/// in units of 10 ms. Its LED control (29h) is left alone: it stays as it was set, and a lamp that stays red misleads the
/// next person.
pub(super) static ACR1252U: Feedback = Feedback {
    way: FeedbackWay::Escape,
    success: &[0xE0, 0x00, 0x00, 0x28, 0x01, 0x0A],
    failure: &[0xE0, 0x00, 0x00, 0x28, 0x01, 0x28],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_those_of_the_makers() {
        for (feedback, signal, bytes) in [
            (&ACR122U, Signal::Success, "FF 00 40 A0 04 01 01 01 01"),
            (&ACR122U, Signal::Failure, "FF 00 40 50 04 01 01 02 01"),
            (&ACR1252U, Signal::Success, "E0 00 00 28 01 0A"),
            (&ACR1252U, Signal::Failure, "E0 00 00 28 01 28"),
        ] {
            let command: Vec<_> = feedback
                .command(signal)
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect();
            assert_eq!(command.join(" "), bytes);
        }
    }
}
