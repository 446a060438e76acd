//! Finding out whose card it is and what it holds, without changing anything.
//!
//! A card of ours costs a selection, one authentication and the reading; everything else is asked only of a card that does
//! not open so. The session is left to the writing.

use std::mem;

use super::examine::{self, Examination, Examined};
use super::file::{self, Reading};
use super::{Area, CARD, FILE, Made, application};
use crate::changes::Contents;
use crate::inspect::Task;
use crate::inspected::{self, Finding, Inspected, ValidCopy};
use crate::placing::{CopyIndex, Place};
use crate::secure::{
    Answer, Call, Card, CardKeys, Entered, Entry, EntryNext, OTHER_KEYS, Status, Suite, Taken,
};
use crate::{
    Apdu, Command, Effect, Procedure, Purpose, Refusal, Reply, SiteKeys, Step, Technology, Uid,
    format,
};

const NO_ROOM: &str = "its owner has not left room to create an application";
const HIDDEN: &str = "it hides its UID and its master key is not that of delivery";
const OTHER_FILE: &str = "its file is not made as this site makes it";
/// The bit of the card's key settings that lets everybody create an application (NXP MF3ICD81, 11.4.3).
const FREE_CREATE: u8 = 0x04;

/// The inspection of one card.
pub(crate) struct Inspect {
    card: Card,
    site: SiteKeys,
    contents: Contents,
    state: State,
}

enum State {
    Start,
    Entering(Entry),
    Reading(Reading),
    Examining(Examination),
    /// The card itself is selected: there is no application of ours.
    SelectingCard,
    AskingSettings,
    AskingMemory {
        keys: u8,
    },
    OpeningCard(Option<usize>),
    AskingUid(Option<usize>),
    /// The card forgets the session in which it told its UID.
    LeavingCard(Option<usize>),
    Over,
}

impl Inspect {
    /// Prepares the inspection of a DESFire that lies on the encoder, selected.
    pub(crate) fn new(task: Task, technology: Technology) -> Self {
        let keys = match task.purpose {
            Purpose::Scan => CardKeys::Reading(task.keys.lock_keys()),
            Purpose::Encode { .. } => CardKeys::Writing(task.keys.clone()),
        };
        Self {
            card: Card::new(application(technology), task.presented, keys, task.entropy),
            site: task.keys,
            contents: Contents::default(),
            state: State::Start,
        }
    }

    fn answered(&mut self, state: State, answer: Answer) -> Result<Step<Inspected>, Refusal> {
        match (state, answer) {
            (State::Entering(entry), answer) => self.entering(entry, answer),
            (State::Reading(reading), answer) => self.reading(reading, answer),
            (State::Examining(examination), answer) => self.examining(examination, answer),
            (State::SelectingCard, Ok(_)) => {
                Ok(self.call(Call::key_settings(), State::AskingSettings))
            }
            (State::AskingSettings, Ok(settings)) => match settings[..] {
                [settings, keys] if settings & FREE_CREATE != 0 => {
                    Ok(self.call(Call::free_memory(), State::AskingMemory { keys }))
                }
                _ => Ok(self.foreign(NO_ROOM)),
            },
            (State::AskingSettings, Err(status)) if status.is_denial() => Ok(self.foreign(NO_ROOM)),
            (State::AskingMemory { keys }, Ok(free)) => {
                let [low, middle, high] = free[..] else {
                    return Err(Refusal::Nonsense {
                        doing: "tell its free memory",
                    });
                };
                let free = u32::from_le_bytes([low, middle, high, 0]) as usize;
                Ok(self.memory_is(keys, Some(free)))
            }
            (State::AskingMemory { keys }, Err(Status::ILLEGAL_COMMAND)) => {
                Ok(self.memory_is(keys, None))
            }
            (State::OpeningCard(free), Ok(_)) => {
                Ok(self.call(Call::card_uid(), State::AskingUid(free)))
            }
            (State::OpeningCard(_), Err(status)) if status.is_denial() => Ok(self.foreign(HIDDEN)),
            (State::AskingUid(free), Ok(uid)) => {
                self.card.uid = Some(Uid::new(&uid).map_err(|_| Refusal::Nonsense {
                    doing: "tell its UID",
                })?);
                Ok(self.call(Call::select_application(CARD), State::LeavingCard(free)))
            }
            (State::LeavingCard(free), Ok(_)) => Ok(self.blank(free)),
            (_, Err(status)) => Err(status.refusal("be looked at")),
            (State::Start | State::Over, Ok(_)) => Err(NONSENSE),
        }
    }

    fn entering(&mut self, mut entry: Entry, answer: Answer) -> Result<Step<Inspected>, Refusal> {
        let entered = match entry.next(&mut self.card, answer)? {
            EntryNext::Send(apdu) => return Ok(self.send(apdu, State::Entering(entry))),
            EntryNext::Done(entered) => entered,
        };
        Ok(match entered {
            Entered::Open => {
                let (reading, apdu) = Reading::begin(&mut self.card);
                self.send(apdu, State::Reading(reading))
            }
            Entered::Absent => self.call(Call::select_application(CARD), State::SelectingCard),
            Entered::Closed => self.examine(false),
            Entered::Foreign(detail) => self.foreign(detail),
        })
    }

    fn reading(
        &mut self,
        mut reading: Reading,
        answer: Answer,
    ) -> Result<Step<Inspected>, Refusal> {
        Ok(match reading.next(&mut self.card, answer)? {
            file::Next::Send(apdu) => self.send(apdu, State::Reading(reading)),
            file::Next::Done(bytes) => {
                self.contents.keep(FILE, &bytes);
                let finding = self.open_image(&bytes);
                self.conclude(finding, Made::Whole)
            }
            file::Next::Refused(Status::FILE_NOT_FOUND) => self.examine(true),
            file::Next::Refused(status)
                if status.is_denial() || status == Status::BEYOND_THE_FILE =>
            {
                self.foreign(OTHER_FILE)
            }
            file::Next::Refused(status) => return Err(status.refusal("read a file")),
        })
    }

    fn examine(&mut self, opened: bool) -> Step<Inspected> {
        let (examination, apdu) = Examination::begin(&mut self.card, opened);
        self.send(apdu, State::Examining(examination))
    }

    fn examining(
        &mut self,
        mut examination: Examination,
        answer: Answer,
    ) -> Result<Step<Inspected>, Refusal> {
        Ok(match examination.next(&mut self.card, answer)? {
            examine::Next::Send(apdu) => self.send(apdu, State::Examining(examination)),
            examine::Next::Done(Examined::Foreign(detail)) => self.foreign(detail),
            examine::Next::Done(Examined::Made(made)) => {
                self.conclude(Finding::Void { clean: true }, made)
            }
        })
    }

    /// The last thing to ask of a blank card is its UID, if it hides that: nothing may be written before it is known.
    fn memory_is(&mut self, keys: u8, free: Option<usize>) -> Step<Inspected> {
        if self.card.uid.is_some() {
            return self.blank(free);
        }
        let suite = match keys & 0xC0 {
            0x00 => Suite::Legacy,
            0x80 => self.card.application.suite,
            _ => return self.foreign(HIDDEN),
        };
        let apdu = self.card.authenticate_delivered(suite);
        self.send(apdu, State::OpeningCard(free))
    }

    fn blank(&mut self, free_memory: Option<usize>) -> Step<Inspected> {
        self.conclude(
            Finding::AsDelivered { clean: true },
            Made::Nothing { free_memory },
        )
    }

    fn foreign(&mut self, detail: &'static str) -> Step<Inspected> {
        self.conclude(Finding::Foreign(detail), Made::Whole)
    }

    fn open_image(&self, bytes: &[u8]) -> Finding {
        let Some(uid) = self.card.uid else {
            return Finding::Foreign(OTHER_KEYS);
        };
        let place = Place {
            technology: self.card.application.technology,
            uid,
            copy: CopyIndex::A,
        };
        match format::open(bytes, self.site.lock(), &place) {
            Ok(opened) => Finding::Valid(ValidCopy::new(opened, bytes, &self.site)),
            Err(_) => Finding::Void { clean: true },
        }
    }

    fn conclude(&mut self, finding: Finding, made: Made) -> Step<Inspected> {
        let presented = self.card.presented.clone();
        Step::Done(Ok(Inspected {
            uid: self.card.uid.unwrap_or(presented.uid),
            presented,
            technology: self.card.application.technology,
            findings: [finding, Finding::Absent],
            area: inspected::Area::Desfire(Area {
                made,
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

impl Procedure for Inspect {
    type Output = Inspected;

    fn next(&mut self, last: Option<Reply>) -> Step<Inspected> {
        self.advance(last)
            .unwrap_or_else(|refusal| Step::Done(Err(refusal)))
    }
}
