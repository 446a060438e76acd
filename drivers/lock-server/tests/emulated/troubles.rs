//! Servers that are slow, busy, gone, or talk too much.

use std::sync::mpsc::channel;
use std::time::Duration;

use emulator::{Dialect, ErrorCode, LateAnswers, SecondConnection, Segments};
use encoder::{Certainty, ErrorKind, OrderKind};

use crate::hotel::{BOTH, Hotel, LIMIT, order};

const UID: &str = "04A1B2C3";

fn new_card() -> encoder::Order {
    order(OrderKind::New, &["101"])
}

#[test]
fn answers_may_come_in_pieces_together_without_checksums_and_behind_noise() {
    for dialect in BOTH {
        for turn in 0..4 {
            let hotel = Hotel::new(dialect);
            hotel.adjust(|knobs| match turn {
                0 => knobs.segments = Segments::Split(1),
                1 => knobs.segments = Segments::Joined,
                2 => knobs.has_checksums = false,
                _ => knobs.noise = b"\x06\x15\xB3noise\x02\xB3CN\xB3".to_vec(),
            });
            hotel.place(1, UID);
            let issued = hotel.open("1").issue(&new_card());
            assert_eq!(issued.unwrap().uid, UID.parse().ok(), "{dialect:?} {turn}");
        }
    }
}

#[test]
fn a_server_that_becomes_ready_is_asked_again() {
    for dialect in BOTH {
        let hotel = Hotel::new(dialect);
        hotel.place(1, UID);
        let mut desk = hotel.open("1");
        hotel.adjust(|knobs| knobs.refused_commands = 2);
        desk.issue(&new_card()).unwrap();
        assert_eq!(hotel.cards_asked_for(), 1);
    }
}

#[test]
fn a_server_that_stays_busy_makes_no_card() {
    let hotel = Hotel::new(Dialect::Salto);
    hotel.place(1, UID);
    let mut desk = hotel.open("1");
    hotel.adjust(|knobs| knobs.is_busy = true);
    let failure = desk.issue(&new_card()).unwrap_err();
    assert_eq!(
        (failure.certainty, failure.error.kind()),
        (Certainty::Unwritten, ErrorKind::Busy)
    );
    // It is there all the same.
    drop(desk);
    hotel.open("1");
}

#[test]
fn every_error_that_a_server_knows_is_understood() {
    let hotel = Hotel::new(Dialect::Salto);
    hotel.place(1, UID);
    let mut desk = hotel.open("1");
    for (code, kind) in [
        (ErrorCode::Ov, ErrorKind::Busy),
        (ErrorCode::Nf, ErrorKind::ServerFailed),
        (ErrorCode::Ed, ErrorKind::NoCard),
    ] {
        hotel.adjust(|knobs| knobs.errors.push_back(code));
        let failure = desk.issue(&new_card()).unwrap_err();
        assert_eq!(
            (failure.certainty, failure.error.kind()),
            (Certainty::Unwritten, kind),
            "{code:?}"
        );
    }
    desk.issue(&new_card()).unwrap();
}

#[test]
fn a_late_answer_to_another_request_is_not_taken_for_ours() {
    let hotel = Hotel::new(Dialect::Salto);
    hotel.adjust(|knobs| {
        knobs.late_answers = LateAnswers::ToNewest;
        knobs.cut_after_sent = Some(2);
        knobs.answer_delay = Duration::from_millis(300);
    });
    hotel.place(1, UID);
    let mut desk = hotel.open("1");
    // ACK and one byte, then the connection is cut.
    let failure = desk.issue(&new_card()).unwrap_err();
    assert_eq!(
        (failure.certainty, failure.error.kind()),
        (Certainty::Unknown, ErrorKind::Absent)
    );
    hotel.adjust(|knobs| {
        knobs.cut_after_sent = None;
        knobs.answer_delay = Duration::ZERO;
    });
    hotel.place(1, "04A1B2C4");
    assert_eq!(
        desk.issue(&new_card()).unwrap().uid,
        "04A1B2C4".parse().ok()
    );
}

#[test]
fn a_server_that_was_restarted_is_used_again_without_opening_anew() {
    for dialect in BOTH {
        let hotel = Hotel::new(dialect);
        hotel.place(1, UID);
        let mut desk = hotel.open("1");
        hotel.server.unplug();
        let failure = desk.issue(&new_card()).unwrap_err();
        assert_eq!(
            (failure.certainty, failure.error.kind()),
            (Certainty::Unwritten, ErrorKind::Absent)
        );
        assert_eq!(hotel.try_open("2").err().unwrap().kind(), ErrorKind::Absent);
        hotel.server.plug().unwrap();
        desk.issue(&new_card()).unwrap();
    }
}

#[test]
fn a_server_that_goes_while_it_waits_for_a_card_leaves_a_doubt() {
    let hotel = Hotel::new(Dialect::Salto);
    let mut desk = hotel.open("1");
    let (told, tells) = channel();
    std::thread::spawn(move || told.send(desk.issue(&new_card())));
    assert!(hotel.server.wait_for(LIMIT, |now| now.busy == ["1"]));
    hotel.server.unplug();
    let failure = tells.recv_timeout(LIMIT).unwrap().unwrap_err();
    assert_eq!(
        (failure.certainty, failure.error.kind()),
        (Certainty::Unknown, ErrorKind::Absent)
    );
}

#[test]
fn two_encoders_share_a_server_that_closes_second_connections() {
    let hotel = Hotel::new(Dialect::Salto);
    hotel.adjust(|knobs| knobs.second_connection = SecondConnection::Closed);
    let (mut first, mut second) = (hotel.open("1"), hotel.open("2"));
    let (told, tells) = channel();
    std::thread::spawn(move || told.send(first.issue(&new_card())));
    assert!(hotel.server.wait_for(LIMIT, |now| now.busy == ["1"]));
    hotel.place(2, "04A1B2C4");
    let (told, other) = channel();
    std::thread::spawn(move || told.send(second.issue(&order(OrderKind::New, &["102"]))));
    hotel.place(1, UID);
    assert_eq!(
        tells.recv_timeout(LIMIT).unwrap().unwrap().uid,
        UID.parse().ok()
    );
    assert_eq!(
        other.recv_timeout(LIMIT).unwrap().unwrap().uid,
        "04A1B2C4".parse().ok()
    );
    hotel.remove(1);
}

#[test]
fn a_server_has_one_connection_of_ours_at_a_time() {
    /// A second connection would be made at once.
    const A_MOMENT: Duration = Duration::from_millis(500);
    let hotel = Hotel::new(Dialect::Salto);
    hotel.adjust(|knobs| knobs.second_connection = SecondConnection::Served);
    let (mut first, mut second) = (hotel.open("1"), hotel.open("2"));
    let (told, tells) = channel();
    std::thread::spawn(move || told.send(first.issue(&new_card())));
    assert!(hotel.server.wait_for(LIMIT, |now| now.busy == ["1"]));
    let (told, other) = channel();
    std::thread::spawn(move || told.send(second.issue(&order(OrderKind::New, &["102"]))));
    assert!(!hotel.server.wait_for(A_MOMENT, |now| now.connections > 1));
    hotel.place(2, "04A1B2C4");
    hotel.place(1, UID);
    assert!(tells.recv_timeout(LIMIT).unwrap().is_ok());
    assert!(other.recv_timeout(LIMIT).unwrap().is_ok());
}
