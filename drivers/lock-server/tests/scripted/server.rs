//! A lock server whose part is played by the test, and the encoder that talks to it from a thread of its own.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use driver_lock_server::LockServerDriver;
use encoder::{
    Driver as _, Encoder, Error, IssueError, Issued, IssuingEncoder, LocalTime, Opening, Order,
    OrderKind, ServerCard, Settings, Stop, Value,
};

/// Generous: it only keeps a broken test from hanging.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The patience of a job that is to run out, yet long enough for a request to be acknowledged.
pub(crate) const SHORT: Duration = Duration::from_secs(2);

pub(crate) const ENQ: u8 = 0x05;
pub(crate) const ACK: u8 = 0x06;
pub(crate) const NAK: u8 = 0x15;

/// The request for [`order`] in either dialect.
pub(crate) const SALTO_CN: &str = "CN|1|R|101||||||1400211126|1200221126|||||1";
pub(crate) const ONITY_CN: &str = "CN|1|R|101||||||14211126|12221126|";

/// `|` stands for the separator.
pub(crate) fn frame(fields: &str) -> Vec<u8> {
    let mut bytes = vec![0x02];
    bytes.extend(
        format!("|{fields}|")
            .bytes()
            .map(|it| if it == b'|' { 0xB3 } else { it }),
    );
    bytes.push(0x03);
    bytes.push(bytes[1..].iter().fold(0, |sum, byte| sum ^ byte));
    bytes
}

pub(crate) fn order() -> Order {
    let at = |day, hour| LocalTime {
        year: 2026,
        month: 11,
        day,
        hour,
        minute: 0,
    };
    Order {
        kind: OrderKind::New,
        rooms: vec!["101".to_owned()],
        granted: vec![],
        denied: vec![],
        starts_at: Some(at(21, 14)),
        ends_at: at(22, 12),
        operator: None,
    }
}

/// A server on loopback.
pub(crate) struct Server {
    listener: TcpListener,
    pub(crate) settings: Vec<(String, Value)>,
}

impl Server {
    pub(crate) fn new(dialect: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let settings = [
            ("address", address.as_str()),
            ("dialect", dialect),
            ("encoder", "1"),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), Value::Text(value.to_owned())));
        Self {
            listener,
            settings: settings.to_vec(),
        }
    }

    /// One whose cards are not read back.
    pub(crate) fn without_reading_back(dialect: &str) -> Self {
        let mut server = Self::new(dialect);
        server
            .settings
            .push(("read_back".to_owned(), Value::Boolean(false)));
        server
    }

    /// The same entry for another of its encoders.
    pub(crate) fn settings_of(&self, encoder: &str) -> Settings {
        let mut settings = self.settings.clone();
        settings.push(("encoder".to_owned(), Value::Text(encoder.to_owned())));
        settings.into_iter().collect()
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Call<TcpStream> {
        let (line, _) = self.listener.accept().unwrap();
        line.set_read_timeout(Some(LIMIT)).unwrap();
        Call { line }
    }

    /// An open encoder, which this server has answered.
    pub(crate) fn encoder(&self) -> Desk {
        self.encoder_of(&LockServerDriver::default(), "1")
    }

    pub(crate) fn encoder_of(&self, driver: &LockServerDriver, encoder: &str) -> Desk {
        let opening = open(driver, self.settings_of(encoder));
        self.accept().hears_byte(ENQ).says(&[ACK]);
        Desk::new(opening.recv_timeout(LIMIT).unwrap().unwrap())
    }
}

/// Opens on a thread of its own.
pub(crate) fn open(
    driver: &LockServerDriver,
    settings: Settings,
) -> Receiver<Result<Box<dyn IssuingEncoder>, Error>> {
    let (told, tells) = channel();
    let driver = driver.clone();
    std::thread::spawn(move || {
        let selector = driver.configure(&settings).unwrap();
        let opened = driver.open(
            &selector,
            &Opening {
                settings,
                recorder: None,
            },
        );
        let _ = told.send(opened.map(|encoder| match encoder {
            Encoder::Issuing(encoder) => encoder,
            Encoder::Block(_) => panic!("it lends cards"),
        }));
    });
    tells
}

/// An open encoder; each request is made on a thread of its own.
pub(crate) struct Desk {
    encoder: std::sync::Arc<std::sync::Mutex<Box<dyn IssuingEncoder>>>,
}

impl Desk {
    pub(crate) fn new(encoder: Box<dyn IssuingEncoder>) -> Self {
        Self {
            encoder: std::sync::Arc::new(encoder.into()),
        }
    }

    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut dyn IssuingEncoder) -> T + Send + 'static,
    ) -> Pending<T> {
        let (told, tells) = channel();
        let encoder = self.encoder.clone();
        std::thread::spawn(move || {
            let mut encoder = encoder.lock().unwrap();
            let _ = told.send(ask(encoder.as_mut()));
        });
        Pending(tells)
    }

    pub(crate) fn issues(&self) -> Pending<Result<Issued, IssueError>> {
        self.issues_within(LIMIT, &Stop::default())
    }

    pub(crate) fn issues_within(
        &self,
        time: Duration,
        stop: &Stop,
    ) -> Pending<Result<Issued, IssueError>> {
        self.issues_order(order(), time, stop)
    }

    pub(crate) fn issues_order(
        &self,
        order: Order,
        time: Duration,
        stop: &Stop,
    ) -> Pending<Result<Issued, IssueError>> {
        let stop = stop.clone();
        self.ask(move |encoder| encoder.issue(&order, Instant::now() + time, &stop))
    }

    pub(crate) fn reads(&self) -> Pending<Result<ServerCard, Error>> {
        self.reads_within(LIMIT, &Stop::default())
    }

    pub(crate) fn reads_within(
        &self,
        time: Duration,
        stop: &Stop,
    ) -> Pending<Result<ServerCard, Error>> {
        let stop = stop.clone();
        self.ask(move |encoder| encoder.read(Instant::now() + time, &stop))
    }
}

/// What will have been the outcome.
pub(crate) struct Pending<T>(Receiver<T>);

impl<T> Pending<T> {
    #[track_caller]
    pub(crate) fn outcome(self) -> T {
        self.0.recv_timeout(LIMIT).unwrap()
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.0.try_recv().is_err()
    }
}

/// One connection, from the server's side.
pub(crate) struct Call<L> {
    pub(crate) line: L,
}

impl<L: Read + Write> Call<L> {
    #[track_caller]
    pub(crate) fn hears(&mut self, fields: &str) -> &mut Self {
        let expected = frame(fields);
        let mut heard = vec![0; expected.len()];
        self.line.read_exact(&mut heard).unwrap();
        assert_eq!(
            heard.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        self
    }

    /// Is asked whether it is ready, says so, and hears the request.
    #[track_caller]
    pub(crate) fn is_asked(&mut self, fields: &str) -> &mut Self {
        self.hears_byte(ENQ).says(&[ACK]).hears(fields)
    }

    #[track_caller]
    pub(crate) fn hears_byte(&mut self, byte: u8) -> &mut Self {
        let mut heard = [0];
        self.line.read_exact(&mut heard).unwrap();
        assert_eq!(heard, [byte]);
        self
    }

    pub(crate) fn says(&mut self, bytes: &[u8]) -> &mut Self {
        self.line.write_all(bytes).unwrap();
        self
    }

    pub(crate) fn answers(&mut self, fields: &str) -> &mut Self {
        self.says(&frame(fields))
    }
}

impl Call<TcpStream> {
    /// The other side closes without a further byte.
    #[track_caller]
    pub(crate) fn hears_the_end(&mut self) {
        assert_eq!(self.line.read(&mut [0]).unwrap(), 0);
    }

    pub(crate) fn hangs_up(&mut self) {
        self.line.shutdown(Shutdown::Both).unwrap();
    }
}
