//! What goes wrong on the way: pieces, noise, cuts, delays.

use std::time::Duration;

use super::{Bench, LIMIT, STAY};
use crate::lock_server::frame::{ACK, frame};
use crate::lock_server::{Dialect, Segments};

fn read_bench() -> Bench {
    let bench = Bench::start(Dialect::Salto);
    bench.place("04A1B2C3");
    bench.ask(&format!("CN|1|R|101||||||{STAY}"));
    bench
}

#[test]
fn an_answer_in_pieces_is_the_same_answer() {
    let bench = read_bench();
    let whole = bench.ask("LT|1|R");
    for segments in [Segments::Split(1), Segments::Split(7), Segments::Joined] {
        bench.server.adjust(|knobs| knobs.segments = segments);
        assert_eq!(bench.ask("LT|1|R"), whole, "{segments:?}");
    }
}

#[test]
fn a_joined_acknowledgement_comes_with_the_answer_and_not_before() {
    let bench = read_bench();
    bench.encoders[0].remove();
    bench
        .server
        .adjust(|knobs| knobs.segments = Segments::Joined);
    let mut client = bench.client();
    client.send_frame("LT|1|R");
    bench.await_task();
    client.stream.set_nonblocking(true).unwrap();
    let mut byte = [0];
    assert!(
        client.stream.peek(&mut byte).is_err(),
        "nothing was said yet"
    );
    client.stream.set_nonblocking(false).unwrap();
    bench.place("04A1B2C3");
    assert_eq!(client.byte(), ACK);
    assert!(client.answer().starts_with("LT|1|101"));
}

#[test]
fn several_frames_in_one_segment_are_answered_in_order() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    let two = ["CO|0|101", "CO|0|999"].map(|line| frame(&super::fields(line), true));
    client.send(&[&[0x00, b'?'][..], &two.concat()].concat());
    assert_eq!(client.byte(), ACK);
    assert_eq!(client.answer(), "CO|0");
    assert_eq!(client.byte(), ACK);
    assert_eq!(client.answer(), "TD|0");
    let asked: Vec<_> = bench.server.served().iter().map(|it| it.line()).collect();
    assert_eq!(asked, ["CO|0|101", "CO|0|999"]);
}

#[test]
fn noise_comes_before_an_answer_and_is_no_part_of_it() {
    let bench = Bench::start(Dialect::Salto);
    bench
        .server
        .adjust(|knobs| knobs.noise = b"\x00\xFF".to_vec());
    let mut client = bench.client();
    client.begin("CO|0|101");
    assert_eq!([client.byte(), client.byte()], [0x00, 0xFF]);
    assert_eq!(client.answer(), "CO|0");
}

#[test]
fn a_connection_is_cut_after_any_number_of_bytes_sent() {
    let bench = Bench::start(Dialect::Salto);
    let said = [&[ACK][..], &frame(&super::fields("CO|0"), true)].concat();
    for count in 0..said.len() {
        bench
            .server
            .adjust(|knobs| knobs.cut_after_sent = Some(count));
        let mut client = bench.client();
        client.send_frame("CO|0|101");
        assert_eq!(client.rest(), said[..count], "{count}");
    }
    assert_eq!(bench.server.served().len(), said.len());
    assert_eq!(bench.ask("CO|0|101"), "CO|0");
}

#[test]
fn a_connection_is_cut_in_the_midst_of_a_command_which_is_then_not_served() {
    let bench = Bench::start(Dialect::Salto);
    bench
        .server
        .adjust(|knobs| knobs.cut_after_received = Some(5));
    let mut client = bench.client();
    client.send_frame("CO|0|101");
    assert_eq!(client.rest(), []);
    assert_eq!(bench.server.served(), []);
    assert_eq!(bench.ask("CO|0|101"), "CO|0");
}

#[test]
fn a_late_answer_is_still_the_answer() {
    let bench = Bench::start(Dialect::Salto);
    let delay = Duration::from_millis(30);
    bench.server.adjust(|knobs| knobs.answer_delay = delay);
    let mut client = bench.client();
    client.begin("CO|0|101");
    let since = std::time::Instant::now();
    assert_eq!(client.answer(), "CO|0");
    assert!(since.elapsed() >= delay / 2);
}

#[test]
fn an_encoder_that_hangs_over_a_card_harms_no_other() {
    let bench = read_bench();
    bench.encoders[0].hold_at(1);
    let mut client = bench.client();
    client.begin("LT|1|R");
    assert!(bench.encoders[0].wait_for(LIMIT, |now| now.is_held));
    bench.encoders[1].place(&bench.card("04A1B2C4"));
    assert_eq!(client.ask("LT|2|R"), "EF|2");
    bench.encoders[0].let_go();
    assert!(client.answer().starts_with("LT|1|101"));
}

#[test]
fn a_server_is_dropped_while_its_encoders_wait() {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    client.begin("LT|1|R");
    client.begin("LT|2|R");
    let address = bench.server.address().unwrap();
    drop(bench);
    assert_eq!(client.rest(), []);
    assert!(std::net::TcpStream::connect(address).is_err());
}
