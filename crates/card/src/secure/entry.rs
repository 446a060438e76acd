//! The way into an application: select it, ask a card that hides its UID for the real one, open it with the key that reads
//! or the one that writes. Each wrong key is tried at most once.

use super::application::{KeyUse, Secret};
use super::call::Call;
use super::channel::{Answer, Card};
use super::status::Status;
use crate::{Apdu, Refusal, Uid};

pub(crate) const OTHER_KEYS: &str = "its application opens with none of this site's keys";
const HIDDEN: &str = "it hides its UID";

/// How far one got.
pub(crate) enum Entered {
    /// In: the session is open with the data key.
    Open,
    /// There is no such application.
    Absent,
    /// The data key is not one of this site's, or not yet: its version is 0 or was not asked for.
    Closed,
    /// It is somebody else's.
    Foreign(&'static str),
}

/// What comes next.
pub(crate) enum Next {
    Send(Apdu),
    Done(Entered),
}

/// The way in, one command after the other.
pub(crate) struct Entry(State);

enum State {
    Selecting,
    /// `tried`: what did not open it before.
    AskingVersion {
        number: u8,
        tried: Option<Secret>,
    },
    /// `asked`: the version is known from the card.
    Authenticating {
        key: KeyUse,
        asked: bool,
    },
    AskingUid,
}

impl Entry {
    /// Begins with the selection.
    pub(crate) fn begin(card: &mut Card) -> (Self, Apdu) {
        (Self(State::Selecting), card.select())
    }

    /// Takes the answer to the last command.
    ///
    /// # Errors
    /// When the card fails or answers nonsense.
    pub(crate) fn next(&mut self, card: &mut Card, answer: Answer) -> Result<Next, Refusal> {
        match (&self.0, answer) {
            (State::Selecting, Ok(_)) if card.uid.is_some() => self.open_data(card),
            (State::Selecting, Ok(_)) => match card.application.identify_key {
                Some(number) => self.open(card, number),
                None => done(Entered::Foreign(HIDDEN)),
            },
            (State::Selecting, Err(status)) if status.is_not_found() => done(Entered::Absent),
            (State::Selecting, Err(status)) => Err(status.refusal("select an application")),
            (State::AskingVersion { number, tried }, Ok(version)) => {
                let (number, tried) = (*number, *tried);
                self.version_is(card, number, tried, &version)
            }
            (State::AskingVersion { .. }, Err(status)) => {
                foreign_or(status, "tell the version of a key")
            }
            (State::Authenticating { key, .. }, Ok(_)) => {
                if Some(key.number) == card.application.identify_key {
                    self.0 = State::AskingUid;
                    return Ok(Next::Send(card.call(Call::card_uid())));
                }
                done(Entered::Open)
            }
            (State::Authenticating { key, asked }, Err(status)) => {
                let (key, asked) = (*key, *asked);
                self.refused(card, key, asked, status)
            }
            (State::AskingUid, Ok(uid)) => {
                card.uid = Some(Uid::new(&uid).map_err(|_| Refusal::Nonsense {
                    doing: "tell its UID",
                })?);
                self.open_data(card)
            }
            (State::AskingUid, Err(status)) => Err(status.refusal("tell its UID")),
        }
    }

    fn open_data(&mut self, card: &mut Card) -> Result<Next, Refusal> {
        let number = card.keys.data_key(&card.application);
        self.open(card, number)
    }

    /// Opens a key: at once where there is only one that it can be.
    fn open(&mut self, card: &mut Card, number: u8) -> Result<Next, Refusal> {
        match card.keys.newest() {
            (version, true) if !card.application.counts_failures => {
                let secret = Secret::Site(version);
                self.authenticate(card, KeyUse { number, secret }, false)
            }
            _ => self.ask_version(card, number, None),
        }
    }

    fn ask_version(
        &mut self,
        card: &mut Card,
        number: u8,
        tried: Option<Secret>,
    ) -> Result<Next, Refusal> {
        self.0 = State::AskingVersion { number, tried };
        Ok(Next::Send(card.call(Call::key_version(number))))
    }

    fn authenticate(&mut self, card: &mut Card, key: KeyUse, asked: bool) -> Result<Next, Refusal> {
        self.0 = State::Authenticating { key, asked };
        card.authenticate(key).map(Next::Send)
    }

    fn version_is(
        &mut self,
        card: &mut Card,
        number: u8,
        tried: Option<Secret>,
        version: &[u8],
    ) -> Result<Next, Refusal> {
        let [byte] = *version else {
            return Err(Refusal::Nonsense {
                doing: "tell the version of a key",
            });
        };
        let secret = match card.keys.version(byte) {
            Some(version) => Secret::Site(version),
            None if byte != 0 => return done(Entered::Foreign(OTHER_KEYS)),
            // Any key tells the UID, also the one that a half prepared card still has.
            None if Some(number) == card.application.identify_key => Secret::Delivery,
            None => return done(Entered::Closed),
        };
        if tried == Some(secret) {
            return done(Entered::Foreign(OTHER_KEYS));
        }
        self.authenticate(card, KeyUse { number, secret }, true)
    }

    fn refused(
        &mut self,
        card: &mut Card,
        key: KeyUse,
        asked: bool,
        status: Status,
    ) -> Result<Next, Refusal> {
        if !status.is_denial() {
            return Err(status.refusal("be opened"));
        }
        if asked {
            return done(Entered::Foreign(OTHER_KEYS));
        }
        if Some(key.number) == card.application.identify_key {
            return self.ask_version(card, key.number, Some(key.secret));
        }
        done(Entered::Closed)
    }
}

fn done(entered: Entered) -> Result<Next, Refusal> {
    Ok(Next::Done(entered))
}

fn foreign_or(status: Status, doing: &'static str) -> Result<Next, Refusal> {
    if status.is_denial() {
        return done(Entered::Foreign(OTHER_KEYS));
    }
    Err(status.refusal(doing))
}
