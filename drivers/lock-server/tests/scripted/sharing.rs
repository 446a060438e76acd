//! Several encoders of one server, which takes one connection at a time; and several servers.

use driver_lock_server::LockServerDriver;
use encoder::{Certainty, ErrorKind, Stop};

use crate::server::*;

#[test]
fn encoders_of_one_server_talk_to_it_one_after_the_other() {
    let server = Server::without_reading_back("salto");
    let driver = LockServerDriver::default();
    let first = server.encoder_of(&driver, "1");
    let second = server.encoder_of(&driver, "2");
    let one = first.issues();
    let mut call = server.accept();
    call.is_asked(SALTO_CN).says(&[ACK]);
    let two = second.reads();
    call.answers("CN|1");
    assert!(one.outcome().is_ok());
    call.hears_the_end();
    server
        .accept()
        .is_asked("LT|2|R")
        .says(&[ACK])
        .answers("LT|2|LM");
    assert!(two.outcome().is_ok());
}

#[test]
fn who_waits_behind_another_encoder_may_change_their_mind_or_run_out_of_time() {
    let server = Server::without_reading_back("salto");
    let driver = LockServerDriver::default();
    let first = server.encoder_of(&driver, "1");
    let second = server.encoder_of(&driver, "2");
    let one = first.issues();
    let mut call = server.accept();
    call.is_asked(SALTO_CN).says(&[ACK]);

    let stop = Stop::default();
    let stopped = second.issues_within(LIMIT, &stop);
    stop.raise();
    let failure = stopped.outcome().unwrap_err();
    assert_eq!(
        (failure.certainty, failure.error.kind()),
        (Certainty::Unwritten, ErrorKind::Cancelled)
    );

    let late = second.issues_within(SHORT, &Stop::default());
    let failure = late.outcome().unwrap_err();
    assert_eq!(
        (failure.certainty, failure.error.kind()),
        (Certainty::Unwritten, ErrorKind::Busy)
    );

    assert!(one.is_pending());
    call.answers("CN|1");
    assert!(one.outcome().is_ok());
}

#[test]
fn an_encoder_opens_while_another_one_waits_for_a_card() {
    let server = Server::without_reading_back("salto");
    let driver = LockServerDriver::default();
    let first = server.encoder_of(&driver, "1");
    let one = first.issues();
    let mut call = server.accept();
    call.is_asked(SALTO_CN).says(&[ACK]);
    let second = open(&driver, server.settings_of("2"));
    assert!(second.recv_timeout(LIMIT).unwrap().is_ok());
    call.answers("CN|1");
    assert!(one.outcome().is_ok());
}

#[test]
fn a_stuck_server_holds_up_no_other() {
    let driver = LockServerDriver::default();
    let (stuck, sound) = (Server::new("salto"), Server::new("salto"));
    let waiting = stuck.encoder_of(&driver, "1").issues();
    let mut call = stuck.accept();
    call.is_asked(SALTO_CN);
    let desk = sound.encoder_of(&driver, "1");
    let reading = desk.reads();
    sound
        .accept()
        .is_asked("LT|1|R")
        .says(&[ACK])
        .answers("LT|1|LR");
    assert!(reading.outcome().is_ok());
    assert!(waiting.is_pending());
    call.hangs_up();
    assert!(waiting.outcome().is_err());
}
