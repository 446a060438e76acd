//! How a line is steered while its thread runs.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::lane::time_of;
use crate::faults::Faults;
use crate::pn532::chip::Speeds;
use crate::slot::Slot;

/// How fast a line passes bytes, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinePace {
    /// At once.
    #[default]
    Instant,
    /// At this many bits a second, ten for a byte; slower while the chip is set to less.
    Baud(NonZeroU32),
}

/// How a line is steered while it runs. Clones are the same.
#[derive(Debug, Clone)]
pub(in crate::pn532) struct Controls {
    pub(in crate::pn532) slot: Slot,
    pub(in crate::pn532) faults: Faults,
    /// The pace in bits a second; 0 for at once.
    pace: Arc<AtomicU32>,
}

impl Controls {
    pub(in crate::pn532) fn over(slot: Slot) -> Controls {
        Controls {
            faults: Faults::over(vec![slot.clone()]),
            slot,
            pace: Arc::default(),
        }
    }

    pub(in crate::pn532) fn set_pace(&self, pace: LinePace) {
        let baud = match pace {
            LinePace::Instant => 0,
            LinePace::Baud(baud) => baud.get(),
        };
        self.pace.store(baud, Ordering::Release);
    }

    pub(in crate::pn532) fn pace(&self) -> LinePace {
        NonZeroU32::new(self.pace.load(Ordering::Acquire)).map_or(LinePace::Instant, LinePace::Baud)
    }

    /// The speed that bytes are paced at, if they are.
    pub(in crate::pn532) fn baud(&self, speeds: Speeds) -> Option<u32> {
        match self.pace() {
            LinePace::Instant => None,
            LinePace::Baud(baud) => Some(baud.get().min(speeds.current)),
        }
    }

    /// The same, for so many bytes, whose time is counted in any case.
    pub(in crate::pn532) fn count(&self, bytes: usize, speeds: Speeds) -> Option<u32> {
        let paced = self.baud(speeds);
        let time = time_of(bytes, paced.unwrap_or(speeds.current));
        self.slot.impose_by_line(time);
        paced
    }
}
