//! Proving a key or password to a card: the part that inspections, writes and locks share.
//!
//! Every candidate is tried once. After a refusal the card is selected again, so that it is never left halted.

use std::collections::VecDeque;
use std::mem;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::triple_des::{Expected, TripleDesKey};
use crate::keys::LockKeys;
use crate::{
    Command, Effect, Entropy, KeyVersion, PageData, Password, Procedure, Refusal, Reply, SiteKeys,
    Step, Technology, Type2Command, Uid,
};

/// The index of the one key of a card.
const INDEX: u8 = 0x00;
/// The answer to the first half of the authentication starts with this.
const MORE: u8 = 0xAF;

/// The password and its acknowledgement, PWD and PACK.
pub(super) struct PasswordPair {
    password: Password,
    acknowledgement: Zeroizing<[u8; 2]>,
}

impl PasswordPair {
    /// The first six bytes of what was derived.
    fn new(derived: &[u8; 16]) -> Self {
        let [a, b, c, d, e, f, ..] = *derived;
        Self {
            password: Password::new([a, b, c, d]),
            acknowledgement: Zeroizing::new([e, f]),
        }
    }

    /// What lies on the pages PWD and PACK.
    pub(super) fn pages(&self) -> [PageData; 2] {
        let [e, f] = *self.acknowledgement;
        [
            PageData::new(*self.password.expose()),
            PageData::new([e, f, 0, 0]),
        ]
    }
}

/// What opens a card.
pub(super) enum CardKey {
    Password(PasswordPair),
    TripleDes(TripleDesKey),
}

impl CardKey {
    /// The password that protects the writing of an EV1 or NTAG.
    pub(super) fn password(
        keys: &SiteKeys,
        version: KeyVersion,
        uid: &Uid,
        technology: Technology,
    ) -> Option<Self> {
        let derived = keys.write_key(version, uid, technology, INDEX)?;
        Some(Self::Password(PasswordPair::new(&derived)))
    }

    /// The key of an Ultralight C.
    pub(super) fn triple_des(
        keys: &LockKeys,
        version: KeyVersion,
        uid: &Uid,
        technology: Technology,
    ) -> Option<Self> {
        let derived = keys.read_key(version, uid, technology, INDEX)?;
        Some(Self::TripleDes(TripleDesKey::new(derived)))
    }

    /// The one that a card of this technology has.
    pub(super) fn of(
        keys: &SiteKeys,
        version: KeyVersion,
        uid: &Uid,
        technology: Technology,
    ) -> Option<Self> {
        match technology {
            Technology::MifareUltralightC => {
                Self::triple_des(keys.lock(), version, uid, technology)
            }
            _ => Self::password(keys, version, uid, technology),
        }
    }
}

/// Tries keys, and yields the version of the one that the card took.
pub(super) struct Prove {
    uid: Uid,
    candidates: VecDeque<(KeyVersion, CardKey)>,
    entropy: Entropy,
    /// The challenge that the card has given already.
    challenge: Option<[u8; 8]>,
    state: State,
}

enum State {
    Start,
    Password {
        version: KeyVersion,
        acknowledgement: Zeroizing<[u8; 2]>,
    },
    Challenge {
        version: KeyVersion,
        key: TripleDesKey,
    },
    Answer {
        version: KeyVersion,
        expected: Expected,
    },
    Reselecting,
    Over,
}

impl Prove {
    /// Prepares to try `candidates` in their order on a card that was selected by `uid`.
    pub(super) fn new(
        uid: Uid,
        candidates: impl IntoIterator<Item = (KeyVersion, CardKey)>,
        entropy: Entropy,
        challenge: Option<[u8; 8]>,
    ) -> Self {
        Self {
            uid,
            candidates: candidates.into_iter().collect(),
            entropy,
            challenge,
            state: State::Start,
        }
    }

    fn try_next(&mut self) -> Step<Option<KeyVersion>> {
        match self.candidates.pop_front() {
            None => Step::Done(Ok(None)),
            Some((version, CardKey::Password(pair))) => {
                let password = pair.password.clone();
                self.state = State::Password {
                    version,
                    acknowledgement: pair.acknowledgement,
                };
                reads(Type2Command::PasswordAuthenticate { password })
            }
            Some((version, CardKey::TripleDes(key))) => match self.challenge.take() {
                Some(challenge) => self.answer(version, &key, challenge),
                None => {
                    self.state = State::Challenge { version, key };
                    reads(Type2Command::Authenticate)
                }
            },
        }
    }

    fn answer(
        &mut self,
        version: KeyVersion,
        key: &TripleDesKey,
        challenge: [u8; 8],
    ) -> Step<Option<KeyVersion>> {
        let drawn = Zeroizing::new(self.entropy.draw());
        let mut random = [0; 8];
        random.copy_from_slice(&drawn[..8]);
        let (cryptogram, expected) = key.answer(challenge, random);
        self.state = State::Answer { version, expected };
        reads(Type2Command::AuthenticateAnswer { cryptogram })
    }
}

fn reads<T>(command: Type2Command) -> Step<T> {
    Step::Exchange(Command::Type2(command), Effect::Reads)
}

impl Procedure for Prove {
    type Output = Option<KeyVersion>;

    fn next(&mut self, last: Option<Reply>) -> Step<Option<KeyVersion>> {
        let state = mem::replace(&mut self.state, State::Over);
        match (state, last.as_ref()) {
            (State::Start, None) => self.try_next(),
            (
                State::Password { .. } | State::Challenge { .. } | State::Answer { .. },
                Some(Reply::Refused),
            ) => {
                self.state = State::Reselecting;
                Step::Exchange(Command::Reselect, Effect::Reads)
            }
            (State::Reselecting, Some(Reply::Reselected(card))) => {
                if card.uid == self.uid {
                    self.try_next()
                } else {
                    Step::Done(Err(Refusal::Swapped))
                }
            }
            (
                State::Password {
                    version,
                    acknowledgement,
                },
                Some(Reply::Data(answer)),
            ) => {
                // A card that takes the password and acknowledges it with something else was not prepared by this site.
                let proven = bool::from(answer.as_slice().ct_eq(&acknowledgement[..]));
                Step::Done(Ok(proven.then_some(version)))
            }
            (State::Challenge { version, key }, Some(Reply::Data(answer))) => {
                match answer.strip_prefix(&[MORE]).map(<[u8; 8]>::try_from) {
                    Some(Ok(challenge)) => self.answer(version, &key, challenge),
                    _ => nonsense(),
                }
            }
            (State::Answer { version, expected }, Some(Reply::Data(answer)))
                if expected.is(answer) =>
            {
                Step::Done(Ok(Some(version)))
            }
            _ => nonsense(),
        }
    }
}

fn nonsense<T>() -> Step<T> {
    Step::Done(Err(Refusal::Nonsense {
        doing: "prove that it has this site's key",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SiteKey;

    /// The pages that the card is given, computed apart from this crate (docs/card-format.md, 10).
    #[test]
    fn passwords_and_keys_are_those_of_the_page() {
        let site = SiteKey::new(std::array::from_fn(|at| at as u8));
        let keys = SiteKeys::new(KeyVersion::FIRST, site);
        let uid = "04A1B2C3D4E5F6".parse().unwrap();
        let of_the_page = include_str!("../../../../docs/card-format.md");
        for (technology, pages) in [
            (Technology::MifareUltralightEv1_48, "A5C61579 37120000"),
            (Technology::MifareUltralightEv1_128, "422DFE6A 5A7E0000"),
            (Technology::Ntag213, "422DFE6A 5A7E0000"),
            (Technology::Ntag215, "1D289F3B 62FE0000"),
            (Technology::Ntag216, "1D289F3B 62FE0000"),
            (
                Technology::MifareUltralightC,
                "8C472D45 43D6CBD3 CA79DD2E 7A87EDE0",
            ),
        ] {
            let found = match CardKey::of(&keys, KeyVersion::FIRST, &uid, technology).unwrap() {
                CardKey::Password(pair) => pair.pages().map(|page| hex_of(&page)).join(" "),
                CardKey::TripleDes(key) => key.pages().map(|page| hex_of(&page)).join(" "),
            };
            assert!(of_the_page.contains(pages), "{pages}");
            assert_eq!(found, pages, "{technology}");
        }
    }

    fn hex_of(page: &PageData) -> String {
        hex::encode_upper(page.expose())
    }
}
