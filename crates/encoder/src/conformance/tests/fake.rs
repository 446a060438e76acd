//! A driver for the device in a folder, right in everything but the flaw that it is given.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use card::{
    ClassicCommand, Command, CommandKind, KeyType, PresentedCard, Reply, SelectAnswer, Uid,
};

use super::world::{UNSUPPORTED, World, uid};
use crate::{
    Access, BlockEncoder, CardSession, CardWait, Changed, Direction, Driver, Encoder, Error,
    ErrorKind, Facts, Identity, Listing, Opening, PathWatch, Probing, Recorder, Selector, Settings,
    SettingsError, Stop,
};

/// What an author may get wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// Without a card it goes on with what it remembers of the one before.
    MissesNoCard,
    /// With another card it goes on with what it remembers of the one before.
    MissesNoSwap,
    /// It tells its log which keys it uses.
    LogsKeys,
    /// It records what passes with nothing masked.
    RecordsKeys,
    /// It waits for a card past the deadline.
    WaitsForEver,
    /// It waits for a card although it was told to stop.
    IgnoresStop,
    /// It keeps the port when it is dropped.
    KeepsPort,
    /// It says that every key opened the sector.
    AcceptsEveryKey,
    /// It takes one of two cards.
    ChoosesOne,
    /// It takes every card for one that it knows.
    KnowsEveryCard,
    /// It does not tell when the device comes or goes.
    TellsNothing,
    /// A frame that makes no sense counts as a yes.
    BelievesEveryFrame,
    /// It never comes back from a silent device.
    HangsInSilence,
}

/// The driver.
#[derive(Clone, Copy)]
pub(super) struct FakeDriver(pub(super) Flaw);

fn folder(selector: &Selector) -> PathBuf {
    match selector {
        Selector::Port(folder) => folder.clone(),
        other => panic!("no folder: {other}"),
    }
}

impl Driver for FakeDriver {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError> {
        let folder = settings.text("folder")?.unwrap();
        Ok(Selector::Port(folder.into()))
    }

    fn list(&self, _: Probing, _: &[Selector]) -> Vec<Listing> {
        Vec::new()
    }

    fn look_up(&self, selector: &Selector) -> Listing {
        let folder = folder(selector);
        Listing {
            driver: self.name(),
            selector: selector.clone(),
            identity: Identity::of_port(&folder),
            description: "a folder".to_owned(),
            access: if World::at(&folder).is_plugged() {
                Access::Accessible
            } else {
                let reason = "it is not plugged in".to_owned();
                Access::Absent { reason }
            },
            facts: Facts::default(),
        }
    }

    fn open(&self, selector: &Selector, how: &Opening) -> Result<Encoder, Error> {
        let world = World::at(&folder(selector));
        let mut fake = Fake {
            flaw: self.0,
            port: None,
            recorder: how.recorder.clone(),
            world,
        };
        fake.is_there()?;
        let port = File::create(fake.world.file("port")).unwrap();
        port.try_lock().map_err(|_| Error::new(ErrorKind::Held))?;
        fake.port = Some(port);
        Ok(Encoder::Block(Box::new(fake)))
    }

    fn watch(
        &self,
        settings: &[(Selector, Settings)],
        changed: Changed,
    ) -> Result<Box<dyn Send>, Error> {
        if self.0 == Flaw::TellsNothing {
            return Ok(Box::new(()));
        }
        let plugs = settings.iter().map(|(at, _)| folder(at).join("plugged"));
        Ok(Box::new(PathWatch::start(plugs, changed)?))
    }
}

struct Fake {
    flaw: Flaw,
    world: World,
    port: Option<File>,
    recorder: Option<Recorder>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        if self.flaw == Flaw::KeepsPort {
            std::mem::forget(self.port.take());
        }
    }
}

impl Fake {
    fn is_there(&self) -> Result<(), Error> {
        if self.world.is_silent() && self.flaw == Flaw::HangsInSilence {
            loop {
                std::thread::park();
            }
        }
        if self.world.is_silent() {
            Err(Error::new(ErrorKind::Unresponsive))
        } else if self.world.is_plugged() {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Absent))
        }
    }

    fn presented(&self, card: usize) -> PresentedCard {
        let is_known = card != UNSUPPORTED || self.flaw == Flaw::KnowsEveryCard;
        PresentedCard {
            uid: Uid::new(&uid(card)).unwrap(),
            answer: SelectAnswer::Iso14443a {
                atqa: [0x00, 0x04],
                sak: if is_known { 0x08 } else { 0x19 },
                ats: Vec::new(),
            },
        }
    }

    /// A frame from the device; an error where it makes no sense.
    fn frame(&self) -> Result<(), Error> {
        let spoiled = self.world.frame();
        self.is_there()?;
        match spoiled {
            Some(why) => Err(Error::with_source(ErrorKind::Protocol, why)),
            None => Ok(()),
        }
    }
}

impl BlockEncoder for Fake {
    fn select<'a>(
        &'a mut self,
        wait: CardWait,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Box<dyn CardSession + 'a>, Error> {
        self.frame()?;
        let mut may_serve = wait == CardWait::Resting;
        let card = loop {
            self.is_there()?;
            match self.world.lying()[..] {
                [card] if may_serve => break card,
                [card, _] if self.flaw == Flaw::ChoosesOne => break card,
                [_, _, ..] => return Err(Error::new(ErrorKind::SeveralCards)),
                [] => may_serve = true,
                [_] => {}
            }
            if stop.is_raised() && self.flaw != Flaw::IgnoresStop {
                return Err(Error::new(ErrorKind::Cancelled));
            }
            if Instant::now() > deadline && self.flaw != Flaw::WaitsForEver {
                return Err(Error::new(ErrorKind::NoCard));
            }
            std::thread::park_timeout(Duration::from_millis(5));
        };
        Ok(Box::new(Session {
            presented: self.presented(card),
            remembered: self.world.content(card),
            is_dreaming: false,
            fake: self,
            card,
            open_sector: None,
        }))
    }
}

struct Session<'a> {
    fake: &'a mut Fake,
    card: usize,
    presented: PresentedCard,
    /// What the card held when it was seen last.
    remembered: Vec<u8>,
    /// It goes on with what it remembers.
    is_dreaming: bool,
    open_sector: Option<u8>,
}

impl CardSession for Session<'_> {
    fn card(&self) -> &PresentedCard {
        &self.presented
    }

    fn supports(&self, kind: CommandKind) -> bool {
        matches!(kind, CommandKind::Classic | CommandKind::Reselect)
    }

    fn exchange(&mut self, command: &Command) -> Result<Reply, Error> {
        self.note(command);
        match self.fake.frame() {
            Err(error)
                if error.kind() == ErrorKind::Protocol
                    && self.fake.flaw == Flaw::BelievesEveryFrame =>
            {
                self.is_dreaming = true;
            }
            heard => heard?,
        }
        let lying = self.fake.world.lying();
        self.is_dreaming |= match self.fake.flaw {
            Flaw::MissesNoCard => lying.is_empty(),
            Flaw::MissesNoSwap => lying.first().is_some_and(|card| *card != self.card),
            _ => false,
        };
        if let Command::Reselect = command {
            self.open_sector = None;
            if self.is_dreaming {
                return Ok(Reply::Reselected(self.presented.clone()));
            }
            let Some(card) = lying.first() else {
                return Err(Error::new(ErrorKind::CardGone));
            };
            self.card = *card;
            self.presented = self.fake.presented(*card);
            return Ok(Reply::Reselected(self.presented.clone()));
        }
        if lying.first() != Some(&self.card) && !self.is_dreaming {
            return Ok(Reply::Refused);
        }
        let reply = self.reply(command);
        let exchange = self.fake.world.count("exchanges");
        if self.fake.world.number("removed at") == exchange {
            self.fake.world.lay(&[]);
            if self.fake.flaw != Flaw::MissesNoCard {
                return Ok(Reply::Refused);
            }
        }
        Ok(reply)
    }
}

impl Session<'_> {
    fn reply(&mut self, command: &Command) -> Reply {
        if !self.is_dreaming {
            self.remembered = self.fake.world.content(self.card);
        }
        let place = |block: u8| usize::from(block) * 16..usize::from(block) * 16 + 16;
        match command {
            Command::Classic(ClassicCommand::Authenticate {
                block,
                key_type,
                key,
            }) => {
                let trailer = &self.remembered[place(block | 3)];
                let held = match key_type {
                    KeyType::A => &trailer[..6],
                    KeyType::B => &trailer[10..],
                };
                let fits = held == key.expose() || self.fake.flaw == Flaw::AcceptsEveryKey;
                self.open_sector = fits.then_some(block / 4);
                if fits { Reply::Done } else { Reply::Refused }
            }
            Command::Classic(ClassicCommand::Read { block })
                if self.open_sector == Some(block / 4) =>
            {
                let mut data = self.remembered[place(*block)].to_vec();
                if block % 4 == 3 {
                    data[..6].fill(0);
                    // Rights as delivered let everybody read key B.
                    if data[6..9] != [0xFF, 0x07, 0x80] {
                        data[10..].fill(0);
                    }
                }
                Reply::Data(data)
            }
            Command::Classic(ClassicCommand::Write { block, data })
                if self.open_sector == Some(block / 4) =>
            {
                self.remembered[place(*block)].copy_from_slice(data.expose());
                if !self.is_dreaming {
                    self.fake.world.set_content(self.card, &self.remembered);
                    self.fake.world.count("writes");
                }
                Reply::Done
            }
            _ => {
                self.open_sector = None;
                Reply::Refused
            }
        }
    }

    fn note(&self, command: &Command) {
        let key = match command {
            Command::Classic(ClassicCommand::Authenticate { key, .. }) => key.expose().to_vec(),
            _ => vec![0],
        };
        if self.fake.flaw == Flaw::LogsKeys {
            tracing::trace!(?key, "to the card");
        }
        if let Some(recorder) = &self.fake.recorder {
            let all = 0..key.len();
            let secret = match self.fake.flaw {
                Flaw::RecordsKeys => &[][..],
                _ => std::slice::from_ref(&all),
            };
            recorder.note(Direction::ToDevice, &key, secret);
        }
    }
}
