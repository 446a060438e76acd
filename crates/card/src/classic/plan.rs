//! The commands of a plan for a MIFARE Classic.

use super::session::{OpenSector, SectorKey};
use super::{Area, Sector, room};
use crate::copies::Counts;
use crate::format::Image;
use crate::inspected::Finding;
use crate::placing::CopyIndex;
use crate::plan::{Course, Draft, Phase, Plan, Work as AnyWork};
use crate::{BlockData, KeyVersion, Refusal, Sequence};

/// One exchange of a plan.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Authenticate {
        open: OpenSector,
        phase: Phase,
    },
    WriteTrailer {
        sector: Sector,
    },
    WriteBlock {
        sector: Sector,
        index: usize,
        data: BlockData,
    },
    ReadBack {
        block: u8,
        expected: BlockData,
    },
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
    let mut steps = Steps::new(area, draft.keys.newest());
    match draft.course()? {
        Course::Keep {
            copy,
            sequence,
            digest,
        } => {
            if draft.has_to_go(copy.other()) {
                steps.zero(copy.other());
            }
            Ok(done(draft.outline_kept(copy, sequence, digest), steps))
        }
        Course::Replace { target, sequence } => {
            let image = draft.seal(target, sequence)?;
            steps.check_prepared(&[target], &image)?;
            steps.write(target, &image);
            if draft.has_to_go(target.other()) {
                steps.zero(target.other());
            }
            let outline = draft.outline(target, sequence, draft.digest(&image));
            Ok(done(outline, steps))
        }
        Course::StartOver => {
            if draft.inspected.counts() == Counts::Neither {
                if may_be_half_prepared(draft) {
                    steps.personalise_last_again();
                }
                steps.personalise_delivered();
            }
            let on = |target: CopyIndex| {
                let image = draft.seal(target, Sequence::FIRST)?;
                let mut steps = steps.clone();
                steps.check_prepared(&CopyIndex::BOTH, &image)?;
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

/// Whether the card may have left in the midst of its preparation: nothing was ever written to either copy.
fn may_be_half_prepared(draft: &Draft<'_>) -> bool {
    let untouched = |copy| {
        matches!(
            draft.inspected.finding(copy),
            Finding::Void { clean: true } | Finding::AsDelivered { .. }
        )
    };
    CopyIndex::BOTH.into_iter().all(untouched)
}

/// The exchanges so far, and what they leave.
#[derive(Clone)]
struct Steps {
    operations: Vec<Operation>,
    area: Area,
    newest: KeyVersion,
}

impl Steps {
    fn new(area: &Area, newest: KeyVersion) -> Self {
        Self {
            operations: Vec::new(),
            area: area.clone(),
            newest,
        }
    }

    /// Authenticates unless the card has that sector open with that key.
    fn open(&mut self, sector: Sector, key: SectorKey, phase: Phase) {
        let open = OpenSector { sector, key };
        if self.area.open != Some(open) {
            self.operations
                .push(Operation::Authenticate { open, phase });
            self.area.record(open);
        }
    }

    fn open_to_write(&mut self, sector: Sector) {
        self.open_to_write_in(sector, Phase::Writing);
    }

    /// Opens a sector with the key that writes, of the version that the sector has.
    fn open_to_write_in(&mut self, sector: Sector, phase: Phase) {
        let version = match self.area.key(sector) {
            Some(SectorKey::Read(version) | SectorKey::Write(version)) => version,
            Some(SectorKey::Transport) | None => self.newest,
        };
        self.open(sector, SectorKey::Write(version), phase);
    }

    /// Writes the trailer of the last sector of ours once more. Where a preparation was broken off it is the one that was in
    /// flight: it opened just now, but weakly written cells may let it down later, when a credential is behind it.
    fn personalise_last_again(&mut self) {
        let ours = self.area.ours();
        if let Some(last) = ours.max_by_key(|sector| sector.number()) {
            self.open_to_write_in(last, Phase::Personalising);
            self.write_trailer(last);
        }
    }

    /// Prepares every sector that is as delivered, by rising numbers: a card that was prepared in part has
    /// sectors of ours up to some number and none after it.
    fn personalise_delivered(&mut self) {
        let mut delivered: Vec<Sector> = self.area.delivered().collect();
        delivered.sort_unstable_by_key(|sector| sector.number());
        for sector in delivered {
            self.personalise(sector);
        }
    }

    /// Makes a sector as delivered ours.
    fn personalise(&mut self, sector: Sector) {
        self.open(sector, SectorKey::Transport, Phase::Personalising);
        self.write_trailer(sector);
    }

    /// Writes the trailer of the open sector and proves its new writing key: the card is asked for it, although it has the
    /// sector open.
    fn write_trailer(&mut self, sector: Sector) {
        self.operations.push(Operation::WriteTrailer { sector });
        self.area.open = None;
        let key = SectorKey::Write(self.newest);
        self.open(sector, key, Phase::Personalising);
    }

    /// Whether the sectors that an image takes in these copies are ours by now.
    ///
    /// # Errors
    /// [`Refusal::DoesNotFit`].
    fn check_prepared(&self, copies: &[CopyIndex], image: &Image) -> Result<(), Refusal> {
        let length = image.bytes().len();
        let is_ours = |nth: &usize| {
            copies.iter().all(|copy| {
                let key = self.area.key(Sector::of(*copy, *nth));
                !matches!(key, None | Some(SectorKey::Transport))
            })
        };
        match (0..room::needed(length)).find(|nth| !is_ours(nth)) {
            Some(prepared) => Err(room::too_few(prepared, length)),
            None => Ok(()),
        }
    }

    /// Writes a copy and reads it back, its first sector last and that one's first block last of all: wherever the card is
    /// taken off, a copy whose first block is void stays void, whatever an older credential has left in the others.
    fn write(&mut self, copy: CopyIndex, image: &Image) {
        let blocks = image.units::<16>();
        for nth in (0..image.units::<{ Sector::BYTES }>()).rev() {
            let sector = Sector::of(copy, nth);
            let first = nth * Sector::DATA_BLOCKS;
            let held = Sector::DATA_BLOCKS.min(blocks - first);
            let content = |index: usize| BlockData::new(image.unit(first + index));
            self.open_to_write(sector);
            for index in (1..held).chain([0]) {
                self.operations.push(Operation::WriteBlock {
                    sector,
                    index,
                    data: content(index),
                });
            }
            for index in 0..held {
                self.operations.push(Operation::ReadBack {
                    block: sector.data_block(index),
                    expected: content(index),
                });
            }
        }
    }

    /// Voids a copy by zeroing its first block, and reads that back.
    fn zero(&mut self, copy: CopyIndex) {
        let sector = Sector::of(copy, 0);
        self.open_to_write(sector);
        self.operations.push(Operation::WriteBlock {
            sector,
            index: 0,
            data: BlockData::ZERO,
        });
        self.operations.push(Operation::ReadBack {
            block: sector.data_block(0),
            expected: BlockData::ZERO,
        });
    }
}
