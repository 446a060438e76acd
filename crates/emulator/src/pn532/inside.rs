//! A PN532 within another reader, which passes single commands of its host on to it, as the ACR122U
//! does (ACR122U API §4.1). The reader around it looks for cards by itself.

use super::radio::{Answer, Radio, Target};
use crate::reader::{Blocks, Failure, Selected};
use crate::slot::Slot;

/// TFI of a command, and of its answer (UM0701-02 §6.2.1).
const FROM_HOST: u8 = 0xD4;
const TO_HOST: u8 = 0xD5;

#[derive(Debug)]
pub(crate) struct Inside {
    radio: Radio,
}

impl Inside {
    /// The chip, with its field off.
    pub(crate) fn new(slot: Slot) -> Inside {
        let mut radio = Radio::new(slot);
        radio.configure();
        Inside { radio }
    }

    /// The reader around it looked for cards and selected this one, or none; and activated it, if there
    /// are blocks.
    pub(crate) fn found(&mut self, selected: Option<&Selected>, blocks: Option<Blocks>) {
        self.radio.registers.prepare_type_a();
        self.radio.targets = selected
            .map(|card| Target::new(1, card.uid, blocks))
            .into_iter()
            .collect();
        self.radio.current = selected.map(|_| 1);
    }

    /// Sends an APDU to the card that is activated; `None` if none is.
    pub(crate) fn exchange(&mut self, apdu: &[u8]) -> Option<Result<Vec<u8>, Failure>> {
        let number = self.radio.current?;
        let slot = self.radio.slot.clone();
        let blocks = self.radio.target_mut(number)?.blocks.as_mut()?;
        Some(blocks.exchange(&slot, apdu))
    }

    /// Runs `D4 code parameters` and gives `D5 code+1 …`; `None` if the chip does not understand it or
    /// would not answer. A search is tried once.
    pub(crate) fn run(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        let &[FROM_HOST, code, ref parameters @ ..] = command else {
            return None;
        };
        let response = match self.radio.run(code, parameters) {
            Answer::Now(response) => response,
            Answer::SyntaxError | Answer::Endless => return None,
            Answer::Search(search) => {
                self.radio.begin_search();
                let found = self.radio.attempt(&search);
                found.unwrap_or_else(|| search.nothing())
            }
        };
        Some([&[TO_HOST][..], &response].concat())
    }
}
