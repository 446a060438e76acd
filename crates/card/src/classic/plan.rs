//! The commands of a plan for a MIFARE Classic.

use super::Area;
use super::session::{OpenSector, SectorKey, sector};
use crate::format::Image;
use crate::placing::CopyIndex;
use crate::plan::{Course, Draft, Phase, Plan, Work as AnyWork};
use crate::{BlockData, Refusal, Sequence};

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

/// What is to be done to one card.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// The sector that the inspection left open.
    pub(crate) open: Option<OpenSector>,
    pub(crate) operations: Vec<Operation>,
}

/// Plans for a MIFARE Classic.
///
/// # Errors
/// As [`plan`](crate::plan()).
pub(crate) fn plan(draft: &Draft<'_>, area: &Area) -> Result<Plan, Refusal> {
    let done = |outline, steps: Steps| Plan {
        outline,
        work: AnyWork::Classic(Work {
            open: area.open,
            operations: steps.operations,
        }),
    };
    let steps = || Steps::new(area.open);
    match draft.course()? {
        Course::Keep {
            copy,
            sequence,
            digest,
        } => {
            let mut steps = steps();
            if draft.has_to_go(copy.other()) {
                steps.zero(copy.other());
            }
            Ok(done(draft.outline_kept(copy, sequence, digest), steps))
        }
        Course::Replace { target, sequence } => {
            let image = draft.seal(target, sequence)?;
            let mut steps = steps();
            steps.write(target, &image);
            if draft.has_to_go(target.other()) {
                steps.zero(target.other());
            }
            let outline = draft.outline(target, sequence, draft.digest(&image));
            Ok(done(outline, steps))
        }
        Course::StartOver => {
            let on = |target: CopyIndex| {
                let image = draft.seal(target, Sequence::FIRST)?;
                let mut steps = steps();
                for copy in CopyIndex::BOTH {
                    if draft.inspected.finding(copy).is_as_delivered() {
                        steps.personalise(copy);
                    }
                }
                if draft.has_to_go_before_start(target) {
                    steps.zero(target.other());
                }
                steps.write(target, &image);
                let outline = draft.outline(target, Sequence::FIRST, draft.digest(&image));
                Ok(done(outline, steps))
            };
            let (a, b) = (on(CopyIndex::A)?, on(CopyIndex::B)?);
            Ok(if b.steps() < a.steps() { b } else { a })
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
                block: sector(copy).data_block(index),
                data: BlockData::new(image.unit(index)),
            });
        }
        for index in [0, 1, 2] {
            self.operations.push(Operation::ReadBack {
                block: sector(copy).data_block(index),
                expected: BlockData::new(image.unit(index)),
            });
        }
    }

    /// Voids a copy by zeroing its first block, and reads that back.
    fn zero(&mut self, copy: CopyIndex) {
        self.open(copy, SectorKey::Write, Phase::Writing);
        let block = sector(copy).data_block(0);
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
