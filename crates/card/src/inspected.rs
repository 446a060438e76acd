//! What an inspection found on a card.

use crate::changes::Contents;
use crate::copies::{Counts, which_counts};
use crate::format::{self, Opened};
use crate::placing::CopyIndex;
use crate::{
    Credential, KeyVersion, PresentedCard, Sequence, SiteKeys, Technology, Uid, classic, desfire,
    ntag424, type2,
};

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

impl ValidCopy {
    /// What was opened of `bytes`, which may go on after the image.
    pub(crate) fn new(opened: Opened, bytes: &[u8], keys: &SiteKeys) -> Self {
        let digest = bytes
            .first_chunk()
            .and_then(|header| format::length_if_ours(header, keys.lock()))
            .and_then(|length| bytes.get(..length))
            .and_then(|image| keys.digest(opened.key_version, image))
            .expect("it was opened, so it has its length and a version that is held");
        Self {
            sequence: opened.sequence,
            key_version: opened.key_version,
            credential: opened.credential,
            digest,
        }
    }
}

/// What was found where one copy lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Nobody looked, because the other copy's place had shown that the card is foreign.
    Unseen,
    /// The placing has no such copy.
    Absent,
    /// Delivery keys and rights, no content. `clean`: what voids a copy is zero, else it holds an empty NDEF message.
    AsDelivered { clean: bool },
    /// Its place opens with a key of this site, where it has one, and holds no valid copy. `clean`: what voids a copy is zero.
    Void { clean: bool },
    /// Its place holds a valid copy.
    Valid(ValidCopy),
    /// Neither as delivered nor ours, as far as the card tells: only a journal that knows of a write of ours whose
    /// outcome is unknown can claim it.
    Unclaimed(&'static str),
    /// Neither as delivered nor ours.
    Foreign(&'static str),
}

impl Finding {
    pub(crate) fn is_as_delivered(&self) -> bool {
        matches!(self, Self::AsDelivered { .. })
    }
}

/// What an inspection found that only one family understands, and how it left the card.
#[derive(Debug, Clone)]
pub(crate) enum Area {
    Classic(classic::Area),
    Type2(type2::Area),
    Desfire(desfire::Area),
    Ntag424(ntag424::Area),
}

/// What an inspection found; the base of every [`plan`](crate::plan()).
#[derive(Debug, Clone)]
pub struct Inspected {
    pub(crate) presented: PresentedCard,
    pub(crate) uid: Uid,
    pub(crate) technology: Technology,
    pub(crate) findings: [Finding; 2],
    pub(crate) area: Area,
    /// What was read, for people to compare with what a plan would write.
    pub(crate) contents: Contents,
}

impl Inspected {
    /// The card, as it was selected.
    #[must_use]
    pub fn presented(&self) -> &PresentedCard {
        &self.presented
    }

    /// The UID that it was made with, which keys and tags are bound to: the one it was selected by, unless that changes
    /// from one selection to the next.
    #[must_use]
    pub fn uid(&self) -> Uid {
        self.uid
    }

    /// Its technology.
    #[must_use]
    pub fn technology(&self) -> Technology {
        self.technology
    }

    /// Whose card it is, and in which state. A card with a valid copy is ours even when its other copy is damaged.
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
        if self
            .technology
            .copies()
            .iter()
            .all(|copy| self.finding(*copy).is_as_delivered())
        {
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

    /// Whether a copy has to be voided before the card is done: it is valid, or a weak memory cell could
    /// make it valid again, or it is an empty NDEF message, which later could not be told from the latter.
    pub(crate) fn needs_zeroing(&self, copy: CopyIndex) -> bool {
        matches!(
            self.finding(copy),
            Finding::Valid(_)
                | Finding::Unclaimed(_)
                | Finding::Void { clean: false }
                | Finding::AsDelivered { clean: false }
        )
    }

    /// What showed that a part of the card is not ours, if something did.
    pub(crate) fn foreign_part(&self) -> Option<&'static str> {
        self.findings.iter().find_map(|found| match found {
            Finding::Foreign(detail) | Finding::Unclaimed(detail) => Some(*detail),
            _ => None,
        })
    }

    /// Whether nothing on the card contradicts a journal that knows of a write of ours to it whose outcome is unknown.
    pub(crate) fn can_be_claimed(&self) -> bool {
        let foreign = |found: &Finding| matches!(found, Finding::Foreign(_));
        self.foreign_part().is_some() && !self.findings.iter().any(foreign)
    }
}
