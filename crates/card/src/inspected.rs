//! What an inspection found on a card.

use crate::copies::{Counts, which_counts};
use crate::placing::CopyIndex;
use crate::session::OpenSector;
use crate::{Credential, KeyVersion, PresentedCard, Sequence, Technology};

/// Whose card it is, and in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// As delivered, as far as the placing reaches.
    Blank,
    /// At least one copy is valid.
    Ours,
    /// Prepared for this site, wholly or in part, but no copy is valid.
    Torn,
    /// Somebody else's, or not usable: nothing may be written.
    Foreign {
        /// What showed it, without card data.
        detail: &'static str,
    },
}

/// A copy that carries the right tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidCopy {
    /// How often the card had been written when this copy was.
    pub sequence: Sequence,
    /// The version of the site key it was sealed under.
    pub key_version: KeyVersion,
    /// What it says.
    pub credential: Credential,
    /// The digest of its image, to compare with [`Plan::digest`](crate::Plan::digest) of an earlier plan.
    pub digest: [u8; 32],
}

/// What was found where one copy lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Nobody looked, because the other copy's place had shown that the card is foreign.
    Unseen,
    /// Transport keys and access bits, no content. `clean`: its first block is zero, else it holds an empty NDEF message.
    AsDelivered { clean: bool },
    /// The sector opens with a key of this site and holds no valid copy. `clean`: its first block is zero.
    Void { clean: bool },
    /// The sector opens with a key of this site and holds a valid copy.
    Valid(ValidCopy),
    /// Neither as delivered nor ours.
    Foreign(&'static str),
}

impl Finding {
    pub(crate) fn is_as_delivered(&self) -> bool {
        matches!(self, Self::AsDelivered { .. })
    }
}

/// What an inspection found; the base of every [`plan`](crate::plan()).
#[derive(Debug, Clone)]
pub struct Inspected {
    pub(crate) presented: PresentedCard,
    pub(crate) technology: Technology,
    pub(crate) findings: [Finding; 2],
    pub(crate) open: Option<OpenSector>,
}

impl Inspected {
    /// The card.
    #[must_use]
    pub fn presented(&self) -> &PresentedCard {
        &self.presented
    }

    /// Its technology.
    #[must_use]
    pub fn technology(&self) -> Technology {
        self.technology
    }

    /// Whose card it is, and in which state. A card with a valid copy is ours even when its other sector is damaged.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let findings = &self.findings;
        if findings
            .iter()
            .any(|found| matches!(found, Finding::Valid(_)))
        {
            return Condition::Ours;
        }
        if let Some(detail) = self.foreign_part() {
            return Condition::Foreign { detail };
        }
        if findings.iter().all(Finding::is_as_delivered) {
            return Condition::Blank;
        }
        Condition::Torn
    }

    /// The credential that a lock would see, if there is one. A card with an [ambiguous](Self::is_ambiguous) pair of
    /// copies has none.
    #[must_use]
    pub fn credential(&self) -> Option<&Credential> {
        self.active().map(|(_, copy)| &copy.credential)
    }

    /// The copy that counts.
    #[must_use]
    pub fn active(&self) -> Option<(CopyIndex, &ValidCopy)> {
        match self.counts() {
            Counts::This(copy) => self.copy(copy).map(|valid| (copy, valid)),
            Counts::Neither | Counts::Ambiguous => None,
        }
    }

    /// What one copy says, if it is valid.
    #[must_use]
    pub fn copy(&self, copy: CopyIndex) -> Option<&ValidCopy> {
        match self.finding(copy) {
            Finding::Valid(valid) => Some(valid),
            _ => None,
        }
    }

    /// Whether two valid copies contradict each other with equal sequences. A lock denies such a card.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.counts() == Counts::Ambiguous
    }

    /// Whether the credential with this [digest](crate::Plan::digest) is the one that counts, and no other copy could
    /// take its place: what tells that an encode whose outcome was unknown had come to its end.
    #[must_use]
    pub fn holds(&self, digest: &[u8; 32]) -> bool {
        self.active().is_some_and(|(copy, valid)| {
            valid.digest == *digest && !self.needs_zeroing(copy.other())
        })
    }

    pub(crate) fn finding(&self, copy: CopyIndex) -> &Finding {
        &self.findings[copy.index()]
    }

    pub(crate) fn counts(&self) -> Counts {
        which_counts(CopyIndex::BOTH.map(|copy| {
            self.copy(copy)
                .map(|valid| (valid.sequence, &valid.credential))
        }))
    }

    /// Whether a copy's first block has to be zeroed before the card is done: it is valid, or a weak memory cell could
    /// make it valid again, or it is an empty NDEF message, which later could not be told from the latter.
    pub(crate) fn needs_zeroing(&self, copy: CopyIndex) -> bool {
        matches!(
            self.finding(copy),
            Finding::Valid(_)
                | Finding::Void { clean: false }
                | Finding::AsDelivered { clean: false }
        )
    }

    /// What showed that a part of the card is not ours, if something did.
    pub(crate) fn foreign_part(&self) -> Option<&'static str> {
        self.findings.iter().find_map(|found| match found {
            Finding::Foreign(detail) => Some(*detail),
            _ => None,
        })
    }
}
