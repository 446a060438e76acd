//! How long the chip is waited for.

use std::time::Duration;

/// How long the chip is waited for. The defaults are for real hardware; a test against an emulator shortens them, so
/// that a fault does not cost real seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For an acknowledgement. The chip sends it within 15 ms (UM 6.2.1.3), USB adapters add up to 16 ms each way, a busy
    /// PC some more; nfcpy allows 100 ms.
    pub acknowledge: Duration,
    /// For the acknowledgement of a chip that has just been woken, at one of the speeds at which it may be. nfcpy allows
    /// 100 ms here too.
    pub probe: Duration,
    /// The same at the speed after a reset, once no speed had success: behind an adapter that has just been opened it may
    /// take longer (nfcpy allows 1.5 s on a Raspberry Pi).
    pub wake: Duration,
    /// For the answer about a card that is there, or is looked for a few times only.
    pub answer: Duration,
    /// For the answer of a card in ISO/IEC 14443-4, which may ask for more time again and again. A session's answer is
    /// owed within two seconds, with what goes before and after on the line.
    pub iso_answer: Duration,
    /// For a card, before the wait is begun anew: a sighting may have been lost on the line, and a chip that lost its power
    /// for a moment waits no more.
    pub look_again: Duration,
    /// Silence within a frame that means the rest of it is lost. A byte takes 1 ms at 9600 baud, an adapter holds 16 ms.
    pub gap: Duration,
    /// Around a change of speed, for what an adapter still holds: six bytes take 6 ms at 9600 baud. The chip itself wants
    /// less (nfcpy waits 1 ms).
    pub settle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            acknowledge: Duration::from_millis(250),
            probe: Duration::from_millis(150),
            wake: Duration::from_millis(1000),
            answer: Duration::from_millis(600),
            iso_answer: Duration::from_millis(1200),
            look_again: Duration::from_secs(3),
            gap: Duration::from_millis(100),
            settle: Duration::from_millis(10),
        }
    }
}
