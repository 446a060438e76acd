//! Opening an encoder: a look for its server, and nothing that a card could notice.

use driver_lock_server::LockServerDriver;
use encoder::{Error, ErrorKind};

use crate::server::*;

fn chain(error: &Error) -> String {
    std::iter::successors(Some(error as &dyn std::error::Error), |it| it.source())
        .map(|it| format!("{it}; "))
        .collect()
}

fn refused(server: &Server) -> Error {
    let opening = open(&LockServerDriver::default(), server.settings_of("1"));
    for _ in 0..3 {
        server.accept().hears_byte(ENQ).hangs_up();
    }
    opening.recv_timeout(LIMIT).unwrap().err().unwrap()
}

#[test]
fn the_connection_is_given_back_as_soon_as_the_server_was_seen() {
    let server = Server::new("salto");
    let opening = open(&LockServerDriver::default(), server.settings_of("1"));
    let mut call = server.accept();
    call.hears_byte(ENQ).says(&[ACK]);
    let encoder = opening.recv_timeout(LIMIT).unwrap().unwrap();
    // While the encoder stays open.
    call.hears_the_end();
    let facts: Vec<_> = encoder
        .facts()
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    assert_eq!(
        (facts[0].as_str(), facts[2].as_str()),
        ("dialect salto", "encoder 1")
    );
    assert!(facts[1].starts_with("server tcp://127.0.0.1:"), "{facts:?}");
}

#[test]
fn a_busy_server_is_there() {
    let server = Server::new("onity");
    let opening = open(&LockServerDriver::default(), server.settings_of("1"));
    let mut call = server.accept();
    for _ in 0..3 {
        call.hears_byte(ENQ).says(&[NAK]);
    }
    assert!(opening.recv_timeout(LIMIT).unwrap().is_ok());
}

#[test]
fn a_server_that_is_not_there_is_absent_with_a_remedy() {
    let server = Server::new("salto");
    let settings = server.settings_of("1");
    drop(server);
    let opening = open(&LockServerDriver::default(), settings);
    let error = opening.recv_timeout(LIMIT).unwrap().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Absent);
    assert!(
        chain(&error).contains("start it, let its port through, or correct `address`"),
        "{}",
        chain(&error)
    );
    assert!(chain(&error).contains("refused"), "{}", chain(&error));
}

#[test]
fn a_server_that_hangs_up_is_absent() {
    assert_eq!(refused(&Server::new("salto")).kind(), ErrorKind::Absent);
}

#[test]
fn a_server_that_has_not_noticed_yet_that_we_left_is_asked_again() {
    let server = Server::new("salto");
    let opening = open(&LockServerDriver::default(), server.settings_of("1"));
    server.accept().hears_byte(ENQ).hangs_up();
    server.accept().hears_byte(ENQ).says(&[ACK]);
    assert!(opening.recv_timeout(LIMIT).unwrap().is_ok());
}

#[test]
fn a_server_that_says_nothing_is_told_from_none() {
    let server = Server::new("onity");
    let opening = open(&LockServerDriver::default(), server.settings_of("1"));
    let mut call = server.accept();
    // Noise is no answer.
    call.hears_byte(ENQ)
        .says(b"HTTP/1.1 400 Bad Request")
        .hears_byte(ENQ)
        .hears_byte(ENQ);
    let error = opening.recv_timeout(LIMIT).unwrap().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unresponsive);
    assert!(
        chain(&error).contains("one connection at a time"),
        "{}",
        chain(&error)
    );
}

#[test]
fn an_encoder_is_opened_once_and_again_when_it_was_closed() {
    let server = Server::new("salto");
    let driver = LockServerDriver::default();
    let desk = server.encoder_of(&driver, "1");
    let second = open(&driver, server.settings_of("1"))
        .recv_timeout(LIMIT)
        .unwrap();
    assert_eq!(second.err().unwrap().kind(), ErrorKind::Held);
    drop(desk);
    server.encoder_of(&driver, "1");
}
