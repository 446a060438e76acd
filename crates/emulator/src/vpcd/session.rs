//! The reader's thread: connects to `vpcd` while a card lies on the slot, and does there what
//! `pcscd` asks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::firmware::Firmware;
use super::wire::{Request, Wire};
use crate::bell::{Bell, timeout_until};
use crate::slot::Slot;

/// How often `vpcd` is tried while a card waits and nobody listens: a listener that comes is no event.
const RETRY: Duration = Duration::from_millis(250);

/// What the thread and its owner share.
#[derive(Debug)]
pub(super) struct Controls {
    pub(super) bell: Arc<Bell>,
    pub(super) is_plugged: AtomicBool,
    pub(super) stop: AtomicBool,
}

pub(super) struct Session {
    slot: Slot,
    port: u16,
    firmware: Firmware,
    connected: Option<Connected>,
    /// Not before this is `vpcd` tried again.
    retry_at: Option<Instant>,
}

struct Connected {
    wire: Wire,
    /// The arrangement of cards that this connection stands for.
    arrangement: u64,
}

impl Session {
    pub(super) fn new(slot: Slot, port: u16, firmware: Firmware) -> Session {
        Session {
            slot,
            port,
            firmware,
            connected: None,
            retry_at: None,
        }
    }

    /// Runs until it is told to stop.
    pub(super) fn run(mut self, controls: &Controls) {
        while !controls.stop.load(Ordering::Acquire) {
            self.settle(controls.is_plugged.load(Ordering::Acquire));
            if let Err(error) = self.wait(&controls.bell) {
                tracing::error!(port = self.port, %error, "the emulated reader failed");
                return;
            }
            controls.bell.hush();
            if let Err(error) = self.serve() {
                tracing::debug!(port = self.port, %error, "vpcd closed the connection");
                self.disconnect();
                self.retry_at = Some(Instant::now() + RETRY);
            }
        }
        self.disconnect();
    }

    /// Connects and disconnects, as cards come and go.
    fn settle(&mut self, is_plugged: bool) {
        let (arrangement, has_card) = self.slot.arrangement();
        if self
            .connected
            .as_ref()
            .is_some_and(|connected| !is_plugged || connected.arrangement != arrangement)
        {
            self.disconnect();
        }
        if self.connected.is_some() || !is_plugged || !has_card {
            self.retry_at = None;
            return;
        }
        if self.retry_at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        self.retry_at = None;
        self.firmware.power_on();
        if self.firmware.atr().is_none() {
            return;
        }
        match Wire::connect(self.port) {
            Ok(wire) => self.connected = Some(Connected { wire, arrangement }),
            Err(error) => {
                tracing::trace!(port = self.port, %error, "nobody listens for the emulated reader yet");
                self.retry_at = Some(Instant::now() + RETRY);
            }
        }
    }

    fn disconnect(&mut self) {
        self.connected = None;
        self.firmware.forget_card();
    }

    fn wait(&self, bell: &Bell) -> io::Result<()> {
        let mut fds = vec![PollFd::new(bell, PollFlags::IN)];
        if let Some(connected) = &self.connected {
            fds.push(PollFd::new(&connected.wire, PollFlags::IN));
        }
        let timeout = self.retry_at.map(timeout_until);
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn serve(&mut self) -> io::Result<()> {
        let Some(Connected { wire, .. }) = &mut self.connected else {
            return Ok(());
        };
        for request in wire.receive()? {
            match request {
                Request::PowerOff => self.firmware.power_off(),
                Request::PowerOn | Request::Reset => self.firmware.power_on(),
                Request::Atr => match self.firmware.atr() {
                    Some(atr) => wire.send(&atr)?,
                    None => return Err(io::ErrorKind::NotConnected.into()),
                },
                Request::Apdu(apdu) => {
                    // A card that fell silent is taken for gone, which is all that vpcd can show.
                    let response = self.firmware.run(&apdu);
                    wire.send(&response.ok_or(io::ErrorKind::NotConnected)?)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::Session;
    use crate::vpcd::firmware::Firmware;
    use crate::{Cards, Origin, ReaderSettings, Slot, Technology};

    #[test]
    fn without_a_card_nothing_is_tried_again_and_the_thread_sleeps() {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let slot = Slot::new();
        let firmware = Firmware::new(slot.clone(), ReaderSettings::default());
        let mut session = Session::new(slot.clone(), port, firmware);
        let uid = "04A1B2C3".parse().unwrap();
        let card = Cards::new().card(Technology::MifareClassic1k, uid, Origin::Factory);
        slot.place(&card.unwrap());
        session.settle(true);
        assert!(session.retry_at.is_some(), "nobody listens");
        slot.remove();
        session.settle(true);
        assert_eq!(session.retry_at, None);
    }
}
