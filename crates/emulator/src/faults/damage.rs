//! What a fault does to the bytes of a frame, where that is the same on every wire.

use std::ops::Range;
use std::time::Duration;

use super::plan::mixed;
use super::{FaultKind, Hit};

/// What a wire adds to the faults that all have.
pub(crate) trait Wire {
    /// The bytes of a frame that carry anything; all but padding.
    fn significant(&self, frame: &[u8]) -> Range<usize>;
    /// What passes in place of a frame that is refused.
    fn refusal(&self) -> Vec<u8>;
    /// The frame with another UID in it, if it holds one.
    fn with_other_uid(&self, frame: &[u8]) -> Option<Vec<u8>>;
    /// The frame, or one like it, with more in it than the protocol allows.
    fn oversize(&self, frame: &[u8], seed: u64) -> Vec<u8>;
}

/// What arrives of a frame.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// How much later than it should.
    pub(crate) delay: Duration,
    /// One frame, several or none.
    pub(crate) frames: Vec<Vec<u8>>,
}

/// What arrives of a frame that met these faults.
pub(crate) fn arrival(frame: Vec<u8>, hits: &[Hit], wire: &dyn Wire) -> Arrival {
    let mut arrival = Arrival {
        delay: Duration::ZERO,
        frames: vec![frame],
    };
    for hit in hits {
        match hit.kind {
            FaultKind::Drop | FaultKind::Stall => arrival.frames.clear(),
            FaultKind::Delay(time) => arrival.delay += time,
            FaultKind::Duplicate => arrival.frames.extend_from_within(..),
            kind => {
                for frame in &mut arrival.frames {
                    *frame = damaged(frame, kind, hit.seed, wire);
                }
            }
        }
    }
    arrival
}

fn damaged(frame: &[u8], kind: FaultKind, seed: u64, wire: &dyn Wire) -> Vec<u8> {
    match kind {
        FaultKind::Garble => garbled(frame, wire.significant(frame), seed),
        FaultKind::Truncate => {
            let Range { start, end } = wire.significant(frame);
            frame[..start + (end - start) / 2].to_vec()
        }
        FaultKind::Nak => wire.refusal(),
        FaultKind::WrongUid => wire.with_other_uid(frame).unwrap_or_else(|| frame.to_vec()),
        FaultKind::Oversize => wire.oversize(frame, seed),
        FaultKind::Drop | FaultKind::Delay(_) | FaultKind::Stall | FaultKind::Duplicate => {
            frame.to_vec()
        }
    }
}

fn garbled(frame: &[u8], within: Range<usize>, seed: u64) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let [place, flips, ..] = mixed(seed).to_le_bytes();
    if let Some(byte) = within
        .len()
        .checked_sub(1)
        .and_then(|last| frame.get_mut(within.start + usize::from(place) % (last + 1)))
    {
        *byte ^= flips.max(1);
    }
    frame
}

/// Bytes of a line that is disturbed: never 0, so that no frame begins among them.
pub(crate) fn noise(count: usize, seed: u64) -> impl Iterator<Item = u8> {
    (0..count as u64).map(move |at| mixed(seed ^ at).to_le_bytes()[0].max(1))
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::time::Duration;

    use super::{Arrival, Hit, Wire, arrival, noise};
    use crate::faults::FaultKind::{
        self, Delay, Drop, Duplicate, Garble, Nak, Oversize, Stall, Truncate, WrongUid,
    };

    /// Frames are padded by a dot at both ends; a UID is a `u`.
    struct Dotted;

    impl Wire for Dotted {
        fn significant(&self, frame: &[u8]) -> Range<usize> {
            1..frame.len() - 1
        }

        fn refusal(&self) -> Vec<u8> {
            b".no.".to_vec()
        }

        fn with_other_uid(&self, frame: &[u8]) -> Option<Vec<u8>> {
            let at = frame.iter().position(|byte| *byte == b'u')?;
            let mut other = frame.to_vec();
            other[at] = b'U';
            Some(other)
        }

        fn oversize(&self, frame: &[u8], _seed: u64) -> Vec<u8> {
            [frame, b"+++"].concat()
        }
    }

    fn met(frame: &str, kinds: &[FaultKind]) -> Arrival {
        let hits: Vec<_> = kinds.iter().map(|&kind| Hit { kind, seed: 3 }).collect();
        arrival(frame.into(), &hits, &Dotted)
    }

    #[test]
    fn each_kind_does_what_it_says() {
        for (kinds, expected) in [
            (&[][..], &[".auc1."][..]),
            (&[Drop], &[]),
            (&[Stall], &[]),
            (&[Truncate], &[".au"]),
            (&[Nak], &[".no."]),
            (&[WrongUid], &[".aUc1."]),
            (&[Duplicate], &[".auc1.", ".auc1."]),
            (&[Oversize], &[".auc1.+++"]),
            (&[Duplicate, Drop], &[]),
            (&[WrongUid, Truncate, Duplicate], &[".aU", ".aU"]),
        ] {
            let arrived = met(".auc1.", kinds);
            let arrived: Vec<_> = arrived
                .frames
                .iter()
                .map(|frame| String::from_utf8_lossy(frame))
                .collect();
            assert_eq!(arrived, expected, "{kinds:?}");
        }
    }

    #[test]
    fn delays_add_up_and_change_no_byte() {
        let millis = Duration::from_millis;
        let arrived = met(".auc1.", &[Delay(millis(20)), Delay(millis(30))]);
        assert_eq!(arrived.delay, millis(50));
        assert_eq!(arrived.frames, [b".auc1."]);
    }

    #[test]
    fn a_garbled_frame_differs_in_one_byte_that_counts_whatever_the_seed() {
        let frame = b".auc1.".to_vec();
        for seed in 0..1000 {
            let hit = Hit { kind: Garble, seed };
            let arrived = arrival(frame.clone(), &[hit], &Dotted).frames.remove(0);
            let differing: Vec<_> = (0..frame.len())
                .filter(|&at| frame[at] != arrived[at])
                .collect();
            assert!(
                matches!(differing[..], [1..=4]),
                "seed {seed}: {differing:?}"
            );
            assert_eq!(arrival(frame.clone(), &[hit], &Dotted).frames, [arrived]);
        }
    }

    #[test]
    fn noise_is_the_same_for_the_same_seed_and_begins_no_frame() {
        let heard: Vec<_> = noise(500, 1).collect();
        assert_eq!(heard, noise(500, 1).collect::<Vec<_>>());
        assert_ne!(heard, noise(500, 2).collect::<Vec<_>>());
        assert!(!heard.contains(&0));
    }
}
