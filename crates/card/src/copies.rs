//! Two copies, one truth: which of them counts.

use crate::placing::CopyIndex;
use crate::{Credential, Sequence};

/// Which copy of a card counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// Neither is valid.
    Neither,
    /// This one: the only valid one, or the one with the higher sequence.
    This(CopyIndex),
    /// Both are valid, their sequences are equal and what they say differs. A writer of ours cannot leave that.
    Ambiguous,
}

/// Decides which copy counts; copy A first, `None` for a void one.
pub(crate) fn which_counts(copies: [Option<(Sequence, &Credential)>; 2]) -> Counts {
    match copies {
        [None, None] => Counts::Neither,
        [Some(_), None] => Counts::This(CopyIndex::A),
        [None, Some(_)] => Counts::This(CopyIndex::B),
        [Some((a, of_a)), Some((b, of_b))] => {
            if a > b || (a == b && of_a == of_b) {
                Counts::This(CopyIndex::A)
            } else if b > a {
                Counts::This(CopyIndex::B)
            } else {
                Counts::Ambiguous
            }
        }
    }
}
