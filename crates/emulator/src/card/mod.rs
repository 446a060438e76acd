//! How a card behaves on the air, whatever reader is above it: selection (ISO/IEC 14443-3) here,
//! the commands of each family in a module of its own. A card knows no encoder and no clock.

mod apdu;
mod application;
mod chip;
mod classic;
mod crypto;
mod desfire;
mod eeprom;
mod ev2;
#[cfg(test)]
mod host;
mod iso_dep;
mod noise;
mod ntag424;
mod pages;
mod selection;
mod technology;
mod type2;
mod uid;

pub use chip::StoredFile;
pub use desfire::Storage;
pub use technology::{Technology, UnknownTechnology};
pub use uid::{Uid, UidError};

#[cfg(test)]
pub(crate) use noise::Noise;

pub(crate) use classic::{Authentication, Key, time_of_authentication};
pub(crate) use eeprom::{Cells, Eeprom, Programmed};

use std::time::Duration;

use crate::air::Frame;
use crate::cards::Options;
use crate::slot::ExchangeKind;
use application::Application;
use chip::Chip;
use selection::{Heard, Selection};

/// What a card makes of one frame.
#[derive(Debug, Default)]
pub(crate) struct Reaction {
    /// What it sends back; nothing at all if `None`.
    pub(crate) answer: Option<Frame>,
    /// It waits for the second part of the same command.
    pub(crate) goes_on: bool,
    /// What the card itself takes before it answers: programming, computing.
    pub(crate) takes: Duration,
}

/// What a command came to, in the application behind the selection.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) reaction: Reaction,
    /// `false`: the card has dropped out and waits to be selected again.
    pub(crate) stays_selected: bool,
    /// It went to sleep as it was told to, and only a wake-up finds it.
    halts: bool,
}

impl Outcome {
    /// The card did it and sends this.
    fn answered(answer: Frame) -> Outcome {
        Outcome {
            reaction: Reaction {
                answer: Some(answer),
                ..Reaction::default()
            },
            stays_selected: true,
            halts: false,
        }
    }

    /// The card did it, which is told by silence.
    fn silent() -> Outcome {
        Outcome {
            reaction: Reaction::default(),
            stays_selected: true,
            halts: false,
        }
    }

    /// The card reacts so, which may be silence.
    fn of(reaction: Reaction) -> Outcome {
        Outcome {
            reaction,
            ..Outcome::silent()
        }
    }

    /// The card does not understand, and drops out without a word.
    fn dropped_out() -> Outcome {
        Outcome {
            stays_selected: false,
            ..Outcome::silent()
        }
    }

    /// The card reacts so, and goes to sleep.
    fn halted(reaction: Reaction) -> Outcome {
        Outcome {
            halts: true,
            ..Outcome::of(reaction)
        }
    }

    /// The card says no in four bits, and drops out.
    fn refused(nak: u8) -> Outcome {
        Outcome {
            stays_selected: false,
            ..Outcome::answered(Frame::partial([nak], 4))
        }
    }

    /// The card does not know it, and drops out without a word.
    fn ignored() -> Outcome {
        Outcome {
            stays_selected: false,
            ..Outcome::silent()
        }
    }

    /// Whether the second part of the same command is to come.
    fn going_on(mut self, goes_on: bool) -> Outcome {
        self.reaction.goes_on = goes_on;
        self
    }
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
#[derive(Debug, Clone)]
pub(crate) struct VirtualCard {
    technology: Technology,
    uid: Uid,
    sak: u8,
    selection: Selection,
    application: Application,
}

impl VirtualCard {
    /// A card as it leaves the factory.
    pub(crate) fn factory(technology: Technology, uid: Uid, options: &Options) -> VirtualCard {
        let application = Application::factory(technology, &uid, options);
        VirtualCard::with(technology, uid, application)
    }

    /// A card in use by somebody else: keys and data nobody here knows.
    pub(crate) fn foreign(technology: Technology, uid: Uid, options: &Options) -> VirtualCard {
        let application = Application::foreign(technology, &uid, options);
        VirtualCard::with(technology, uid, application)
    }

    fn with(technology: Technology, uid: Uid, application: Application) -> VirtualCard {
        let sak = technology.sak();
        let selection = Selection::new(technology.atqa(&uid), sak, &uid);
        let mut card = VirtualCard {
            technology,
            uid,
            sak,
            selection,
            application,
        };
        card.power_off();
        card
    }

    /// The same with another SEL_RES.
    pub(crate) fn saying(mut self, sak: u8) -> VirtualCard {
        self.sak = sak;
        self.selection = Selection::new(self.technology.atqa(&self.uid), sak, &self.uid);
        self.power_off();
        self
    }

    pub(crate) fn technology(&self) -> Technology {
        self.technology
    }

    pub(crate) fn uid(&self) -> Uid {
        self.uid
    }

    pub(crate) fn memory(&self) -> Vec<u8> {
        self.application.memory()
    }

    /// Replaces the memory but for what makes the card this card.
    ///
    /// # Errors
    /// The length that it should have had.
    pub(crate) fn set_memory(&mut self, image: &[u8]) -> Result<(), usize> {
        self.application.set_memory(image)
    }

    /// The field went away: the card forgets all but its EEPROM.
    pub(crate) fn power_off(&mut self) {
        self.selection.power_off();
        self.application.power_off();
        if let Some(uid) = self.application.made_up_uid() {
            self.selection = Selection::new(self.technology.atqa(&uid), self.sak, &uid);
        }
    }

    pub(crate) fn files(&self) -> Vec<StoredFile> {
        self.application.chip().map_or(Vec::new(), Chip::files)
    }

    pub(crate) fn everything_but(&self, application: [u8; 3]) -> Vec<u8> {
        match self.application.chip() {
            Some(chip) => chip.everything_but(application),
            None => self.memory(),
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
        if let Some(chip) = self.application.chip()
            && (chip.is_active() || chip.purpose(frame) == Purpose::Selecting)
        {
            return chip.purpose(frame);
        }
        if selection::is_wake_up(frame) {
            Purpose::Selecting
        } else if self.application.goes_on() {
            Purpose::Continuing
        } else if selection::is_halt(frame) {
            Purpose::Selecting
        } else {
            Purpose::Exchange(self.application.kind(frame))
        }
    }

    /// Acts on a frame.
    pub(crate) fn receive(&mut self, frame: &Frame, eeprom: &mut Eeprom) -> Reaction {
        // Past its activation a card with a processor hears blocks only.
        let is_activated = self.application.chip().is_some_and(Chip::is_active);
        let heard = if is_activated && self.selection.is_active() {
            Heard::ForApplication
        } else {
            self.selection.receive(frame, self.application.goes_on())
        };
        match heard {
            Heard::Answered(answer) => {
                self.application.deselected();
                Reaction {
                    answer,
                    ..Reaction::default()
                }
            }
            Heard::ForApplication => {
                let mut outcome = self.application.receive(frame, eeprom);
                if outcome.halts {
                    self.selection.halt();
                    self.application.deselected();
                } else if !outcome.stays_selected {
                    self.drop_out();
                }
                outcome.reaction.takes += self.application.programming() * eeprom.count();
                outcome.reaction
            }
        }
    }

    /// Acts on an authentication, which is not modelled frame by frame.
    pub(crate) fn authenticate(&mut self, authentication: &Authentication) -> Verdict {
        if !self.selection.is_active() {
            return Verdict::Mute;
        }
        let verdict = self.application.authenticate(authentication, &self.uid);
        if verdict != Verdict::Accepted {
            self.drop_out();
        }
        verdict
    }

    fn drop_out(&mut self) {
        self.selection.fall_back();
        self.application.deselected();
    }
}
