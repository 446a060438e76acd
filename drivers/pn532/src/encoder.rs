//! The chip as an encoder: it looks for a card and lends it.

use std::time::{Duration, Instant};

use card::{PresentedCard, SelectAnswer, Uid};
use encoder::{BlockEncoder, CardSession, CardWait, Error, ErrorKind, Facts, Stop};

use crate::chip::{self, Found, Tries};
use crate::error::Pn532Error;
use crate::line::Line;
use crate::link::{Data, Link};
use crate::session::Session;
use crate::setup::Setup;
use crate::speed::{self, Speed};

/// Pause between two looks at a card that must leave first. The chip has no event for that, so looking is the only way.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The first byte of a UID of four bytes that is made anew whenever the card gets power (ISO/IEC 14443-3, 6.5.4).
const CHANGING_UID: u8 = 0x08;

/// An open PN532.
pub(crate) struct Pn532<L: Line> {
    link: Link<L>,
    setup: Setup,
    /// What the chip was told last; told again only when it changes.
    tries: Option<Tries>,
    field_on: bool,
    /// What is known of the port it is at.
    port: Facts,
}

impl<L: Line> Pn532<L> {
    /// Wakes the chip, makes sure that it is one, and puts every setting to where this driver wants it: an earlier
    /// program may have left them anywhere, and opening a port resets nothing.
    pub(crate) fn open(mut link: Link<L>, highest: Speed, port: Facts) -> Result<Self, Pn532Error> {
        let setup = Setup::begin(&mut link, highest)?;
        Ok(Self {
            link,
            setup,
            tries: None,
            field_on: false,
            port,
        })
    }

    /// Finds a chip again that fell silent, and sets it up like a new one. At a speed that just failed it is not trusted
    /// again.
    fn recover(&mut self) -> Result<(), Pn532Error> {
        self.tries = None;
        self.setup = Setup::begin(&mut self.link, speed::below(self.setup.speed))?;
        self.field_on = false;
        Ok(())
    }

    fn set_tries(&mut self, tries: Tries) -> Result<(), Pn532Error> {
        if self.tries != Some(tries) {
            self.tries = None;
            self.link.ask(&chip::set_tries(tries))?;
            self.tries = Some(tries);
        }
        Ok(())
    }

    /// Has the chip do something about the card.
    pub(crate) fn ask(&mut self, command: &[u8]) -> Result<Data, Pn532Error> {
        self.link.ask(command)
    }

    /// Passes something on to a card in ISO/IEC 14443-4.
    pub(crate) fn ask_iso(&mut self, command: &[u8]) -> Result<Data, Pn532Error> {
        self.link.ask_iso(command)
    }

    /// What lies there now.
    fn look(&mut self, most: u8) -> Result<Found, Pn532Error> {
        self.set_tries(Tries::Few)?;
        self.field_on = true;
        chip::found(&self.link.ask(&chip::list_cards(most))?)
    }

    /// What lies there now, after the field was off: a card that was halted, or left in the middle of something,
    /// answers again.
    pub(crate) fn look_afresh(&mut self, most: u8) -> Result<Found, Pn532Error> {
        self.field_off()?;
        self.look(most)
    }

    /// What lies there now, a card in whatever state included: one that was halted, or that is in ISO/IEC 14443-4,
    /// answers no call until the field was off, so only the second silence means that none is there.
    pub(crate) fn look_twice(&mut self, most: u8) -> Result<Found, Pn532Error> {
        match self.look(most)? {
            Found::None => self.look_afresh(most),
            found => Ok(found),
        }
    }

    pub(crate) fn field_off(&mut self) -> Result<(), Pn532Error> {
        if self.field_on && !self.link.is_lost() {
            self.link.ask(&chip::FIELD_OFF)?;
            self.field_on = false;
        }
        Ok(())
    }

    /// Waits for one card. The chip does the looking; only a first sighting costs a second look, which counts the
    /// cards and drops one that only brushed past. (One look for two would hold up every single card: the chip goes
    /// on looking for the second.) Both must see the same card: one UID that was heard wrongly would name another.
    fn wait(&mut self, deadline: Instant, stop: &Stop) -> Result<(u8, PresentedCard), Error> {
        loop {
            self.set_tries(Tries::Endless)?;
            self.field_on = true;
            let until = deadline.min(Instant::now() + self.link.patience().look_again);
            let sighting = self.link.ask_until(&chip::list_cards(1), until, stop)?;
            if stop.is_raised() {
                return Err(Error::new(ErrorKind::Cancelled));
            }
            let Some(sighting) = sighting else {
                if Instant::now() >= deadline {
                    return Err(Error::new(ErrorKind::NoCard));
                }
                // A card whose sighting was lost may be in ISO/IEC 14443-4, where it answers no second call.
                self.field_off()?;
                continue;
            };
            if let Found::One(_, first) = chip::found(&sighting)?
                && let Some(found) = self.seen_again(&first)?
            {
                return Ok(found);
            }
            // A chip that does not look for ever as it was told, or a card that only ever brushes past.
            if Instant::now() >= deadline {
                return Err(Error::new(ErrorKind::NoCard));
            }
        }
    }

    /// The second look at a card that was just sighted.
    fn seen_again(&mut self, first: &PresentedCard) -> Result<Option<(u8, PresentedCard)>, Error> {
        let found = if is_iso_14443_4(first) {
            // It was taken into ISO/IEC 14443-4, where it answers no second call.
            self.look_afresh(2)?
        } else {
            self.look(2)?
        };
        match found {
            Found::One(target, card) if may_be_same(first.uid, card.uid) => {
                Ok(Some((target, card)))
            }
            Found::Several => Err(Error::new(ErrorKind::SeveralCards)),
            Found::None | Found::One(..) => Ok(None),
        }
    }

    fn select_one(
        &mut self,
        wait: CardWait,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<(u8, PresentedCard), Error> {
        if self.link.is_lost() {
            self.recover()?;
        }
        if wait == CardWait::Fresh {
            self.wait_for_removal(deadline, stop)?;
        }
        self.wait(deadline, stop)
    }

    /// Waits until the card that rests there has left: no card answers, or another one does. One miss proves nothing,
    /// so a second look has to miss it too.
    fn wait_for_removal(&mut self, deadline: Instant, stop: &Stop) -> Result<(), Error> {
        let mut resting = None;
        loop {
            match self.look_twice(1)? {
                Found::None => return Ok(()),
                Found::One(_, card) => {
                    if !may_be_same(*resting.get_or_insert(card.uid), card.uid) {
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
        let mut selected = self.select_one(wait, deadline, stop);
        // A chip that lost its power for a moment is there again, asleep and as after a reset.
        if selected.is_err() && self.link.is_lost() && Instant::now() < deadline {
            selected = self.select_one(wait, deadline, stop);
        }
        match selected {
            Ok((target, card)) => Ok(Box::new(Session::new(self, target, card))),
            Err(error) => {
                // The failure that led here is what counts.
                let _ = self.field_off();
                Err(error)
            }
        }
    }

    fn facts(&self) -> Facts {
        let [ic, version, revision, _] = self.setup.firmware;
        let facts = Facts::default()
            .with("chip", format!("PN5{ic:02X}"))
            .with("firmware", format!("{version}.{revision}"))
            .with("speed", format!("{} baud", self.setup.speed.baud));
        self.port
            .iter()
            .fold(facts, |facts, (name, value)| facts.with(name, value))
    }
}

impl<L: Line> Drop for Pn532<L> {
    fn drop(&mut self) {
        // Whoever opens the port next switches the field off in any case, and looks for the chip at every speed.
        let _ = self.field_off();
        self.setup.end(&mut self.link);
    }
}

/// Whether a card says of itself that it speaks ISO/IEC 14443-4.
pub(crate) fn is_iso_14443_4(card: &PresentedCard) -> bool {
    matches!(
        card.answer,
        SelectAnswer::Iso14443a { sak, .. } if sak & chip::SAK_ISO_14443_4 != 0
    )
}

/// Cards whose UID changes with every look cannot be told from one another.
fn may_be_same(one: Uid, other: Uid) -> bool {
    let changes = |uid: Uid| matches!(uid.as_bytes(), [CHANGING_UID, _, _, _]);
    one == other || changes(one) && changes(other)
}
