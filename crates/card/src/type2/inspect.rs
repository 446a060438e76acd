//! Finding out whose card it is and what it holds, with the fewest exchanges and without changing anything.
//!
//! What is known so far is judged again after every answer, until it suffices. A password is tried only on a card whose
//! configuration says that wrong ones are not counted; an Ultralight C, which counts none, is asked for its key first.

use std::mem;

use super::configuration::{Configuration, Locked, is_unprotected_ultralight_c};
use super::copies::{Found, Need, look, pages};
use super::delivery;
use super::layout::{AUTH0, Layout, PAGE, Pages, Protection, STATIC_LOCKS};
use super::memory::{Memory, reading};
use super::prove::{CardKey, Prove};
use super::{Access, Area};
use crate::card_bytes::CardBytes;
use crate::inspect::Task;
use crate::inspected::{self, Finding, Inspected, ValidCopy};
use crate::placing::{CopyIndex, Place};
use crate::{
    Command, Effect, Entropy, KeyVersion, PresentedCard, Procedure, Purpose, Refusal, Reply,
    SiteKeys, Step, Technology, format,
};

const NO_KEY: &str = "it is protected with a key that is not this site's";
pub(super) const COUNTED: &str =
    "it is protected with a password and counts wrong ones, so this site's is not tried on it";
const UNREADABLE: &str = "its pages cannot be read without a password";
pub(super) const LOCKED: &str = "its pages are locked";
const CONTENT: &str = "it is not empty";

/// The last page of the first look at a card with FAST_READ: from the lock bytes on, as many pages as one answer takes.
const FIRST_LOOK: u8 = 0x11;

/// The inspection of one card.
pub(crate) struct Inspect {
    presented: PresentedCard,
    technology: Technology,
    layout: &'static Layout,
    site: SiteKeys,
    purpose: Purpose,
    entropy: Entropy,
    memory: Memory,
    proof: Proof,
    state: State,
}

/// Whether the card takes a key of this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    NotTried,
    /// The card is authenticated with it.
    Taken(KeyVersion),
    NoneTaken,
}

enum State {
    Start { challenge: Option<[u8; 8]> },
    Proving(Prove),
    Reading(Pages),
    Reselecting,
    Over,
}

/// Everything that can be told of a card.
struct Verdict {
    findings: [Finding; 2],
    area: Area,
}

impl Inspect {
    /// Prepares the inspection of a card that lies on the encoder, selected; `challenge` is what an Ultralight C has given.
    pub(crate) fn new(task: Task, technology: Technology, challenge: Option<[u8; 8]>) -> Self {
        Self {
            presented: task.presented,
            technology,
            layout: Layout::of(technology),
            site: task.keys,
            purpose: task.purpose,
            entropy: task.entropy,
            memory: Memory::new(),
            proof: Proof::NotTried,
            state: State::Start { challenge },
        }
    }

    fn prove(&mut self, challenge: Option<[u8; 8]>) -> Step<Inspected> {
        let (site, uid) = (&self.site, self.presented.uid);
        let candidates = site.versions().filter_map(|version| {
            let key = CardKey::of(site, version, &uid, self.technology)?;
            Some((version, key))
        });
        let prove = Prove::new(uid, candidates, self.entropy.split(), challenge);
        self.proving(prove, None)
    }

    fn proving(&mut self, mut prove: Prove, last: Option<Reply>) -> Step<Inspected> {
        match prove.next(last) {
            Step::Exchange(command, effect) => {
                self.state = State::Proving(prove);
                Step::Exchange(command, effect)
            }
            Step::Done(Ok(taken)) => {
                self.proof = taken.map_or(Proof::NoneTaken, Proof::Taken);
                self.go_on()
            }
            Step::Done(Err(refusal)) => Step::Done(Err(refusal)),
        }
    }

    /// Asks for what is missing, or ends.
    fn go_on(&mut self) -> Step<Inspected> {
        match self.verdict() {
            Err(Need::Pages(wanted)) => {
                let (command, pages) = reading(self.layout, wanted.first, wanted.last);
                self.state = State::Reading(pages);
                Step::Exchange(Command::Type2(command), Effect::Reads)
            }
            Err(Need::Proof) => self.prove(None),
            Ok(verdict) => Step::Done(Ok(Inspected {
                presented: self.presented.clone(),
                uid: self.presented.uid,
                technology: self.technology,
                findings: verdict.findings,
                area: inspected::Area::Type2(verdict.area),
                contents: self.memory.contents(),
            })),
        }
    }

    /// What the card is, as far as that can be told by now.
    fn verdict(&self) -> Result<Verdict, Need> {
        let to_write = self.purpose != Purpose::Scan;
        if self.proof == Proof::NoneTaken && self.layout.protection == Protection::TripleDes {
            // This page first: without the key, reading before AUTH0 goes on with page 0 where AUTH0 is reached.
            let page = Pages::one(AUTH0);
            let auth0 = pages(&self.memory, page, page)?.and_then(|page| page.first_chunk());
            if !auth0.is_some_and(|page| is_unprotected_ultralight_c(*page)) {
                return Ok(self.foreign(NO_KEY));
            }
        }
        if to_write && self.layout.fast_read {
            let first_look = Pages::new(STATIC_LOCKS, FIRST_LOOK);
            pages(&self.memory, first_look, first_look)?;
        } else if to_write {
            self.page_2()?;
        }
        let mut findings = [Finding::Absent, Finding::Absent];
        let mut named = false;
        for copy in self.technology.copies() {
            let pages = self.layout.copy(*copy);
            findings[copy.index()] = match look(&self.memory, self.layout, pages, self.site.lock())?
            {
                Found::Unreadable => return Ok(self.foreign(UNREADABLE)),
                Found::Image(bytes) => {
                    named = true;
                    self.open(*copy, bytes)
                }
                Found::Void(header) => {
                    named |= format::is_our_header(header, self.site.site_mark());
                    let clean = header.starts_with(&[0; PAGE]);
                    Finding::Void { clean }
                }
            };
        }
        if findings.iter().any(|f| matches!(f, Finding::Valid(_))) {
            return self.ours(findings, to_write);
        }
        self.without_credential(findings, named)
    }

    fn page_2(&self) -> Result<Option<&[u8]>, Need> {
        let page = Pages::one(STATIC_LOCKS);
        pages(&self.memory, page, page)
    }

    /// Lock bits and configuration; `None` where the card does not show them.
    fn settings(&self) -> Result<(Option<Locked>, Option<Configuration>), Need> {
        let settings = match self.layout.settings() {
            Some(wanted) => pages(&self.memory, wanted, wanted)?,
            None => None,
        };
        let locked = self
            .page_2()?
            .map(|page_2| Locked::new(self.layout, page_2, settings));
        let configuration = settings.and_then(|bytes| Configuration::new(self.layout, bytes));
        Ok((locked, configuration))
    }

    fn open(&self, copy: CopyIndex, bytes: &[u8]) -> Finding {
        let place = Place {
            technology: self.technology,
            uid: self.presented.uid,
            copy,
        };
        match format::open(bytes, self.site.lock(), &place) {
            Ok(opened) => Finding::Valid(ValidCopy::new(opened, bytes, &self.site)),
            Err(_) => Finding::Void {
                clean: bytes.starts_with(&[0; PAGE]),
            },
        }
    }

    /// A card with a valid copy. What protects it is only looked at when it is to be written.
    fn ours(&self, findings: [Finding; 2], to_write: bool) -> Result<Verdict, Need> {
        let (locked, configuration) = if to_write {
            self.settings()?
        } else {
            (None, None)
        };
        let access = match (self.proof, self.layout.protection, configuration) {
            (Proof::Taken(version), _, _) => Access::Proven(version),
            (_, Protection::None | Protection::TripleDes, _) => Access::Open,
            (_, Protection::Password { .. }, Some(found))
                if found.auth0() > self.layout.last_readable =>
            {
                Access::Open
            }
            (_, Protection::Password { .. }, Some(found)) if !found.limits_tries() => {
                Access::Unproven(self.site.versions().collect())
            }
            // Wrong passwords are counted, or may be. That the credential names a version says nothing of the password's:
            // it keeps the version that the card was prepared under.
            (_, Protection::Password { .. }, _) => Access::Withheld,
        };
        Ok(Verdict {
            findings,
            area: Area {
                access,
                locked: locked.is_some_and(|locked| locked.data),
                configuration,
                only_copy: self.only_copy(),
            },
        })
    }

    /// A card without a valid copy: prepared, blank, or somebody else's. `named`: some copy starts as ours do.
    fn without_credential(&self, findings: [Finding; 2], named: bool) -> Result<Verdict, Need> {
        let (Some(locked), configuration) = self.settings()? else {
            return Ok(self.foreign(UNREADABLE));
        };
        let is_open = match (self.layout.protection, configuration) {
            (Protection::None, _) => true,
            (_, Some(configuration)) => configuration.is_as_delivered(),
            (_, None) => return Ok(self.foreign(UNREADABLE)),
        };
        let access = match self.proof {
            _ if is_open => Access::Open,
            Proof::Taken(version) => Access::Proven(version),
            Proof::NoneTaken => return Ok(self.foreign(NO_KEY)),
            Proof::NotTried if configuration.is_some_and(|found| found.limits_tries()) => {
                return Ok(self.foreign(COUNTED));
            }
            Proof::NotTried => return Err(Need::Proof),
        };
        if locked.data || (is_open && locked.keys) {
            return Ok(self.foreign(LOCKED));
        }
        let is_ours = named || matches!(self.proof, Proof::Taken(_));
        let findings = if is_ours {
            findings
        } else {
            self.unnamed(&findings)?
        };
        Ok(Verdict {
            findings,
            area: Area {
                access,
                locked: false,
                configuration,
                only_copy: self.only_copy(),
            },
        })
    }

    /// Nothing on the card names this site: it is blank, or holds something that only the journal could claim.
    fn unnamed(&self, findings: &[Finding; 2]) -> Result<[Finding; 2], Need> {
        let placing = self.layout.placing();
        if !delivery::is_unused(self.memory.beginning(placing)) {
            return Ok(self.every_copy(&Finding::Unclaimed(CONTENT)));
        }
        pages(&self.memory, placing, placing)?;
        Ok(findings.clone().map(|found| match found {
            Finding::Void { clean } => Finding::AsDelivered { clean },
            other => other,
        }))
    }

    fn only_copy(&self) -> Option<CardBytes> {
        match self.layout.copies {
            [only] => Some(CardBytes::new(self.memory.beginning(*only).to_vec())),
            _ => None,
        }
    }

    fn every_copy(&self, finding: &Finding) -> [Finding; 2] {
        CopyIndex::BOTH.map(|copy| {
            if self.technology.copies().contains(&copy) {
                finding.clone()
            } else {
                Finding::Absent
            }
        })
    }

    fn foreign(&self, detail: &'static str) -> Verdict {
        Verdict {
            findings: self.every_copy(&Finding::Foreign(detail)),
            area: Area {
                access: Access::Open,
                locked: false,
                configuration: None,
                only_copy: None,
            },
        }
    }
}

impl Procedure for Inspect {
    type Output = Inspected;

    fn next(&mut self, last: Option<Reply>) -> Step<Inspected> {
        match (mem::replace(&mut self.state, State::Over), last) {
            (State::Start { challenge }, None) => {
                if self.layout.protection == Protection::TripleDes {
                    self.prove(challenge)
                } else {
                    self.go_on()
                }
            }
            (State::Proving(prove), last) => self.proving(prove, last),
            (State::Reading(pages), Some(Reply::Data(ref bytes)))
                if bytes.len() >= pages.bytes() =>
            {
                self.memory.put(pages, bytes);
                self.go_on()
            }
            (State::Reading(pages), Some(Reply::Refused)) => {
                self.memory.refused(pages);
                self.state = State::Reselecting;
                Step::Exchange(Command::Reselect, Effect::Reads)
            }
            (State::Reselecting, Some(Reply::Reselected(ref card))) => {
                if card.uid != self.presented.uid {
                    return Step::Done(Err(Refusal::Swapped));
                }
                if let Proof::Taken(_) = self.proof {
                    return Step::Done(Err(Refusal::CardRefused {
                        doing: "read its pages",
                    }));
                }
                self.go_on()
            }
            _ => Step::Done(Err(Refusal::Nonsense {
                doing: "be inspected",
            })),
        }
    }
}
