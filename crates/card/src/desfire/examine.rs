//! Looking at an application that is not whole: how far its preparation has come, and whether it is ours at all.
//!
//! Which keys are ours is told by their version bytes, then proved. What no preparation of ours can have left is foreign.

use super::{APPLICATION, CHANGE_ORDER, KEY_SETTINGS, KEYS, MASTER_KEY, Made, READ_KEY};
use crate::secure::{Answer, Call, Card, CardKeys, KeyUse, OTHER_KEYS, Secret};
use crate::{Apdu, KeyVersion, Refusal};

const OTHER_MAKE: &str = "its application is not made as this site makes it";

/// The examination, one command after the other.
pub(super) struct Examination {
    /// Whether one of our keys has opened it already, or else was tried in vain.
    opened: bool,
    versions: [u8; 4],
    state: State,
}

enum State {
    Selecting,
    AskingSettings,
    AskingVersion(u8),
    AskingFiles,
    /// A key that was changed is proved to be ours.
    Proving(Made),
    /// The master key is opened, for the plan to go on with.
    OpeningMaster(Made),
}

/// What comes next.
pub(super) enum Next {
    Send(Apdu),
    Done(Examined),
}

/// What it showed.
pub(super) enum Examined {
    Made(Made),
    Foreign(&'static str),
}

impl Examination {
    /// Begins anew with the selection, whatever the card has made of the session before. `opened`: the data key had opened it.
    pub(super) fn begin(card: &mut Card, opened: bool) -> (Self, Apdu) {
        let examination = Self {
            opened,
            versions: [0; 4],
            state: State::Selecting,
        };
        (
            examination,
            card.call(Call::select_application(APPLICATION)),
        )
    }

    /// Takes the answer to the last command.
    ///
    /// # Errors
    /// When the card fails.
    pub(super) fn next(&mut self, card: &mut Card, answer: Answer) -> Result<Next, Refusal> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(status) if status.is_denial() => return foreign(self.denied()),
            Err(status) => return Err(status.refusal("be looked at")),
        };
        match std::mem::replace(&mut self.state, State::Selecting) {
            State::Selecting => {
                self.state = State::AskingSettings;
                Ok(Next::Send(card.call(Call::key_settings())))
            }
            State::AskingSettings if **answer == [KEY_SETTINGS, KEYS] => {
                Ok(self.ask_version(card, 0))
            }
            State::AskingSettings => foreign(OTHER_MAKE),
            State::AskingVersion(number) => {
                let [version] = answer[..] else {
                    return Err(Refusal::Nonsense {
                        doing: "tell the version of a key",
                    });
                };
                self.versions[usize::from(number)] = version;
                if usize::from(number) + 1 < self.versions.len() {
                    return Ok(self.ask_version(card, number + 1));
                }
                self.state = State::AskingFiles;
                Ok(Next::Send(card.call(Call::file_ids())))
            }
            State::AskingFiles => self.judge(card, &answer),
            State::Proving(made) => self.open_master(card, made),
            State::OpeningMaster(made) => Ok(Next::Done(Examined::Made(made))),
        }
    }

    fn denied(&self) -> &'static str {
        match self.state {
            State::Proving(_) | State::OpeningMaster(_) => OTHER_KEYS,
            _ => OTHER_MAKE,
        }
    }

    fn ask_version(&mut self, card: &mut Card, number: u8) -> Next {
        self.state = State::AskingVersion(number);
        Next::Send(card.call(Call::key_version(number)))
    }

    /// Says how far it is made, from what the card has told.
    fn judge(&mut self, card: &mut Card, files: &[u8]) -> Result<Next, Refusal> {
        let data_key = card.keys.data_key(&card.application);
        let (newest, only) = card.keys.newest();
        let of_data = self.versions[usize::from(data_key)];
        if only && !self.opened && of_data == newest.get() {
            // That is the key which did not open.
            return foreign(OTHER_KEYS);
        }
        let changed = CHANGE_ORDER
            .iter()
            .take_while(|number| self.version(**number) != 0)
            .count();
        let (ours, missing) = CHANGE_ORDER.split_at(changed);
        let begun_with = ours.first().map(|number| self.version(*number));
        let is_of_one_version = ours
            .iter()
            .all(|number| Some(self.version(*number)) == begun_with);
        let is_untouched = missing.iter().all(|number| self.version(*number) == 0);
        let version = match begun_with {
            Some(byte) => card.keys.version(byte),
            None => Some(newest),
        };
        let Some(version) = version.filter(|_| is_of_one_version && is_untouched) else {
            return foreign(OTHER_KEYS);
        };
        if !files.is_empty() {
            return foreign(OTHER_MAKE);
        }
        let made = if missing.is_empty() {
            Made::NoFile { version }
        } else {
            Made::Keys {
                missing: missing.to_vec(),
                version,
            }
        };
        if self.opened || changed == 0 {
            return self.open_master(card, made);
        }
        self.state = State::Proving(made);
        let key = self.key(READ_KEY, card);
        card.authenticate(key).map(Next::Send)
    }

    /// A reader has no master key, and need not go on.
    fn open_master(&mut self, card: &mut Card, made: Made) -> Result<Next, Refusal> {
        if matches!(card.keys, CardKeys::Reading(_)) {
            return Ok(Next::Done(Examined::Made(made)));
        }
        self.state = State::OpeningMaster(made);
        let key = self.key(MASTER_KEY, card);
        card.authenticate(key).map(Next::Send)
    }

    fn version(&self, number: u8) -> u8 {
        self.versions[usize::from(number)]
    }

    fn key(&self, number: u8, card: &Card) -> KeyUse {
        let version: Option<KeyVersion> = card.keys.version(self.version(number));
        KeyUse {
            number,
            secret: version.map_or(Secret::Delivery, Secret::Site),
        }
    }
}

fn foreign(detail: &'static str) -> Result<Next, Refusal> {
    Ok(Next::Done(Examined::Foreign(detail)))
}
