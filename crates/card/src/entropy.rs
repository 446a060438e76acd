//! The randomness of a procedure: an argument, like time, so that a procedure can be run again as it ran.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What random challenges are made of: 32 bytes from the operating system, good for one procedure, or to be split.
/// Never printed; overwritten with zeros when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Entropy([u8; 32]);

impl Entropy {
    /// Takes 32 bytes that nobody else knows.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Randomness for one procedure, of which nothing can be told from the rest.
    #[must_use]
    pub fn split(&mut self) -> Self {
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(&self.draw());
        seed[16..].copy_from_slice(&self.draw());
        let split = Self(seed);
        seed.zeroize();
        split
    }

    /// The next 16 random bytes: half of SHA-256 over what there is, whose other use replaces it.
    pub(crate) fn draw(&mut self) -> [u8; 16] {
        let mut drawn: [u8; 32] = Sha256::new()
            .chain_update([0x01])
            .chain_update(self.0)
            .finalize()
            .into();
        let next = Sha256::new().chain_update([0x02]).chain_update(self.0);
        self.0 = next.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(&drawn[..16]);
        drawn.zeroize();
        half
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_differ_and_the_same_entropy_draws_the_same() {
        let mut one = Entropy::new([7; 32]);
        let mut same = one.clone();
        let drawn = [one.draw(), one.draw(), one.draw()];
        assert_eq!(drawn, [same.draw(), same.draw(), same.draw()]);
        assert_ne!(drawn[0], drawn[1]);
        assert_ne!(drawn[1], drawn[2]);
        assert_ne!(Entropy::new([8; 32]).draw(), drawn[0]);
        assert_ne!(one.split().draw(), one.split().draw());
    }
}
