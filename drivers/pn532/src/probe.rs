//! What is behind a port that nobody configured: asked once while the same device stays, and remembered.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use encoder::serial::{SerialPorts, UsbPort};

use crate::error::Pn532Error;
use crate::link::Link;
use crate::patience::Patience;
use crate::port;
use crate::setup::{find, firmware};
use crate::speed::RESET;

/// What became known of ports by asking.
#[derive(Debug, Clone, Default)]
pub(crate) struct Probed(Arc<Mutex<HashMap<Plugged, bool>>>);

/// One device for as long as it is plugged in: what is plugged in next has another number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Plugged {
    node: PathBuf,
    interface: String,
    device_number: Option<String>,
}

impl Plugged {
    fn of(port: &UsbPort) -> Self {
        Self {
            node: port.node.clone(),
            interface: port.interface.clone(),
            device_number: port.device_number.clone(),
        }
    }
}

impl Probed {
    /// What is remembered of the device at a port.
    pub(crate) fn known(&self, port: &UsbPort) -> Option<bool> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&Plugged::of(port)).copied()
    }

    /// Whether a PN532 is at a port. One that cannot be opened now is not asked, and not remembered.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub(crate) fn is_pn532(
        &self,
        ports: &SerialPorts,
        port: &UsbPort,
        patience: Patience,
    ) -> Result<bool, Pn532Error> {
        let plugged = Plugged::of(port);
        // Held while asking, so that two who list at once do not ask twice.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What was plugged in here before is forgotten.
        known.retain(|other, _| other.node != plugged.node || *other == plugged);
        if let Some(&is_pn532) = known.get(&plugged) {
            return Ok(is_pn532);
        }
        let is_pn532 = match ask(ports, port, patience) {
            Ok(()) => true,
            Err(
                error @ (Pn532Error::Held { .. }
                | Pn532Error::NotPermitted { .. }
                | Pn532Error::NoPort { .. }
                | Pn532Error::Gone(_)),
            ) => return Err(error),
            Err(_) => false,
        };
        known.insert(plugged, is_pn532);
        Ok(is_pn532)
    }
}

/// Asks for the firmware version, and leaves a chip at the speed at which it was found.
fn ask(ports: &SerialPorts, port: &UsbPort, patience: Patience) -> Result<(), Pn532Error> {
    let mut link = Link::new(port::open(ports, &port.node)?, patience, None);
    find(&mut link)?;
    firmware(&mut link)?;
    // The port keeps its speed; the next who opens it begins here in any case.
    let _ = link.set_speed(RESET.baud);
    Ok(())
}
