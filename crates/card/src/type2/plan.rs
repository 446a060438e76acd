//! The commands of a plan for a card of this family.

use zeroize::Zeroizing;

use super::inspect::{COUNTED, LOCKED};
use super::layout::{KEY, Layout, PAGE, Pages, Protection};
use super::prove::CardKey;
use super::{Access, Area};
use crate::card_bytes::CardBytes;
use crate::format::Image;
use crate::inspected::Condition;
use crate::placing::CopyIndex;
use crate::plan::{Course, Draft, Outline, Phase, Plan, Work as AnyWork};
use crate::{CardFormat, KeyVersion, PageData, Refusal, Sequence, Suspects, Technology, format};

/// How many pages at the end of an image hold its tag.
const TAG_PAGES: usize = 2;

/// One step of a plan.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// Prove the key of one of these versions, tried in this order.
    Prove {
        versions: Vec<KeyVersion>,
        phase: Phase,
    },
    /// Select the card again: keys that were written count from then on.
    Reselect,
    /// Write a page of the keys or of the configuration.
    Prepare {
        page: u8,
        data: PageData,
    },
    WritePage {
        page: u8,
        data: PageData,
    },
    /// Read pages in one exchange and compare.
    ReadBack {
        pages: Pages,
        expected: CardBytes,
        phase: Phase,
    },
}

impl Operation {
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self::Prove { phase, .. } | Self::ReadBack { phase, .. } => *phase,
            Self::Reselect | Self::Prepare { .. } => Phase::Personalising,
            Self::WritePage { .. } => Phase::Writing,
        }
    }
}

/// What is to be done to one card.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(super) access: Access,
    pub(super) operations: Vec<Operation>,
}

impl Work {
    /// How many steps it takes.
    pub(crate) fn steps(&self) -> usize {
        self.operations.len()
    }
}

/// Plans for a card of this family.
///
/// # Errors
/// As [`plan`](crate::plan()).
pub(crate) fn plan(draft: &Draft<'_>, area: &Area) -> Result<Plan, Refusal> {
    let technology = draft.inspected.technology;
    let layout = Layout::of(technology);
    refuse_unfit(draft, layout)?;
    let steps = || Steps {
        layout,
        area,
        operations: Vec::new(),
    };
    let (outline, steps) = match draft.course()? {
        Course::Keep {
            copy,
            sequence,
            digest,
        } => {
            let mut steps = steps();
            if has_two(layout) && draft.has_to_go(copy.other()) {
                steps.prove();
                steps.zero(copy.other());
            }
            (draft.outline_kept(copy, sequence, digest), steps)
        }
        Course::Replace { target, sequence } => {
            let image = draft.seal(target, sequence)?;
            let mut steps = steps();
            steps.prove();
            if has_two(layout) {
                steps.write(target, &image);
                if draft.has_to_go(target.other()) {
                    steps.zero(target.other());
                }
            } else {
                let trusted = !draft.suspects.contains(target);
                steps.write_over(&image, area.only_copy.as_ref().filter(|_| trusted));
            }
            (draft.outline(target, sequence, draft.digest(&image)), steps)
        }
        Course::StartOver => {
            let on = |target| start_over(draft, steps(), target);
            let a = on(CopyIndex::A)?;
            match has_two(layout).then(|| on(CopyIndex::B)).transpose()? {
                Some(b) if b.1.operations.len() < a.1.operations.len() => b,
                _ => a,
            }
        }
    };
    if !steps.operations.is_empty() {
        refuse_unwritable(area)?;
    }
    Ok(Plan {
        outline,
        work: AnyWork::Type2(Work {
            access: area.access.clone(),
            operations: steps.operations,
        }),
    })
}

/// Refuses a card with a credential of ours that cannot be written, or only at the risk of losing it.
fn refuse_unwritable(area: &Area) -> Result<(), Refusal> {
    if area.locked {
        return Err(Refusal::Foreign { detail: LOCKED });
    }
    if area.access == Access::Withheld {
        return Err(Refusal::Foreign { detail: COUNTED });
    }
    Ok(())
}

/// No copy counts: whatever protects the card is put right first, then everything is written.
fn start_over<'a>(
    draft: &Draft<'_>,
    mut steps: Steps<'a>,
    target: CopyIndex,
) -> Result<(Outline, Steps<'a>), Refusal> {
    let image = draft.seal(target, Sequence::FIRST)?;
    if draft.inspected.condition() == Condition::Ours {
        steps.prove();
    } else {
        steps.protect(draft);
    }
    if has_two(steps.layout) {
        if draft.has_to_go_before_start(target) {
            steps.zero(target.other());
        }
        steps.write(target, &image);
    } else {
        let blank = draft.inspected.condition() == Condition::Blank;
        if !blank || draft.suspects != Suspects::NONE {
            steps.void_tag(&image);
        }
        steps.write_over(&image, None);
    }
    let outline = draft.outline(target, Sequence::FIRST, draft.digest(&image));
    Ok((outline, steps))
}

fn has_two(layout: &Layout) -> bool {
    layout.copies.len() == 2
}

/// Refuses a credential that the placing cannot hold, and says what would fit.
fn refuse_unfit(draft: &Draft<'_>, layout: &Layout) -> Result<(), Refusal> {
    let (technology, format) = (draft.inspected.technology, draft.credential.format);
    if !technology.takes(format) {
        return Err(Refusal::DoesNotFit {
            detail: format!(
                "a {technology} holds {} only; choose that format, or use another type of card",
                CardFormat::Rfid48
            ),
        });
    }
    let (needed, capacity) = (format::length(draft.credential)?, layout.capacity());
    if needed <= capacity {
        return Ok(());
    }
    let doors = draft.credential.doors.additional.len();
    let too_many = (needed - capacity).div_ceil(2);
    let fewer = if too_many <= doors {
        format!("leave out {too_many} of its {doors} single doors, or ")
    } else {
        String::new()
    };
    Err(Refusal::DoesNotFit {
        detail: format!(
            "as {format} it takes {needed} bytes and a {technology} holds {capacity}; {fewer}use {}",
            holding(needed)
        ),
    })
}

/// The cards that hold that many bytes.
fn holding(needed: usize) -> String {
    let large: Vec<String> = [Technology::Ntag215, Technology::Ntag216]
        .into_iter()
        .filter(|technology| Layout::of(*technology).capacity() >= needed)
        .map(|technology| format!("an {technology}"))
        .collect();
    if large.is_empty() {
        return format!("a {}", Technology::MifareClassic4k);
    }
    large.join(" or ")
}

/// The steps so far.
struct Steps<'a> {
    layout: &'static Layout,
    area: &'a Area,
    operations: Vec<Operation>,
}

impl Steps<'_> {
    /// Opens the card for writing, unless it is open.
    fn prove(&mut self) {
        if let Access::Unproven(versions) = &self.area.access {
            self.operations.push(Operation::Prove {
                versions: versions.clone(),
                phase: Phase::Writing,
            });
        }
    }

    /// Makes the card ours, whatever was left of an earlier try: keys first, proved, and only then AUTH0, which makes the
    /// card ask for them. On a card that asks for them already the keys are left alone; AUTH0 is written again, since
    /// its page may have lost power while it was written.
    fn protect(&mut self, draft: &Draft<'_>) {
        let Some(configuration) = self.area.configuration else {
            return;
        };
        if self.area.access == Access::Open {
            let newest = draft.keys.newest();
            let inspected = draft.inspected;
            let key = CardKey::of(draft.keys, newest, &inspected.uid, inspected.technology)
                .expect("a ring holds its newest version");
            let (first, pages) = match (&key, self.layout.protection) {
                (CardKey::Password(pair), Protection::Password { cfg0, .. }) => {
                    (cfg0 + 2, pair.pages().to_vec())
                }
                (CardKey::TripleDes(key), _) => (KEY, key.pages().to_vec()),
                (CardKey::Password(_), _) => return,
            };
            for (page, data) in (first..).zip(pages) {
                self.operations.push(Operation::Prepare { page, data });
            }
            self.operations.push(Operation::Reselect);
            self.operations.push(Operation::Prove {
                versions: vec![newest],
                phase: Phase::Personalising,
            });
        }
        let (page, data) = configuration.protected();
        let expected = data.expose().to_vec();
        self.operations.push(Operation::Prepare { page, data });
        self.read_back(Pages::one(page), &expected, Phase::Personalising);
    }

    /// Writes a copy and reads it back. The first page goes last: wherever the card is taken off, a copy whose first
    /// page is void stays void, whatever an older credential has left in the others.
    fn write(&mut self, copy: CopyIndex, image: &Image) {
        let first = self.layout.copy(copy).first;
        for index in (1..image.units::<PAGE>()).chain([0]) {
            self.write_page(first, index, image);
        }
        self.verify(copy, image);
    }

    /// Makes sure that what was torn stays void: its sequence is not known, so that the new image may share pages with it,
    /// and writing just the one that was torn could bring it back to life.
    fn void_tag(&mut self, image: &Image) {
        let first = self.layout.copies[0].first;
        self.operations.push(Operation::WritePage {
            page: first + (image.units::<PAGE>() - TAG_PAGES) as u8,
            data: PageData::ZERO,
        });
    }

    /// Writes over the only copy: pages that change, or all, the tag last, and reads it back.
    fn write_over(&mut self, image: &Image, before: Option<&CardBytes>) {
        let pages = image.units::<PAGE>();
        for index in 0..pages {
            let unit = image.unit::<PAGE>(index);
            let stays =
                before.is_some_and(|before| before.bytes()[index * PAGE..].starts_with(&unit));
            if index + TAG_PAGES >= pages || !stays {
                self.write_page(self.layout.copies[0].first, index, image);
            }
        }
        self.verify(CopyIndex::A, image);
    }

    fn write_page(&mut self, first: u8, index: usize, image: &Image) {
        self.operations.push(Operation::WritePage {
            page: first + index as u8,
            data: PageData::new(image.unit(index)),
        });
    }

    fn verify(&mut self, copy: CopyIndex, image: &Image) {
        let pages = self.layout.copy(copy).holding(image.bytes().len());
        let mut expected = Zeroizing::new(image.bytes().to_vec());
        expected.resize(pages.bytes(), 0);
        self.read_back(pages, &expected, Phase::Verifying);
    }

    /// Reads pages back, as many in one exchange as the card gives.
    fn read_back(&mut self, pages: Pages, expected: &[u8], phase: Phase) {
        let mut first = pages.first;
        for expected in expected.chunks(self.layout.pages_per_exchange() * PAGE) {
            let pages = Pages::new(first, first + (expected.len() / PAGE - 1) as u8);
            self.operations.push(Operation::ReadBack {
                pages,
                expected: CardBytes::new(expected.to_vec()),
                phase,
            });
            first = pages.last.saturating_add(1);
        }
    }

    /// Voids a copy by zeroing its first page, and reads that back.
    fn zero(&mut self, copy: CopyIndex) {
        let page = self.layout.copy(copy).first;
        self.operations.push(Operation::WritePage {
            page,
            data: PageData::ZERO,
        });
        self.read_back(Pages::one(page), PageData::ZERO.expose(), Phase::Verifying);
    }
}
