//! The serial line: a pseudo-terminal whose far end hosts open through a symbolic link, and the
//! thread that carries bytes between it and the chip: in their time (`lane`), and with the faults that are set
//! (`wire`). Every frame passes `meet_faults`, in either direction.

mod lane;
mod splitter;
mod wire;

use std::io;
use std::mem::MaybeUninit;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::pty::{self, OpenptFlags};
use rustix::termios::{self, OptionalActions, QueueSelector};

use super::chip::{Chip, RESET_BAUD, Speeds};
use super::frame::Incoming;
use crate::bell::{Bell, timeout_until};
use crate::faults::{Arrival, Faults, Passing, Way, arrival};
use crate::slot::Slot;
use lane::{Lane, Piece, time_of};
use splitter::{Part, Splitter};
use wire::Kind;

/// How fast a line passes bytes, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinePace {
    /// At once.
    #[default]
    Instant,
    /// At this many bits a second, ten for a byte; slower while the chip is set to less.
    Baud(NonZeroU32),
}

/// How a line is steered while it runs. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Controls {
    pub(super) slot: Slot,
    pub(super) faults: Faults,
    /// The pace in bits a second; 0 for at once.
    pace: Arc<AtomicU32>,
}

impl Controls {
    pub(super) fn over(slot: Slot) -> Controls {
        Controls {
            faults: Faults::over(vec![slot.clone()]),
            slot,
            pace: Arc::default(),
        }
    }

    pub(super) fn set_pace(&self, pace: LinePace) {
        let baud = match pace {
            LinePace::Instant => 0,
            LinePace::Baud(baud) => baud.get(),
        };
        self.pace.store(baud, Ordering::Release);
    }

    pub(super) fn pace(&self) -> LinePace {
        NonZeroU32::new(self.pace.load(Ordering::Acquire)).map_or(LinePace::Instant, LinePace::Baud)
    }

    /// The speed that bytes are paced at, if they are, while the chip is set to `chip`. Their time is counted in
    /// any case.
    fn count(&self, bytes: usize, chip: u32) -> Option<u32> {
        let paced = match self.pace() {
            LinePace::Instant => None,
            LinePace::Baud(baud) => Some(baud.get().min(chip)),
        };
        self.slot
            .impose_by_line(time_of(bytes, paced.unwrap_or(chip)));
        paced
    }
}

/// A pseudo-terminal as a UART: raw, at the chip's speed, and never hung up while nobody has it open.
#[derive(Debug)]
pub(super) struct Line {
    near: OwnedFd,
    /// Held open: without any opener of the far end the near end fails with EIO. It is also the only
    /// descriptor on which the claim (TIOCEXCL) of a host that was killed can be lifted.
    far: OwnedFd,
    /// Tells when hosts open and close the far end.
    openers: OwnedFd,
    path: String,
    controls: Controls,
    /// From the host, on the wire.
    incoming: Lane,
    splitter: Splitter,
    /// What arrived of that, on its way to the chip: late, if a fault says so.
    heard: Lane,
    /// From the chip, on the wire.
    outgoing: Lane,
}

impl Line {
    pub(super) fn open(controls: Controls) -> io::Result<Line> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let near = pty::openpt(flags)?;
        pty::grantpt(&near)?;
        pty::unlockpt(&near)?;
        let path = pty::ptsname(&near, Vec::new())?
            .into_string()
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let far = pty::ioctl_tiocgptpeer(&near, flags)?;
        rustix::fs::fcntl_setfl(
            &near,
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NONBLOCK,
        )?;

        let mut settings = termios::tcgetattr(&near)?;
        settings.make_raw();
        settings.set_speed(RESET_BAUD)?;
        termios::tcsetattr(&near, OptionalActions::Now, &settings)?;

        let openers =
            inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        inotify::add_watch(
            &openers,
            &path,
            inotify::WatchFlags::OPEN | inotify::WatchFlags::CLOSE,
        )?;
        Ok(Line {
            near,
            far,
            openers,
            path,
            controls,
            incoming: Lane::default(),
            splitter: Splitter::default(),
            heard: Lane::default(),
            outgoing: Lane::default(),
        })
    }

    /// The far end, for the symbolic link.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Carries bytes until `stop` is set and the bell rung.
    pub(super) fn run(mut self, mut chip: Chip, bell: &Bell, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            if let Err(error) = self.turn(&mut chip, bell) {
                tracing::error!(line = self.path, %error, "the emulated serial line failed");
                return;
            }
        }
    }

    /// Waits until there is something to do, and does it.
    pub(super) fn turn(&mut self, chip: &mut Chip, bell: &Bell) -> io::Result<()> {
        let mut fds = [
            PollFd::new(&self.openers, PollFlags::IN),
            PollFd::new(&self.near, PollFlags::IN),
            PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN),
        ];
        let timeout = self.deadline(chip).map(timeout_until);
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        bell.hush();
        // First, so that what an earlier host left is gone before this one is answered.
        self.note_openers()?;
        self.receive(chip.speeds())?;
        let now = Instant::now();
        while let Some(piece) = self.incoming.take(now) {
            for part in self.splitter.split(&piece.bytes) {
                self.hear(part, piece.at);
                // Before the next part, so that what a fault counts has happened.
                self.pass_on(chip, now)?;
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
        let moments = lanes.into_iter().map(Lane::next).chain([chip.deadline()]);
        moments.flatten().min()
    }

    fn note_openers(&self) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 512];
        let mut events = inotify::Reader::new(&self.openers, &mut buffer);
        loop {
            let seen = match events.next() {
                Ok(event) => event.events(),
                Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            // A UART keeps nothing for a host that was not there.
            termios::tcflush(&self.near, QueueSelector::OFlush)?;
            termios::tcflush(&self.far, QueueSelector::IFlush)?;
            if !seen.contains(inotify::ReadFlags::OPEN) {
                // The kernel lifts a claim with the last closing, which never comes while we hold
                // the far end: a killed host would lock everybody out.
                termios::ioctl_tiocnxcl(&self.far)?;
            }
        }
    }

    /// Takes what the host sent, as the chip will hear it.
    fn receive(&mut self, speeds: Speeds) -> io::Result<()> {
        let mut buffer = [0; 1024];
        match rustix::io::read(&self.near, &mut buffer) {
            Ok(0) | Err(Errno::WOULDBLOCK | Errno::INTR | Errno::IO) => Ok(()),
            Ok(count) => {
                let bytes = self.distort(speeds, buffer[..count].to_vec())?;
                let baud = self.controls.count(count, speeds.current);
                self.incoming.put(bytes, Instant::now(), baud);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
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

    /// Gives the chip what it is to have heard by now.
    fn pass_on(&mut self, chip: &mut Chip, now: Instant) -> io::Result<()> {
        while let Some(Piece { at, bytes }) = self.heard.take(now) {
            self.give(chip, &bytes, at)?;
        }
        Ok(())
    }

    /// Gives the chip a part of what the host sent. An acknowledgement leaves before the command is carried out,
    /// which may take a card its time.
    fn give(&mut self, chip: &mut Chip, bytes: &[u8], at: Instant) -> io::Result<()> {
        let speeds = chip.speeds();
        let is_ahead = speeds.next.is_some() && self.host_baud()? != speeds.current;
        if is_ahead && !bytes.ends_with(&HOST_ACK) {
            // The host has switched, and the chip has not: its acknowledgement was lost.
            return Ok(());
        }
        let began = Instant::now();
        let mut sent = Ok(());
        chip.receive(bytes, at, &mut |frame| {
            self.answer(frame, at + began.elapsed(), speeds);
            if sent.is_ok() {
                sent = self.send(speeds);
            }
        });
        sent
    }

    /// A frame of the chip's for the host.
    fn answer(&mut self, frame: Vec<u8>, at: Instant, speeds: Speeds) {
        let kind = Kind::of_outgoing(&frame);
        let Arrival { delay, frames } =
            self.meet_faults(Way::ToHost, kind, kind == Kind::Answer, frame);
        for frame in frames {
            let baud = self.controls.count(frame.len(), speeds.current);
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

    /// Writes what has come through the wire: what a host does not fetch in time is lost, as on a UART.
    fn send(&mut self, speeds: Speeds) -> io::Result<()> {
        while let Some(piece) = self.outgoing.take(Instant::now()) {
            let bytes = self.distort(speeds, piece.bytes)?;
            match rustix::io::write(&self.near, &bytes) {
                Ok(_) | Err(Errno::WOULDBLOCK | Errno::INTR | Errno::IO) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// At another speed than the chip's, bytes arrive as other bytes. While a change waits for the host's
    /// acknowledgement both speeds pass: the host may have switched before it was looked at.
    fn distort(&self, speeds: Speeds, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let host = self.host_baud()?;
        if host == speeds.current || Some(host) == speeds.next {
            return Ok(bytes);
        }
        Ok(bytes
            .into_iter()
            .map(|byte| byte.rotate_left(3) ^ 0x5A)
            .collect())
    }

    /// The speed that the host has set, in bits a second.
    fn host_baud(&self) -> io::Result<u32> {
        Ok(termios::tcgetattr(&self.near)?.output_speed())
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
    /// Whether there is something to do, or will be within this time.
    pub(super) fn is_busy(&self, within: std::time::Duration) -> bool {
        let mut fds = [
            PollFd::new(&self.openers, PollFlags::IN),
            PollFd::new(&self.near, PollFlags::IN),
        ];
        poll(&mut fds, Some(&timeout_until(Instant::now() + within)))
            .expect("two sound descriptors")
            != 0
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
