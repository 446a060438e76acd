//! A pseudo-terminal as a serial line: raw, never hung up while nobody has it open, behind a symbolic link that hosts
//! open as they would open `/dev/ttyUSB0`. It carries bytes and knows nothing of what they mean.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::pty::{self, OpenptFlags};
use rustix::termios::{self, OptionalActions, QueueSelector};

/// The near end of a line. Its link goes with it, before the terminal does: its number may at once be somebody else's.
#[derive(Debug)]
pub(crate) struct Terminal {
    near: OwnedFd,
    /// Held open: without any opener of the far end the near end fails with EIO. It is also the only
    /// descriptor on which the claim (TIOCEXCL) of a host that was killed can be lifted.
    far: OwnedFd,
    /// Tells when hosts open and close the far end.
    openers: OwnedFd,
    path: String,
    link: Option<PathBuf>,
}

impl Terminal {
    /// Opens a line at this speed, with no link to it yet.
    pub(crate) fn open(baud: u32) -> io::Result<Terminal> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let near = pty::openpt(flags)?;
        pty::grantpt(&near)?;
        pty::unlockpt(&near)?;
        let path = pty::ptsname(&near, Vec::new())?
            .into_string()
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let far = pty::ioctl_tiocgptpeer(&near, flags)?;
        let nonblocking = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NONBLOCK;
        rustix::fs::fcntl_setfl(&near, nonblocking)?;

        let mut settings = termios::tcgetattr(&near)?;
        settings.make_raw();
        settings.set_speed(baud)?;
        termios::tcsetattr(&near, OptionalActions::Now, &settings)?;

        let openers =
            inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        let both = inotify::WatchFlags::OPEN | inotify::WatchFlags::CLOSE;
        inotify::add_watch(&openers, &path, both)?;
        Ok(Terminal {
            near,
            far,
            openers,
            path,
            link: None,
        })
    }

    /// Makes the link by which hosts open it. A stale symbolic link is replaced; anything else at that path is an error.
    pub(crate) fn link(&mut self, link: &Path) -> io::Result<()> {
        if link.is_symlink() {
            std::fs::remove_file(link)?;
        }
        std::os::unix::fs::symlink(&self.path, link)?;
        self.link = Some(link.to_owned());
        Ok(())
    }

    /// The far end itself.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The speed that the host has set, in bits a second.
    pub(crate) fn host_baud(&self) -> io::Result<u32> {
        Ok(termios::tcgetattr(&self.near)?.output_speed())
    }

    /// Readable when a host opened or closed the line; see [`note_openers`](Terminal::note_openers).
    pub(crate) fn openers(&self) -> BorrowedFd<'_> {
        self.openers.as_fd()
    }

    /// A line keeps nothing for a host that was not there, and a host that was killed locks nobody out. Says whether a
    /// host came or went.
    pub(crate) fn note_openers(&self) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); 512];
        let mut events = inotify::Reader::new(&self.openers, &mut buffer);
        let mut any = false;
        loop {
            let seen = match events.next() {
                Ok(event) => event.events(),
                Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(any),
                Err(error) => return Err(error.into()),
            };
            any = true;
            termios::tcflush(&self.near, QueueSelector::OFlush)?;
            termios::tcflush(&self.far, QueueSelector::IFlush)?;
            if !seen.contains(inotify::ReadFlags::OPEN) {
                // The kernel lifts a claim with the last closing, which never comes while we hold the far end.
                termios::ioctl_tiocnxcl(&self.far)?;
            }
        }
    }

    /// What has come; nothing, if nothing has.
    pub(crate) fn receive(&self) -> io::Result<Vec<u8>> {
        let mut buffer = [0; 1024];
        match rustix::io::read(&self.near, &mut buffer) {
            Ok(count) => Ok(buffer[..count].to_vec()),
            Err(Errno::WOULDBLOCK | Errno::INTR | Errno::IO) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// What a host does not fetch in time is lost, as on a UART.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match rustix::io::write(&self.near, bytes) {
            Ok(_) | Err(Errno::WOULDBLOCK | Errno::INTR | Errno::IO) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Terminal {
    /// Readable when bytes have come.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.near.as_fd()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let Some(link) = &self.link else {
            return;
        };
        if let Err(error) = std::fs::remove_file(link) {
            tracing::warn!(link = %link.display(), %error, "the link of an emulated line was gone");
        }
    }
}
