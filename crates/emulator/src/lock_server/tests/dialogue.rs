//! Enquiries, acknowledgements, connections, and errors that no card is needed for.

use super::{Bench, LIMIT, STAY};
use crate::lock_server::frame::{ACK, ENQ, NAK, frame};
use crate::lock_server::{Dialect, ErrorCode, LateAnswers, SecondConnection};

#[test]
fn salto_takes_a_command_without_an_enquiry_and_onity_does_not() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    client.begin("CO|0|101");
    assert_eq!(client.answer(), "CO|0");

    let bench = Bench::start(Dialect::Onity);
    let mut client = bench.client();
    client.send_frame("CO|1|101");
    assert_eq!(client.byte(), NAK);
    assert_eq!(client.ask("CO|1|101"), "CO|1");
    // One enquiry is good for one command.
    client.send_frame("CO|1|101");
    assert_eq!(client.byte(), NAK);
    assert_eq!(bench.server.served().len(), 1);
}

#[test]
fn a_wrong_checksum_is_refused_and_none_is_taken() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    let mut bytes = frame(&super::fields("CO|0|101"), true);
    *bytes.last_mut().unwrap() ^= 0x10;
    client.send(&bytes);
    assert_eq!(client.byte(), NAK);
    *bytes.last_mut().unwrap() = 0x0D;
    client.send(&bytes);
    assert_eq!(client.byte(), ACK);
    assert_eq!(client.answer(), "CO|0");

    bench.server.adjust(|knobs| knobs.has_checksums = false);
    client.send_frame("CO|0|101");
    assert_eq!(client.byte(), ACK);
    assert_eq!(client.answer(), "CO|0");
    assert_eq!(bench.server.served().len(), 2);
}

#[test]
fn a_busy_server_says_no_and_onitys_says_nothing() {
    let bench = Bench::start(Dialect::Salto);
    bench.server.adjust(|knobs| knobs.is_busy = true);
    let mut client = bench.client();
    assert_eq!(client.enquire(), NAK);
    client.send_frame("CO|0|101");
    assert_eq!(client.byte(), NAK);
    bench.server.adjust(|knobs| knobs.is_busy = false);
    assert_eq!(client.ask("CO|0|101"), "CO|0");

    let bench = Bench::start(Dialect::Onity);
    bench.server.adjust(|knobs| knobs.is_busy = true);
    let mut client = bench.client();
    client.send(&[ENQ]);
    assert!(bench.server.wait_for(LIMIT, |now| now.enquiries == 1));
    bench.server.adjust(|knobs| knobs.is_busy = false);
    // The first answer there is belongs to the second enquiry.
    assert_eq!(client.enquire(), ACK);
    assert_eq!(bench.server.served(), []);
}

#[test]
fn so_many_commands_are_refused_as_are_to_be() {
    let bench = Bench::start(Dialect::Salto);
    bench.server.adjust(|knobs| knobs.refused_commands = 2);
    let mut client = bench.client();
    for _ in 0..2 {
        client.send_frame("CO|0|101");
        assert_eq!(client.byte(), NAK);
        assert_eq!(client.enquire(), ACK);
    }
    assert_eq!(client.ask("CO|0|101"), "CO|0");
}

#[test]
fn every_error_can_be_had_and_names_the_encoder() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    for code in ErrorCode::ALL {
        bench.server.adjust(|knobs| knobs.errors.push_back(code));
        let answer = client.ask("LT|1|R");
        assert!(answer.starts_with(&format!("{code}|1")), "{answer}");
        // A general error comes with a text.
        assert_eq!(answer.split('|').count() > 2, code == ErrorCode::Eg);
    }
    bench
        .server
        .adjust(|knobs| knobs.is_database_missing = true);
    assert_eq!(client.ask("CO|0|101"), "NF|0");
}

#[test]
fn rooms_and_moments_that_cannot_be_are_refused_before_a_card_is_waited_for() {
    let bench = Bench::start(Dialect::Salto);
    bench.server.set_room_closed("102", true);
    let mut client = bench.client();
    for (line, answer) in [
        (format!("CN|1|R|999||||||{STAY}"), "TD|1"),
        (format!("CN|1|R|101|999|||||{STAY}"), "TD|1"),
        (format!("CN|1|R|102||||||{STAY}"), "OS|1"),
        (format!("CC|1|R|101||||||{STAY}"), "EA|1"),
        ("CN|1|R|101||||||1200221126|1200221126".to_owned(), "EV|1"),
        ("CN|1|R|101||||||9900221126|".to_owned(), "ES|1"),
        (format!("CN|Nobody|R|101||||||{STAY}"), "NC|Nobody"),
        ("CO|0|999".to_owned(), "TD|0"),
        ("MC|101|Suite|1200221126".to_owned(), "EA|101"),
        ("MC|101|999".to_owned(), "TD|101"),
        ("MC|101|102".to_owned(), "OS|101"),
        ("XX|1".to_owned(), "ES|1"),
    ] {
        assert_eq!(client.ask(&line), answer, "{line}");
    }
    let licence = client.ask("CNM|+31600000000|101");
    assert!(licence.starts_with("EG|+31600000000|"), "{licence}");
}

#[test]
fn a_second_connection_waits_for_the_first_to_end() {
    let bench = Bench::start(Dialect::Salto);
    let mut first = bench.client();
    assert_eq!(first.enquire(), ACK);
    let mut second = bench.client();
    second.send(&[ENQ]);
    assert_eq!(first.ask("CO|0|101"), "CO|0");
    assert!(bench.server.wait_for(LIMIT, |now| now.connected == 1));
    drop(first);
    assert_eq!(second.byte(), ACK);
    assert_eq!(second.ask("CO|0|102"), "CO|0");
    let by: Vec<_> = bench
        .server
        .served()
        .iter()
        .map(|it| it.connection)
        .collect();
    assert_eq!(by, [1, 2]);
}

#[test]
fn a_second_connection_is_closed_or_served_where_a_server_does_so() {
    let bench = Bench::start(Dialect::Salto);
    bench
        .server
        .adjust(|knobs| knobs.second_connection = SecondConnection::Closed);
    let mut first = bench.client();
    assert_eq!(first.enquire(), ACK);
    assert_eq!(bench.client().rest(), []);
    bench
        .server
        .adjust(|knobs| knobs.second_connection = SecondConnection::Served);
    assert_eq!(bench.client().enquire(), ACK);
    assert_eq!(first.enquire(), ACK);
}

#[test]
fn a_restarted_server_is_where_it_was_and_knows_what_it_knew() {
    let bench = Bench::start(Dialect::Salto);
    bench.place("04A1B2C3");
    assert_eq!(bench.ask(&format!("CN|1|R|101||||||{STAY}")), "CN|1");
    let address = bench.server.address();
    let mut client = bench.client();
    assert_eq!(client.enquire(), ACK);
    bench.encoders[1].remove();
    client.begin("LT|2|R");
    bench.server.unplug();
    assert!(!bench.server.is_plugged());
    assert_eq!(client.rest(), []);
    assert!(std::net::TcpStream::connect(address.unwrap()).is_err());

    bench.server.plug().unwrap();
    assert_eq!(bench.server.address(), address);
    assert!(bench.server.is_occupied("101"));
    // What the second encoder was at is forgotten.
    bench.await_idle();
    let read = bench.ask("LT|1|R");
    assert!(read.starts_with("LT|1|101|"), "{read}");
}

#[test]
fn an_answer_to_a_client_that_is_gone_is_lost_or_goes_to_the_next() {
    for (late_answers, expected) in [
        (LateAnswers::Lost, "CO|0"),
        (
            LateAnswers::ToNewest,
            "LT|1|101||||CI|0||1400211126|1200221126",
        ),
    ] {
        let bench = Bench::start(Dialect::Salto);
        bench
            .server
            .adjust(|knobs| knobs.late_answers = late_answers);
        bench.place("04A1B2C3");
        bench.ask(&format!("CN|1|R|101||||||{STAY}"));
        bench.encoders[0].remove();
        let mut gone = bench.client();
        gone.begin("LT|1|R");
        drop(gone);
        assert!(bench.server.wait_for(LIMIT, |now| now.connections == 0));
        bench.place("04A1B2C3");
        bench.await_idle();
        let mut next = bench.client();
        assert!(bench.server.wait_for(LIMIT, |now| now.connections == 1));
        if late_answers == LateAnswers::ToNewest {
            assert_eq!(next.answer(), expected);
        } else {
            assert_eq!(next.ask("CO|0|101"), expected);
        }
    }
}
