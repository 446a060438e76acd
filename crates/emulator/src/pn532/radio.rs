//! The chip as an initiator: its field, its targets and the commands that do not talk to a card's
//! application (UM0701-02 §7.3). Talking is in `exchange`, looking for cards in `search`.

use super::registers::Registers;
use super::search::Search;
use super::status;
use crate::card::Uid;
use crate::reader::{self, Blocks, Selected, Wake};
use crate::slot::Slot;

/// The chip keeps at most two targets (§7.3.5).
pub(super) const MOST_TARGETS: u8 = 2;

/// What a command comes to.
#[derive(Debug)]
pub(super) enum Answer {
    /// Response code and data, at once.
    Now(Vec<u8>),
    /// The parameters make no sense: an error frame.
    SyntaxError,
    /// When a card is found or the tries are used up.
    Search(Search),
    /// Nothing, until the host interrupts.
    Endless,
}

/// A card that was listed, under the number that the host knows it by.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) number: u8,
    pub(super) uid: Uid,
    /// Of a card that was activated for ISO/IEC 14443-4.
    pub(super) blocks: Option<Blocks>,
    /// Of its last answer, what the host has yet to fetch.
    pub(super) unfetched: Vec<u8>,
    /// Of a command that the host sends in parts, those that came.
    pub(super) gathered: Vec<u8>,
}

impl Target {
    /// A card under this number, with the blocks of its protocol if it was activated.
    pub(super) fn new(number: u8, uid: Uid, blocks: Option<Blocks>) -> Target {
        Target {
            number,
            uid,
            blocks,
            unfetched: Vec::new(),
            gathered: Vec::new(),
        }
    }
}

/// FSDI in the chip's RATS: frames of 64 bytes.
const FSDI: u8 = 5;

#[derive(Debug)]
pub(super) struct Radio {
    pub(super) slot: Slot,
    pub(super) registers: Registers,
    pub(super) targets: Vec<Target>,
    /// The target that is selected just now; others were put to sleep.
    pub(super) current: Option<u8>,
    /// MxRtyPassiveActivation: tries after the first; 0xFF for ever (§7.3.1, item 5).
    pub(super) passive_retries: u8,
    /// Cards that can are activated for ISO/IEC 14443-4 when they are found (§7.2.9).
    pub(super) activates: bool,
    /// The SAM was configured: before that the analogue part stays off in LowVbat mode.
    is_configured: bool,
}

impl Radio {
    pub(super) fn new(slot: Slot) -> Radio {
        slot.set_field(false);
        Radio {
            slot,
            registers: Registers::new(),
            targets: Vec::new(),
            current: None,
            passive_retries: 0xFF,
            activates: true,
            is_configured: false,
        }
    }

    pub(super) fn configure(&mut self) {
        self.is_configured = true;
    }

    /// Switches the field. The chip does not notice that its target lost its supply with it.
    pub(super) fn set_field(&mut self, on: bool) {
        let on = on && self.is_configured;
        if on != self.slot.is_field_on() {
            self.slot.set_field(on);
        }
    }

    /// The supply of the analogue part fails.
    pub(super) fn power_down(&mut self) {
        self.set_field(false);
        self.targets.clear();
        self.current = None;
    }

    /// Runs a command of the initiator, by its code.
    pub(super) fn run(&mut self, code: u8, parameters: &[u8]) -> Answer {
        match code {
            0x32 => self.rf_configuration(parameters),
            // RFRegulationTest sends a carrier until it is interrupted (§7.3.2).
            0x58 => Answer::Endless,
            0x40 => self.in_data_exchange(parameters),
            0x42 => self.in_communicate_thru(parameters),
            0x44 => self.for_targets(code, parameters, |radio, number| radio.deselect(number)),
            0x52 => self.release(code, parameters),
            0x54 => self.for_targets(code, parameters, |radio, number| radio.make_current(number)),
            0x4A => self.in_list_passive_target(parameters),
            0x60 => self.in_auto_poll(parameters),
            // InATR is for targets that speak NFCIP-1, InPSL also for those of ISO/IEC 14443-4.
            0x4E if self.is_activated(parameters) => Answer::Now(vec![0x4F, status::OK]),
            0x4E | 0x50 => self.only_for_dep(code, parameters),
            // InJumpForPSL and InJumpForDEP look for an NFCIP-1 target, and none ever lies here.
            0x46 | 0x56 => Answer::Now(vec![code + 1, status::TIMEOUT]),
            _ => Answer::SyntaxError,
        }
    }

    /// §7.3.1: item, then as many bytes as the item has.
    fn rf_configuration(&mut self, parameters: &[u8]) -> Answer {
        match *parameters {
            [0x01, field] => self.set_field(field & 0x01 != 0),
            [0x02, _, _, _] | [0x04, _] => {}
            [0x05, _, _, passive] => self.passive_retries = passive,
            [0x0A, ref analogue @ ..] if analogue.len() == 11 => {}
            [0x0B, ref analogue @ ..] if analogue.len() == 8 => {}
            [0x0C, ref analogue @ ..] if analogue.len() == 3 => {}
            [0x0D, ref analogue @ ..] if analogue.len() == 9 => {}
            _ => return Answer::SyntaxError,
        }
        Answer::Now(vec![0x33])
    }

    /// Does something with one target, or with all if the number is 0.
    fn for_targets(
        &mut self,
        code: u8,
        parameters: &[u8],
        act: impl Fn(&mut Radio, u8) -> u8,
    ) -> Answer {
        let &[asked] = parameters else {
            return Answer::SyntaxError;
        };
        let numbers: Vec<u8> = self
            .targets
            .iter()
            .map(|target| target.number)
            .filter(|&number| asked == 0 || asked == number)
            .collect();
        if asked != 0 && numbers.is_empty() {
            return Answer::Now(vec![code + 1, status::WRONG_CONTEXT]);
        }
        let outcome = numbers
            .into_iter()
            .fold(status::OK, |worst, number| worst.max(act(self, number)));
        Answer::Now(vec![code + 1, outcome])
    }

    /// §7.3.11: deselects, and forgets.
    fn release(&mut self, code: u8, parameters: &[u8]) -> Answer {
        let answer = self.for_targets(code, parameters, |radio, number| radio.deselect(number));
        if let [asked] = *parameters {
            self.targets
                .retain(|target| asked != 0 && asked != target.number);
        }
        answer
    }

    /// Sends a target to sleep. It stays known (§7.3.10).
    pub(super) fn deselect(&mut self, number: u8) -> u8 {
        if self.current == Some(number) {
            match self.target(number).and_then(|target| target.blocks.clone()) {
                Some(blocks) => blocks.deselect(&self.slot),
                None => reader::halt(&self.slot),
            }
            self.registers.set_crypto1(false);
            self.current = None;
        }
        status::OK
    }

    /// Selects a known target, sending the other to sleep (§7.3.12).
    pub(super) fn make_current(&mut self, number: u8) -> u8 {
        if self.current == Some(number) {
            return status::OK;
        }
        let Some(uid) = self.target(number).map(|target| target.uid) else {
            return status::WRONG_CONTEXT;
        };
        if let Some(other) = self.current {
            self.deselect(other);
        }
        self.registers.set_crypto1(false);
        match reader::select(&self.slot, Wake::All, Some(&uid)) {
            Some(mut selected) => {
                let blocks = self.activate(&mut selected);
                if let Some(target) = self.target_mut(number) {
                    target.blocks = blocks;
                }
                self.current = Some(number);
                status::OK
            }
            None => status::TIMEOUT,
        }
    }

    /// Activates a card that was just selected, if it can and the host wants it.
    pub(super) fn activate(&self, selected: &mut Selected) -> Option<Blocks> {
        if self.activates {
            selected.activate(&self.slot, FSDI)
        } else {
            None
        }
    }

    fn is_activated(&self, parameters: &[u8]) -> bool {
        let target = parameters.first().and_then(|&number| self.target(number));
        parameters.len() == 3 && target.is_some_and(|target| target.blocks.is_some())
    }

    pub(super) fn target_mut(&mut self, number: u8) -> Option<&mut Target> {
        let mut targets = self.targets.iter_mut();
        targets.find(|target| target.number == number)
    }

    pub(super) fn target(&self, number: u8) -> Option<&Target> {
        self.targets.iter().find(|target| target.number == number)
    }

    fn only_for_dep(&self, code: u8, parameters: &[u8]) -> Answer {
        let Some(&number) = parameters.first() else {
            return Answer::SyntaxError;
        };
        let outcome = if self.target(number).is_some() {
            status::NOT_ALLOWED
        } else {
            status::WRONG_CONTEXT
        };
        Answer::Now(vec![code + 1, outcome])
    }

    /// Diagnose 06: is the card still there (§7.2.1)?
    pub(super) fn attention(&self) -> u8 {
        match self.current {
            None => status::WRONG_CONTEXT,
            Some(number) => {
                let blocks = self.target(number).and_then(|it| it.blocks.as_ref());
                let is_there = match blocks {
                    Some(blocks) => blocks.is_present(&self.slot),
                    None => self.slot.has_selected_card(),
                };
                if is_there {
                    status::OK
                } else {
                    status::TIMEOUT
                }
            }
        }
    }

    /// The part of GetGeneralStatus about targets (§7.2.3): count, then number, speeds, modulation.
    pub(super) fn status_of_targets(&self) -> Vec<u8> {
        let count = u8::try_from(self.targets.len()).expect("there are at most two targets");
        let each = self
            .targets
            .iter()
            .flat_map(|target| [target.number, 0x00, 0x00, 0x00]);
        std::iter::once(count).chain(each).collect()
    }
}
