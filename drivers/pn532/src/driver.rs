//! The driver: which ports there are, which one is meant, whether it can be opened, and opening it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use encoder::serial::{SerialPorts, UsbPort};
use encoder::{
    Access, Changed, Driver, Encoder, Error, Listing, Opening, Probing, Selector, Settings,
    SettingsError,
};

use crate::encoder::Pn532;
use crate::error::Pn532Error;
use crate::link::Link;
use crate::patience::Patience;
use crate::probe::Probed;
use crate::speed::{self, Speed};
use crate::{listing, port, settings};

pub(crate) const NAME: &str = "pn532";

/// PN532 front ends, each at a serial port that the configuration names or that was allowed to be asked.
#[derive(Debug, Clone, Default)]
pub struct Pn532Driver {
    ports: SerialPorts,
    patience: Patience,
    probed: Probed,
    unfit: Unfit,
}

/// Up to which speed a port may be raised, by its path, once a chip was lost there.
type Unfit = Arc<Mutex<HashMap<PathBuf, Speed>>>;

impl Pn532Driver {
    /// A driver for the serial ports of another tree of devices.
    #[must_use]
    pub fn with_ports(self, ports: SerialPorts) -> Self {
        Self { ports, ..self }
    }

    /// A driver with other time limits.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    fn unfit(&self) -> MutexGuard<'_, HashMap<PathBuf, Speed>> {
        self.unfit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listed(&self, port: &UsbPort, all: &[UsbPort], probing: Probing) -> Listing {
        let unclaimed = |why: &str| listing::unclaimed(&self.ports, port, all, why);
        let access = match probing {
            Probing::Forbidden => {
                unclaimed("nobody said what is plugged in here, so it is left alone")
            }
            Probing::Allowed => match self.ask(port) {
                Ok(true) => self.ports.access(&port.node, settings::PORT),
                Ok(false) => unclaimed("no PN532 answered here"),
                Err(why) => unclaimed(&format!("it was not asked what it is, as {why}")),
            },
        };
        listing::of_usb_port(&self.ports, port, all, access)
    }

    /// Whether a PN532 is at a port; without an answer, why it was not asked.
    fn ask(&self, port: &UsbPort) -> Result<bool, String> {
        // A program that holds it may be in the middle of something, even if it would let others open it too.
        match self.ports.access(&port.node, settings::PORT) {
            Access::Accessible => self
                .probed
                .is_pn532(&self.ports, port, self.patience)
                .map_err(|error| error.to_string()),
            Access::Absent { reason }
            | Access::Unclaimed { reason }
            | Access::Inaccessible { reason } => self.probed.known(port).ok_or(reason),
        }
    }
}

impl Driver for Pn532Driver {
    fn name(&self) -> &'static str {
        NAME
    }

    /// `port`, the absolute path of a serial port, or `usb_serial`, the serial number of a USB adapter; and `speed`, up
    /// to which the line is raised.
    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError> {
        settings::selector(settings)
    }

    /// Every USB serial port that no entry means, whatever is behind it: that it is a PN532 shows only when it is spoken
    /// to. And the readers that a driver of the kernel has taken.
    fn list(&self, probing: Probing, claimed: &[Selector]) -> Vec<Listing> {
        let all = self.ports.usb();
        all.iter()
            .filter(|port| !claimed.iter().any(|entry| self.ports.is_meant(port, entry)))
            .map(|port| self.listed(port, &all, probing))
            .chain(listing::claimed_by_kernel(&self.ports))
            .collect()
    }

    fn look_up(&self, selector: &Selector) -> Listing {
        listing::of_selector(&self.ports, selector)
    }

    fn open(&self, selector: &Selector, how: &Opening) -> Result<Encoder, Error> {
        let highest = settings::highest_speed(&how.settings).map_err(Pn532Error::Setting)?;
        let path = self.ports.find(selector).map_err(Pn532Error::NotFound)?;
        let line = port::open(&self.ports, &path)?;
        let link = Link::new(line, self.patience, how.recorder.clone());
        let facts = self.ports.facts(&path);
        let fit = self.unfit().get(&path).copied().unwrap_or(highest);
        let opened = Pn532::open(link, highest.min(fit), facts);
        if let Err(Pn532Error::LostAtSpeed { slower, .. }) = opened
            && let Some(slower) = speed::named(slower.into())
        {
            self.unfit().insert(path, slower);
        }
        Ok(Encoder::Block(Box::new(opened?)))
    }

    /// USB serial ports that come and go, and those that entries name, whichever they are.
    fn watch(
        &self,
        settings: &[(Selector, Settings)],
        changed: Changed,
    ) -> Result<Box<dyn Send>, Error> {
        let named = settings.iter().filter_map(|(selector, _)| match selector {
            Selector::Port(path) => Some(path.clone()),
            _ => None,
        });
        let named: Vec<PathBuf> = named.collect();
        Ok(Box::new(self.ports.watch(named, changed)?))
    }
}
