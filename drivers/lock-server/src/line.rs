//! The way to a server: bytes with a time limit, over TCP or a serial port. The one place that touches either.
//!
//! A connection is opened for a request and closed after it, as public clients do. A server takes one connection at a
//! time (NEC's adapter for SALTO says so), and hotel software wants its turn too.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::time::{Duration, Instant};

use encoder::serial::{SerialPorts, permitted};
use encoder::{Direction, Recorder};
use serialport::{ClearBuffer, DataBits, SerialPort, StopBits};
use socket2::{SockRef, TcpKeepalive};

use crate::address::{Address, SerialLine};
use crate::error::ServerError;

/// The longest that a connection takes to be made. Such servers are in the same building.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The longest that a request takes to be handed over (Python `WRITE_TIMEOUT`).
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// A server that was switched off while somebody looks for a card is noticed after 10 + 3 × 5 s.
const PROBE_AFTER: Duration = Duration::from_secs(10);
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBES: u32 = 3;

/// A connection to a server.
pub(crate) trait Line: Send {
    /// Reads what is there, or waits for it until then. 0 means that nothing came in time.
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize>;

    /// Hands all of it over.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// Connects, within the time that is left at most.
pub(crate) fn connect(
    address: &Address,
    recorder: Option<&Recorder>,
    deadline: Instant,
) -> Result<Box<dyn Line>, ServerError> {
    let line: Box<dyn Line> = match address {
        Address::Tcp { host, port } => {
            let until = deadline.min(Instant::now() + CONNECT_WITHIN);
            Box::new(
                tcp(host, *port, until).map_err(|source| ServerError::NotThere {
                    address: address.to_string(),
                    source,
                })?,
            )
        }
        Address::Serial(line) => Box::new(serial(line)?),
    };
    Ok(match recorder {
        Some(recorder) => Box::new(Recorded {
            line,
            recorder: recorder.clone(),
        }),
        None => line,
    })
}

fn tcp(host: &str, port: u16, until: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    // A name is looked up without a limit of ours; the system has its own.
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(until)) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                let keepalive = TcpKeepalive::new()
                    .with_time(PROBE_AFTER)
                    .with_interval(PROBE_EVERY)
                    .with_retries(PROBES);
                SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn serial(line: &SerialLine) -> Result<Box<dyn SerialPort>, ServerError> {
    let path = line.path.clone();
    let missing = || ServerError::NoPort { path: path.clone() };
    let Some(name) = path.to_str().filter(|_| path.exists()) else {
        return Err(missing());
    };
    let port = serialport::new(name, line.baud)
        .data_bits(DataBits::Eight)
        .parity(line.parity.into())
        .stop_bits(StopBits::One)
        .open()
        .map_err(|source| not_opened(&path, source))?;
    // What an earlier request left behind.
    port.clear(ClearBuffer::All)
        .map_err(|source| ServerError::SetUp { path, source })?;
    Ok(port)
}

fn not_opened(path: &Path, source: serialport::Error) -> ServerError {
    use serialport::ErrorKind::{Io, NoDevice};
    let path = path.to_owned();
    match source.kind {
        // How `serialport` reports EBUSY and a lock that is taken.
        NoDevice => {
            let holder = SerialPorts::default().holder(&path);
            ServerError::Held { path, holder }
        }
        Io(ErrorKind::PermissionDenied) => ServerError::NotPermitted {
            who: permitted(&path),
            path,
        },
        Io(ErrorKind::NotFound) => ServerError::NoPort { path },
        _ => ServerError::SetUp { path, source },
    }
}

/// What is left until then; a socket takes no 0 for a time limit.
fn left(until: Instant) -> Duration {
    let left = until.saturating_duration_since(Instant::now());
    left.max(Duration::from_millis(1))
}

fn came(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        // The far end is gone.
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Err(error) if is_late(&error) || error.kind() == ErrorKind::Interrupted => Ok(0),
        other => other,
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

impl Line for TcpStream {
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
        self.set_read_timeout(Some(left(until)))?;
        came((&*self).read(buffer))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.set_write_timeout(Some(WRITE_WITHIN))?;
        self.write_all(bytes)
    }
}

impl Line for Box<dyn SerialPort> {
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
        self.set_timeout(left(until))?;
        came((**self).read(buffer))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.set_timeout(WRITE_WITHIN)?;
        // Not followed by a flush: draining a port has no time limit.
        self.write_all(bytes)
    }
}

/// Writes down what passes. Nothing of it is a secret: rooms and times, no key, no content of a card.
struct Recorded {
    line: Box<dyn Line>,
    recorder: Recorder,
}

impl Line for Recorded {
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
        let count = self.line.read(buffer, until)?;
        self.recorder
            .note(Direction::FromDevice, &buffer[..count], &[]);
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.recorder.note(Direction::ToDevice, bytes, &[]);
        self.line.write(bytes)
    }
}
