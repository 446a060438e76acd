//! The chip as an encoder: it looks for a card, lends it, and carries out one command at a time.

use std::time::{Duration, Instant};

use card::{ClassicCommand, Command, CommandKind, PresentedCard, Reply, SelectAnswer};
use encoder::{BlockEncoder, CardSession, CardWait, Error, ErrorKind, Stop};

use crate::chip::{self, Found, Tries};
use crate::error::Pn532Error;
use crate::line::Line;
use crate::link::Link;
use crate::status::{self, Meaning};

/// Pause between two looks at a card that must leave first. The chip has no event for that, so looking is the only way.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Bytes of a Classic block.
const BLOCK: usize = 16;

/// An open PN532.
pub(crate) struct Pn532<L: Line> {
    link: Link<L>,
    /// What the chip was told last; told again only when it changes.
    tries: Option<Tries>,
    field_on: bool,
}

impl<L: Line> Pn532<L> {
    /// Wakes the chip, makes sure that it is one, and puts every setting to where this driver wants it: an earlier
    /// program may have left them anywhere, and opening a port resets nothing.
    pub(crate) fn open(line: L) -> Result<Self, Pn532Error> {
        let mut link = Link::new(line);
        link.wake()?;
        link.ask(&chip::SAM_CONFIGURATION)?;
        chip::check_firmware(&link.ask(&chip::GET_FIRMWARE_VERSION)?)?;
        for setting in [
            &chip::SET_PARAMETERS[..],
            &chip::TIMINGS,
            &chip::NO_REPETITION,
            &chip::FIELD_OFF,
        ] {
            link.ask(setting)?;
        }
        Ok(Self {
            link,
            tries: None,
            field_on: false,
        })
    }

    fn set_tries(&mut self, tries: Tries) -> Result<(), Pn532Error> {
        if self.tries != Some(tries) {
            self.tries = None;
            self.link.ask(&chip::set_tries(tries))?;
            self.tries = Some(tries);
        }
        Ok(())
    }

    /// What lies there now.
    fn look(&mut self, most: u8) -> Result<Found, Pn532Error> {
        self.set_tries(Tries::Few)?;
        self.field_on = true;
        chip::found(&self.link.ask(&chip::list_cards(most))?)
    }

    /// What lies there now, after the field was off: a card that was halted, or left in the middle of something,
    /// answers again.
    fn look_afresh(&mut self, most: u8) -> Result<Found, Pn532Error> {
        self.field_off()?;
        self.look(most)
    }

    fn field_off(&mut self) -> Result<(), Pn532Error> {
        if self.field_on {
            self.link.ask(&chip::FIELD_OFF)?;
            self.field_on = false;
        }
        Ok(())
    }

    /// Waits for one card. The chip does the looking; only a first sighting costs a second look, which counts the
    /// cards and drops one that only brushed past. (One look for two would hold up every single card: the chip goes
    /// on looking for the second.)
    fn wait(&mut self, deadline: Instant, stop: &Stop) -> Result<(u8, PresentedCard), Error> {
        loop {
            self.set_tries(Tries::Endless)?;
            self.field_on = true;
            let sighting = self.link.ask_until(&chip::list_cards(1), deadline, stop)?;
            if stop.is_raised() {
                return Err(Error::new(ErrorKind::Cancelled));
            }
            if sighting.is_none() {
                return Err(Error::new(ErrorKind::NoCard));
            }
            match self.look(2)? {
                Found::One(target, card) => return Ok((target, card)),
                Found::Several => return Err(Error::new(ErrorKind::SeveralCards)),
                Found::None => {}
            }
        }
    }

    /// Waits until the card that rests there has left: no card answers, or another one does. One miss proves nothing,
    /// so a second look has to miss it too.
    fn wait_for_removal(&mut self, deadline: Instant, stop: &Stop) -> Result<(), Error> {
        let mut resting = None;
        loop {
            let mut found = self.look(1)?;
            if found == Found::None {
                found = self.look_afresh(1)?;
            }
            match found {
                Found::None => return Ok(()),
                Found::One(_, card) => {
                    if *resting.get_or_insert(card.uid) != card.uid {
                        return Ok(());
                    }
                }
                Found::Several => return Err(Error::new(ErrorKind::SeveralCards)),
            }
            if Instant::now() >= deadline {
                return Err(Error::new(ErrorKind::NoCard));
            }
            if stop.wait_until(deadline.min(Instant::now() + LOOK_EVERY)) {
                return Err(Error::new(ErrorKind::Cancelled));
            }
        }
    }
}

impl<L: Line> BlockEncoder for Pn532<L> {
    fn select<'a>(
        &'a mut self,
        wait: CardWait,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Box<dyn CardSession + 'a>, Error> {
        let selected = match wait {
            CardWait::Resting => self.wait(deadline, stop),
            CardWait::Fresh => self
                .wait_for_removal(deadline, stop)
                .and_then(|()| self.wait(deadline, stop)),
        };
        match selected {
            Ok((target, card)) => Ok(Box::new(Session {
                encoder: self,
                target,
                card,
            })),
            Err(error) => {
                // The failure that led here is what counts.
                let _ = self.field_off();
                Err(error)
            }
        }
    }
}

impl<L: Line> Drop for Pn532<L> {
    fn drop(&mut self) {
        // Whoever opens the port next switches it off in any case.
        let _ = self.field_off();
    }
}

/// One card in the field. The field goes off with it.
struct Session<'a, L: Line> {
    encoder: &'a mut Pn532<L>,
    target: u8,
    card: PresentedCard,
}

impl<L: Line> Session<'_, L> {
    fn classic(&mut self, command: &ClassicCommand) -> Result<Reply, Pn532Error> {
        let bytes = chip::exchange(self.target, command, &self.card.uid);
        let answer = self.encoder.link.ask(&bytes)?;
        let malformed = Pn532Error::Malformed { command: bytes[0] };
        let (&first, data) = answer.split_first().ok_or(malformed)?;
        let status = status::meaning(first);
        match (status.meaning, command) {
            (Meaning::Done, ClassicCommand::Authenticate { .. } | ClassicCommand::Write { .. }) => {
                Ok(Reply::Done)
            }
            (Meaning::Done, ClassicCommand::Read { .. }) if data.len() == BLOCK => {
                Ok(Reply::Data(data.to_vec()))
            }
            // A NAK has four bits; the chip may hand it on as a whole answer.
            (Meaning::Done, ClassicCommand::Read { .. }) if data.len() <= 1 => Ok(Reply::Refused),
            (Meaning::Done, ClassicCommand::Read { .. }) => {
                Err(Pn532Error::Malformed { command: bytes[0] })
            }
            (Meaning::RefusedOrGone, _) => Ok(Reply::Refused),
            (Meaning::Gone, _) => Err(Pn532Error::CardGone { text: status.text }),
            (Meaning::Failed(kind), _) => Err(Pn532Error::Status {
                code: status.code,
                text: status.text,
                kind,
            }),
        }
    }

    /// A halted card answers again once the field was off, so only the second silence means that none is there.
    fn reselect(&mut self) -> Result<Reply, Error> {
        let mut found = self.encoder.look(1)?;
        if found == Found::None {
            found = self.encoder.look_afresh(1)?;
        }
        match found {
            Found::One(target, card) => {
                self.target = target;
                self.card = card.clone();
                Ok(Reply::Reselected(card))
            }
            Found::None => Err(Error::new(ErrorKind::CardGone)),
            Found::Several => Err(Error::new(ErrorKind::SeveralCards)),
        }
    }
}

impl<L: Line> CardSession for Session<'_, L> {
    fn card(&self) -> &PresentedCard {
        &self.card
    }

    fn supports(&self, kind: CommandKind) -> bool {
        match kind {
            CommandKind::Reselect => true,
            CommandKind::Type2 | CommandKind::Iso => false,
            // SEL_RES bit 4 is set on every MIFARE Classic and on what emulates one (NXP AN10833, 3.1).
            CommandKind::Classic => matches!(
                self.card.answer,
                SelectAnswer::Iso14443a { sak, .. } if sak & 0x08 != 0
            ),
        }
    }

    fn exchange(&mut self, command: &Command) -> Result<Reply, Error> {
        match command {
            Command::Classic(command) => Ok(self.classic(command)?),
            Command::Type2(_) | Command::Iso(_) => Err(Error::new(ErrorKind::Unsupported)),
            Command::Reselect => self.reselect(),
        }
    }
}

impl<L: Line> Drop for Session<'_, L> {
    fn drop(&mut self) {
        // A line that fails here fails at the next selection, which reports it.
        let _ = self.encoder.field_off();
    }
}
