//! What lies behind the selection, whichever family it is of. This is the one place where families
//! are told apart; a family to come is a variant here and a module beside `classic`.

use std::time::Duration;

use super::chip::{self, Chip};
use super::classic::{self, Authentication, Classic};
use super::technology::Family;
use super::type2::{self, Type2};
use super::{Eeprom, Outcome, Technology, Uid, Verdict};
use crate::air::Frame;
use crate::cards::Options;
use crate::slot::ExchangeKind;

#[derive(Debug, Clone)]
pub(super) enum Application {
    Classic(Classic),
    Type2(Type2),
    Chip(Box<Chip>),
}

impl Application {
    pub(super) fn factory(technology: Technology, uid: &Uid, options: &Options) -> Application {
        match technology.family() {
            Family::Classic => Application::Classic(Classic::factory(technology, uid)),
            Family::Type2(model) => Application::Type2(Type2::factory(technology, model, uid)),
            Family::IsoDep => Application::Chip(Box::new(Chip::factory(technology, uid, options))),
        }
    }

    pub(super) fn foreign(technology: Technology, uid: &Uid, options: &Options) -> Application {
        match technology.family() {
            Family::Classic => Application::Classic(Classic::foreign(technology, uid)),
            Family::Type2(model) => Application::Type2(Type2::foreign(technology, model, uid)),
            Family::IsoDep => Application::Chip(Box::new(Chip::foreign(technology, uid, options))),
        }
    }

    pub(super) fn memory(&self) -> Vec<u8> {
        match self {
            Application::Classic(classic) => classic.memory(),
            Application::Type2(type2) => type2.memory(),
            // It has files instead.
            Application::Chip(_) => Vec::new(),
        }
    }

    pub(super) fn set_memory(&mut self, image: &[u8]) -> Result<(), usize> {
        match self {
            Application::Classic(classic) => classic.set_memory(image),
            Application::Type2(type2) => type2.set_memory(image),
            Application::Chip(_) => Err(0),
        }
    }

    /// The card is no longer selected: all but the EEPROM is forgotten.
    pub(super) fn deselected(&mut self) {
        match self {
            Application::Classic(classic) => classic.deselected(),
            Application::Type2(type2) => type2.deselected(),
            Application::Chip(chip) => chip.deselected(),
        }
    }

    /// The card lost its supply: only the EEPROM stays.
    pub(super) fn power_off(&mut self) {
        match self {
            Application::Classic(classic) => classic.deselected(),
            Application::Type2(type2) => type2.power_off(),
            Application::Chip(chip) => chip.deselected(),
        }
    }

    /// The card, if it is one with a processor.
    pub(super) fn chip(&self) -> Option<&Chip> {
        match self {
            Application::Chip(chip) => Some(chip),
            Application::Classic(_) | Application::Type2(_) => None,
        }
    }

    /// The UID that it makes up for its next power-up, if it does.
    pub(super) fn made_up_uid(&mut self) -> Option<Uid> {
        match self {
            Application::Chip(chip) => chip.made_up_uid(),
            Application::Classic(_) | Application::Type2(_) => None,
        }
    }

    /// Whether the second part of a command is awaited, which may look like anything.
    pub(super) fn goes_on(&self) -> bool {
        match self {
            Application::Classic(classic) => classic.goes_on(),
            Application::Type2(type2) => type2.goes_on(),
            Application::Chip(chip) => chip.goes_on(),
        }
    }

    /// How long one unit of EEPROM takes to be programmed.
    pub(super) fn programming(&self) -> Duration {
        match self {
            Application::Classic(_) => classic::PROGRAMMING,
            Application::Type2(_) => type2::PROGRAMMING,
            Application::Chip(_) => chip::PROGRAMMING,
        }
    }

    /// What the log calls the command of a frame.
    pub(super) fn kind(&self, frame: &Frame) -> ExchangeKind {
        match self {
            Application::Classic(_) => classic::kind(frame),
            Application::Type2(_) => type2::kind(frame),
            Application::Chip(chip) => chip.kind(frame),
        }
    }

    pub(super) fn receive(&mut self, frame: &Frame, eeprom: &mut Eeprom) -> Outcome {
        match self {
            Application::Classic(classic) => classic.receive(frame, eeprom),
            Application::Type2(type2) => type2.receive(frame, eeprom),
            Application::Chip(chip) => chip.receive(frame, eeprom),
        }
    }

    /// Takes an authentication of MIFARE Classic.
    pub(super) fn authenticate(&mut self, asked: &Authentication, uid: &Uid) -> Verdict {
        match self {
            Application::Classic(classic) => {
                if classic.authenticate(asked, uid.last_four()) {
                    Verdict::Accepted
                } else {
                    Verdict::Refused
                }
            }
            // To any other card it is a command that it does not know.
            Application::Type2(_) => Verdict::Refused,
            Application::Chip(_) => Verdict::Mute,
        }
    }
}
