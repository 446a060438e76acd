//! The servers that a program talks to: each has a queue for its encoders, and knows which of them are open.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use encoder::Stop;

use crate::dialogue::{Dialogue, Ending, Event, Step};
use crate::line::Line;
use crate::turn::Turns;

/// How often a request that waits for somebody with a card looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// The servers in use, by address. Clones are the same servers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Servers(Arc<Mutex<BTreeMap<String, Weak<Server>>>>);

/// One server, as long as an encoder of it is open.
#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) turns: Arc<Turns>,
    open: Mutex<BTreeSet<String>>,
}

/// An encoder of a server that is open, until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    server: Arc<Server>,
    encoder: String,
}

impl Servers {
    /// Takes an encoder for whoever asks; `None` while somebody has it.
    pub(crate) fn claim(&self, address: &str, encoder: &str) -> Option<Claim> {
        let server = self.server(address);
        let is_free = lock(&server.open).insert(encoder.to_owned());
        is_free.then(|| Claim {
            server,
            encoder: encoder.to_owned(),
        })
    }

    fn server(&self, address: &str) -> Arc<Server> {
        let mut servers = lock(&self.0);
        servers.retain(|_, server| server.strong_count() > 0);
        if let Some(server) = servers.get(address).and_then(Weak::upgrade) {
            return server;
        }
        let server = Arc::new(Server::default());
        servers.insert(address.to_owned(), Arc::downgrade(&server));
        server
    }
}

impl Claim {
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.server.open).remove(&self.encoder);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries a dialogue out over a line. What the system said of a lost connection comes beside its ending.
pub(crate) fn carry_out(
    line: &mut dyn Line,
    mut dialogue: Dialogue,
    stop: &Stop,
) -> (Ending, Option<io::Error>) {
    let mut buffer = [0; 512];
    let mut lost = None;
    let mut is_stop_told = false;
    let mut step = dialogue.begin();
    loop {
        step = match step {
            Step::Done(ending) => return (ending, lost),
            Step::Send(bytes) => {
                let sent = line.write(&bytes);
                let event = sent.map_or_else(|error| gone(&mut lost, error), |()| Event::Sent);
                dialogue.on(event, Instant::now())
            }
            Step::Wait(_) if !is_stop_told && stop.is_raised() => {
                is_stop_told = true;
                dialogue.on(Event::Stopped, Instant::now())
            }
            Step::Wait(until) => match line.read(&mut buffer, until.min(Instant::now() + LOOK)) {
                Ok(0) if Instant::now() < until => Step::Wait(until),
                Ok(0) => dialogue.on(Event::Quiet, Instant::now()),
                Ok(count) => dialogue.on(Event::Received(&buffer[..count]), Instant::now()),
                Err(error) => dialogue.on(gone(&mut lost, error), Instant::now()),
            },
        };
    }
}

fn gone(lost: &mut Option<io::Error>, error: io::Error) -> Event<'static> {
    *lost = Some(error);
    Event::Lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_is_open_once_and_free_again_when_it_was_closed() {
        let servers = Servers::default();
        let first = servers.claim("tcp://locks:8090", "1").unwrap();
        assert!(servers.clone().claim("tcp://locks:8090", "1").is_none());
        let second = servers.claim("tcp://locks:8090", "2").unwrap();
        assert!(Arc::ptr_eq(&first.server, &second.server));
        drop(first);
        assert!(servers.claim("tcp://locks:8090", "1").is_some());
    }

    #[test]
    fn another_server_has_a_queue_of_its_own() {
        let servers = Servers::default();
        let one = servers.claim("tcp://locks:8090", "1").unwrap();
        let other = servers.claim("tcp://locks:8091", "1").unwrap();
        let limit = Instant::now() + Duration::from_secs(20);
        let _turn = one.server().turns.take(limit, &Stop::default()).unwrap();
        assert!(other.server().turns.take_if_free().is_some());
    }
}
