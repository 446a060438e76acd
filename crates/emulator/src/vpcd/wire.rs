//! The connection to `vpcd`: messages of a length and a body (big-endian, 16 bits), one byte for
//! power, anything longer an APDU. To `vpcd`, being connected is having a card.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use socket2::SockRef;

/// Loopback answers at once or not at all.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// What `pcscd` wants of the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    PowerOff,
    PowerOn,
    Reset,
    /// Also the presence check; the only one of the four that is answered.
    Atr,
    Apdu(Vec<u8>),
}

#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    pub(super) fn connect(port: u16) -> io::Result<Wire> {
        let stream =
            TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), CONNECT_LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        SockRef::from(&stream).set_tcp_quickack(true)?;
        Ok(Wire {
            stream,
            received: Vec::new(),
        })
    }

    /// The requests that have come in whole.
    ///
    /// # Errors
    /// The connection ended.
    pub(super) fn receive(&mut self) -> io::Result<Vec<Request>> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.received.extend(&buffer[..count]),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        // `vpcd` sends length and body apart, and waits for the first to be acknowledged. The
        // kernel falls back to delayed acknowledgement by itself, so this is said every time.
        SockRef::from(&self.stream).set_tcp_quickack(true)?;
        let mut requests = Vec::new();
        while let Some(request) = take_request(&mut self.received) {
            requests.push(request);
        }
        Ok(requests)
    }

    /// Sends one message.
    ///
    /// # Errors
    /// The connection ended, or `vpcd` does not read.
    pub(super) fn send(&mut self, body: &[u8]) -> io::Result<()> {
        let length = u16::try_from(body.len()).map_err(|_| ErrorKind::InvalidInput)?;
        self.stream
            .write_all(&[&length.to_be_bytes(), body].concat())
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Takes the first whole message off the front; what is incomplete stays. Empty messages are skipped.
fn take_request(received: &mut Vec<u8>) -> Option<Request> {
    loop {
        let length = usize::from(u16::from_be_bytes(*received.first_chunk()?));
        if received.len() < 2 + length {
            return None;
        }
        let body: Vec<u8> = received.drain(..2 + length).skip(2).collect();
        match body[..] {
            [] => {}
            [0x00] => return Some(Request::PowerOff),
            [0x01] => return Some(Request::PowerOn),
            [0x02] => return Some(Request::Reset),
            [0x04] => return Some(Request::Atr),
            _ => return Some(Request::Apdu(body)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Request, take_request};

    #[test]
    fn messages_are_taken_whole_and_in_order() {
        let mut received = vec![0, 1, 4, 0, 0, 0, 3, 0xFF, 0xCA, 0x00, 0, 1];
        assert_eq!(take_request(&mut received), Some(Request::Atr));
        assert_eq!(
            take_request(&mut received),
            Some(Request::Apdu(vec![0xFF, 0xCA, 0x00]))
        );
        assert_eq!(take_request(&mut received), None);
        received.push(1);
        assert_eq!(take_request(&mut received), Some(Request::PowerOn));
        assert!(received.is_empty());
    }
}
