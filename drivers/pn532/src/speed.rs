//! The speeds of the line, and which of them are used.

/// One speed that the chip can be told to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Speed {
    /// Baud.
    pub(crate) baud: u32,
    /// Its code in SetSerialBaudRate (UM 7.2.8).
    pub(crate) code: u8,
}

const fn speed(baud: u32, code: u8) -> Speed {
    Speed { baud, code }
}

/// The speed after a reset (UM 6.2.3).
pub(crate) const RESET: Speed = speed(115_200, 4);

/// What this driver raises the line to, the fastest first. 921600 is what nfcpy has used by default on Linux,
/// with adapters of all kinds (nfcpy, `clf/pn532.py`); the chip's fastest, 1288000 (code 8), is no speed that Linux has a
/// name for.
pub(crate) const RAISED: [Speed; 3] = [speed(921_600, 7), speed(460_800, 6), speed(230_400, 5)];

/// Where a chip is looked for, in this order: as after a reset, then where a program that died may have left it. One
/// that is there answers at once, so the likely ones come first.
pub(crate) const LIKELY: [Speed; 4] = [RESET, RAISED[0], RAISED[1], RAISED[2]];

/// Where only another program can have left it.
pub(crate) const UNLIKELY: [Speed; 5] = [
    speed(57_600, 3),
    speed(38_400, 2),
    speed(19_200, 1),
    speed(9_600, 0),
    speed(1_288_000, 8),
];

/// The speeds that a configuration may name as the highest.
pub(crate) fn named(baud: i64) -> Option<Speed> {
    LIKELY
        .into_iter()
        .find(|speed| i64::from(speed.baud) == baud)
}

/// The speeds to try on the way down from `highest`, all above the one after a reset.
pub(crate) fn raised_up_to(highest: Speed) -> impl Iterator<Item = Speed> {
    RAISED.into_iter().filter(move |speed| *speed <= highest)
}

/// The next slower one that is used.
pub(crate) fn below(speed: Speed) -> Speed {
    raised_up_to(speed)
        .find(|slower| *slower < speed)
        .unwrap_or(RESET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_count_up_with_the_speeds() {
        let mut all = [&LIKELY[..], &UNLIKELY].concat();
        all.sort();
        let codes: Vec<u8> = all.iter().map(|speed| speed.code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn the_way_down_ends_at_the_speed_after_a_reset() {
        let steps: Vec<u32> = std::iter::successors(named(921_600), |speed| {
            (*speed != RESET).then(|| below(*speed))
        })
        .map(|speed| speed.baud)
        .collect();
        assert_eq!(steps, [921_600, 460_800, 230_400, 115_200]);
        assert_eq!(raised_up_to(RESET).count(), 0);
        assert_eq!(named(9_600), None);
    }
}
