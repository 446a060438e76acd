//! Cards that are made, and what is certain when they are not.

use encoder::{Certainty, ErrorKind, IssueError, Order, Stop};

use crate::server::*;

#[track_caller]
fn assert_fails<T: std::fmt::Debug>(
    result: Result<T, IssueError>,
    certainty: Certainty,
    kind: ErrorKind,
) {
    let failure = result.unwrap_err();
    assert_eq!(
        (failure.certainty, failure.error.kind()),
        (certainty, kind),
        "{failure:?}"
    );
}

#[test]
fn a_card_is_made_read_back_and_told_by_its_number() {
    let server = Server::new("salto");
    let issuing = server.encoder().issues();
    let mut call = server.accept();
    call.is_asked(SALTO_CN)
        .says(&[ACK])
        .answers("CN|1|04112233445566");
    call.is_asked("LT|1|R").says(&[ACK]);
    call.answers("LT|1|101||||CI|0||1400211126|1200221126||04112233445566");
    let issued = issuing.outcome().unwrap();
    assert_eq!(issued.uid, "04112233445566".parse().ok());
    // The next request, of whoever it is, finds the server free.
    call.hears_the_end();
}

#[test]
fn onity_is_asked_before_each_request() {
    let server = Server::new("onity");
    let issuing = server.encoder().issues();
    let mut call = server.accept();
    call.is_asked(ONITY_CN)
        .says(&[ACK])
        .answers("CN|1|8F45A5C4");
    call.is_asked("LT|1|R").says(&[ACK]);
    call.answers("LT|1|101||||CI|0||14211126|12221126||8F45A5C4");
    assert_eq!(issuing.outcome().unwrap().uid, "8F45A5C4".parse().ok());
}

#[test]
fn an_encoder_that_swallows_cards_gives_them_out_when_they_are_not_read_back() {
    let server = Server::without_reading_back("onity");
    let desk = server.encoder();
    let issuing = desk.issues();
    let mut call = server.accept();
    call.is_asked(&ONITY_CN.replace("|R|", "|E|"))
        .says(&[ACK])
        .answers("CN|1");
    assert!(issuing.outcome().is_ok());
    let reading = desk.reads();
    let mut call = server.accept();
    call.is_asked("LT|1|E").says(&[ACK]).answers("LT|1|LC");
    assert!(reading.outcome().is_ok());
}

#[test]
fn a_card_that_reads_otherwise_is_no_success() {
    let server = Server::new("salto");
    let issuing = server.encoder().issues();
    let mut call = server.accept();
    call.is_asked(SALTO_CN)
        .says(&[ACK])
        .answers("CN|1|04112233");
    call.is_asked("LT|1|R")
        .says(&[ACK])
        .answers("LT|1|102||||CI|0||1400211126|1200221126||04112233");
    assert_fails(
        issuing.outcome(),
        Certainty::Unknown,
        ErrorKind::UnusableCard,
    );
}

#[test]
fn a_card_that_was_taken_away_was_made_all_the_same() {
    for answer in [
        "ED|1",
        "EP|1",
        "ES|1",
        "LT|1|102||||CI|0||1400211126|1200221126||04AAAAAA",
    ] {
        let server = Server::new("salto");
        let issuing = server.encoder().issues();
        let mut call = server.accept();
        call.is_asked(SALTO_CN)
            .says(&[ACK])
            .answers("CN|1|04112233");
        call.is_asked("LT|1|R").says(&[ACK]).answers(answer);
        assert!(issuing.outcome().is_ok(), "{answer}");
    }
    let server = Server::new("salto");
    let issuing = server.encoder().issues();
    let mut call = server.accept();
    call.is_asked(SALTO_CN)
        .says(&[ACK])
        .answers("CN|1|04112233")
        .is_asked("LT|1|R")
        .hangs_up();
    assert!(issuing.outcome().is_ok());
}

#[test]
fn an_error_of_the_server_says_what_is_certain() {
    for (answer, certainty, kind) in [
        ("ED|1", Certainty::Unwritten, ErrorKind::NoCard),
        ("OV|1", Certainty::Unwritten, ErrorKind::Busy),
        ("TD|1", Certainty::Unwritten, ErrorKind::Refused),
        ("NC|1", Certainty::Unwritten, ErrorKind::Absent),
        ("EG|1|on fire", Certainty::Unknown, ErrorKind::ServerFailed),
        ("QQ|1", Certainty::Unknown, ErrorKind::Protocol),
    ] {
        let server = Server::new("salto");
        let issuing = server.encoder().issues();
        server
            .accept()
            .is_asked(SALTO_CN)
            .says(&[ACK])
            .answers(answer);
        assert_fails(issuing.outcome(), certainty, kind);
    }
}

#[test]
fn a_connection_that_is_lost_leaves_a_doubt_only_once_the_request_was_out() {
    let server = Server::new("onity");
    let issuing = server.encoder().issues();
    for _ in 0..3 {
        server.accept().hears_byte(ENQ).hangs_up();
    }
    assert_fails(issuing.outcome(), Certainty::Unwritten, ErrorKind::Absent);

    for acknowledged in [false, true] {
        let server = Server::new("salto");
        let issuing = server.encoder().issues();
        let mut call = server.accept();
        call.is_asked(SALTO_CN);
        if acknowledged {
            call.says(&[ACK]);
        }
        call.hangs_up();
        assert_fails(issuing.outcome(), Certainty::Unknown, ErrorKind::Absent);
    }
}

#[test]
fn a_server_that_went_away_since_is_absent_and_nothing_was_made() {
    let server = Server::new("salto");
    let desk = server.encoder();
    drop(server);
    assert_fails(
        desk.issues().outcome(),
        Certainty::Unwritten,
        ErrorKind::Absent,
    );
}

#[test]
fn silence_until_the_deadline_leaves_a_doubt() {
    let server = Server::new("salto");
    let issuing = server.encoder().issues_within(SHORT, &Stop::default());
    let mut call = server.accept();
    call.is_asked(SALTO_CN).says(&[ACK]);
    assert_fails(
        issuing.outcome(),
        Certainty::Unknown,
        ErrorKind::Unresponsive,
    );
    call.hears_the_end();
}

#[test]
fn a_refused_request_is_sent_again_and_an_acknowledged_one_never() {
    let server = Server::without_reading_back("salto");
    let issuing = server.encoder().issues();
    let mut call = server.accept();
    call.is_asked(SALTO_CN)
        .says(&[NAK])
        .hears_byte(ENQ)
        .says(&[NAK])
        .hears_byte(ENQ)
        .says(&[ACK]);
    call.hears(SALTO_CN)
        .says(&[ACK])
        .says(&[NAK])
        .answers("CN|1");
    assert!(issuing.outcome().is_ok());
    call.hears_the_end();
}

#[test]
fn an_order_that_cannot_be_sent_reaches_no_server() {
    let server = Server::new("salto");
    let order = Order {
        rooms: vec!["LM".to_owned()],
        ..order()
    };
    let issuing = server
        .encoder()
        .issues_order(order, LIMIT, &Stop::default());
    assert_fails(issuing.outcome(), Certainty::Unwritten, ErrorKind::Refused);
}

#[test]
fn a_change_of_mind_counts_until_the_request_is_out() {
    let server = Server::without_reading_back("salto");
    let desk = server.encoder();
    let stop = Stop::default();
    stop.raise();
    let issuing = desk.issues_within(LIMIT, &stop);
    assert_fails(
        issuing.outcome(),
        Certainty::Unwritten,
        ErrorKind::Cancelled,
    );
    // SALTO offers nothing to take it back.
    let stop = Stop::default();
    let issuing = desk.issues_within(LIMIT, &stop);
    let mut call = server.accept();
    call.is_asked(SALTO_CN).says(&[ACK]);
    stop.raise();
    call.answers("CN|1");
    assert!(issuing.outcome().is_ok());
}

#[test]
fn onity_is_asked_to_take_back_what_is_not_wanted_any_more() {
    let server = Server::new("onity");
    let stop = Stop::default();
    let issuing = server.encoder().issues_within(LIMIT, &stop);
    let mut call = server.accept();
    call.is_asked(ONITY_CN).says(&[ACK]);
    stop.raise();
    call.is_asked("EX|1").says(&[ACK]).answers("ED|1");
    assert_fails(issuing.outcome(), Certainty::Unwritten, ErrorKind::NoCard);
}

#[test]
fn garbled_and_foreign_answers_are_not_taken_for_the_answer() {
    let server = Server::without_reading_back("salto");
    let issuing = server.encoder().issues();
    let mut garbled = frame("CN|1|04AAAAAA");
    garbled[6] ^= 1;
    let stale = frame("CN|1|04BBBBBB");
    let mut call = server.accept();
    call.is_asked(SALTO_CN)
        .says(&stale)
        .says(&[ACK])
        .says(&garbled)
        .says(b"\x02\xb3CN\xb3");
    call.answers("CN|2|04CCCCCC")
        .answers("LT|1|101")
        .answers("CN|1|04112233");
    assert_eq!(issuing.outcome().unwrap().uid, "04112233".parse().ok());
}

#[test]
fn an_answer_in_pieces_and_one_too_long_end_well() {
    let server = Server::without_reading_back("salto");
    let issuing = server.encoder().issues();
    let mut call = server.accept();
    call.is_asked(SALTO_CN)
        .says(&[ACK, 0x02])
        .says(&[b'x'; 100_000])
        .says(&[0x03, 0x00]);
    for byte in frame("CN|1|04112233").chunks(1) {
        call.says(byte);
    }
    assert_eq!(issuing.outcome().unwrap().uid, "04112233".parse().ok());
}

#[test]
fn an_encoder_that_is_busy_with_what_we_gave_up_is_asked_again() {
    let server = Server::without_reading_back("salto");
    let desk = server.encoder();
    let reading = desk.reads_within(SHORT, &Stop::default());
    server
        .accept()
        .is_asked("LT|1|R")
        .says(&[ACK])
        .hears_the_end();
    assert_eq!(reading.outcome().unwrap_err().kind(), ErrorKind::NoCard);
    // The server still looks for a card to read.
    let issuing = desk.issues();
    server
        .accept()
        .is_asked(SALTO_CN)
        .says(&[ACK])
        .answers("OV|1")
        .hears_the_end();
    server
        .accept()
        .is_asked(SALTO_CN)
        .says(&[ACK])
        .answers("CN|1");
    assert!(issuing.outcome().is_ok());
    // Busy with somebody else's.
    let issuing = desk.issues();
    server
        .accept()
        .is_asked(SALTO_CN)
        .says(&[ACK])
        .answers("OV|1");
    assert_fails(issuing.outcome(), Certainty::Unwritten, ErrorKind::Busy);
}
