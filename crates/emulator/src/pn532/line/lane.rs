//! One direction of a line: bytes on their way and when they arrive, by an absolute schedule. Owns no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A start bit, eight bits, a stop bit.
const BITS_PER_BYTE: u64 = 10;
/// A UART hands over what it received when its FIFO is this full or the line falls silent (16550 and its like);
/// to tell every byte would wake the thread ten thousand times a second.
const FIFO: usize = 16;

/// How long so many bytes take at this speed.
pub(super) fn time_of(bytes: usize, baud: u32) -> Duration {
    let bits = BITS_PER_BYTE.saturating_mul(bytes as u64);
    Duration::from_nanos(bits.saturating_mul(1_000_000_000) / u64::from(baud.max(1)))
}

/// Bytes that arrive together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) at: Instant,
    pub(super) bytes: Vec<u8>,
}

/// Bytes on their way, in order.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pieces: VecDeque<Piece>,
    /// The last of all bytes so far has arrived by then.
    busy_until: Option<Instant>,
}

impl Lane {
    /// Sends bytes off at a moment; they begin when those before them have arrived. Without a speed they all arrive
    /// at once.
    pub(super) fn put(&mut self, bytes: Vec<u8>, at: Instant, baud: Option<u32>) {
        let begin = self.busy_until.map_or(at, |busy| busy.max(at));
        let size = if baud.is_some() {
            FIFO
        } else {
            bytes.len().max(1)
        };
        let mut sent = 0;
        for piece in bytes.chunks(size) {
            sent += piece.len();
            // From the beginning each time, so that nothing adds up.
            let arrival = begin + baud.map_or(Duration::ZERO, |baud| time_of(sent, baud));
            self.pieces.push_back(Piece {
                at: arrival,
                bytes: piece.to_vec(),
            });
            self.busy_until = Some(arrival);
        }
    }

    /// The next piece that has arrived by now.
    pub(super) fn take(&mut self, now: Instant) -> Option<Piece> {
        self.pieces.pop_front_if(|piece| piece.at <= now)
    }

    /// When the next piece arrives.
    pub(super) fn next(&self) -> Option<Instant> {
        self.pieces.front().map(|piece| piece.at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Lane, time_of};

    #[test]
    fn a_byte_takes_ten_bits() {
        for (bytes, baud, micros) in [
            (1, 9_600, 1_041),
            (6, 115_200, 520),
            (19, 115_200, 1_649),
            (1000, 921_600, 10_850),
        ] {
            assert_eq!(time_of(bytes, baud).as_micros(), micros);
        }
    }

    #[test]
    fn bytes_arrive_by_a_schedule_that_does_not_drift() {
        let start = Instant::now();
        let mut lane = Lane::default();
        for _ in 0..1000 {
            lane.put(vec![0; 20], start, Some(115_200));
        }
        let (mut last, mut bytes) = (start, 0);
        while let Some(piece) = lane.take(start + Duration::from_secs(60)) {
            assert!(piece.at > last && piece.bytes.len() <= 16);
            (last, bytes) = (piece.at, bytes + piece.bytes.len());
        }
        assert_eq!(bytes, 20_000);
        let difference = time_of(20_000, 115_200).abs_diff(last - start);
        // Rounding of each frame to a nanosecond.
        assert!(difference < Duration::from_micros(2), "{difference:?}");
    }

    #[test]
    fn nothing_arrives_before_its_time_and_a_pause_does_not_count() {
        let start = Instant::now();
        let later = start + Duration::from_secs(1);
        let mut lane = Lane::default();
        lane.put(vec![1], start, Some(9_600));
        lane.put(vec![2], later, Some(9_600));
        assert_eq!(lane.take(start), None);
        assert_eq!(lane.take(start + time_of(1, 9_600)).unwrap().bytes, [1]);
        assert_eq!(lane.next(), Some(later + time_of(1, 9_600)));
    }

    #[test]
    fn without_a_speed_all_arrives_at_once_and_nothing_overtakes_what_is_late() {
        let start = Instant::now();
        let late = start + Duration::from_millis(50);
        let mut lane = Lane::default();
        lane.put(vec![1; 300], start, None);
        lane.put(vec![2], late, None);
        lane.put(vec![3], start, None);
        assert_eq!(lane.take(start).unwrap().bytes.len(), 300);
        assert_eq!(lane.take(start), None);
        assert_eq!(lane.take(late).unwrap().bytes, [2]);
        assert_eq!(lane.take(late).unwrap().bytes, [3]);
    }
}
