//! The reader's thread: connects to `vpcd` while a card lies on the slot, and does there what
//! `pcscd` asks. Every command and every answer passes `meet_faults`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::faulty::{Kind, is_about_cards};
use super::firmware::Firmware;
use super::wire::{Request, Wire};
use crate::bell::{Bell, timeout_until};
use crate::faults::{Arrival, Faults, Passing, Way, arrival};
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
    faults: Faults,
    connected: Option<Connected>,
    /// Not before this is `vpcd` tried again.
    retry_at: Option<Instant>,
}

struct Connected {
    wire: Wire,
    /// The arrangement of cards that this connection stands for.
    arrangement: u64,
    /// What is on its way, and when it arrives.
    late: Option<(Instant, Apdu)>,
    /// A command was swallowed, and `pcscd` waits for its answer.
    is_owing: bool,
}

/// A command or an answer.
#[derive(Debug)]
enum Apdu {
    Command(Vec<u8>),
    Answer(Vec<u8>),
}

impl Session {
    pub(super) fn new(slot: Slot, port: u16, firmware: Firmware, faults: Faults) -> Session {
        Session {
            slot,
            port,
            firmware,
            faults,
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
        let is_stalled = self.faults.is_stalled();
        if self.connected.as_ref().is_some_and(|connected| {
            !is_plugged
                || connected.arrangement != arrangement
                || (connected.is_owing && !is_stalled)
        }) {
            self.disconnect();
        }
        // A reader that is stalled notices no card.
        if self.connected.is_some() || !is_plugged || !has_card || is_stalled {
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
            Ok(wire) => {
                self.connected = Some(Connected {
                    wire,
                    arrangement,
                    late: None,
                    is_owing: false,
                });
            }
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
        let late = self.connected.as_ref().and_then(|it| it.late.as_ref());
        let moments = [self.retry_at, late.map(|(at, _)| *at)];
        let timeout = moments.into_iter().flatten().min().map(timeout_until);
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn serve(&mut self) -> io::Result<()> {
        let Some(Connected { wire, late, .. }) = &mut self.connected else {
            return Ok(());
        };
        let requests = wire.receive()?;
        let arrived = late.take_if(|(at, _)| *at <= Instant::now());
        match arrived {
            Some((_, Apdu::Command(command))) => self.carry_out(&command)?,
            Some((_, Apdu::Answer(answer))) => self.send(&answer)?,
            None => {}
        }
        for request in requests {
            match request {
                Request::PowerOff => self.firmware.power_off(),
                Request::PowerOn | Request::Reset => self.firmware.power_on(),
                Request::Atr => match self.firmware.atr() {
                    Some(atr) => self.send(&atr)?,
                    None => return Err(io::ErrorKind::NotConnected.into()),
                },
                Request::Apdu(command) => {
                    let is_about_cards = is_about_cards(&command);
                    let heard =
                        self.meet_faults(Way::FromHost, Kind::Command, is_about_cards, command);
                    if let Some(command) = self.arrived(heard, Apdu::Command)? {
                        self.carry_out(&command)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs a command and sends its answer. A card that fell silent is taken for gone, which is all that `vpcd` can
    /// show.
    fn carry_out(&mut self, command: &[u8]) -> io::Result<()> {
        let answer = self.firmware.run(command);
        let answer = answer.ok_or(io::ErrorKind::NotConnected)?;
        let kind = Kind::of_answer_to(command);
        let sent = self.meet_faults(Way::ToHost, kind, true, answer);
        match self.arrived(sent, Apdu::Answer)? {
            Some(answer) => self.send(&answer),
            None => Ok(()),
        }
    }

    /// What arrives of an APDU; `None` if the reader is stalled.
    fn meet_faults(
        &self,
        way: Way,
        kind: Kind,
        is_about_cards: bool,
        apdu: Vec<u8>,
    ) -> Option<Arrival> {
        let hits = self.faults.pass(&Passing {
            way,
            is_about_cards,
            can: &|fault| kind.can(fault, &apdu),
        })?;
        let arrival = arrival(apdu, &hits, &kind);
        (!self.faults.is_stalled()).then_some(arrival)
    }

    /// The APDU that arrived, if it did at once.
    ///
    /// # Errors
    /// It was lost: the card is mute, which `vpcd` can show only by its leaving.
    fn arrived(
        &mut self,
        arrival: Option<Arrival>,
        kind: impl Fn(Vec<u8>) -> Apdu,
    ) -> io::Result<Option<Vec<u8>>> {
        let Some(connected) = &mut self.connected else {
            return Ok(None);
        };
        let Some(Arrival { delay, frames }) = arrival else {
            connected.is_owing = true;
            return Ok(None);
        };
        let apdu = frames.into_iter().next();
        let apdu = apdu.ok_or(io::ErrorKind::NotConnected)?;
        if delay.is_zero() {
            return Ok(Some(apdu));
        }
        connected.late = Some((Instant::now() + delay, kind(apdu)));
        Ok(None)
    }

    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match &mut self.connected {
            Some(connected) => connected.wire.send(message),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::Session;
    use crate::vpcd::firmware::Firmware;
    use crate::{Cards, Faults, Origin, ReaderSettings, Slot, Technology};

    #[test]
    fn without_a_card_nothing_is_tried_again_and_the_thread_sleeps() {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let slot = Slot::new();
        let firmware = Firmware::new(slot.clone(), ReaderSettings::default());
        let mut session = Session::new(slot.clone(), port, firmware, Faults::default());
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
