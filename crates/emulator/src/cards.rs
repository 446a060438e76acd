//! All the cards there are, by UID. A card keeps its memory wherever it lies, on an encoder or in
//! somebody's pocket; nothing here knows what its bytes mean.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

use crate::card::{Storage, StoredFile, Technology, Uid, VirtualCard};
use crate::slot::Whereabouts;

/// What a card holds when it is seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Origin {
    /// As delivered: transport keys, no data.
    #[default]
    Factory,
    /// In use by somebody else: keys and data that nobody here knows (the same for the same UID).
    Foreign,
}

/// What else a new card is made with, where its technology leaves a choice.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// It is configured to make up a UID at every power-up; see [`Options::with_random_uid`].
    pub random_uid: bool,
    /// How much memory a DESFire has.
    pub storage: Storage,
    /// What it says of itself in place of its technology; see [`Options::with_sak`].
    pub sak: Option<u8>,
}

impl Options {
    /// The same with a UID of four bytes that is made up at every power-up. The true UID stays the
    /// card's name in the drawer, in logs and for steering; a reader learns it from the card alone.
    #[must_use]
    pub fn with_random_uid(mut self) -> Options {
        self.random_uid = true;
        self
    }

    /// The same with another SEL_RES than its technology's: a card that a reader takes for another kind,
    /// one that it does not know say. Everything else stays as it is.
    #[must_use]
    pub fn with_sak(mut self, sak: u8) -> Options {
        self.sak = Some(sak);
        self
    }

    /// The same with so much memory.
    #[must_use]
    pub fn with_storage(mut self, storage: Storage) -> Options {
        self.storage = storage;
        self
    }
}

/// Why there is no such card.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CardsError {
    /// The UID is taken by a card of another kind.
    #[error("card {uid} is a {known}, not a {asked}; choose another UID")]
    OtherTechnology {
        /// The card in question.
        uid: Uid,
        /// What it is.
        known: Technology,
        /// What was asked for.
        asked: Technology,
    },
    /// Cards of this technology do not come with UIDs of this length.
    #[error(
        "{technology} has a UID of {} bytes, and {uid} has {}; give another UID",
        lengths(*technology),
        uid.as_bytes().len()
    )]
    UidLength {
        /// The UID asked for.
        uid: Uid,
        /// The technology asked for.
        technology: Technology,
    },
    /// Cards of this technology cannot make up UIDs.
    #[error("no {0} makes up UIDs; leave that out, or choose a DESFire or an NTAG 424 DNA")]
    NoRandomUid(Technology),
}

fn lengths(technology: Technology) -> String {
    let lengths: Vec<_> = technology
        .uid_lengths()
        .iter()
        .map(usize::to_string)
        .collect();
    lengths.join(" or ")
}

/// Why an image was not put onto a card.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The image has another length than the card's memory.
    #[error("the image has {given} bytes and the card has {expected}; nothing was changed")]
    Length {
        /// Bytes given.
        given: usize,
        /// Bytes of the card.
        expected: usize,
    },
    /// The card has files behind commands of its own.
    #[error("{0} has files and no image of its memory; write to it by its own commands")]
    NoImage(Technology),
}

/// The drawer of all cards. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Cards {
    known: Arc<Mutex<BTreeMap<Uid, Card>>>,
}

impl Cards {
    /// An empty drawer.
    #[must_use]
    pub fn new() -> Cards {
        Cards::default()
    }

    /// The card with this UID: the known one with its memory, else a new one of the given origin.
    ///
    /// # Errors
    /// The UID belongs to a card of another technology, or has a length that this technology has not.
    pub fn card(
        &self,
        technology: Technology,
        uid: Uid,
        origin: Origin,
    ) -> Result<Card, CardsError> {
        self.card_with(technology, uid, origin, &Options::default())
    }

    /// The same, a new one made with these options.
    ///
    /// # Errors
    /// As above, or an option that this technology has not.
    pub fn card_with(
        &self,
        technology: Technology,
        uid: Uid,
        origin: Origin,
        options: &Options,
    ) -> Result<Card, CardsError> {
        let mut known = self.lock();
        let card = match known.get(&uid) {
            Some(card) => card.clone(),
            None => {
                if !technology.uid_lengths().contains(&uid.as_bytes().len()) {
                    return Err(CardsError::UidLength { uid, technology });
                }
                if options.random_uid && !technology.has_files() {
                    return Err(CardsError::NoRandomUid(technology));
                }
                let card = Card::new(make(technology, uid, origin, options));
                known.insert(uid, card.clone());
                card
            }
        };
        if card.technology() != technology {
            return Err(CardsError::OtherTechnology {
                uid,
                known: card.technology(),
                asked: technology,
            });
        }
        Ok(card)
    }

    /// The card with this UID, if it was ever made.
    #[must_use]
    pub fn get(&self, uid: &Uid) -> Option<Card> {
        self.lock().get(uid).cloned()
    }

    /// Every card, ordered by UID.
    #[must_use]
    pub fn all(&self) -> Vec<Card> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uid, Card>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make(technology: Technology, uid: Uid, origin: Origin, options: &Options) -> VirtualCard {
    let card = match origin {
        Origin::Factory => VirtualCard::factory(technology, uid, options),
        Origin::Foreign => VirtualCard::foreign(technology, uid, options),
    };
    match options.sak {
        Some(sak) => card.saying(sak),
        None => card,
    }
}

/// One card. Clones are the same card.
#[derive(Clone)]
pub struct Card {
    uid: Uid,
    technology: Technology,
    shared: Arc<Shared>,
}

struct Shared {
    virtual_card: Mutex<VirtualCard>,
    whereabouts: Mutex<Whereabouts>,
}

impl Card {
    fn new(virtual_card: VirtualCard) -> Card {
        let (uid, technology) = (virtual_card.uid(), virtual_card.technology());
        let shared = Shared {
            virtual_card: Mutex::new(virtual_card),
            whereabouts: Mutex::new(Whereabouts::default()),
        };
        Card {
            uid,
            technology,
            shared: Arc::new(shared),
        }
    }

    /// The UID.
    #[must_use]
    pub fn uid(&self) -> Uid {
        self.uid
    }

    /// The technology.
    #[must_use]
    pub fn technology(&self) -> Technology {
        self.technology
    }

    /// The raw image of the memory, keys included: 320, 1024 or 4096 bytes for a MIFARE Classic. Empty
    /// for a card that has [`files`](Card::files) instead.
    #[must_use]
    pub fn memory(&self) -> Vec<u8> {
        self.lock().memory()
    }

    /// Puts a raw image onto the card, wherever it lies. What makes the card this card stays as it
    /// is: block 0 of a MIFARE Classic. Not an exchange, and not in any log.
    ///
    /// # Errors
    /// The image has another length than the card's memory, or the card has no image.
    pub fn set_memory(&self, image: &[u8]) -> Result<(), MemoryError> {
        if self.technology.has_files() {
            return Err(MemoryError::NoImage(self.technology));
        }
        self.lock()
            .set_memory(image)
            .map_err(|expected| MemoryError::Length {
                given: image.len(),
                expected,
            })
    }

    /// The files of a card that has files, keys not included, by application and number. What makes a
    /// DESFire or an NTAG 424 DNA what it is can be judged by them; no reader gets at them this way.
    #[must_use]
    pub fn files(&self) -> Vec<StoredFile> {
        self.lock().files()
    }

    /// Everything that the card holds, keys and settings included, but for one DESFire application, as
    /// bytes that mean nothing by themselves: equal before and after if nothing else was changed. Of an
    /// NTAG 424 DNA the content of file 3 and the keys are left out, of any other card nothing.
    #[must_use]
    pub fn everything_but(&self, application: [u8; 3]) -> Vec<u8> {
        self.lock().everything_but(application)
    }

    /// Makes the card hold what a new one of this origin would, wherever it lies. A card that lies in
    /// a field has lost its supply for a moment.
    pub fn remake(&self, origin: Origin) {
        *self.lock() = make(self.technology, self.uid, origin, &Options::default());
    }

    /// Another card with the same UID and all that this one holds, worn cells included, which lies
    /// nowhere and is in no drawer. What happens to one is nothing to the other.
    #[must_use]
    pub fn twin(&self) -> Card {
        let mut twin = self.lock().clone();
        twin.power_off();
        Card::new(twin)
    }

    /// Two handles of one and the same card.
    pub(crate) fn is(&self, other: &Card) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// The card as it acts on the air. Held for single steps only; never while waiting.
    pub(crate) fn lock(&self) -> MutexGuard<'_, VirtualCard> {
        self.shared
            .virtual_card
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the card lies. Taken before any slot's lock, so that a card is in one place only.
    pub(crate) fn whereabouts(&self) -> MutexGuard<'_, Whereabouts> {
        self.shared
            .whereabouts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card({} {})", self.technology, self.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cards, CardsError, Origin};
    use crate::{Technology, Uid};

    fn uid(text: &str) -> Uid {
        text.parse().unwrap()
    }

    #[test]
    fn a_uid_of_another_length_than_the_technology_has_is_refused_with_what_it_has() {
        let refused = |technology, text: &str| {
            let card = Cards::new().card(technology, uid(text), Origin::Factory);
            match card.unwrap_err() {
                error @ CardsError::UidLength { .. } => error.to_string(),
                other => panic!("{other}"),
            }
        };
        assert_eq!(
            refused(Technology::MifareClassic1k, "04A1B2C3D4E5F6071829"),
            "mifare_classic_1k has a UID of 4 or 7 bytes, and 04A1B2C3D4E5F6071829 has 10; \
             give another UID"
        );
        assert_eq!(
            refused(Technology::Ntag213, "04A1B2C3"),
            "ntag213 has a UID of 7 bytes, and 04A1B2C3 has 4; give another UID"
        );
    }

    #[test]
    fn what_happens_to_a_twin_is_nothing_to_the_card() {
        let cards = Cards::new();
        let card = cards.card(
            Technology::MifareClassic1k,
            uid("04A1B2C3"),
            Origin::Foreign,
        );
        let card = card.unwrap();
        let (twin, before) = (card.twin(), card.memory());
        assert_eq!(twin.memory(), before);
        twin.set_memory(&[0; 1024]).unwrap();
        assert_eq!(card.memory(), before);
        assert!(!card.is(&twin));
        assert_eq!(cards.all().len(), 1);
    }
}
