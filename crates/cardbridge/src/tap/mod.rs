//! Sits between a serial port and a program that believes it has the port to itself, and tells what passes. It changes
//! no byte, keeps the order, and follows the speeds that the program sets.

mod mask;
mod terminal;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use encoder::serial::SerialPorts;
use encoder::{Access, Direction};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};

use mask::Masker;
use terminal::Terminal;

/// Nothing tells that a program set another speed: it is looked after before anything it sends is passed on, and this
/// often, for a program that waits for the device to speak first.
const SPEED_LOOK: Duration = Duration::from_millis(50);
/// How long a program may leave what the device says unread.
const UNREAD: Duration = Duration::from_secs(2);
/// Bytes passed on at once.
const PIECE: usize = 4096;

/// What is kept back of what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// Nothing.
    Nothing,
    /// Keys, passwords and written data in the frames of a PN532.
    Pn532,
}

/// Told of everything that passes.
pub trait Witness: Send {
    /// Bytes passed, of which some are secret.
    fn passed(&mut self, direction: Direction, bytes: &[u8], secret: &[Range<usize>]);

    /// The program set another speed, in bits a second.
    fn speed(&mut self, baud: u32);
}

/// A tap could not begin, or came to an end.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The port cannot be used.
    #[error("the port {} cannot be tapped: {reason}", path.display())]
    Port {
        /// The port.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The port could not be opened or set up.
    #[error("the port {} cannot be opened; check what is plugged in there, and close other programs that use it", path.display())]
    Open {
        /// The port.
        path: PathBuf,
        /// What the system said.
        source: tokio_serial::Error,
    },
    /// The link is there already.
    #[error("{} is there already; remove it, or give --link another path", path.display())]
    LinkExists {
        /// The link.
        path: PathBuf,
    },
    /// The link or the terminal behind it cannot be made.
    #[error("a port for the program cannot be made at {}; check that its folder exists and belongs to this user", path.display())]
    Link {
        /// The link.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The device went away.
    #[error("the port {} went away; the tap has ended, and what passed until then is recorded", path.display())]
    Gone {
        /// The port.
        path: PathBuf,
    },
}

/// A tap that is set up.
#[derive(Debug)]
pub struct Tap {
    port: SerialStream,
    path: PathBuf,
    terminal: Terminal,
    baud: u32,
    masker: Option<Masker>,
}

impl Tap {
    /// Opens a port, and offers another one behind a link.
    ///
    /// # Errors
    /// The port is not there, not permitted or held, or the link cannot be made.
    pub fn open(port: &Path, link: &Path, baud: u32, mask: Mask) -> Result<Self, TapError> {
        if link.symlink_metadata().is_ok() {
            return Err(TapError::LinkExists {
                path: link.to_owned(),
            });
        }
        let path = port.to_owned();
        match SerialPorts::default().access(port, "--port") {
            Access::Accessible => {}
            Access::Absent { reason }
            | Access::Unclaimed { reason }
            | Access::Inaccessible { reason } => return Err(TapError::Port { path, reason }),
        }
        let opened = tokio_serial::new(port.to_string_lossy(), baud).open_native_async();
        let opened = opened.map_err(|source| match SerialPorts::default().holder(port) {
            Some(holder) => TapError::Port {
                path: path.clone(),
                reason: format!("it is in use by {holder}; close that program"),
            },
            None => TapError::Open {
                path: path.clone(),
                source,
            },
        })?;
        let terminal = Terminal::open(link, baud).map_err(|source| TapError::Link {
            path: link.to_owned(),
            source,
        })?;
        Ok(Self {
            port: opened,
            path,
            terminal,
            baud,
            masker: (mask == Mask::Pn532).then(Masker::default),
        })
    }

    /// Passes on until the port goes away; drop the future to end before that. Returns why it ended.
    pub async fn run(&mut self, witness: &mut dyn Witness) -> TapError {
        let ended = self.pass(witness).await;
        self.tell_rest(witness);
        match ended {
            Ok(never) => match never {},
            Err(error) => {
                tracing::debug!(%error, "the tap ended");
                TapError::Gone {
                    path: self.path.clone(),
                }
            }
        }
    }

    /// Tells what was held back of an unfinished frame.
    pub fn tell_rest(&mut self, witness: &mut dyn Witness) {
        if let Some((bytes, secret)) = self.masker.as_mut().and_then(Masker::rest) {
            witness.passed(Direction::ToDevice, &bytes, &secret);
        }
    }

    async fn pass(&mut self, witness: &mut dyn Witness) -> io::Result<std::convert::Infallible> {
        let (mut from_program, mut from_device) = ([0; PIECE], [0; PIECE]);
        let mut look = tokio::time::interval(SPEED_LOOK);
        loop {
            tokio::select! {
                count = self.terminal.read(&mut from_program) => {
                    let count = count?;
                    self.follow_speed(witness)?;
                    let bytes = &from_program[..count];
                    self.port.write_all(bytes).await?;
                    match &mut self.masker {
                        None => witness.passed(Direction::ToDevice, bytes, &[]),
                        Some(masker) => for (bytes, secret) in masker.take(bytes) {
                            witness.passed(Direction::ToDevice, &bytes, &secret);
                        },
                    }
                }
                count = self.port.read(&mut from_device) => {
                    let bytes = match count? {
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        count => &from_device[..count],
                    };
                    self.tell_rest(witness);
                    witness.passed(Direction::FromDevice, bytes, &[]);
                    match tokio::time::timeout(UNREAD, self.terminal.write_all(bytes)).await {
                        Ok(written) => written?,
                        Err(_) => tracing::warn!("the program does not read what the device says; some of it is lost"),
                    }
                }
                _ = look.tick() => self.follow_speed(witness)?,
            }
        }
    }

    /// Sets the port to the speed that the program has set.
    fn follow_speed(&mut self, witness: &mut dyn Witness) -> io::Result<()> {
        let baud = self.terminal.baud()?;
        if baud == self.baud || baud == 0 {
            return Ok(());
        }
        // What was sent before belongs to the speed before.
        std::io::Write::flush(&mut self.port)?;
        match self.port.set_baud_rate(baud) {
            Ok(()) => witness.speed(baud),
            Err(error) => {
                tracing::warn!(%error, baud, "the port does not take the program's speed")
            }
        }
        self.baud = baud;
        Ok(())
    }
}
