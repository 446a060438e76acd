//! How a card behaves on the air, whatever reader is above it: selection (ISO/IEC 14443-3) here,
//! the commands of each family in a module of its own. A card knows no encoder and no clock.

mod classic;
mod eeprom;
mod noise;
mod selection;
mod technology;
mod uid;

pub use technology::{Technology, UnknownTechnology};
pub use uid::{Uid, UidError};

#[cfg(test)]
pub(crate) use noise::Noise;

pub(crate) use classic::{Authentication, Key};
pub(crate) use eeprom::{Eeprom, Programmed};

use crate::air::Frame;
use crate::slot::ExchangeKind;
use classic::Classic;
use selection::{Heard, Selection};

/// What a card makes of one frame.
#[derive(Debug, Default)]
pub(crate) struct Reaction {
    /// What it sends back; nothing at all if `None`.
    pub(crate) answer: Option<Frame>,
    /// It waits for the second part of the same command.
    pub(crate) goes_on: bool,
}

/// How a card takes an attempt to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
    /// The card is not selected and does not hear.
    Mute,
}

/// A command as the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Waking, selecting, halting: not an exchange.
    Selecting,
    /// The second part of a command under way.
    Continuing,
    /// A new exchange.
    Exchange(ExchangeKind),
    /// The card does not hear it at all.
    Unheard,
}

/// One card: how it is selected, and what it does once selected.
#[derive(Debug)]
pub(crate) struct VirtualCard {
    technology: Technology,
    uid: Uid,
    selection: Selection,
    application: Application,
}

/// What lies behind the selection. A family to come is a variant here and a module beside `classic`.
#[derive(Debug)]
enum Application {
    Classic(Classic),
}

impl VirtualCard {
    /// A card as it leaves the factory.
    pub(crate) fn factory(technology: Technology, uid: Uid) -> VirtualCard {
        VirtualCard::with(
            technology,
            uid,
            Application::Classic(Classic::factory(technology, &uid)),
        )
    }

    /// A card in use by somebody else: keys and data nobody here knows.
    pub(crate) fn foreign(technology: Technology, uid: Uid) -> VirtualCard {
        VirtualCard::with(
            technology,
            uid,
            Application::Classic(Classic::foreign(technology, &uid)),
        )
    }

    fn with(technology: Technology, uid: Uid, application: Application) -> VirtualCard {
        let selection = Selection::new(technology.atqa(&uid), technology.sak(), &uid);
        VirtualCard {
            technology,
            uid,
            selection,
            application,
        }
    }

    pub(crate) fn technology(&self) -> Technology {
        self.technology
    }

    pub(crate) fn uid(&self) -> Uid {
        self.uid
    }

    pub(crate) fn memory(&self) -> Vec<u8> {
        match &self.application {
            Application::Classic(classic) => classic.memory(),
        }
    }

    /// Replaces the memory but for what makes the card this card.
    ///
    /// # Errors
    /// The length that it should have had.
    pub(crate) fn set_memory(&mut self, image: &[u8]) -> Result<(), usize> {
        match &mut self.application {
            Application::Classic(classic) => classic.set_memory(image),
        }
    }

    /// The field went away: the card forgets all but its EEPROM.
    pub(crate) fn power_off(&mut self) {
        self.selection.power_off();
        self.deselected();
    }

    fn deselected(&mut self) {
        match &mut self.application {
            Application::Classic(classic) => classic.deselected(),
        }
    }

    pub(crate) fn is_selected(&self) -> bool {
        self.selection.is_active()
    }

    /// What a frame would be to this card, before it acts on it.
    pub(crate) fn purpose(&self, frame: &Frame) -> Purpose {
        if !self.selection.is_active() {
            return if self.selection.hears(frame) {
                Purpose::Selecting
            } else {
                Purpose::Unheard
            };
        }
        if selection::is_wake_up(frame) {
            return Purpose::Selecting;
        }
        match &self.application {
            Application::Classic(classic) if classic.goes_on() => Purpose::Continuing,
            _ if selection::is_halt(frame) => Purpose::Selecting,
            Application::Classic(_) => Purpose::Exchange(classic::kind(frame)),
        }
    }

    /// Acts on a frame.
    pub(crate) fn receive(&mut self, frame: &Frame, eeprom: &mut Eeprom) -> Reaction {
        let in_midst = match &self.application {
            Application::Classic(classic) => classic.goes_on(),
        };
        match self.selection.receive(frame, in_midst) {
            Heard::Answered(answer) => {
                self.deselected();
                Reaction {
                    answer,
                    goes_on: false,
                }
            }
            Heard::ForApplication => match &mut self.application {
                Application::Classic(classic) => {
                    let outcome = classic.receive(frame, eeprom);
                    if !outcome.stays_selected {
                        self.selection.fall_back();
                        self.deselected();
                    }
                    outcome.reaction
                }
            },
        }
    }

    /// Acts on an authentication, which is not modelled frame by frame.
    pub(crate) fn authenticate(&mut self, authentication: &Authentication) -> Verdict {
        if !self.selection.is_active() {
            return Verdict::Mute;
        }
        match &mut self.application {
            Application::Classic(classic) => {
                if classic.authenticate(authentication, self.uid.last_four()) {
                    Verdict::Accepted
                } else {
                    self.selection.fall_back();
                    self.deselected();
                    Verdict::Refused
                }
            }
        }
    }
}
