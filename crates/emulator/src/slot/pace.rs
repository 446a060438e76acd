//! Whether a reader really waits for as long as the air and the cards would take. The time is counted
//! in any case; see [`Log::imposed`](super::Log::imposed).

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::state::State;
use super::{Shared, Slot};

/// How fast the cards on a slot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// At once.
    #[default]
    Instant,
    /// After the time that frames at 106 kbit/s and the cards' own work take.
    Real,
}

#[derive(Debug, Default)]
pub(super) struct Pacing {
    pace: Pace,
    /// What the last wait took too long; the next one is shorter by it.
    overslept: Duration,
}

impl Slot {
    /// Says how fast cards answer here from now on.
    pub fn set_pace(&self, pace: Pace) {
        self.shared.lock().pacing = Pacing {
            pace,
            ..Pacing::default()
        };
    }
}

impl Shared {
    /// Waits out what an exchange took, without the lock. `false`: meanwhile a card came or left or
    /// the field was switched off, so that the answer is lost.
    pub(super) fn wait_out(&self, mut state: MutexGuard<'_, State>, time: Duration) -> bool {
        if state.pacing.pace == Pace::Instant || time.is_zero() {
            return true;
        }
        let arrangement = state.arrangement;
        let credit = state.pacing.overslept.min(time);
        let end = Instant::now() + (time - credit);
        loop {
            if state.arrangement != arrangement || !state.is_field_on {
                state.pacing.overslept = Duration::ZERO;
                return false;
            }
            let now = Instant::now();
            if now >= end {
                state.pacing.overslept = now - end;
                return true;
            }
            state = self
                .changed
                .wait_timeout(state, end - now)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};

    use super::Pace;
    use crate::card::Uid;
    use crate::{Answer, Antenna, Cards, Origin, Slot, Technology};

    const HOUR: Duration = Duration::from_secs(3600);

    fn slot() -> Slot {
        let slot = Slot::new();
        let uid: Uid = "04A1B2C3D4E5F6".parse().unwrap();
        let card = Cards::new().card(Technology::Ntag213, uid, Origin::Factory);
        slot.place(&card.unwrap());
        slot
    }

    fn micros(slot: &Slot) -> u128 {
        slot.log().imposed().as_micros()
    }

    #[test]
    fn the_time_imposed_is_that_of_frames_pauses_and_programming() {
        let slot = slot();
        let mut antenna = Antenna::over(slot.clone());
        antenna.select().unwrap();
        let before = micros(&slot);
        assert!(matches!(antenna.transceive(&[0x30, 4]), Answer::Data(_)));
        // 368 and 1548 µs on the air (NTAG213F/216F figure 15), 91 and 86 µs between the frames.
        assert!((2092..=2095).contains(&(micros(&slot) - before)));
        let before = micros(&slot);
        assert_eq!(
            antenna.transceive(&[0xA2, 8, 1, 2, 3, 4]),
            Answer::Acknowledged
        );
        // 708 and 57 µs, the same pauses, and the programming of a page.
        assert!((5040..=5044).contains(&(micros(&slot) - before)));
    }

    #[test]
    fn a_reader_over_nothing_waits_for_nothing() {
        let slot = Slot::new();
        assert!(Antenna::over(slot.clone()).select().is_none());
        assert_eq!(slot.log().imposed(), Duration::ZERO);
    }

    #[test]
    fn at_real_pace_nothing_is_faster_than_the_time_imposed() {
        let slot = slot();
        slot.set_pace(Pace::Real);
        let mut antenna = Antenna::over(slot.clone());
        let began = Instant::now();
        antenna.select().unwrap();
        for page in 8..12 {
            assert_eq!(
                antenna.transceive(&[0xA2, page, 1, 2, 3, 4]),
                Answer::Acknowledged
            );
        }
        assert!(began.elapsed() >= slot.log().imposed());
        assert!(slot.log().imposed() > Duration::from_millis(16));
    }

    #[test]
    fn a_card_that_leaves_meanwhile_or_loses_its_field_ends_the_waiting() {
        let ends: [fn(&Slot); 2] = [Slot::remove, |slot| slot.set_field(false)];
        for end in ends {
            let slot = slot();
            slot.set_field(true);
            slot.set_pace(Pace::Real);
            let (begins, began) = channel();
            std::thread::scope(|scope| {
                let waiting = scope.spawn(|| {
                    let state = slot.shared.lock();
                    begins.send(()).unwrap();
                    slot.shared.wait_out(state, HOUR)
                });
                began.recv().unwrap();
                // The lock is free only once the thread waits.
                end(&slot);
                assert!(!waiting.join().unwrap());
            });
        }
    }
}
