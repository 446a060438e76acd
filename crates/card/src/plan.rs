//! What has to be done to a card so that it carries a credential: decided once, from what an inspection found, before
//! the first write.
//!
//! Here is what holds for every technology: which copy is written, under which sequence, and what is voided before or
//! after. The families turn that into commands. A plan holds no master key. It never touches anything outside the placing,
//! and prepares a card only while that holds no credential of ours. The copy that counts is not written before the other one has been
//! read back. A card is never left standing on a suspect copy, nor beside one.

use crate::copies::Counts;
use crate::format::{self, Image};
use crate::inspected::{Area, Condition, Finding, Inspected};
use crate::placing::{CopyIndex, Place};
use crate::{
    Change, Credential, PresentedCard, Refusal, Sequence, SiteKeys, Suspects, Technology, Uid,
    changes, classic, desfire, ntag424, secure, type2,
};

/// What the configuration and the journal have to say about a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanOptions {
    /// Whether a blank card may be made one of the site.
    pub personalise_blank: bool,
    /// The copies that earlier encodes of this card have left in doubt.
    pub suspects: Suspects,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            personalise_blank: true,
            suspects: Suspects::NONE,
        }
    }
}

/// What part of the work a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A blank card is made one of the site.
    Personalising,
    /// The credential is written, or an older one voided.
    Writing,
    /// What was written is read back.
    Verifying,
}

/// What [`Write`](crate::Write) will do to one card.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) outline: Outline,
    pub(crate) work: Work,
}

/// What every plan says, whatever the technology.
#[derive(Debug, Clone)]
pub(crate) struct Outline {
    pub(crate) presented: PresentedCard,
    pub(crate) uid: Uid,
    pub(crate) technology: Technology,
    /// The copy that will count afterwards, and its sequence.
    pub(crate) counts: CopyIndex,
    pub(crate) sequence: Sequence,
    /// The copy in flight.
    pub(crate) target: CopyIndex,
    pub(crate) digest: [u8; 32],
    /// How many bytes the image takes, its tag last.
    pub(crate) image_length: usize,
    pub(crate) overwrites: Option<Credential>,
}

/// The steps of a plan, as the family carries them out.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Classic(classic::Work),
    Type2(type2::Work),
    /// On a DESFire or an NTAG 424 DNA.
    Application(secure::Work),
}

impl Work {
    fn steps(&self) -> usize {
        match self {
            Self::Classic(work) => work.operations.len(),
            Self::Type2(work) => work.steps(),
            Self::Application(work) => work.operations.len(),
        }
    }
}

impl Plan {
    /// The card it was made for, by the UID that its keys and tags are bound to.
    #[must_use]
    pub fn uid(&self) -> Uid {
        self.outline.uid
    }

    /// A keyed digest of the credential's image, for the hub's grant and the journal. It tells two images apart and
    /// reveals nothing of either to whom has no site key.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.outline.digest
    }

    /// The copy in flight, to be suspected should the outcome become unknown: the one that the credential is written
    /// to, or, where the other one already holds it, the one that is voided. When an outcome became unknown while the
    /// older copy was being voided, that one needs no suspicion of its own, since it is what is written over next.
    #[must_use]
    pub fn target_copy(&self) -> CopyIndex {
        self.outline.target
    }

    /// How many steps the writing takes.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.work.steps()
    }

    /// Every place that the plan writes, in the order of the last writing of each, beside what `inspected` (the inspection that it was made
    /// from) has read there. Without secrets.
    #[must_use]
    pub fn changes(&self, inspected: &Inspected) -> Vec<Change> {
        let (outline, read) = (&self.outline, &inspected.contents);
        let written = match &self.work {
            Work::Classic(work) => classic::changes(work, outline, read),
            Work::Type2(work) => type2::changes(work, outline, read),
            Work::Application(work) => secure::changes(work, outline, read),
        };
        changes::last_of_each_place(written)
    }

    /// The credential of this site that the card holds now, be it another or the same.
    #[must_use]
    pub fn overwrites(&self) -> Option<&Credential> {
        self.outline.overwrites.as_ref()
    }

    /// Whether the card already holds the credential and nothing has to be written. The inspection that the plan was
    /// made from has then been its read-back.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.steps() == 0
    }
}

/// Plans the fewest writes that bring `credential` onto the card that was inspected.
///
/// # Errors
/// [`Refusal::Foreign`] for a card that is not ours or is damaged, [`Refusal::BlankNotAllowed`], [`Refusal::WornOut`]
/// at the end of the sequence, [`Refusal::DoesNotFit`]. The card is then as it was.
pub fn plan(
    inspected: &Inspected,
    credential: &Credential,
    keys: &SiteKeys,
    options: &PlanOptions,
) -> Result<Plan, Refusal> {
    refuse_unwritable(inspected, options)?;
    let draft = Draft {
        inspected,
        credential,
        keys,
        suspects: options.suspects,
    };
    match &inspected.area {
        Area::Classic(area) => classic::plan(&draft, area),
        Area::Type2(area) => type2::plan(&draft, area),
        Area::Desfire(area) => desfire::plan(&draft, area),
        Area::Ntag424(area) => ntag424::plan(&draft, area),
    }
}

fn refuse_unwritable(inspected: &Inspected, options: &PlanOptions) -> Result<(), Refusal> {
    if options.suspects != Suspects::NONE && inspected.can_be_claimed() {
        return Ok(());
    }
    if let Some(detail) = inspected.foreign_part() {
        return Err(Refusal::Foreign { detail });
    }
    match inspected.condition() {
        Condition::Foreign { detail } => Err(Refusal::Foreign { detail }),
        Condition::Blank if !options.personalise_blank => Err(Refusal::BlankNotAllowed),
        Condition::Ours if inspected.findings.iter().any(Finding::is_as_delivered) => {
            Err(Refusal::Foreign {
                detail: "a part of it has delivery keys beside a credential of this site",
            })
        }
        Condition::Blank | Condition::Ours | Condition::Torn => Ok(()),
    }
}

/// Which way a plan goes.
pub(crate) enum Course {
    /// The credential is there already: at most what is left of another copy has to go.
    Keep {
        copy: CopyIndex,
        sequence: Sequence,
        digest: [u8; 32],
    },
    /// It is written beside the copy that counts, which stays whole until the new one has been read back; or over it,
    /// where a placing has one copy.
    Replace {
        target: CopyIndex,
        sequence: Sequence,
    },
    /// No copy counts, so the sequence starts at 1, on whichever copy takes less. Whatever is left in the
    /// other copy is voided *before*: should it come back to life, its sequence would be the higher one.
    StartOver,
}

/// Everything a plan is made of, while it is being made.
pub(crate) struct Draft<'a> {
    pub(crate) inspected: &'a Inspected,
    pub(crate) credential: &'a Credential,
    pub(crate) keys: &'a SiteKeys,
    pub(crate) suspects: Suspects,
}

impl Draft<'_> {
    /// Decides the way.
    ///
    /// # Errors
    /// [`Refusal::WornOut`].
    pub(crate) fn course(&self) -> Result<Course, Refusal> {
        let (Counts::This(_), Some((copy, active))) =
            (self.inspected.counts(), self.inspected.active())
        else {
            return Ok(Course::StartOver);
        };
        let is_current =
            active.credential == *self.credential && active.key_version == self.keys.newest();
        if is_current && !self.suspects.contains(copy) {
            return Ok(Course::Keep {
                copy,
                sequence: active.sequence,
                digest: active.digest,
            });
        }
        let one_copy = self.inspected.technology.copies().len() == 1;
        Ok(Course::Replace {
            target: if one_copy { copy } else { copy.other() },
            sequence: active.sequence.next().ok_or(Refusal::WornOut)?,
        })
    }

    /// Whether a copy beside the one that is to count must be voided. A suspect one must, even if it reads as zeros: what
    /// was written weakly may read as programmed later, with the higher sequence.
    pub(crate) fn has_to_go(&self, copy: CopyIndex) -> bool {
        self.suspects.contains(copy) || self.inspected.needs_zeroing(copy)
    }

    /// Whether the copy beside `target` must be voided before a start over: where anything is suspect nothing that was
    /// read is relied on.
    pub(crate) fn has_to_go_before_start(&self, target: CopyIndex) -> bool {
        self.suspects != Suspects::NONE || self.has_to_go(target.other())
    }

    /// The image of the credential for one copy.
    ///
    /// # Errors
    /// [`Refusal::DoesNotFit`] when the format cannot hold it.
    pub(crate) fn seal(&self, copy: CopyIndex, sequence: Sequence) -> Result<Image, Refusal> {
        let place = Place {
            technology: self.inspected.technology,
            uid: self.inspected.uid,
            copy,
        };
        format::seal(
            self.keys.lock(),
            self.keys.newest(),
            &place,
            sequence,
            self.credential,
        )
    }

    /// The digest of an image that [`Self::seal`] made.
    pub(crate) fn digest(&self, image: &Image) -> [u8; 32] {
        self.keys
            .digest(self.keys.newest(), image.bytes())
            .expect("a ring holds its newest version")
    }

    /// What the plan says when `counts` will count.
    pub(crate) fn outline(
        &self,
        counts: CopyIndex,
        sequence: Sequence,
        digest: [u8; 32],
    ) -> Outline {
        Outline {
            presented: self.inspected.presented.clone(),
            uid: self.inspected.uid,
            technology: self.inspected.technology,
            counts,
            sequence,
            target: counts,
            digest,
            image_length: format::length(self.credential).unwrap_or_default(),
            overwrites: self.inspected.credential().cloned(),
        }
    }

    /// What the plan says when the credential is there already: only the other copy can be in flight.
    pub(crate) fn outline_kept(
        &self,
        copy: CopyIndex,
        sequence: Sequence,
        digest: [u8; 32],
    ) -> Outline {
        let one_copy = self.inspected.technology.copies().len() == 1;
        Outline {
            target: if one_copy { copy } else { copy.other() },
            ..self.outline(copy, sequence, digest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::Contents;
    use crate::classic;
    use crate::inspected::ValidCopy;
    use crate::{
        CardFormat, CardFunction, CredentialNumber, Doors, IssueNumber, KeyVersion, Minute,
        SelectAnswer, SiteKey, Validity,
    };

    fn credential(number: u32) -> Credential {
        Credential {
            format: CardFormat::Rfid48,
            number: CredentialNumber::new(number).unwrap(),
            function: CardFunction::Guest,
            validity: Validity::new(Minute::new(0).unwrap(), None).unwrap(),
            issue: IssueNumber::MIN,
            doors: Doors::default(),
        }
    }

    fn written_to_the_last_sequence() -> Inspected {
        Inspected {
            uid: "04A1B2C3".parse().unwrap(),
            presented: PresentedCard {
                uid: "04A1B2C3".parse().unwrap(),
                answer: SelectAnswer::Atr(Vec::new()),
            },
            technology: Technology::MifareClassic1k,
            findings: [
                Finding::Void { clean: true },
                Finding::Valid(ValidCopy {
                    sequence: Sequence::LAST,
                    key_version: KeyVersion::FIRST,
                    credential: credential(1),
                    digest: [0; 32],
                }),
            ],
            area: Area::Classic(classic::Area::default()),
            contents: Contents::default(),
        }
    }

    #[test]
    fn a_card_whose_sequence_has_ended_is_worn_out_unless_nothing_has_to_be_written() {
        let keys = SiteKeys::new(KeyVersion::FIRST, SiteKey::new([1; 32]));
        let options = PlanOptions::default();
        let inspected = written_to_the_last_sequence();
        let refused = plan(&inspected, &credential(2), &keys, &options).unwrap_err();
        assert_eq!(refused, Refusal::WornOut);
        let unchanged = plan(&inspected, &credential(1), &keys, &options).unwrap();
        assert!(unchanged.is_noop());
    }
}
