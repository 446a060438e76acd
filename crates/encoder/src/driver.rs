//! Drivers and the registry that holds them.

use std::sync::Arc;

use crate::{
    BlockEncoder, Error, IssuingEncoder, Listing, Recorder, Selector, Settings, SettingsError,
};

/// Finds encoders of one kind and opens them.
pub trait Driver: Send + Sync {
    /// The name that a configuration uses: `pn532`, `pcsc`.
    fn name(&self) -> &'static str;

    /// Checks the settings of one `[[encoder]]` entry and says which device they mean.
    ///
    /// # Errors
    /// Names the key that is wrong, missing or unknown, and what to write instead.
    fn configure(&self, settings: &Settings) -> Result<Selector, SettingsError>;

    /// The devices this driver finds by itself, those that may not be opened included, each with the reason.
    /// Each is an encoder at once, but for those that are [`Access::Unclaimed`](crate::Access::Unclaimed): these are used
    /// when an entry names them.
    /// Sends nothing to a device that was not asked for by [`Probing::Allowed`], and to none twice while it stays.
    /// Devices behind `claimed`, the selectors of all entries in the configuration, are left out and not touched, those
    /// that another driver has too: [`look_up`](Self::look_up) tells of them.
    fn list(&self, probing: Probing, claimed: &[Selector]) -> Vec<Listing>;

    /// One device as it is now. A device that is absent gets a listing that says so.
    fn look_up(&self, selector: &Selector) -> Listing;

    /// Opens one device.
    ///
    /// # Errors
    /// Absent, held by another program, not permitted, or not answering like a device of this kind.
    fn open(&self, selector: &Selector, how: &Opening) -> Result<Encoder, Error>;

    /// Calls `changed` whenever a device of this kind came or went, until the returned guard is dropped.
    /// Event-driven where the system has events.
    ///
    /// # Errors
    /// When the system's source of events cannot be used; the caller then lists once and says so.
    fn watch(
        &self,
        settings: &[(Selector, Settings)],
        changed: Changed,
    ) -> Result<Box<dyn Send>, Error>;
}

/// Called when devices came or went; must return at once.
pub type Changed = Arc<dyn Fn() + Send + Sync>;

/// Whether bytes may be sent to a port that nobody configured, to learn what is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probing {
    /// Only look at what the system tells.
    Forbidden,
    /// Ask at every port at which such an encoder could be.
    Allowed,
}

/// How a device is opened.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// The driver's own keys of the `[[encoder]]` entry.
    pub settings: Settings,
    /// What passes on the wire goes there too.
    pub recorder: Option<Recorder>,
}

/// An open encoder.
pub enum Encoder {
    /// The host talks to the card.
    Block(Box<dyn BlockEncoder>),
    /// A lock server makes the card itself.
    Issuing(Box<dyn IssuingEncoder>),
}

/// The drivers that a program was built with. A value, handed to whoever needs it.
#[derive(Clone, Default)]
pub struct Registry {
    drivers: Vec<Arc<dyn Driver>>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a driver.
    #[must_use]
    pub fn with(mut self, driver: impl Driver + 'static) -> Self {
        self.drivers.push(Arc::new(driver));
        self
    }

    /// The driver of that name.
    #[must_use]
    pub fn driver(&self, name: &str) -> Option<Arc<dyn Driver>> {
        self.drivers
            .iter()
            .find(|driver| driver.name() == name)
            .cloned()
    }

    /// All drivers, in the order in which they were added.
    pub fn drivers(&self) -> impl Iterator<Item = &Arc<dyn Driver>> {
        self.drivers.iter()
    }
}
