//! Bytes that look random and are the same every time: a seed tells the whole story of a fault.

/// Steele and others' SplitMix64. For made-up content and torn cells only, never for keys of ours.
#[derive(Debug, Clone)]
pub(crate) struct Noise {
    state: u64,
}

impl Noise {
    pub(crate) fn new(seed: u64) -> Noise {
        Noise { state: seed }
    }

    /// Noise that belongs to some bytes, such as a UID.
    pub(crate) fn of(bytes: &[u8]) -> Noise {
        let seed = bytes.iter().fold(0x5EED, |seed: u64, &byte| {
            seed.rotate_left(9) ^ u64::from(byte)
        });
        Noise::new(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.byte());
    }
}
