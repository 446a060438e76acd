//! Cards that are read.

use encoder::{ErrorKind, ServerCardContent, Stop};

use crate::server::*;

#[test]
fn a_guests_card_is_read() {
    let server = Server::new("salto");
    let reading = server.encoder().reads();
    let mut call = server.accept();
    call.is_asked("LT|1|R").says(&[ACK]);
    call.answers("LT|1|101|102|||CO|2|36|1400211126|1200221126|desk|04112233445566");
    let card = reading.outcome().unwrap();
    let ServerCardContent::Guest(guest) = card.content else {
        panic!("{card:?}")
    };
    assert_eq!(guest.rooms, ["101", "102"]);
    assert_eq!(
        (guest.is_checked_in, guest.copy, guest.granted),
        (false, Some(2), vec![3, 6])
    );
    call.hears_the_end();
}

#[test]
fn a_card_of_another_site_is_read_as_such() {
    let server = Server::new("onity");
    let reading = server.encoder().reads();
    let mut call = server.accept();
    call.is_asked("LT|1|R")
        .says(&[ACK])
        .answers("LT|1|LD|other hotel");
    assert_eq!(
        reading.outcome().unwrap().content,
        ServerCardContent::Unidentified
    );
}

#[test]
fn no_card_is_no_card_whoever_loses_patience_first() {
    let server = Server::new("salto");
    let desk = server.encoder();
    let reading = desk.reads();
    server
        .accept()
        .is_asked("LT|1|R")
        .says(&[ACK])
        .answers("ED|1");
    assert_eq!(reading.outcome().unwrap_err().kind(), ErrorKind::NoCard);
    let reading = desk.reads_within(SHORT, &Stop::default());
    server
        .accept()
        .is_asked("LT|1|R")
        .says(&[ACK])
        .hears_the_end();
    assert_eq!(reading.outcome().unwrap_err().kind(), ErrorKind::NoCard);
}

#[test]
fn a_reading_is_given_up_at_once() {
    let server = Server::new("salto");
    let stop = Stop::default();
    let reading = server.encoder().reads_within(LIMIT, &stop);
    let mut call = server.accept();
    call.is_asked("LT|1|R").says(&[ACK]);
    stop.raise();
    assert_eq!(reading.outcome().unwrap_err().kind(), ErrorKind::Cancelled);
    call.hears_the_end();
}

#[test]
fn an_answer_that_makes_no_sense_is_no_card() {
    let server = Server::new("salto");
    let reading = server.encoder().reads();
    server
        .accept()
        .is_asked("LT|1|R")
        .says(&[ACK])
        .answers("LT|1|101||||??|0");
    assert_eq!(reading.outcome().unwrap_err().kind(), ErrorKind::Protocol);
}
