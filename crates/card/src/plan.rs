//! What has to be done to a card so that it carries a credential: decided once, from what an inspection found, before
//! the first write.
//!
//! A plan holds no key. It never touches a block outside the two sectors of the placing, and never a trailer while the
//! card holds a credential of ours. The copy that counts is not written before the other one has been read back. A card
//! is never left standing on a suspect copy, nor beside one.

use crate::copies::Counts;
use crate::format::rfid48::Image;
use crate::inspected::{Condition, Finding, Inspected};
use crate::placing::{CopyIndex, Place};
use crate::session::{OpenSector, SectorKey};
use crate::{
    BlockData, Credential, PresentedCard, Refusal, Sequence, SiteKeys, Suspects, Technology, Uid,
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

/// One exchange of a plan.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Authenticate { open: OpenSector, phase: Phase },
    WriteTrailer { copy: CopyIndex },
    WriteBlock { block: u8, data: BlockData },
    ReadBack { block: u8, expected: BlockData },
}

impl Operation {
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self::Authenticate { phase, .. } => *phase,
            Self::WriteTrailer { .. } => Phase::Personalising,
            Self::WriteBlock { .. } => Phase::Writing,
            Self::ReadBack { .. } => Phase::Verifying,
        }
    }
}

/// What [`Write`](crate::Write) will do to one card.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) presented: PresentedCard,
    pub(crate) technology: Technology,
    /// The sector that the inspection left open.
    pub(crate) open: Option<OpenSector>,
    pub(crate) operations: Vec<Operation>,
    /// The copy that will count afterwards, and its sequence.
    pub(crate) counts: CopyIndex,
    pub(crate) sequence: Sequence,
    target: CopyIndex,
    digest: [u8; 32],
    overwrites: Option<Credential>,
}

impl Plan {
    /// The card it was made for.
    #[must_use]
    pub fn uid(&self) -> Uid {
        self.presented.uid
    }

    /// A keyed digest of the credential's image, for the hub's grant and the journal. It tells two images apart and
    /// reveals nothing of either to whom has no site key.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The copy in flight, to be suspected should the outcome become unknown: the one that the credential is written
    /// to, or, where the other one already holds it, the one that is voided. When an outcome became unknown while the
    /// older copy was being voided, that one needs no suspicion of its own, since it is what is written over next.
    #[must_use]
    pub fn target_copy(&self) -> CopyIndex {
        self.target
    }

    /// How many exchanges the writing takes.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.operations.len()
    }

    /// The credential of this site that the card holds now, be it another or the same.
    #[must_use]
    pub fn overwrites(&self) -> Option<&Credential> {
        self.overwrites.as_ref()
    }

    /// Whether the card already holds the credential and nothing has to be written. The inspection that the plan was
    /// made from has then been its read-back.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.operations.is_empty()
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
    let suspects = options.suspects;
    let draft = Draft {
        inspected,
        credential,
        keys,
        suspects,
    };
    match (inspected.counts(), inspected.active()) {
        (Counts::This(_), Some((copy, active))) => {
            if active.credential == *credential && !suspects.contains(copy) {
                return Ok(draft.keep(copy, active.sequence, active.digest));
            }
            let sequence = active.sequence.next().ok_or(Refusal::WornOut)?;
            draft.replace(copy.other(), sequence)
        }
        _ => draft.start_over(),
    }
}

fn refuse_unwritable(inspected: &Inspected, options: &PlanOptions) -> Result<(), Refusal> {
    if let Some(detail) = inspected.foreign_part() {
        return Err(Refusal::Foreign { detail });
    }
    match inspected.condition() {
        Condition::Foreign { detail } => Err(Refusal::Foreign { detail }),
        Condition::Blank if !options.personalise_blank => Err(Refusal::BlankNotAllowed),
        Condition::Ours if inspected.findings.iter().any(Finding::is_as_delivered) => {
            Err(Refusal::Foreign {
                detail: "one of its sectors has the transport key beside a credential of this site",
            })
        }
        Condition::Blank | Condition::Ours | Condition::Torn => Ok(()),
    }
}

/// Everything a plan is made of, while it is being made.
struct Draft<'a> {
    inspected: &'a Inspected,
    credential: &'a Credential,
    keys: &'a SiteKeys,
    suspects: Suspects,
}

impl Draft<'_> {
    /// The credential is there already: at most what is left of another copy has to go.
    fn keep(&self, copy: CopyIndex, sequence: Sequence, digest: [u8; 32]) -> Plan {
        let mut steps = Steps::new(self.inspected.open);
        if self.has_to_go(copy.other()) {
            steps.zero(copy.other());
        }
        Plan {
            target: copy.other(),
            ..self.finish(copy, sequence, digest, steps)
        }
    }

    /// Writes beside the copy that counts, which stays whole until the new one has been read back.
    fn replace(&self, target: CopyIndex, sequence: Sequence) -> Result<Plan, Refusal> {
        let image = self.seal(target, sequence)?;
        let mut steps = Steps::new(self.inspected.open);
        steps.write(target, &image);
        if self.has_to_go(target.other()) {
            steps.zero(target.other());
        }
        Ok(self.finish(target, sequence, self.keys.digest(image.bytes()), steps))
    }

    /// No copy counts, so the sequence starts at 1, on whichever copy takes fewer exchanges. Whatever is left in the
    /// other copy is zeroed *before*: should it come back to life, its sequence would be the higher one. Where anything
    /// is suspect nothing that was read is relied on, and the other copy is zeroed whatever it reads as.
    fn start_over(&self) -> Result<Plan, Refusal> {
        let sequence = Sequence::FIRST;
        let on = |target: CopyIndex| {
            let image = self.seal(target, sequence)?;
            let mut steps = Steps::new(self.inspected.open);
            for copy in CopyIndex::BOTH {
                if self.inspected.finding(copy).is_as_delivered() {
                    steps.personalise(copy);
                }
            }
            if self.suspects != Suspects::NONE || self.has_to_go(target.other()) {
                steps.zero(target.other());
            }
            steps.write(target, &image);
            Ok(self.finish(target, sequence, self.keys.digest(image.bytes()), steps))
        };
        let (a, b) = (on(CopyIndex::A)?, on(CopyIndex::B)?);
        Ok(if b.steps() < a.steps() { b } else { a })
    }

    /// Whether a copy beside the one that is to count must be zeroed. A suspect one must, even if it reads as zeros: a
    /// block that was written weakly may read as programmed later, with the higher sequence.
    fn has_to_go(&self, copy: CopyIndex) -> bool {
        self.suspects.contains(copy) || self.inspected.needs_zeroing(copy)
    }

    fn seal(&self, copy: CopyIndex, sequence: Sequence) -> Result<Image, Refusal> {
        let place = Place {
            technology: self.inspected.technology,
            uid: self.inspected.presented.uid,
            copy,
        };
        Image::seal(self.keys.lock(), &place, sequence, self.credential)
    }

    fn finish(
        &self,
        counts: CopyIndex,
        sequence: Sequence,
        digest: [u8; 32],
        steps: Steps,
    ) -> Plan {
        Plan {
            presented: self.inspected.presented.clone(),
            technology: self.inspected.technology,
            open: self.inspected.open,
            operations: steps.operations,
            counts,
            sequence,
            target: counts,
            digest,
            overwrites: self.inspected.credential().cloned(),
        }
    }
}

/// The exchanges so far, and the sector that the card has open after them.
struct Steps {
    operations: Vec<Operation>,
    open: Option<OpenSector>,
}

impl Steps {
    fn new(open: Option<OpenSector>) -> Self {
        Self {
            operations: Vec::new(),
            open,
        }
    }

    /// Authenticates unless the card has that sector open with that key.
    fn open(&mut self, copy: CopyIndex, key: SectorKey, phase: Phase) {
        let open = OpenSector { copy, key };
        if self.open != Some(open) {
            self.operations
                .push(Operation::Authenticate { open, phase });
            self.open = Some(open);
        }
    }

    /// Writes the trailer and proves the new writing key, with which everything else can be mended.
    fn personalise(&mut self, copy: CopyIndex) {
        self.open(copy, SectorKey::Transport, Phase::Personalising);
        self.operations.push(Operation::WriteTrailer { copy });
        self.open(copy, SectorKey::Write, Phase::Personalising);
    }

    /// Writes a copy and reads it back. The first block goes last: wherever the card is taken off, a copy whose first
    /// block is void stays void, whatever an older credential has left in the others.
    fn write(&mut self, copy: CopyIndex, image: &Image) {
        self.open(copy, SectorKey::Write, Phase::Writing);
        for index in [1, 2, 0] {
            self.operations.push(Operation::WriteBlock {
                block: copy.sector().data_block(index),
                data: BlockData::new(image.block(index)),
            });
        }
        for index in [0, 1, 2] {
            self.operations.push(Operation::ReadBack {
                block: copy.sector().data_block(index),
                expected: BlockData::new(image.block(index)),
            });
        }
    }

    /// Voids a copy by zeroing its first block, and reads that back.
    fn zero(&mut self, copy: CopyIndex) {
        self.open(copy, SectorKey::Write, Phase::Writing);
        let block = copy.sector().data_block(0);
        self.operations.push(Operation::WriteBlock {
            block,
            data: BlockData::ZERO,
        });
        self.operations.push(Operation::ReadBack {
            block,
            expected: BlockData::ZERO,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspected::ValidCopy;
    use crate::{
        CardFunction, CredentialNumber, Doors, IssueNumber, KeyVersion, Minute, SelectAnswer,
        SiteKey, Validity,
    };

    fn credential(number: u32) -> Credential {
        Credential {
            number: CredentialNumber::new(number).unwrap(),
            function: CardFunction::Guest,
            validity: Validity::new(Minute::new(0).unwrap(), None).unwrap(),
            issue: IssueNumber::MIN,
            doors: Doors::default(),
        }
    }

    fn written_to_the_last_sequence() -> Inspected {
        Inspected {
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
            open: None,
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
