//! Finding out whose card it is and what it holds, with the fewest exchanges and without changing anything.
//!
//! A sector is opened with the key that [`Write`](crate::Write) will need, and the last one is left open for it. A copy whose
//! first block cannot belong to a valid image is void, so the rest of it is not read; a longer image's further sectors are
//! opened only when its header says that there are some. An encode also opens the sectors that it is going to write, so
//! that whatever does not fit is refused before the first write.

use std::mem;

use zeroize::Zeroizing;

use super::blank::{is_zero, may_be_blank};
use super::geometry::per_copy;
use super::session::{CardKeys, OpenSector, SectorKey, read, reads};
use super::trailer::is_as_delivered;
use super::visit::{Visit, Why};
use super::{Area, Sector, room};
use crate::changes::Contents;
use crate::copies::Counts;
use crate::inspect::Task;
use crate::inspected::{self, Finding, Inspected, ValidCopy};
use crate::placing::{CopyIndex, Place};
use crate::{
    Command, KeyVersion, PresentedCard, Procedure, Purpose, Refusal, Reply, Step, Technology,
    copies, format,
};

const NO_KEY: &str = "a sector opens neither with this site's key nor with the transport key";
const CONTENT: &str = "it opens with the transport key but is not empty";
const TRAILER: &str = "it opens with the transport key but its sector trailer is not as delivered";
const UNREADABLE: &str = "it opens with the transport key but cannot be read";

/// The inspection of one card. It answers a refused key by selecting the card again and trying the next one, each key
/// at most once on a sector.
pub(crate) struct Inspect {
    presented: PresentedCard,
    pub(super) technology: Technology,
    pub(super) keys: CardKeys,
    pub(super) purpose: Purpose,
    pub(super) findings: [Finding; 2],
    pub(super) area: Area,
    /// The keys that sectors refused: none is tried there again.
    pub(super) refused: Vec<OpenSector>,
    /// Whether a card with a credential has shown that it was not prepared as far as the image reaches.
    pub(super) room_ends: bool,
    /// What was read of the copy, or of the sector if that is as delivered.
    read: Zeroizing<Vec<u8>>,
    /// The length of the image that is being read.
    length: usize,
    contents: Contents,
    state: State,
}

enum State {
    Start,
    Opening { visit: Visit, key: SectorKey },
    Reselecting(AfterReselect),
    Reading { visit: Visit, index: usize },
    ReadingTrailer { visit: Visit },
    Over,
}

enum AfterReselect {
    TryNextKey(Visit),
    Foreign(CopyIndex, &'static str),
    Refuse(Refusal),
}

impl Inspect {
    /// Prepares the inspection of a MIFARE Classic that lies on the encoder, selected.
    pub(crate) fn new(task: Task, technology: Technology) -> Self {
        Self {
            keys: CardKeys::new(task.keys, task.presented.uid, technology),
            presented: task.presented,
            technology,
            purpose: task.purpose,
            findings: [Finding::Unseen, Finding::Unseen],
            area: Area::default(),
            refused: Vec::new(),
            room_ends: false,
            read: Zeroizing::default(),
            length: 0,
            contents: Contents::default(),
            state: State::Start,
        }
    }

    pub(super) fn site_key(&self, version: KeyVersion) -> SectorKey {
        match self.purpose {
            Purpose::Scan => SectorKey::Read(version),
            Purpose::Encode { .. } => SectorKey::Write(version),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        copies::which_counts(self.findings.each_ref().map(|finding| match finding {
            Finding::Valid(valid) => Some((valid.sequence, &valid.credential)),
            _ => None,
        }))
    }

    pub(super) fn holds_a_credential(&self) -> bool {
        self.counts() != Counts::Neither
    }

    fn begin(&mut self) -> Step<Inspected> {
        if let Purpose::Encode { image_length, .. } = self.purpose
            && let Err(refusal) = room::check_card(self.technology, image_length)
        {
            return Step::Done(Err(refusal));
        }
        self.go_on()
    }

    /// Opens the next sector, or ends.
    fn go_on(&mut self) -> Step<Inspected> {
        match self.next_visit() {
            Some(visit) => {
                self.read.clear();
                self.authenticate(visit)
            }
            None => Step::Done(Ok(Inspected {
                presented: self.presented.clone(),
                uid: self.presented.uid,
                technology: self.technology,
                findings: self.findings.clone(),
                area: inspected::Area::Classic(self.area.clone()),
                contents: mem::take(&mut self.contents),
            })),
        }
    }

    /// Tries the next key of a visit.
    fn authenticate(&mut self, mut visit: Visit) -> Step<Inspected> {
        let Some(key) = visit.keys.pop_front() else {
            return self.no_key(&visit);
        };
        let sector = visit.sector;
        self.state = State::Opening { visit, key };
        reads(self.keys.authenticate(OpenSector { sector, key }))
    }

    fn key_was_refused(&mut self, visit: Visit, key: SectorKey) -> Step<Inspected> {
        let sector = visit.sector;
        self.refused.push(OpenSector { sector, key });
        self.reselect(AfterReselect::TryNextKey(visit))
    }

    /// A sector has refused every key.
    fn no_key(&mut self, visit: &Visit) -> Step<Inspected> {
        match visit.why {
            Why::Rest => self.conclude(visit.sector.copy(), Finding::Void { clean: false }),
            Why::Room if self.holds_a_credential() => {
                self.room_ends = true;
                self.go_on()
            }
            Why::First | Why::Room => self.conclude(visit.sector.copy(), Finding::Foreign(NO_KEY)),
        }
    }

    fn opened(&mut self, visit: Visit, key: SectorKey) -> Step<Inspected> {
        let sector = visit.sector;
        self.area.record(OpenSector { sector, key });
        if visit.why == Why::Room && key != SectorKey::Transport {
            return self.go_on();
        }
        self.read_block(visit, 0)
    }

    fn reselect(&mut self, then: AfterReselect) -> Step<Inspected> {
        self.area.open = None;
        self.state = State::Reselecting(then);
        reads(Command::Reselect)
    }

    fn reselected(&mut self, card: &PresentedCard, then: AfterReselect) -> Step<Inspected> {
        if card.uid != self.presented.uid {
            return Step::Done(Err(Refusal::Swapped));
        }
        match then {
            AfterReselect::TryNextKey(visit) => self.authenticate(visit),
            AfterReselect::Foreign(copy, detail) => self.conclude(copy, Finding::Foreign(detail)),
            AfterReselect::Refuse(refusal) => Step::Done(Err(refusal)),
        }
    }

    fn read_block(&mut self, visit: Visit, index: usize) -> Step<Inspected> {
        let block = visit.sector.data_block(index);
        self.state = State::Reading { visit, index };
        read(block)
    }

    fn block_was_read(&mut self, visit: Visit, index: usize, block: &[u8; 16]) -> Step<Inspected> {
        self.read.extend_from_slice(block);
        self.contents.keep(visit.sector.data_block(index), block);
        if self.opened_with_transport_key() {
            return self.delivered_block_was_read(visit, index);
        }
        if visit.why == Why::First && index == 0 {
            match self.image_length(block) {
                Some(length) => self.length = length,
                None => {
                    let clean = *block == [0; 16];
                    return self.conclude(visit.sector.copy(), Finding::Void { clean });
                }
            }
        }
        if self.read.len() >= self.length {
            return self.open_image(visit.sector.copy());
        }
        if index + 1 < Sector::DATA_BLOCKS {
            return self.read_block(visit, index + 1);
        }
        let next = Sector::of(visit.sector.copy(), visit.sector.nth() + 1);
        let rest = self.visit(next, Why::Rest, false);
        self.authenticate(rest)
    }

    fn opened_with_transport_key(&self) -> bool {
        self.area
            .open
            .is_some_and(|open| open.key == SectorKey::Transport)
    }

    fn delivered_block_was_read(&mut self, visit: Visit, index: usize) -> Step<Inspected> {
        if !may_be_blank(visit.sector, &self.read) {
            return self.conclude(visit.sector.copy(), Finding::Foreign(CONTENT));
        }
        if index + 1 < Sector::DATA_BLOCKS {
            return self.read_block(visit, index + 1);
        }
        let trailer = visit.sector.trailer();
        self.state = State::ReadingTrailer { visit };
        read(trailer)
    }

    fn trailer_was_read(&mut self, visit: &Visit, trailer: &[u8; 16]) -> Step<Inspected> {
        if !is_as_delivered(trailer) {
            return self.conclude(visit.sector.copy(), Finding::Foreign(TRAILER));
        }
        self.contents.keep(visit.sector.trailer(), trailer);
        match visit.why {
            Why::First | Why::Rest => {
                let clean = is_zero(&self.read[..16]);
                self.conclude(visit.sector.copy(), Finding::AsDelivered { clean })
            }
            Why::Room => self.go_on(),
        }
    }

    /// The length of the image that starts with this block, if it can be ours and fits the card.
    fn image_length(&self, block: &[u8; 16]) -> Option<usize> {
        format::length_if_ours(block, self.keys.site().lock())
            .filter(|length| *length <= per_copy(self.technology) * Sector::BYTES)
    }

    fn open_image(&mut self, copy: CopyIndex) -> Step<Inspected> {
        let place = Place {
            technology: self.technology,
            uid: self.presented.uid,
            copy,
        };
        let site = self.keys.site();
        let finding = match format::open(&self.read, site.lock(), &place) {
            Ok(opened) => Finding::Valid(ValidCopy::new(opened, &self.read, site)),
            Err(_) => Finding::Void { clean: false },
        };
        self.conclude(copy, finding)
    }

    fn conclude(&mut self, copy: CopyIndex, finding: Finding) -> Step<Inspected> {
        self.findings[copy.index()] = finding;
        self.go_on()
    }

    fn read_refused(&mut self, visit: &Visit) -> Step<Inspected> {
        let then = if self.opened_with_transport_key() {
            AfterReselect::Foreign(visit.sector.copy(), UNREADABLE)
        } else {
            AfterReselect::Refuse(Refusal::CardRefused {
                doing: "read a block",
            })
        };
        self.reselect(then)
    }
}

impl Procedure for Inspect {
    type Output = Inspected;

    fn next(&mut self, last: Option<Reply>) -> Step<Inspected> {
        let state = mem::replace(&mut self.state, State::Over);
        match (state, last.as_ref()) {
            (State::Start, None) => self.begin(),
            (State::Opening { visit, key }, Some(Reply::Done)) => self.opened(visit, key),
            (State::Opening { visit, key }, Some(Reply::Refused)) => {
                self.key_was_refused(visit, key)
            }
            (State::Reselecting(then), Some(Reply::Reselected(card))) => {
                self.reselected(card, then)
            }
            (State::Reading { visit, index }, Some(Reply::Data(bytes))) => {
                match <&[u8; 16]>::try_from(bytes.as_slice()) {
                    Ok(block) => self.block_was_read(visit, index, block),
                    Err(_) => nonsense("read a block"),
                }
            }
            (State::ReadingTrailer { visit }, Some(Reply::Data(bytes))) => {
                match <&[u8; 16]>::try_from(bytes.as_slice()) {
                    Ok(trailer) => self.trailer_was_read(&visit, trailer),
                    Err(_) => nonsense("read a sector trailer"),
                }
            }
            (
                State::Reading { visit, .. } | State::ReadingTrailer { visit },
                Some(Reply::Refused),
            ) => self.read_refused(&visit),
            _ => nonsense("be inspected"),
        }
    }
}

fn nonsense(doing: &'static str) -> Step<Inspected> {
    Step::Done(Err(Refusal::Nonsense { doing }))
}
