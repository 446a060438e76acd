//! A PN532 within another reader, which passes single commands of its host on to it, as the ACR122U
//! does (ACR122U API §4.1). The reader around it looks for cards by itself.

use super::radio::{Answer, Radio, Target};
use crate::reader::Selected;
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

    /// The reader around it looked for cards and selected this one, or none.
    pub(crate) fn found(&mut self, selected: Option<&Selected>) {
        self.radio.registers.prepare_type_a();
        self.radio.targets = selected
            .map(|card| Target {
                number: 1,
                uid: card.uid,
            })
            .into_iter()
            .collect();
        self.radio.current = selected.map(|_| 1);
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
