//! Finding out whose card it is and what it holds, without changing anything and without one wrong key that its version
//! byte would have told.

use std::mem;

use zeroize::Zeroizing;

use super::{
    APPLICATION, Area, CHANGE_ORDER, DELIVERED_SETTINGS, FILE, FILE_SIZE, MASTER_KEY, WRITE_KEY,
    range, read_both,
};
use crate::changes::Contents;
use crate::inspect::Task;
use crate::inspected::{self, Finding, Inspected, ValidCopy};
use crate::placing::{CopyIndex, Place};
use crate::secure::{
    Answer, Call, Card, CardKeys, Entered, Entry, EntryNext, KeyUse, OTHER_KEYS, Secret, Taken,
};
use crate::{
    Apdu, Command, Effect, KeyVersion, Procedure, Purpose, Refusal, Reply, SiteKeys, Step, format,
};

const CONTENT: &str = "it has the keys of delivery but is not empty";
const OTHER_SETTINGS: &str = "its file has not the rights of delivery";
const NO_APPLICATION: &str = "it has not the application of its type";

/// The inspection of one card.
pub(crate) struct Inspect {
    card: Card,
    site: SiteKeys,
    /// The version bytes of the keys in [`CHANGE_ORDER`], once they were asked for.
    versions: [u8; 3],
    file: Zeroizing<Vec<u8>>,
    contents: Contents,
    state: State,
}

enum State {
    Start,
    Entering(Entry),
    /// Reading a card whose data key is ours.
    Reading,
    /// No copy is valid: is the last key ours as well?
    AskingMaster,
    /// The data key is that of delivery: how far is the card prepared?
    AskingVersion(usize),
    AskingSettings,
    OpeningDelivered,
    ReadingDelivered,
    OpeningMaster,
    Over,
}

impl Inspect {
    /// Prepares the inspection of an NTAG 424 DNA that lies on the encoder, selected.
    pub(crate) fn new(task: Task) -> Self {
        let keys = match task.purpose {
            Purpose::Scan => CardKeys::Reading(task.keys.lock_keys()),
            Purpose::Encode { .. } => CardKeys::Writing(task.keys.clone()),
        };
        Self {
            card: Card::new(APPLICATION, task.presented, keys, task.entropy),
            site: task.keys,
            versions: [0; 3],
            file: Zeroizing::default(),
            contents: Contents::default(),
            state: State::Start,
        }
    }

    fn answered(&mut self, state: State, answer: Answer) -> Result<Step<Inspected>, Refusal> {
        let answer = match (state, answer) {
            (State::Entering(entry), answer) => return self.entering(entry, answer),
            (state, Ok(answer)) => (state, answer),
            (State::OpeningDelivered | State::OpeningMaster, Err(status)) if status.is_denial() => {
                return Ok(self.foreign(OTHER_KEYS));
            }
            (State::Reading | State::ReadingDelivered, Err(status)) if status.is_denial() => {
                return Ok(self.foreign(OTHER_SETTINGS));
            }
            (_, Err(status)) => return Err(status.refusal("be looked at")),
        };
        match answer {
            (State::Reading, file) => {
                self.keep(file)?;
                Ok(self.was_read())
            }
            (State::AskingMaster, version) => self.master_version_is(one(&version)?),
            (State::AskingVersion(at), version) => {
                self.versions[at] = one(&version)?;
                Ok(self.ask_version(at + 1))
            }
            (State::AskingSettings, settings) => self.settings_are(&settings),
            (State::OpeningDelivered, _) => Ok(self.call(read_both(), State::ReadingDelivered)),
            (State::ReadingDelivered, file) => {
                self.keep(file)?;
                self.delivered_was_read()
            }
            (State::OpeningMaster, _) => Ok(self.conclude_unwritten()),
            (State::Start | State::Over | State::Entering(_), _) => Err(NONSENSE),
        }
    }

    fn entering(&mut self, mut entry: Entry, answer: Answer) -> Result<Step<Inspected>, Refusal> {
        Ok(match entry.next(&mut self.card, answer)? {
            EntryNext::Send(apdu) => self.send(apdu, State::Entering(entry)),
            EntryNext::Done(Entered::Open) => self.call(read_both(), State::Reading),
            EntryNext::Done(Entered::Closed) => self.ask_version(0),
            EntryNext::Done(Entered::Absent) => self.foreign(NO_APPLICATION),
            EntryNext::Done(Entered::Foreign(detail)) => self.foreign(detail),
        })
    }

    fn keep(&mut self, file: Zeroizing<Vec<u8>>) -> Result<(), Refusal> {
        if file.len() != FILE_SIZE {
            return Err(Refusal::Nonsense {
                doing: "read a file",
            });
        }
        self.contents.keep(FILE, &file);
        self.file = file;
        Ok(())
    }

    /// What a card holds whose data key is ours. Only while it holds nothing can its preparation be unfinished.
    fn was_read(&mut self) -> Step<Inspected> {
        let findings = CopyIndex::BOTH.map(|copy| self.finding(copy));
        let is_written = findings
            .iter()
            .any(|found| matches!(found, Finding::Valid(_)));
        if is_written || matches!(self.card.keys, CardKeys::Reading(_)) {
            return self.conclude(findings);
        }
        self.call(Call::key_version(MASTER_KEY), State::AskingMaster)
    }

    fn finding(&self, copy: CopyIndex) -> Finding {
        let bytes = &self.file[range(copy)];
        let place = Place {
            technology: APPLICATION.technology,
            uid: self.card.presented.uid,
            copy,
        };
        match format::open(bytes, self.site.lock(), &place) {
            Ok(opened) => Finding::Valid(ValidCopy::new(opened, bytes, &self.site)),
            Err(_) => Finding::Void {
                clean: is_zero(bytes),
            },
        }
    }

    fn master_version_is(&mut self, version: u8) -> Result<Step<Inspected>, Refusal> {
        if version != 0 {
            return Ok(self.conclude_unwritten());
        }
        // The session says of which version the keys are that had been changed.
        if let Some(Secret::Site(version)) = self.card.session().map(|open| open.key.secret) {
            self.versions = [version.get(), version.get(), 0];
        }
        self.open_master()
    }

    fn ask_version(&mut self, at: usize) -> Step<Inspected> {
        match CHANGE_ORDER.get(at) {
            // That it is still 0 has brought us here.
            Some(number) if *number == self.card.keys.data_key(&APPLICATION) => {
                self.ask_version(at + 1)
            }
            Some(number) => self.call(Call::key_version(*number), State::AskingVersion(at)),
            None => self.call(Call::file_settings(FILE), State::AskingSettings),
        }
    }

    /// Blank, or broken off after the first change, or somebody else's.
    fn settings_are(&mut self, settings: &[u8]) -> Result<Step<Inspected>, Refusal> {
        let [read, write, master] = self.versions;
        let first_is_ours = read == 0 || self.card.keys.version(read).is_some();
        if !first_is_ours || master != 0 || write != 0 {
            return Ok(self.foreign(OTHER_KEYS));
        }
        if settings != DELIVERED_SETTINGS {
            return Ok(self.foreign(OTHER_SETTINGS));
        }
        let apdu = self.card.authenticate(delivered(WRITE_KEY))?;
        Ok(self.send(apdu, State::OpeningDelivered))
    }

    fn delivered_was_read(&mut self) -> Result<Step<Inspected>, Refusal> {
        if !is_zero(&self.file) {
            return Ok(self.foreign(CONTENT));
        }
        self.open_master()
    }

    fn open_master(&mut self) -> Result<Step<Inspected>, Refusal> {
        let apdu = self.card.authenticate(delivered(MASTER_KEY))?;
        Ok(self.send(apdu, State::OpeningMaster))
    }

    /// A card without a credential: as delivered, or prepared in whole or in part.
    fn conclude_unwritten(&mut self) -> Step<Inspected> {
        let is_blank = self.is_delivered_master() && self.versions == [0; 3];
        let findings = CopyIndex::BOTH.map(|copy| {
            if is_blank {
                Finding::AsDelivered { clean: true }
            } else {
                self.finding(copy)
            }
        });
        self.conclude(findings)
    }

    /// Whether the session that is open is that of the master key as delivered.
    fn is_delivered_master(&self) -> bool {
        self.card
            .session()
            .is_some_and(|open| open.key == delivered(MASTER_KEY))
    }

    fn foreign(&mut self, detail: &'static str) -> Step<Inspected> {
        self.conclude([Finding::Foreign(detail), Finding::Unseen])
    }

    fn conclude(&mut self, findings: [Finding; 2]) -> Step<Inspected> {
        let changed = self.versions.iter().find(|version| **version != 0);
        let version: Option<KeyVersion> =
            changed.and_then(|version| self.card.keys.version(*version));
        let missing = CHANGE_ORDER
            .iter()
            .zip(self.versions)
            .filter(|(_, version)| self.is_delivered_master() && *version == 0)
            .map(|(number, _)| *number)
            .collect();
        Step::Done(Ok(Inspected {
            uid: self.card.presented.uid,
            presented: self.card.presented.clone(),
            technology: APPLICATION.technology,
            findings,
            area: inspected::Area::Ntag424(Area {
                missing,
                version: version.unwrap_or(self.site.newest()),
                open: self.card.session().cloned(),
            }),
            contents: mem::take(&mut self.contents),
        }))
    }

    fn call(&mut self, call: Call, state: State) -> Step<Inspected> {
        let apdu = self.card.call(call);
        self.send(apdu, state)
    }

    fn send(&mut self, apdu: Apdu, state: State) -> Step<Inspected> {
        self.state = state;
        Step::Exchange(Command::Iso(apdu), Effect::Reads)
    }

    fn advance(&mut self, last: Option<Reply>) -> Result<Step<Inspected>, Refusal> {
        let state = mem::replace(&mut self.state, State::Over);
        match (state, last) {
            (State::Start, None) => {
                let (entry, apdu) = Entry::begin(&mut self.card);
                Ok(self.send(apdu, State::Entering(entry)))
            }
            (State::Start | State::Over, _) => Err(NONSENSE),
            (state, Some(Reply::Data(ref frame))) => match self.card.take(frame)? {
                Taken::Send(apdu) => Ok(self.send(apdu, state)),
                Taken::Answer(answer) => self.answered(state, answer),
            },
            _ => Err(NONSENSE),
        }
    }
}

const NONSENSE: Refusal = Refusal::Nonsense {
    doing: "be inspected",
};

fn delivered(number: u8) -> KeyUse {
    KeyUse {
        number,
        secret: Secret::Delivery,
    }
}

fn one(version: &[u8]) -> Result<u8, Refusal> {
    match version {
        [version] => Ok(*version),
        _ => Err(Refusal::Nonsense {
            doing: "tell the version of a key",
        }),
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

impl Procedure for Inspect {
    type Output = Inspected;

    fn next(&mut self, last: Option<Reply>) -> Step<Inspected> {
        self.advance(last)
            .unwrap_or_else(|refusal| Step::Done(Err(refusal)))
    }
}
