//! The reader's memory for a key, which must not keep any key of a site.

use card::ClassicKey;
use pcsc::Card;

use crate::apdu::{self, KeyStructure};
use crate::error::PcscError;
use crate::session::transmit;
use crate::status::{self, Meaning};

/// What is known of one reader's memory for a key. It can be written with a card in the reader only, so a key whose
/// card was taken off stays until the next card comes. No command of PC/SC part 3 reads it back.
#[derive(Debug, Default)]
pub(crate) struct KeyMemory {
    /// Found out with the first key.
    structure: Option<KeyStructure>,
    /// A key of somebody's card lies in it, or may.
    holds_key: bool,
}

impl KeyMemory {
    /// Puts a key into the reader, which keeps it in the kind of memory that it turns out to take.
    pub(crate) fn load(&mut self, connection: &Card, key: &ClassicKey) -> Result<(), PcscError> {
        let candidates = match &self.structure {
            Some(known) => std::slice::from_ref(known),
            None => &KeyStructure::ALL,
        };
        for &structure in candidates {
            // Also when its answer is lost.
            self.holds_key = true;
            let answer = transmit(connection, &apdu::load_key(structure, key))?;
            if status::meaning(answer.word).meaning == Meaning::Done {
                self.structure = Some(structure);
                return Ok(());
            }
        }
        Err(PcscError::TakesNoKeys)
    }

    /// Overwrites a key that is left in the reader. One that cannot be is remembered for the next time.
    pub(crate) fn forget_key(&mut self, connection: &Card) {
        if self.holds_key {
            let key = ClassicKey::new(ClassicKey::TRANSPORT);
            match self.load(connection, &key) {
                Ok(()) => self.holds_key = false,
                Err(error) => {
                    tracing::debug!(%error, "a key stays in the reader until a card is put on")
                }
            }
        }
    }
}
