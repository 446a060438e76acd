//! The same over a serial line, which is a pty here.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;

use driver_lock_server::LockServerDriver;
use encoder::{Access, Certainty, Driver as _, ErrorKind, Settings, Value};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::server::*;

/// A server at the far end of a serial line.
struct SerialServer {
    call: Call<File>,
    port: PathBuf,
    /// A pty that nobody has open looks unplugged to its far end, and the driver closes it after each request.
    _kept_open: File,
}

impl SerialServer {
    fn new() -> Self {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&far).unwrap();
        unlockpt(&far).unwrap();
        let port = PathBuf::from(ptsname(&far, Vec::new()).unwrap().into_string().unwrap());
        let kept_open = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&port)
            .unwrap();
        Self {
            call: Call { line: far.into() },
            port,
            _kept_open: kept_open,
        }
    }

    fn settings(&self) -> Settings {
        [
            ("port", self.port.to_str().unwrap()),
            ("dialect", "onity"),
            ("encoder", "1"),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Value::Text(value.to_owned())))
        .collect()
    }

    fn encoder(&mut self) -> Desk {
        let opening = open(&LockServerDriver::default(), self.settings());
        self.call.hears_byte(ENQ).says(&[ACK]);
        Desk::new(opening.recv_timeout(LIMIT).unwrap().unwrap())
    }
}

#[test]
fn a_card_is_made_and_read_back_over_a_serial_line() {
    let mut server = SerialServer::new();
    let desk = server.encoder();
    let issuing = desk.issues();
    let call = &mut server.call;
    call.is_asked(ONITY_CN)
        .says(&[ACK])
        .answers("CN|1|8F45A5C4");
    call.is_asked("LT|1|R").says(&[ACK]);
    call.answers("LT|1|101||||CI|0||14211126|12221126||8F45A5C4");
    assert_eq!(issuing.outcome().unwrap().uid, "8F45A5C4".parse().ok());
    // And another request after it.
    let reading = desk.reads();
    let call = &mut server.call;
    call.is_asked("LT|1|R").says(&[ACK]).answers("LT|1|LS");
    assert!(reading.outcome().is_ok());
}

#[test]
fn what_an_earlier_request_left_on_the_line_is_no_answer() {
    let mut server = SerialServer::new();
    let desk = server.encoder();
    server.call.answers("CN|1|04AAAAAA").says(&[ACK]);
    let issuing = desk.issues();
    let call = &mut server.call;
    call.hears_byte(ENQ).answers("CN|1|04BBBBBB").says(&[ACK]);
    call.hears(ONITY_CN).says(&[ACK]).answers("ED|1");
    assert_eq!(
        issuing.outcome().unwrap_err().error.kind(),
        ErrorKind::NoCard
    );
}

#[test]
fn a_cable_that_is_pulled_after_the_request_leaves_a_doubt() {
    let mut server = SerialServer::new();
    let desk = server.encoder();
    let issuing = desk.issues();
    server.call.is_asked(ONITY_CN).says(&[ACK]);
    drop(server);
    let failure = issuing.outcome().unwrap_err();
    assert_eq!(
        (failure.certainty, failure.error.kind()),
        (Certainty::Unknown, ErrorKind::Absent)
    );
    let failure = desk.issues().outcome().unwrap_err();
    assert_eq!(
        (failure.certainty, failure.error.kind()),
        (Certainty::Unwritten, ErrorKind::Absent)
    );
}

#[test]
fn a_port_is_looked_up_without_opening_it() {
    let server = SerialServer::new();
    let driver = LockServerDriver::default();
    let selector = driver.configure(&server.settings()).unwrap();
    assert_eq!(driver.look_up(&selector).access, Access::Accessible);
    drop(server);
    assert!(matches!(
        driver.look_up(&selector).access,
        Access::Absent { .. }
    ));
}
