//! The serial line: a pseudo-terminal whose far end hosts open through a symbolic link, and the
//! thread that carries bytes between it and the chip. Every frame to the host leaves by `send`.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::pty::{self, OpenptFlags};
use rustix::termios::{self, OptionalActions, QueueSelector};

use super::chip::{Chip, RESET_BAUD};
use crate::bell::{Bell, timeout_until};

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
}

impl Line {
    pub(super) fn open() -> io::Result<Line> {
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
        })
    }

    /// The far end, for the symbolic link.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Carries bytes until `stop` is set and the bell rung.
    pub(super) fn run(&self, mut chip: Chip, bell: &Bell, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            if let Err(error) = self.turn(&mut chip, bell) {
                tracing::error!(line = self.path, %error, "the emulated serial line failed");
                return;
            }
        }
    }

    /// Waits until there is something to do, and does it.
    pub(super) fn turn(&self, chip: &mut Chip, bell: &Bell) -> io::Result<()> {
        let mut fds = [
            PollFd::new(&self.openers, PollFlags::IN),
            PollFd::new(&self.near, PollFlags::IN),
            PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN),
        ];
        let timeout = chip.deadline().map(timeout_until);
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        bell.hush();
        // First, so that what an earlier host left is gone before this one is answered.
        self.note_openers()?;
        let received = self.receive(chip)?;
        let now = Instant::now();
        let mut frames = chip.receive(&received, now);
        frames.extend(chip.wake(now));
        self.send(chip, &frames)
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

    fn receive(&self, chip: &Chip) -> io::Result<Vec<u8>> {
        let mut buffer = [0; 1024];
        match rustix::io::read(&self.near, &mut buffer) {
            Ok(count) => Ok(self.distort(chip, buffer[..count].to_vec())?),
            Err(Errno::WOULDBLOCK | Errno::INTR | Errno::IO) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// The one place where frames leave: what a host does not fetch in time is lost, as on a UART.
    fn send(&self, chip: &Chip, frames: &[Vec<u8>]) -> io::Result<()> {
        for frame in frames {
            let bytes = self.distort(chip, frame.clone())?;
            match rustix::io::write(&self.near, &bytes) {
                Ok(_) | Err(Errno::WOULDBLOCK | Errno::INTR | Errno::IO) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// At another speed than the chip's, bytes arrive as other bytes.
    fn distort(&self, chip: &Chip, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        if bytes.is_empty() || chip.understands(termios::tcgetattr(&self.near)?.output_speed()) {
            return Ok(bytes);
        }
        Ok(bytes
            .into_iter()
            .map(|byte| byte.rotate_left(3) ^ 0x5A)
            .collect())
    }
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
