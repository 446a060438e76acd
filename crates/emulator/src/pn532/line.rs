//! The serial line: the thread that carries bytes between a terminal and the chip, in their time (`lane`), and with the
//! faults that are set (`wire`). Every frame passes `meet_faults`, in either direction.

mod controls;
mod lane;
mod splitter;
mod wire;

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::chip::{Chip, RESET_BAUD, Speeds};
use super::frame::{self, Incoming};
use crate::bell::{Bell, timeout_until};
use crate::faults::{Arrival, Passing, Way, arrival};
use crate::terminal::Terminal;
pub(super) use controls::Controls;
pub use controls::LinePace;
use lane::{Lane, Piece, time_of};
use splitter::{Part, Splitter};
use wire::Kind;

/// A pseudo-terminal as a UART, which garbles what comes at another speed than the chip's.
#[derive(Debug)]
pub(super) struct Line {
    terminal: Terminal,
    controls: Controls,
    /// From the host, on the wire.
    incoming: Lane,
    splitter: Splitter,
    /// What arrived of that, on its way to the chip: late, if a fault says so.
    heard: Lane,
    /// When the chip begins with the command that it has acknowledged.
    begins: Option<Instant>,
    /// From the chip, on the wire.
    outgoing: Lane,
}

impl Line {
    pub(super) fn open(controls: Controls) -> io::Result<Line> {
        Ok(Line {
            terminal: Terminal::open(RESET_BAUD)?,
            controls,
            incoming: Lane::default(),
            splitter: Splitter::default(),
            heard: Lane::default(),
            begins: None,
            outgoing: Lane::default(),
        })
    }

    /// Makes the link by which hosts open it, which goes with the line.
    pub(super) fn link(&mut self, link: &Path) -> io::Result<()> {
        self.terminal.link(link)
    }

    /// Carries bytes until `stop` is set and the bell rung.
    pub(super) fn run(mut self, mut chip: Chip, bell: &Bell, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            if let Err(error) = self.turn(&mut chip, bell) {
                tracing::error!(line = self.terminal.path(), %error, "the emulated serial line failed");
                return;
            }
        }
    }

    /// Waits until there is something to do, and does it.
    pub(super) fn turn(&mut self, chip: &mut Chip, bell: &Bell) -> io::Result<()> {
        let mut fds = [
            PollFd::from_borrowed_fd(self.terminal.openers(), PollFlags::IN),
            PollFd::new(&self.terminal, PollFlags::IN),
            PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN),
        ];
        let timeout = self.deadline(chip).map(timeout_until);
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        bell.hush();
        // First, so that what an earlier host left is gone before this one is answered.
        self.terminal.note_openers()?;
        self.receive(chip.speeds())?;
        let now = Instant::now();
        while let Some(piece) = self.incoming.take(now) {
            let baud = self.controls.baud(chip.speeds());
            let mut rest = piece.bytes.len();
            for byte in piece.bytes {
                rest -= 1;
                if let Some(part) = self.splitter.push(byte) {
                    let earlier = baud.map_or(Duration::ZERO, |baud| time_of(rest, baud));
                    self.hear(part, piece.at.checked_sub(earlier).unwrap_or(piece.at));
                    // Before the next part, so that what a fault counts has happened.
                    self.pass_on(chip, now)?;
                }
            }
        }
        self.pass_on(chip, now)?;
        let speeds = chip.speeds();
        for frame in chip.wake(now) {
            self.answer(frame, now, speeds);
        }
        self.send(speeds)
    }

    /// When something is to be done even if nothing comes.
    fn deadline(&self, chip: &Chip) -> Option<Instant> {
        let lanes = [&self.incoming, &self.heard, &self.outgoing];
        let moments = lanes
            .into_iter()
            .map(Lane::next)
            .chain([self.begins, chip.deadline()]);
        moments.flatten().min()
    }

    /// Takes what the host sent, as the chip will hear it.
    fn receive(&mut self, speeds: Speeds) -> io::Result<()> {
        let bytes = self.terminal.receive()?;
        if bytes.is_empty() {
            return Ok(());
        }
        let baud = self.controls.count(bytes.len(), speeds);
        let bytes = self.distort(speeds, bytes)?;
        self.incoming.put(bytes, Instant::now(), baud);
        Ok(())
    }

    /// A part of what the host sent has come through the wire.
    fn hear(&mut self, part: Part, at: Instant) {
        let (bytes, kind, is_about_cards) = match part {
            Part::Frame(bytes, Incoming::Command(command)) => {
                (bytes, Kind::Command, is_about_cards(&command))
            }
            Part::Frame(bytes, _) => (bytes, Kind::Control, false),
            Part::Between(bytes) => {
                if !self.controls.faults.is_stalled() {
                    self.heard.put(bytes, at, None);
                }
                return;
            }
        };
        let Arrival { delay, frames } =
            self.meet_faults(Way::FromHost, kind, is_about_cards, bytes);
        for (nth, mut frame) in frames.into_iter().enumerate() {
            if nth > 0 {
                // The first one's start code began before the splitter could know.
                frame.insert(0, 0x00);
            }
            self.heard.put(frame, at + delay, None);
        }
    }

    /// Gives the chip what it is to have heard by now, and lets it do what it is to have begun.
    fn pass_on(&mut self, chip: &mut Chip, now: Instant) -> io::Result<()> {
        while let Some(Piece { at, bytes }) = self.heard.take(now) {
            self.carry_out(chip, at);
            self.give(chip, &bytes, at)?;
        }
        self.carry_out(chip, now);
        Ok(())
    }

    /// Gives the chip a part of what the host sent.
    fn give(&mut self, chip: &mut Chip, bytes: &[u8], at: Instant) -> io::Result<()> {
        let speeds = chip.speeds();
        let is_ahead = speeds.next.is_some() && self.terminal.host_baud()? != speeds.current;
        if is_ahead && !bytes.ends_with(&HOST_ACK) {
            // The host has switched, and the chip has not: its acknowledgement was lost.
            return Ok(());
        }
        let frames = chip.receive(bytes);
        if frames.is_empty() && chip.has_accepted() {
            // Padding behind the command, for which it does not wait.
            return Ok(());
        }
        for frame in frames {
            self.answer(frame, at, speeds);
        }
        // An acknowledgement leaves before its command is carried out, which may take a card its time.
        self.send(speeds)?;
        let leaves = self
            .controls
            .baud(speeds)
            .map_or(Duration::ZERO, |baud| time_of(frame::ACK.len(), baud));
        self.begins = chip.has_accepted().then_some(at + leaves);
        Ok(())
    }

    /// Lets the chip carry out its command, if that has begun by now.
    fn carry_out(&mut self, chip: &mut Chip, now: Instant) {
        if let Some(begin) = self.begins.take_if(|begin| *begin <= now) {
            let speeds = chip.speeds();
            let began = Instant::now();
            if let Some(frame) = chip.carry_out(begin) {
                self.answer(frame, begin + began.elapsed(), speeds);
            }
        }
    }

    /// A frame of the chip's for the host.
    fn answer(&mut self, frame: Vec<u8>, at: Instant, speeds: Speeds) {
        let kind = Kind::of_outgoing(&frame);
        let Arrival { delay, frames } =
            self.meet_faults(Way::ToHost, kind, kind == Kind::Answer, frame);
        for frame in frames {
            let baud = self.controls.count(frame.len(), speeds);
            self.outgoing.put(frame, at + delay, baud);
        }
    }

    /// What arrives of a frame.
    fn meet_faults(&self, way: Way, kind: Kind, is_about_cards: bool, frame: Vec<u8>) -> Arrival {
        let hits = self.controls.faults.pass(&Passing {
            way,
            is_about_cards,
            can: &|fault| kind.can(fault, &frame),
        });
        match hits {
            Some(hits) => arrival(frame, &hits, &kind),
            // The device is stalled.
            None => Arrival::default(),
        }
    }

    /// Writes what has come through the wire.
    fn send(&mut self, speeds: Speeds) -> io::Result<()> {
        while let Some(piece) = self.outgoing.take(Instant::now()) {
            self.terminal.send(&self.distort(speeds, piece.bytes)?)?;
        }
        Ok(())
    }

    /// At another speed than the chip's, bytes arrive as other bytes. While a change waits for the host's
    /// acknowledgement both speeds pass: the host may have switched before it was looked at.
    fn distort(&self, speeds: Speeds, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let host = self.terminal.host_baud()?;
        if host == speeds.current || Some(host) == speeds.next {
            return Ok(bytes);
        }
        Ok(bytes
            .into_iter()
            .map(|byte| byte.rotate_left(3) ^ 0x5A)
            .collect())
    }
}

/// The host's acknowledgement, as the splitter cuts it out.
const HOST_ACK: [u8; 3] = [0xFF, 0x00, 0xFF];

/// Whether a command may reach a card as an exchange: InDataExchange, InCommunicateThru.
fn is_about_cards(command: &[u8]) -> bool {
    matches!(command, [0x40 | 0x42, ..])
}

#[cfg(test)]
impl Line {
    /// The far end.
    pub(super) fn path(&self) -> &str {
        self.terminal.path()
    }

    /// Whether there is something to do, or will be within this time.
    pub(super) fn is_busy(&self, chip: &Chip, within: std::time::Duration) -> bool {
        let quiet = Instant::now() + within;
        if self.deadline(chip).is_some_and(|deadline| deadline < quiet) {
            return true;
        }
        let mut fds = [
            PollFd::from_borrowed_fd(self.terminal.openers(), PollFlags::IN),
            PollFd::new(&self.terminal, PollFlags::IN),
        ];
        poll(&mut fds, Some(&timeout_until(quiet))).expect("two sound descriptors") != 0
    }
}

/// A line in use: the thread that runs it, and how to end it.
#[derive(Debug)]
pub(super) struct Running {
    bell: Arc<Bell>,
    stop: Arc<AtomicBool>,
    thread: crate::bell::Thread,
}

impl Running {
    pub(super) fn start(line: Line, chip: Chip, bell: Arc<Bell>) -> io::Result<Running> {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = crate::bell::Thread::spawn("pn532 emulator", {
            let (bell, stop) = (bell.clone(), stop.clone());
            move || line.run(chip, &bell, &stop)
        })?;
        Ok(Running { bell, stop, thread })
    }

    /// Ends the thread, which hangs up the line.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
        self.thread.join();
    }
}
