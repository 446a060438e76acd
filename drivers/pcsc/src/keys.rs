//! The reader's memory for a key, which must not keep any key of a site.

use card::{ClassicKey, KeyType};

use crate::apdu;
use crate::error::PcscError;
use crate::quirks::KeyPlace;
use crate::status::{self, Meaning};
use crate::wire::Wire;

const ALL_TYPES: [KeyType; 2] = [KeyType::A, KeyType::B];

/// What is known of one reader's memory for a key. It can be written with a card in the reader only, so a key whose
/// card was taken off stays until the next card comes. No command of PC/SC part 3 reads it back.
#[derive(Debug)]
pub(crate) struct KeyMemory {
    /// The places to try, in order.
    candidates: &'static [KeyPlace],
    /// Found out with the first key.
    place: Option<KeyPlace>,
    /// A key of somebody's card lies in it, or may.
    holds_key: bool,
}

impl KeyMemory {
    pub(crate) fn new(candidates: &'static [KeyPlace]) -> Self {
        Self {
            candidates,
            place: None,
            holds_key: false,
        }
    }

    /// Puts a key into the reader and says where: in the first kind of memory that turns out to take it.
    pub(crate) fn load(
        &mut self,
        wire: &Wire,
        key_type: KeyType,
        key: &ClassicKey,
    ) -> Result<KeyPlace, PcscError> {
        let candidates = match &self.place {
            Some(known) => std::slice::from_ref(known),
            None => self.candidates,
        };
        for &place in candidates {
            // Also when its answer is lost.
            self.holds_key = true;
            let answer = wire.transmit(&apdu::load_key(place, key_type, key))?;
            if status::meaning(answer.word).meaning == Meaning::Done {
                self.place = Some(place);
                return Ok(place);
            }
        }
        Err(PcscError::TakesNoKeys)
    }

    /// Overwrites what is left of keys in the reader. What cannot be is remembered for the next time.
    pub(crate) fn forget_key(&mut self, wire: &Wire) {
        if !self.holds_key {
            return;
        }
        let key = ClassicKey::new(ClassicKey::TRANSPORT);
        // Where no place is known, an answer was lost: whatever it took is overwritten.
        let types = self.place.map_or(&ALL_TYPES[..], KeyPlace::types);
        let forgotten = types
            .iter()
            .try_for_each(|&key_type| self.load(wire, key_type, &key).map(drop));
        match forgotten {
            Ok(()) => self.holds_key = false,
            Err(error) => {
                tracing::debug!(%error, "a key stays in the reader until a card is put on");
            }
        }
    }
}
