//! The thread that carries bytes between clients and the server's state, over TCP or a serial line.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::Shared;
use super::settings::{SecondConnection, Segments};
use super::state::{ConnectionId, Outgoing};
use crate::bell::{Bell, Thread, timeout_until};
use crate::terminal::Terminal;

/// Between two pieces of an answer that is split.
const BETWEEN_PIECES: Duration = Duration::from_millis(2);
/// A client that does not fetch its answer is not waited for longer.
const WRITE_LIMIT: Duration = Duration::from_secs(1);
/// Speed of a serial line; clients of a pseudo-terminal may set any.
const BAUD: u32 = 9600;

/// Where clients come in.
#[derive(Debug)]
pub(super) enum Entrance {
    Listener(TcpListener),
    /// A serial line, which is one connection by itself.
    Terminal(Terminal),
}

impl Entrance {
    pub(super) fn listen(port: u16) -> io::Result<(Entrance, SocketAddr)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((Entrance::Listener(listener), address))
    }

    pub(super) fn terminal(link: &Path) -> io::Result<Entrance> {
        let mut terminal = Terminal::open(BAUD)?;
        terminal.link(link)?;
        Ok(Entrance::Terminal(terminal))
    }
}

/// A wire in use: its thread, and how to end it.
#[derive(Debug)]
pub(super) struct Running {
    stop: Arc<AtomicBool>,
    bell: Arc<Bell>,
    thread: Thread,
}

impl Running {
    pub(super) fn start(entrance: Entrance, shared: Arc<Shared>) -> io::Result<Running> {
        let stop = Arc::new(AtomicBool::new(false));
        let bell = shared.bell.clone();
        let wire = Wire {
            entrance,
            shared,
            links: BTreeMap::new(),
            line: None,
        };
        let thread = Thread::spawn("lock server emulator", {
            let stop = stop.clone();
            move || wire.run(&stop)
        })?;
        Ok(Running { stop, bell, thread })
    }

    /// Ends the thread, which closes every connection.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
        self.thread.join();
    }
}

struct Wire {
    entrance: Entrance,
    shared: Arc<Shared>,
    links: BTreeMap<ConnectionId, Link>,
    /// The connection that a serial line is.
    line: Option<ConnectionId>,
}

/// A connection by TCP, or the serial line, and what is still to be said there.
struct Link {
    stream: Option<TcpStream>,
    pieces: VecDeque<(Instant, Vec<u8>)>,
}

/// What `poll` found readable.
struct Ready {
    entrance: bool,
    openers: bool,
    links: Vec<ConnectionId>,
}

impl Wire {
    fn run(mut self, stop: &AtomicBool) {
        if matches!(self.entrance, Entrance::Terminal(_)) {
            let id = self.shared.change(super::state::State::connect);
            self.line = Some(id);
            self.links.insert(id, Link::new(None));
        }
        while !stop.load(Ordering::Acquire) {
            if let Err(error) = self.turn() {
                tracing::error!(%error, "the emulated lock server's wire failed");
                break;
            }
        }
        // Clients see the end before anybody is told of it.
        self.links.clear();
    }

    fn turn(&mut self) -> io::Result<()> {
        let ready = self.poll()?;
        self.shared.bell.hush();
        if ready.openers
            && let Entrance::Terminal(terminal) = &self.entrance
        {
            terminal.note_openers()?;
        }
        if ready.entrance {
            self.enter()?;
        }
        for id in ready.links {
            self.receive(id);
        }
        if self.shared.lock().has_arrived(Instant::now()) {
            self.shared.change(|state| state.hear(Instant::now()));
        }
        self.fetch();
        self.send()
    }

    fn poll(&self) -> io::Result<Ready> {
        let (second, arriving) = {
            let state = self.shared.lock();
            let arriving = state.inbox.iter().map(|arriving| arriving.at).min();
            (state.knobs.second_connection, arriving)
        };
        let leaving = self.links.values().filter_map(Link::due);
        let due = leaving.chain(arriving).min();
        let takes_more = self.links.is_empty() || second != SecondConnection::Waits;
        let mut fds = vec![PollFd::new(&*self.shared.bell, PollFlags::IN)];
        match &self.entrance {
            Entrance::Listener(listener) if takes_more => {
                fds.push(PollFd::new(listener, PollFlags::IN));
            }
            Entrance::Listener(_) => {}
            Entrance::Terminal(terminal) => {
                fds.push(PollFd::from_borrowed_fd(terminal.openers(), PollFlags::IN));
                fds.push(PollFd::new(terminal, PollFlags::IN));
            }
        }
        let others = fds.len();
        let streams = self
            .links
            .iter()
            .filter_map(|(id, link)| Some((*id, link.fd()?)));
        let (ids, streams): (Vec<_>, Vec<_>) = streams.unzip();
        fds.extend(
            streams
                .into_iter()
                .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)),
        );
        match poll(&mut fds, due.map(timeout_until).as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let links = ids.into_iter().zip(&is_ready[others..]);
        Ok(Ready {
            entrance: others > 1 && is_ready[others - 1],
            openers: others > 2 && is_ready[1],
            links: links
                .filter(|(_, ready)| **ready)
                .map(|(id, _)| id)
                .collect(),
        })
    }

    /// A connection, or bytes on the serial line.
    fn enter(&mut self) -> io::Result<()> {
        let received = match &self.entrance {
            Entrance::Terminal(terminal) => terminal.receive()?,
            Entrance::Listener(listener) => {
                let stream = match listener.accept() {
                    Ok((stream, _)) => stream,
                    // It was gone again before it was fetched.
                    Err(_) => return Ok(()),
                };
                self.accept(stream);
                return Ok(());
            }
        };
        if let Some(line) = self.line {
            self.heard(line, &received);
        }
        Ok(())
    }

    fn accept(&mut self, stream: TcpStream) {
        let is_second = !self.links.is_empty();
        if is_second && self.shared.lock().knobs.second_connection == SecondConnection::Closed {
            return;
        }
        let settled = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_nodelay(true))
            .and_then(|()| stream.set_write_timeout(Some(WRITE_LIMIT)));
        if settled.is_ok() {
            let id = self.shared.change(super::state::State::connect);
            self.links.insert(id, Link::new(Some(stream)));
        }
    }

    fn receive(&mut self, id: ConnectionId) {
        let mut buffer = [0; 1024];
        let stream = self
            .links
            .get_mut(&id)
            .and_then(|link| link.stream.as_mut());
        match stream.map(|stream| stream.read(&mut buffer)) {
            Some(Ok(count @ 1..)) => self.heard(id, &buffer[..count]),
            _ => self.close(id),
        }
    }

    fn heard(&mut self, id: ConnectionId, bytes: &[u8]) {
        let is_cut = self.shared.change(|state| {
            let (allowed, is_cut) = spend(&mut state.knobs.cut_after_received, bytes.len());
            // The last ones before a cut are lost with it.
            state.receive(
                id,
                if is_cut { &[] } else { &bytes[..allowed] },
                Instant::now(),
            );
            is_cut
        });
        if is_cut {
            self.close(id);
        }
    }

    /// Takes what the state wants to say.
    fn fetch(&mut self) {
        let (outbox, segments) = {
            let mut state = self.shared.lock();
            (std::mem::take(&mut state.outbox), state.knobs.segments)
        };
        for outgoing in outbox {
            if let Some(link) = self.links.get_mut(&outgoing.to) {
                link.queue(outgoing, segments);
            }
        }
    }

    fn send(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let ids: Vec<_> = self.links.keys().copied().collect();
        for id in ids {
            while let Some(piece) = self.links.get_mut(&id).and_then(|link| link.next(now)) {
                let (allowed, is_cut) = {
                    let mut state = self.shared.lock();
                    spend(&mut state.knobs.cut_after_sent, piece.len())
                };
                let is_sent = self.put(id, &piece[..allowed])?;
                if is_cut || !is_sent {
                    self.close(id);
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, id: ConnectionId, bytes: &[u8]) -> io::Result<bool> {
        let stream = self
            .links
            .get_mut(&id)
            .and_then(|link| link.stream.as_mut());
        match (stream, &self.entrance) {
            (Some(stream), _) => Ok(stream.write_all(bytes).is_ok()),
            (None, Entrance::Terminal(terminal)) => terminal.send(bytes).map(|()| true),
            (None, Entrance::Listener(_)) => Ok(false),
        }
    }

    /// Cuts a connection. A serial line stays, and loses what was to be said.
    fn close(&mut self, id: ConnectionId) {
        if self.line == Some(id) {
            if let Some(link) = self.links.get_mut(&id) {
                link.pieces.clear();
            }
            return;
        }
        self.links.remove(&id);
        self.shared.change(|state| state.disconnect(id));
    }
}

/// Takes bytes from an allowance. How many of them are allowed, and whether it is used up, which ends it.
fn spend(allowance: &mut Option<usize>, count: usize) -> (usize, bool) {
    match allowance {
        Some(left) if *left <= count => (allowance.take().unwrap_or_default(), true),
        Some(left) => {
            *left -= count;
            (count, false)
        }
        None => (count, false),
    }
}

impl Link {
    fn new(stream: Option<TcpStream>) -> Link {
        Link {
            stream,
            pieces: VecDeque::new(),
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(AsFd::as_fd)
    }

    fn due(&self) -> Option<Instant> {
        self.pieces.front().map(|(at, _)| *at)
    }

    /// Nothing overtakes what was said before.
    fn queue(&mut self, outgoing: Outgoing, segments: Segments) {
        let last = self.pieces.back().map(|(at, _)| *at);
        let mut at = last.map_or(outgoing.at, |last| last.max(outgoing.at));
        let Segments::Split(size) = segments else {
            self.pieces.push_back((at, outgoing.bytes));
            return;
        };
        for piece in outgoing.bytes.chunks(size.max(1)) {
            self.pieces.push_back((at, piece.to_vec()));
            at += BETWEEN_PIECES;
        }
    }

    fn next(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.due()? > now {
            return None;
        }
        self.pieces.pop_front().map(|(_, bytes)| bytes)
    }
}
