//! Which sector an inspection opens next, what for, and with which keys.
//!
//! Copy B's first sector comes first. A blank card's other sectors follow and sector 1 is the last, so that it is left open:
//! its trailer is the first to be written. Every other card's first sector of copy A comes second, and then only the
//! sectors that are going to be written.

use std::collections::VecDeque;

use super::Sector;
use super::inspect::Inspect;
use super::room;
use super::session::{OpenSector, SectorKey};
use crate::Purpose;
use crate::copies::Counts;
use crate::inspected::Finding;
use crate::placing::CopyIndex;

/// One sector that is to be opened.
pub(crate) struct Visit {
    pub(crate) sector: Sector,
    pub(crate) why: Why,
    /// The keys that have not been tried, the likeliest first.
    pub(crate) keys: VecDeque<SectorKey>,
}

/// What a sector is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is the first of its copy: is there one?
    First,
    /// It holds more of the copy.
    Rest,
    /// It is going to be written: may it be?
    Room,
}

impl Inspect {
    /// The next sector, or `None` when everything that matters was seen.
    pub(super) fn next_visit(&self) -> Option<Visit> {
        let foreign = self.findings.iter().any(is_foreign);
        if foreign && self.purpose != Purpose::Scan {
            return None;
        }
        let [a, b] = &self.findings;
        if *b == Finding::Unseen {
            return Some(self.visit(Sector::of(CopyIndex::B, 0), Why::First, !foreign));
        }
        if *a == Finding::Unseen {
            let room = match b.is_as_delivered() {
                true => self.unopened(&CopyIndex::BOTH, self.room_on_a_blank()),
                false => None,
            };
            return Some(match room {
                Some(sector) => self.visit(sector, Why::Room, true),
                None => self.visit(Sector::of(CopyIndex::A, 0), Why::First, !foreign),
            });
        }
        if self.room_ends {
            return None;
        }
        let (copies, sectors) = self.wanted();
        let sector = self.unopened(copies, sectors)?;
        Some(self.visit(sector, Why::Room, !self.holds_a_credential()))
    }

    /// The copies that can be written, now that the first sectors are known, and how many sectors of each.
    fn wanted(&self) -> (&'static [CopyIndex], usize) {
        let Purpose::Encode { image_length, .. } = self.purpose else {
            return (&[], 0);
        };
        let needed = room::needed(image_length);
        match self.counts() {
            Counts::This(CopyIndex::A) => (&[CopyIndex::B], needed),
            Counts::This(CopyIndex::B) => (&[CopyIndex::A], needed),
            Counts::Ambiguous => (&CopyIndex::BOTH, needed),
            Counts::Neither if self.findings.iter().any(Finding::is_as_delivered) => {
                (&CopyIndex::BOTH, self.room_on_a_blank())
            }
            Counts::Neither => (&CopyIndex::BOTH, needed),
        }
    }

    fn room_on_a_blank(&self) -> usize {
        room::on_a_blank(self.purpose, self.technology)
    }

    /// The lowest of the first `sectors` sectors of these copies that was not opened; their very first ones were.
    fn unopened(&self, copies: &[CopyIndex], sectors: usize) -> Option<Sector> {
        (1..sectors)
            .flat_map(|nth| copies.iter().map(move |copy| Sector::of(*copy, nth)))
            .find(|sector| self.area.key(*sector).is_none())
    }

    /// A visit with the keys to try: the one that opened the sector before, then this site's from the newest to the oldest,
    /// then the transport key where a blank sector is looked for. That one is the same everywhere, so once refused it is not
    /// tried on any other sector.
    pub(super) fn visit(&self, sector: Sector, why: Why, transport: bool) -> Visit {
        let last = self.area.opened.last().map(|open| open.key);
        let versions = self.keys.site().versions();
        let site = versions.map(|version| self.site_key(version));
        let mut keys = VecDeque::new();
        for key in last.into_iter().chain(site).chain([SectorKey::Transport]) {
            let is_allowed = match key {
                SectorKey::Transport => transport && !self.transport_was_refused(),
                _ => !self.refused.contains(&OpenSector { sector, key }),
            };
            if is_allowed && !keys.contains(&key) {
                keys.push_back(key);
            }
        }
        Visit { sector, why, keys }
    }

    fn transport_was_refused(&self) -> bool {
        self.refused
            .iter()
            .any(|refused| refused.key == SectorKey::Transport)
    }
}

fn is_foreign(finding: &Finding) -> bool {
    matches!(finding, Finding::Foreign(_))
}
