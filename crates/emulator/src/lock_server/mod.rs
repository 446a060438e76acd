//! A hotel's lock server that speaks the "PMS Industry Standard" of SALTO, or Onity's dialect of it, over TCP or a
//! serial line, with encoders on which cards lie. It makes the cards itself: a client names a room, never a byte.
//!
//! Written from what public clients of the protocol document: the Python client `salto` (not the package of that name
//! in Python's registry), coucounco/salto at d8b3502, batiati/Onity at dcb0f7f. Where they are silent, and where they
//! differ, the place says so. Nothing here was compared with a real server.
//!
//! Bytes are in `frame.rs`, what they ask for in `command.rs`, what the hotel knows in `site.rs`, what happens when in
//! `state.rs`; `encoder.rs` and `wire.rs` are the threads, one for each encoder and one for all clients.

mod command;
mod encoder;
mod error_code;
mod faulty;
mod frame;
mod hotel_time;
mod medium;
mod served;
mod settings;
mod site;
mod state;
mod task;
mod wire;

pub use error_code::ErrorCode;
pub use served::Served;
pub use settings::{
    Dialect, LateAnswers, LockServerKnobs, LockServerSettings, LockServerWire, SecondConnection,
    Segments,
};
pub use site::SpecialCard;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use self::encoder::Encoder;
use self::state::State;
use self::wire::{Entrance, Running};
use crate::bell::{Bell, Thread};
use crate::faults::Faults;

/// Why an emulated lock server could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockServerError {
    /// The port is taken.
    #[error(
        "the lock server cannot listen on port {port} of 127.0.0.1; choose another, or 0 for a free one"
    )]
    Port {
        /// The port.
        port: u16,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The serial line could not be made.
    #[error(
        "the lock server's serial line at {path} could not be made; choose a path in a folder you may write, where nothing else lies"
    )]
    Terminal {
        /// Where the link should have been.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A thread could not be started.
    #[error("a thread of the lock server could not be started")]
    Thread(#[source] io::Error),
}

/// What a lock server looks like at one moment; see [`LockServer::wait_for`].
#[derive(Debug)]
#[non_exhaustive]
pub struct LockServerSituation<'a> {
    /// Connections that are open and served; a serial line counts as one.
    pub connections: usize,
    /// Connections since the server was made.
    pub connected: u64,
    /// Enquiries since the server was made.
    pub enquiries: u64,
    /// The latest commands, oldest first.
    pub served: &'a VecDeque<Served>,
    /// The encoders that have a task: they wait for a card, are at one, or wait for its removal.
    pub busy: Vec<&'a str>,
}

/// What the threads of a server and its owner share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Wakes the wire.
    bell: Arc<Bell>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and lets everybody look at it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        self.bell.ring();
        changed
    }
}

/// A lock server with its encoders, running in threads of its own. Stops on drop.
#[derive(Debug)]
pub struct LockServer {
    shared: Arc<Shared>,
    faults: Faults,
    dialect: Dialect,
    /// With the port that was given once it was free to choose.
    wire: Mutex<LockServerWire>,
    running: Mutex<Option<Running>>,
    threads: Vec<Thread>,
}

impl LockServer {
    /// Starts a server, its encoders connected and nobody staying in its rooms.
    ///
    /// # Errors
    /// The port is taken, the serial line cannot be made, or a thread cannot be started.
    pub fn start(
        settings: &LockServerSettings,
        wire: LockServerWire,
    ) -> Result<LockServer, LockServerError> {
        let bell = || Bell::new().map(Arc::new).map_err(LockServerError::Thread);
        let mut bells = Vec::new();
        for (_, slot) in &settings.encoders {
            let bell = bell()?;
            slot.subscribe(&bell);
            bells.push(bell);
        }
        let slots = settings.encoders.iter().map(|(_, slot)| slot.clone());
        let faults = Faults::over(slots.collect());
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(settings, bells.clone(), faults.clone())),
            changed: Condvar::new(),
            bell: bell()?,
        });
        let mut server = LockServer {
            shared,
            faults,
            dialect: settings.dialect,
            wire: Mutex::new(wire),
            running: Mutex::new(None),
            threads: Vec::new(),
        };
        for (at, ((_, slot), bell)) in settings.encoders.iter().zip(bells).enumerate() {
            let encoder = Encoder {
                shared: server.shared.clone(),
                at,
                slot: slot.clone(),
                bell,
            };
            let thread = Thread::spawn("lock server encoder", move || encoder.run());
            server
                .threads
                .push(thread.map_err(LockServerError::Thread)?);
        }
        server.plug()?;
        Ok(server)
    }

    /// What goes wrong between it and its clients. A frame is an enquiry or a command from them, an acknowledgement
    /// or an answer to them.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Its dialect.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How clients reach it, with the port that it really has.
    #[must_use]
    pub fn wire(&self) -> LockServerWire {
        self.lock_wire().clone()
    }

    /// Its address, if it is reached by TCP.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self.wire() {
            LockServerWire::Loopback(port) => Some(SocketAddr::from(([127, 0, 0, 1], port))),
            LockServerWire::Terminal(_) => None,
        }
    }

    /// Stops the server as a restart or a loss of power would: connections are cut, what the encoders were at is
    /// forgotten, nobody listens. What the hotel knows stays. Does nothing when it is stopped already.
    pub fn unplug(&self) {
        if let Some(running) = self.lock_running().take() {
            running.stop();
            self.shared.change(State::halt);
        }
    }

    /// Starts it again, where it was. Does nothing when it runs.
    ///
    /// # Errors
    /// As for [`start`](LockServer::start).
    pub fn plug(&self) -> Result<(), LockServerError> {
        let mut running = self.lock_running();
        if running.is_some() {
            return Ok(());
        }
        let mut wire = self.lock_wire();
        let entrance = match &mut *wire {
            LockServerWire::Loopback(port) => {
                let failed = |source| LockServerError::Port {
                    port: *port,
                    source,
                };
                let (entrance, address) = Entrance::listen(*port).map_err(failed)?;
                *port = address.port();
                entrance
            }
            LockServerWire::Terminal(path) => {
                Entrance::terminal(path).map_err(|source| LockServerError::Terminal {
                    path: path.clone(),
                    source,
                })?
            }
        };
        self.faults.power_cycled();
        let started = Running::start(entrance, self.shared.clone());
        *running = Some(started.map_err(LockServerError::Thread)?);
        Ok(())
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.lock_running().is_some()
    }

    /// Turns knobs.
    pub fn adjust(&self, turn: impl FnOnce(&mut LockServerKnobs)) {
        self.shared.change(|state| turn(&mut state.knobs));
    }

    /// Takes a room out of service, or gives it back. A room that was unknown is known from then on.
    pub fn set_room_closed(&self, room: &str, is: bool) {
        self.shared
            .change(|state| state.site.set_room_closed(room, is));
    }

    /// Whether somebody stays in a room.
    #[must_use]
    pub fn is_occupied(&self, room: &str) -> bool {
        self.shared.lock().site.is_occupied(room)
    }

    /// Pulls the cable between the server and one of its encoders, or plugs it in. What the encoder was at is answered
    /// by `NC`. Does nothing to an encoder that there is not.
    pub fn set_encoder_plugged(&self, encoder: &str, plugged: bool) {
        self.shared.change(|state| {
            let Some(at) = state.encoders.iter().position(|it| it.name == encoder) else {
                return;
            };
            state.encoders[at].is_plugged = plugged;
            if !plugged {
                state.end_task(at, ErrorCode::Nc);
            }
        });
    }

    /// Whether an encoder is there and its cable is in.
    #[must_use]
    pub fn is_encoder_plugged(&self, encoder: &str) -> bool {
        let state = self.shared.lock();
        state
            .encoders
            .iter()
            .any(|it| it.name == encoder && it.is_plugged)
    }

    /// Makes a card that is no guest's of the one that lies on an encoder, as the hotel's staff do at the server itself.
    ///
    /// # Errors
    /// `NC` if there is no such encoder, `EP` or `EF` for a card that cannot be used.
    pub fn make_special(&self, encoder: &str, card: SpecialCard) -> Result<(), ErrorCode> {
        let (slot, mark) = self.shared.change(|state| {
            let found = state.encoders.iter().find(|it| it.name == encoder);
            let slot = found.map(|it| it.slot.clone()).ok_or(ErrorCode::Nc)?;
            Ok::<_, ErrorCode>((slot, state.site.next_mark()))
        })?;
        let uid = medium::write(&slot, mark)?;
        self.shared
            .change(|state| state.site.made_special(card, uid, mark));
        Ok(())
    }

    /// The latest commands, oldest first: those that were acknowledged.
    #[must_use]
    pub fn served(&self) -> Vec<Served> {
        self.shared.lock().served.iter().cloned().collect()
    }

    /// Waits until the situation is as wished; `false` if it was not within `limit`. The closure is asked at once and
    /// after every change, and must not call this server.
    pub fn wait_for(
        &self,
        limit: Duration,
        mut wished: impl FnMut(&LockServerSituation<'_>) -> bool,
    ) -> bool {
        let end = Instant::now() + limit;
        let mut state = self.shared.lock();
        loop {
            if wished(&state.situation()) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock_running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_wire(&self) -> MutexGuard<'_, LockServerWire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn situation(&self) -> LockServerSituation<'_> {
        let busy = self
            .encoders
            .iter()
            .filter(|encoder| encoder.task.is_some());
        LockServerSituation {
            connections: self.connections.len(),
            connected: self.connected,
            enquiries: self.enquiries,
            served: &self.served,
            busy: busy.map(|encoder| encoder.name.as_str()).collect(),
        }
    }
}

impl Drop for LockServer {
    fn drop(&mut self) {
        self.unplug();
        let bells: Vec<_> = self.shared.change(|state| {
            state.is_stopping = true;
            state
                .encoders
                .iter()
                .map(|encoder| encoder.bell.clone())
                .collect()
        });
        bells.iter().for_each(|bell| bell.ring());
        for thread in self.threads.drain(..) {
            thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
