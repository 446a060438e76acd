//! Which faults a frame meets. Counts frames and nothing else; exchanges are counted by the slots.

use super::{Fault, FaultKind, Way, When};

/// A frame that is about to pass.
pub(crate) struct Passing<'a> {
    pub(crate) way: Way,
    /// A command that may reach a card, or an answer; not a bare acknowledgement.
    pub(crate) is_about_cards: bool,
    /// Which kinds this frame can take.
    pub(crate) can: &'a dyn Fn(FaultKind) -> bool,
}

/// A fault that a frame meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) kind: FaultKind,
    /// Decides where the kind leaves a choice.
    pub(crate) seed: u64,
}

/// Faults that are set, and how far they have come.
#[derive(Debug, Default)]
pub(super) struct Plan {
    faults: Vec<Armed>,
    to_host: u64,
    from_host: u64,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// It was to happen once, and did.
    is_over: bool,
}

impl Plan {
    pub(super) fn new(faults: Vec<Fault>) -> Plan {
        let arm = |fault| Armed {
            fault,
            is_over: false,
        };
        Plan {
            faults: faults.into_iter().map(arm).collect(),
            ..Plan::default()
        }
    }

    pub(super) fn faults(&self) -> Vec<Fault> {
        self.faults.iter().map(|armed| armed.fault).collect()
    }

    /// Counts a frame and says what it meets, in the order set. `exchanges` were made since then: for an answer its
    /// own among them, for a command not.
    pub(super) fn pass(&mut self, passing: &Passing<'_>, exchanges: u64) -> Vec<Hit> {
        let count = match passing.way {
            Way::ToHost => &mut self.to_host,
            Way::FromHost => &mut self.from_host,
        };
        *count += 1;
        let frame = *count;
        let exchange = match passing.way {
            Way::ToHost => exchanges,
            Way::FromHost => exchanges + 1,
        };
        let mut hits = Vec::new();
        for armed in &mut self.faults {
            let Fault { kind, when, way } = armed.fault;
            if armed.is_over || way != passing.way || !(passing.can)(kind) {
                continue;
            }
            let (is_due, once, seed) = match when {
                When::AtFrame(n) => (frame >= n, true, 0),
                When::AtExchange(n) => (passing.is_about_cards && exchange >= n.max(1), true, 0),
                When::Rate { rate, seed } => (share(seed, frame) < rate, false, seed),
            };
            if is_due {
                armed.is_over = once;
                let seed = mixed(seed ^ mixed(frame));
                hits.push(Hit { kind, seed });
            }
        }
        hits
    }
}

/// A number from 0 to just below 1 that looks random and is the same for the same seed and frame.
fn share(seed: u64, frame: u64) -> f64 {
    let upper = u32::try_from(mixed(seed.wrapping_add(mixed(frame))) >> 32).unwrap_or(u32::MAX);
    f64::from(upper) / (f64::from(u32::MAX) + 1.0)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the result depends on every bit given.
pub(super) fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Passing, Plan};
    use crate::faults::{Fault, FaultKind, Way, When};

    const DROP: FaultKind = FaultKind::Drop;

    /// What passes, as in the tables: `a` an acknowledgement to the host, `A` an answer, `c` a frame of the host's that
    /// is for no card, `C` one that is; `U` an answer with a UID. An `A` after a `C` ends an exchange.
    fn met(faults: &[Fault], passing: &str) -> String {
        let mut plan = Plan::new(faults.to_vec());
        let mut exchanges = 0;
        let mut is_open = false;
        passing
            .chars()
            .map(|frame| {
                exchanges += u64::from(frame == 'A' && is_open);
                is_open = frame == 'C' || (is_open && frame == 'a');
                let passing = Passing {
                    way: if "cC".contains(frame) {
                        Way::FromHost
                    } else {
                        Way::ToHost
                    },
                    is_about_cards: "ACU".contains(frame),
                    can: &|kind| kind != FaultKind::WrongUid || frame == 'U',
                };
                let hits = plan.pass(&passing, exchanges);
                match hits[..] {
                    [] => '.',
                    [only] if only.kind == DROP => 'D',
                    [only] if only.kind == FaultKind::WrongUid => 'W',
                    [only] if only.kind == FaultKind::Garble => 'G',
                    _ => '+',
                }
            })
            .collect()
    }

    #[test]
    fn a_fault_meets_the_frame_that_it_was_set_for_and_no_other() {
        let frame = |n| Fault::new(DROP, When::AtFrame(n));
        let exchange = |n| Fault::new(DROP, When::AtExchange(n));
        let other_uid = Fault::new(FaultKind::WrongUid, When::AtFrame(1));
        let garbled = Fault::new(FaultKind::Garble, When::AtFrame(2));
        for (faults, passing, expected) in [
            (vec![], "caACaA", "......"),
            (vec![frame(1)], "caACaA", ".D...."),
            (vec![frame(0)], "caACaA", ".D...."),
            (vec![frame(3)], "caACaA", "....D."),
            (vec![frame(2).from_host()], "caACaA", "...D.."),
            // The first answer is no exchange's.
            (vec![exchange(1)], "caACaACaA", ".....D..."),
            (vec![exchange(0)], "caACaACaA", ".....D..."),
            (vec![exchange(2)], "caACaACaA", "........D"),
            (vec![exchange(2).from_host()], "caACaACaA", "......D.."),
            (vec![exchange(9)], "caACaACaA", "........."),
            // It waits for a frame that can take it.
            (vec![other_uid], "caACaAcaUcaU", "........W..."),
            (vec![frame(2), garbled], "caACaA", "..+..."),
            (vec![frame(1), frame(4)], "caACaA", ".D...D"),
        ] {
            assert_eq!(met(&faults, passing), expected, "{faults:?}");
        }
    }

    #[test]
    fn a_rate_meets_about_its_share_of_frames_the_same_for_the_same_seed() {
        let frames = "A".repeat(10_000);
        let met_at = |rate, seed| met(&[Fault::new(DROP, When::Rate { rate, seed })], &frames);
        let count = |met: &str| met.chars().filter(|met| *met == 'D').count();
        assert_eq!(count(&met_at(0.0, 7)), 0);
        assert_eq!(count(&met_at(1.0, 7)), 10_000);
        assert!((50..200).contains(&count(&met_at(0.01, 7))));
        assert_eq!(met_at(0.5, 7), met_at(0.5, 7));
        assert_ne!(met_at(0.5, 7), met_at(0.5, 8));
    }
}
