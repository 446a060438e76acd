//! The lab: virtual encoders with virtual cards on them, and everything a person could do to them by hand.
//!
//! Its verbs are a Rust API for tests and, through [`http`], requests on loopback for everybody else. The lab knows
//! what cards and encoders do on the wire; it never knows what a credential is, or who asked for it.

mod command;
mod disturb;
mod error;
pub mod http;
mod lock_server;
mod name;
mod request;
mod shapes;
mod station;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use emulator::{Card, Cards, Fault, Faults, Log, Options, Origin, Slot, Technology, Uid};
use uuid::Uuid;

pub use disturb::{Timing, Undisturbed};
pub use error::LabError;
pub use lock_server::{LabLockServer, LockServerLine, LockServerView};
pub use name::{InvalidName, Name};
pub use shapes::LockServerShape;
use station::Device;

/// Which encoders a lab has.
#[derive(Debug, Clone, Default)]
pub struct LabSettings {
    /// Encoders with a PN532 on a pseudo-terminal.
    pub serial: Vec<Name>,
    /// Contactless PC/SC readers, each behind the `vpcd` that listens on this loopback port.
    pub readers: Vec<(Name, u16)>,
    /// Lock servers, each with encoders of its own.
    pub lock_servers: Vec<LabLockServer>,
    /// Where the links to the terminals are made, one for each serial encoder and each lock server on a
    /// serial line. Must exist.
    pub directory: PathBuf,
}

/// Virtual encoders and all the cards there are. Clones are the same lab; the encoders stop with the last one.
#[derive(Debug, Clone)]
pub struct Lab {
    stations: Arc<BTreeMap<Name, Station>>,
    cards: Cards,
}

/// One encoder of a lab.
#[derive(Debug)]
struct Station {
    device: Device,
    acs_encoder_id: Mutex<Option<Uuid>>,
}

/// What can be seen of one encoder.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EncoderView {
    /// What the lab calls it.
    pub name: Name,
    /// What the API calls it, once somebody told the lab.
    pub acs_encoder_id: Option<Uuid>,
    /// The serial port that a host opens, for one with a PN532.
    pub port: Option<PathBuf>,
    /// The loopback port of the `vpcd` that it serves, for a PC/SC reader.
    pub vpcd_port: Option<u16>,
    /// The lock server that it belongs to, if it does.
    pub lock_server: Option<LockServerView>,
    /// Whether the cable is in.
    pub is_plugged: bool,
    /// The card on it; more than one if somebody added some.
    pub cards: Vec<Card>,
}

impl Lab {
    /// Starts the encoders and plugs them in.
    ///
    /// # Errors
    /// No encoder at all, two of one name, or a device that could not be started.
    pub fn start(settings: &LabSettings) -> Result<Self, LabError> {
        let mut stations = BTreeMap::new();
        let serial = settings.serial.iter().map(|name| {
            let link = settings.directory.join(name.as_str());
            (name, Device::serial(&link))
        });
        let readers = settings
            .readers
            .iter()
            .map(|(name, port)| (name, Device::reader(*port)));
        let servers = settings
            .lock_servers
            .iter()
            .map(|server| server.start(&settings.directory));
        let behind_servers = servers
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten();
        let behind_servers = behind_servers.map(|(name, device)| (name, Ok(device)));
        for (name, device) in serial.chain(readers).chain(behind_servers) {
            let station = Station {
                device: device?,
                acs_encoder_id: Mutex::new(None),
            };
            if stations.insert(name.clone(), station).is_some() {
                return Err(LabError::TwoOfOneName { name: name.clone() });
            }
        }
        if stations.is_empty() {
            return Err(LabError::NoEncoders);
        }
        Ok(Self {
            stations: Arc::new(stations),
            cards: Cards::new(),
        })
    }

    /// All encoders, by name.
    #[must_use]
    pub fn encoders(&self) -> Vec<EncoderView> {
        self.stations
            .iter()
            .map(|(name, station)| station.view(name))
            .collect()
    }

    /// One encoder.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn encoder(&self, name: &str) -> Result<EncoderView, LabError> {
        let (name, station) = self.station(name)?;
        Ok(station.view(name))
    }

    /// The place on an encoder where cards lie, for tests that steer more finely than a person could.
    ///
    /// # Errors
    /// There is no encoder of that name.
    pub fn slot(&self, name: &str) -> Result<&Slot, LabError> {
        Ok(self.station(name)?.1.device.slot())
    }

    /// All cards, wherever they lie.
    #[must_use]
    pub fn cards(&self) -> &Cards {
        &self.cards
    }

    /// Tells what the API calls an encoder, so that whoever asks the lab need not guess.
    ///
    /// # Errors
    /// There is no encoder of that name.
    pub fn set_acs_encoder_id(&self, name: &str, id: Uuid) -> Result<(), LabError> {
        let (_, station) = self.station(name)?;
        *station.lock_id() = Some(id);
        Ok(())
    }

    /// Puts a card on an encoder in place of whatever lies there: the known card with that UID, else a new one.
    ///
    /// Without a technology the card must be known; without a UID it is a new card with a UID of its own. `is_foreign`
    /// makes it somebody else's, a known one too.
    ///
    /// # Errors
    /// No such encoder, a UID that belongs to a card of another technology or that this technology cannot have, or
    /// too little to tell which card is meant.
    pub fn place(
        &self,
        encoder: &str,
        technology: Option<Technology>,
        uid: Option<Uid>,
        is_foreign: bool,
    ) -> Result<Card, LabError> {
        self.place_made(encoder, technology, uid, is_foreign, &Options::default())
    }

    /// The same, a new card made with these options. A known one stays what it is.
    ///
    /// # Errors
    /// As above, or an option that the technology has not.
    pub fn place_made(
        &self,
        encoder: &str,
        technology: Option<Technology>,
        uid: Option<Uid>,
        is_foreign: bool,
        options: &Options,
    ) -> Result<Card, LabError> {
        let (_, station) = self.station(encoder)?;
        let card = self.find_or_make(technology, uid, is_foreign, options)?;
        station.device.slot().place(&card);
        Ok(card)
    }

    /// The same, but whatever lies there stays: two cards on one encoder, as in a wallet.
    ///
    /// # Errors
    /// As above.
    pub fn place_beside(
        &self,
        encoder: &str,
        technology: Option<Technology>,
        uid: Option<Uid>,
        is_foreign: bool,
        options: &Options,
    ) -> Result<Card, LabError> {
        let (_, station) = self.station(encoder)?;
        let card = self.find_or_make(technology, uid, is_foreign, options)?;
        station.device.slot().add(&card);
        Ok(card)
    }

    fn find_or_make(
        &self,
        technology: Option<Technology>,
        uid: Option<Uid>,
        is_foreign: bool,
        options: &Options,
    ) -> Result<Card, LabError> {
        let known = uid.and_then(|uid| self.cards.get(&uid));
        let technology = match (technology, &known) {
            (Some(technology), _) => technology,
            (None, Some(card)) => card.technology(),
            (None, None) => return Err(LabError::TechnologyMissing),
        };
        let uid = match uid {
            Some(uid) => uid,
            None => self.new_uid(technology)?,
        };
        let origin = if is_foreign {
            Origin::Foreign
        } else {
            Origin::Factory
        };
        let card = self.cards.card_with(technology, uid, origin, options)?;
        if is_foreign && known.is_some() {
            card.remake(Origin::Foreign);
        }
        Ok(card)
    }

    /// A UID that no card has yet, of the first length that the technology has, with NXP's manufacturer code in front.
    fn new_uid(&self, technology: Technology) -> Result<Uid, LabError> {
        const NXP: u8 = 0x04;
        loop {
            let mut bytes = vec![NXP; technology.uid_lengths()[0]];
            getrandom::fill(&mut bytes[1..]).map_err(LabError::Randomness)?;
            // A cascade tag may have come up in the fourth place of seven.
            if let Ok(uid) = Uid::new(&bytes)
                && self.cards.get(&uid).is_none()
            {
                return Ok(uid);
            }
        }
    }

    /// Takes the card off an encoder now. It is no error if none lies there.
    ///
    /// # Errors
    /// There is no encoder of that name.
    pub fn remove(&self, encoder: &str) -> Result<(), LabError> {
        self.slot(encoder)?.remove();
        Ok(())
    }

    /// Takes the card off an encoder when the n-th exchange from now has been answered; now if `exchanges` is 0. An
    /// exchange is one command that reaches the card; selecting it does not count.
    ///
    /// # Errors
    /// There is no encoder of that name, or no card lies there that could leave later.
    pub fn remove_after_exchanges(&self, encoder: &str, exchanges: u64) -> Result<(), LabError> {
        if self.slot(encoder)?.remove_after_exchanges(exchanges) {
            Ok(())
        } else {
            Err(LabError::NoCard {
                encoder: encoder.to_owned(),
            })
        }
    }

    /// Pulls an encoder's cable. May wait for the device's thread.
    ///
    /// # Errors
    /// There is no encoder of that name.
    pub fn unplug(&self, encoder: &str) -> Result<(), LabError> {
        self.station(encoder)?.1.device.unplug();
        Ok(())
    }

    /// Plugs an encoder in again. May wait for the device's thread.
    ///
    /// # Errors
    /// There is no encoder of that name, or no terminal could be had for it.
    pub fn plug(&self, encoder: &str) -> Result<(), LabError> {
        self.station(encoder)?.1.device.plug()
    }

    /// Disturbs an encoder's wire in place of any disturbance before, counting from now. An empty list is a sound
    /// wire.
    ///
    /// # Errors
    /// There is no encoder of that name, it is not plugged in, or a fault makes no sense there.
    pub fn set_faults(&self, encoder: &str, faults: Vec<Fault>) -> Result<(), LabError> {
        let device = &self.station(encoder)?.1.device;
        if !device.is_plugged() {
            return Err(Undisturbed::Unplugged.into());
        }
        disturb::check(&faults, device.wire())?;
        device.faults().set(faults);
        Ok(())
    }

    /// What goes wrong on an encoder's wire, and what came of it.
    ///
    /// # Errors
    /// There is no encoder of that name.
    pub fn faults(&self, encoder: &str) -> Result<&Faults, LabError> {
        Ok(self.station(encoder)?.1.device.faults())
    }

    /// Says how long an encoder and the cards on it take from now on.
    ///
    /// # Errors
    /// There is no encoder of that name, or it has no such speed.
    pub fn set_timing(&self, encoder: &str, timing: Timing) -> Result<(), LabError> {
        let device = &self.station(encoder)?.1.device;
        let (line, card) = timing.paces(device.wire())?;
        device.set_line_pace(line);
        device.slot().set_pace(card);
        Ok(())
    }

    /// What happened between an encoder and its cards since the lab was started.
    ///
    /// # Errors
    /// There is no encoder of that name.
    pub fn log(&self, encoder: &str) -> Result<Log, LabError> {
        Ok(self.slot(encoder)?.log())
    }

    /// A card by its UID, wherever it lies.
    ///
    /// # Errors
    /// No card with that UID was ever placed.
    pub fn card(&self, uid: Uid) -> Result<Card, LabError> {
        self.cards.get(&uid).ok_or(LabError::UnknownCard { uid })
    }

    fn station(&self, name: &str) -> Result<(&Name, &Station), LabError> {
        self.stations
            .iter()
            .find(|(known, _)| known.as_str() == name)
            .ok_or_else(|| LabError::UnknownEncoder {
                known: self.stations.keys().map(ToString::to_string).collect(),
            })
    }
}

impl Station {
    fn view(&self, name: &Name) -> EncoderView {
        EncoderView {
            name: name.clone(),
            acs_encoder_id: *self.lock_id(),
            port: self.device.port().map(Path::to_owned),
            vpcd_port: self.device.vpcd_port(),
            lock_server: self.device.lock_server(),
            is_plugged: self.device.is_plugged(),
            cards: self.device.slot().cards(),
        }
    }

    fn lock_id(&self) -> std::sync::MutexGuard<'_, Option<Uuid>> {
        self.acs_encoder_id
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
