//! The pseudo-terminal that a vendor's program takes for the serial port.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::pty::{self, OpenptFlags};
use rustix::termios::{self, OptionalActions};
use tokio::io::unix::AsyncFd;

/// A terminal behind a link. The link goes with it.
#[derive(Debug)]
pub(super) struct Terminal {
    // First, so that the link is gone before its number may be somebody else's terminal.
    _link: Link,
    near: AsyncFd<OwnedFd>,
    /// Held open: without any opener of the far end the near end fails.
    _far: OwnedFd,
}

#[derive(Debug)]
struct Link(PathBuf);

impl Drop for Link {
    fn drop(&mut self) {
        // Somebody else removed it already.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Terminal {
    /// Opens one at that speed.
    ///
    /// # Errors
    /// When the system gives no terminal, or the link cannot be made, being there already for one.
    #[expect(
        deprecated,
        reason = "its replacement is unsafe to call; it asks for a descriptor that stays open, which an OwnedFd does"
    )]
    pub(super) fn open(link: &Path, baud: u32) -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let near = pty::openpt(flags)?;
        pty::grantpt(&near)?;
        pty::unlockpt(&near)?;
        let path = pty::ptsname(&near, Vec::new())?
            .into_string()
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let far = pty::ioctl_tiocgptpeer(&near, flags)?;
        // Raw, or it would echo what the device says before the program has opened it.
        let mut settings = termios::tcgetattr(&near)?;
        settings.make_raw();
        settings.set_speed(baud)?;
        termios::tcsetattr(&near, OptionalActions::Now, &settings)?;
        rustix::fs::fcntl_setfl(&near, OFlags::RDWR | OFlags::NONBLOCK)?;
        symlink(path, link)?;
        Ok(Self {
            _link: Link(link.to_owned()),
            near: AsyncFd::new(near)?,
            _far: far,
        })
    }

    /// The speed that the program has set.
    pub(super) fn baud(&self) -> io::Result<u32> {
        Ok(termios::tcgetattr(self.near.get_ref())?.input_speed())
    }

    /// Reads what the program sent.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |near: &OwnedFd| Ok(rustix::io::read(near.as_fd(), &mut *buffer)?);
        self.near
            .async_io(tokio::io::Interest::READABLE, read)
            .await
    }

    /// Gives the program what the device sent. What it does not read for long is lost, as on a port.
    pub(super) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let write = |near: &OwnedFd| Ok(rustix::io::write(near.as_fd(), bytes)?);
            let count = self
                .near
                .async_io(tokio::io::Interest::WRITABLE, write)
                .await?;
            bytes = &bytes[count..];
        }
        Ok(())
    }
}
