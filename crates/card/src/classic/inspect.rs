//! Finding out whose card it is and what it holds, with the fewest exchanges and without changing anything.
//!
//! Copy B is looked at before copy A: a blank card is then left with sector 1 open, whose trailer is written first.
//! A sector is opened with the key that [`Write`](crate::Write) will need, and is left open for it. A copy whose first
//! block cannot belong to a valid image is void, so the rest of it is not read.

use std::mem;

use zeroize::Zeroizing;

use super::session::{CardKeys, OpenSector, SectorKey, read, reads, sector};
use super::{Area, Sector, is_as_delivered};
use crate::changes::Contents;
use crate::inspect::Task;
use crate::inspected::{self, Finding, Inspected, ValidCopy};
use crate::placing::{CopyIndex, Place};
use crate::{
    Command, PresentedCard, Procedure, Purpose, Refusal, Reply, SiteKeys, Step, Technology, format,
};

const NO_KEY: &str = "a sector opens neither with this site's key nor with the transport key";
const CONTENT: &str = "it opens with the transport key but is not empty";
const TRAILER: &str = "it opens with the transport key but its sector trailer is not as delivered";
const UNREADABLE: &str = "it opens with the transport key but cannot be read";

/// The order in which the copies are looked at.
const ORDER: [CopyIndex; 2] = [CopyIndex::B, CopyIndex::A];

/// The inspection of one card. It answers a refused key by selecting the card again and trying the next one, each key
/// at most once.
pub(crate) struct Inspect {
    presented: PresentedCard,
    technology: Technology,
    site: SiteKeys,
    keys: CardKeys,
    purpose: Purpose,
    /// How many copies are done.
    done: usize,
    findings: [Finding; 2],
    open: Option<OpenSector>,
    read: Zeroizing<[u8; 48]>,
    contents: Contents,
    state: State,
}

enum State {
    Start,
    Opening {
        key: SectorKey,
        fallback: Option<SectorKey>,
    },
    Reselecting(AfterReselect),
    Reading {
        index: usize,
    },
    ReadingTrailer,
    Over,
}

enum AfterReselect {
    Open(SectorKey),
    Conclude(Finding),
    Refuse(Refusal),
}

impl Inspect {
    /// Prepares the inspection of a MIFARE Classic that lies on the encoder, selected.
    pub(crate) fn new(task: Task, technology: Technology) -> Self {
        Self {
            keys: CardKeys::derive(&task.keys, &task.presented.uid, technology),
            presented: task.presented,
            technology,
            site: task.keys,
            purpose: task.purpose,
            done: 0,
            findings: [Finding::Unseen, Finding::Unseen],
            open: None,
            read: Zeroizing::new([0; 48]),
            contents: Contents::default(),
            state: State::Start,
        }
    }

    fn copy(&self) -> CopyIndex {
        ORDER[self.done]
    }

    fn sector(&self) -> Sector {
        sector(self.copy())
    }

    fn site_key(&self) -> SectorKey {
        match self.purpose {
            Purpose::Scan => SectorKey::Read,
            Purpose::Encode { .. } => SectorKey::Write,
        }
    }

    /// Opens the next sector. The key that opened the sector before is tried first; a transport key that was refused
    /// once is not tried again.
    fn begin_copy(&mut self) -> Step<Inspected> {
        let before = self.done.checked_sub(1).map(|at| ORDER[at].index());
        let (key, fallback) = match before.map(|index| &self.findings[index]) {
            None | Some(Finding::Void { .. } | Finding::Valid(_)) => {
                (self.site_key(), Some(SectorKey::Transport))
            }
            Some(Finding::AsDelivered { .. }) => (SectorKey::Transport, Some(self.site_key())),
            Some(Finding::Foreign(_) | Finding::Unseen | Finding::Absent) => {
                (self.site_key(), None)
            }
        };
        self.authenticate(key, fallback)
    }

    fn authenticate(&mut self, key: SectorKey, fallback: Option<SectorKey>) -> Step<Inspected> {
        self.state = State::Opening { key, fallback };
        reads(self.keys.authenticate(OpenSector {
            copy: self.copy(),
            key,
        }))
    }

    fn reselect(&mut self, then: AfterReselect) -> Step<Inspected> {
        self.open = None;
        self.state = State::Reselecting(then);
        reads(Command::Reselect)
    }

    fn after_reselect(&mut self, card: &PresentedCard, then: AfterReselect) -> Step<Inspected> {
        if card.uid != self.presented.uid {
            return Step::Done(Err(Refusal::Swapped));
        }
        match then {
            AfterReselect::Open(key) => self.authenticate(key, None),
            AfterReselect::Conclude(finding) => self.conclude(finding),
            AfterReselect::Refuse(refusal) => Step::Done(Err(refusal)),
        }
    }

    fn read_block(&mut self, index: usize) -> Step<Inspected> {
        self.state = State::Reading { index };
        read(self.sector().data_block(index))
    }

    fn block_was_read(&mut self, index: usize, block: &[u8; 16]) -> Step<Inspected> {
        self.read[index * 16..index * 16 + 16].copy_from_slice(block);
        self.contents.keep(self.sector().data_block(index), block);
        let last = index + 1 == Sector::DATA_BLOCKS;
        if self.opened_with_transport_key() {
            if !self.may_be_blank(index) {
                return self.conclude(Finding::Foreign(CONTENT));
            }
            if last {
                self.state = State::ReadingTrailer;
                return read(self.sector().trailer());
            }
        } else {
            if index == 0 && format::length_if_ours(block, self.site.lock()).is_none() {
                let clean = *block == [0; 16];
                return self.conclude(Finding::Void { clean });
            }
            if last {
                let finding = self.open_image();
                return self.conclude(finding);
            }
        }
        self.read_block(index + 1)
    }

    fn opened_with_transport_key(&self) -> bool {
        self.open
            .is_some_and(|open| open.key == SectorKey::Transport)
    }

    /// Whether what was read so far, up to block `index`, can be a blank card: zeros, or an empty NDEF message at the
    /// begin of the first data sector.
    fn may_be_blank(&self, index: usize) -> bool {
        let read = &self.read[..index * 16 + 16];
        is_zero(read) || (self.copy() == CopyIndex::A && is_empty_ndef(read))
    }

    fn open_image(&self) -> Finding {
        let place = Place {
            technology: self.technology,
            uid: self.presented.uid,
            copy: self.copy(),
        };
        let bytes = &self.read[..];
        match format::open(bytes, self.site.lock(), &place) {
            Ok(opened) => Finding::Valid(ValidCopy::new(opened, bytes, &self.site)),
            Err(_) => Finding::Void { clean: false },
        }
    }

    fn conclude(&mut self, finding: Finding) -> Step<Inspected> {
        let foreign = matches!(finding, Finding::Foreign(_));
        self.findings[self.copy().index()] = finding;
        self.done += 1;
        if self.done < ORDER.len() && !(foreign && self.purpose != Purpose::Scan) {
            return self.begin_copy();
        }
        Step::Done(Ok(Inspected {
            presented: self.presented.clone(),
            uid: self.presented.uid,
            technology: self.technology,
            findings: self.findings.clone(),
            area: inspected::Area::Classic(Area { open: self.open }),
            contents: mem::take(&mut self.contents),
        }))
    }
}

impl Procedure for Inspect {
    type Output = Inspected;

    fn next(&mut self, last: Option<Reply>) -> Step<Inspected> {
        let state = mem::replace(&mut self.state, State::Over);
        match (state, last.as_ref()) {
            (State::Start, None) => self.begin_copy(),
            (State::Opening { key, .. }, Some(Reply::Done)) => {
                self.open = Some(OpenSector {
                    copy: self.copy(),
                    key,
                });
                self.read_block(0)
            }
            (State::Opening { fallback, .. }, Some(Reply::Refused)) => {
                self.reselect(fallback.map_or(
                    AfterReselect::Conclude(Finding::Foreign(NO_KEY)),
                    AfterReselect::Open,
                ))
            }
            (State::Reselecting(then), Some(Reply::Reselected(card))) => {
                self.after_reselect(card, then)
            }
            (State::Reading { index }, Some(Reply::Data(bytes))) => {
                match <&[u8; 16]>::try_from(bytes.as_slice()) {
                    Ok(block) => self.block_was_read(index, block),
                    Err(_) => Step::Done(Err(Refusal::Nonsense {
                        doing: "read a block",
                    })),
                }
            }
            (State::ReadingTrailer, Some(Reply::Data(bytes))) => {
                match <&[u8; 16]>::try_from(bytes.as_slice()) {
                    Ok(trailer) if is_as_delivered(trailer) => {
                        self.contents.keep(self.sector().trailer(), trailer);
                        let clean = is_zero(&self.read[..16]);
                        self.conclude(Finding::AsDelivered { clean })
                    }
                    Ok(_) => self.conclude(Finding::Foreign(TRAILER)),
                    Err(_) => Step::Done(Err(Refusal::Nonsense {
                        doing: "read a sector trailer",
                    })),
                }
            }
            (State::Reading { .. } | State::ReadingTrailer, Some(Reply::Refused)) => {
                let then = if self.opened_with_transport_key() {
                    AfterReselect::Conclude(Finding::Foreign(UNREADABLE))
                } else {
                    AfterReselect::Refuse(Refusal::CardRefused {
                        doing: "read a block",
                    })
                };
                self.reselect(then)
            }
            _ => Step::Done(Err(Refusal::Nonsense {
                doing: "be inspected",
            })),
        }
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Whether the bytes are the begin of a data area that holds an empty NDEF message and nothing else (NFC Forum
/// Type 2 Tag 1.1, 2.3, whose TLVs AN1304 puts on MIFARE Classic): NULL TLVs, one NDEF TLV that is empty or holds
/// the empty record, a terminator, zeros.
fn is_empty_ndef(bytes: &[u8]) -> bool {
    let start = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    let message = &bytes[start..];
    [&[0x03, 0x00][..], &[0x03, 0x03, 0xD0, 0x00, 0x00]]
        .into_iter()
        .any(|empty| {
            message
                .strip_prefix(empty)
                .is_some_and(|rest| is_zero(rest.strip_prefix(&[0xFE]).unwrap_or(rest)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_ndef_message_is_no_content_and_anything_in_it_is() {
        for (bytes, empty) in [
            ("0300FE0000000000", true),
            ("00000300FE000000", true),
            ("0303D00000FE0000", true),
            ("0300000000000000", true),
            ("0301D000FE000000", false),
            ("0300FE0000000001", false),
            ("FE00000000000000", false),
            ("0000000000000000", false),
        ] {
            assert_eq!(
                is_empty_ndef(&hex::decode(bytes).unwrap()),
                empty,
                "{bytes}"
            );
        }
    }
}
