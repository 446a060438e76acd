//! Faults of the wire, each kind in each direction.

use std::time::{Duration, Instant};

use super::{Bench, LIMIT};
use crate::lock_server::Dialect;
use crate::lock_server::frame::{ACK, ENQ, NAK};
use crate::{Fault, FaultKind, When};

const CHECK_OUT: &str = "CO|0|101";

/// A client that enquired, and a fault set after that.
fn bench_with(fault: Fault) -> (Bench, super::Client) {
    let bench = Bench::start(Dialect::Salto);
    let mut client = bench.client();
    assert_eq!(client.enquire(), ACK);
    bench.server.faults().set(vec![fault]);
    (bench, client)
}

fn to_client(kind: FaultKind, frame: u64) -> Fault {
    Fault::new(kind, When::AtFrame(frame))
}

#[test]
fn what_the_server_says_is_lost_refused_damaged_and_doubled() {
    let (_bench, mut client) = bench_with(to_client(FaultKind::Drop, 1));
    client.send_frame(CHECK_OUT);
    assert_eq!(client.answer(), "CO|0", "without its acknowledgement");

    let (_bench, mut client) = bench_with(to_client(FaultKind::Nak, 1));
    client.send_frame(CHECK_OUT);
    assert_eq!(client.byte(), NAK);

    let (_bench, mut client) = bench_with(to_client(FaultKind::Duplicate, 2));
    client.begin(CHECK_OUT);
    assert_eq!([client.answer(), client.answer()], ["CO|0", "CO|0"]);

    let (bench, mut client) = bench_with(to_client(FaultKind::Truncate, 2));
    client.begin(CHECK_OUT);
    assert_eq!([(); 4].map(|()| client.byte()), *b"\x02\xB3CO");
    bench.server.unplug();
    assert_eq!(client.rest(), []);
}

#[test]
fn what_the_client_says_is_lost_refused_damaged_and_doubled() {
    let from_client = |kind| Fault::new(kind, When::AtFrame(1)).from_host();
    for kind in [FaultKind::Drop, FaultKind::Truncate, FaultKind::Oversize] {
        let (bench, mut client) = bench_with(from_client(kind));
        client.send_frame("CO|0|999");
        // What is answered is the second one, whose beginning ends what was left of the first.
        client.begin(CHECK_OUT);
        assert_eq!(client.answer(), "CO|0", "{kind:?}");
        assert_eq!(bench.server.faults().happened(), 1);
        assert_eq!(bench.server.served().len(), 1);
    }
    let (bench, mut client) = bench_with(from_client(FaultKind::Nak));
    client.send_frame(CHECK_OUT);
    assert_eq!(client.byte(), NAK);
    assert_eq!(bench.server.served(), []);

    let (bench, mut client) = bench_with(from_client(FaultKind::Duplicate));
    client.begin(CHECK_OUT);
    assert_eq!(client.answer(), "CO|0");
    assert_eq!(client.byte(), ACK);
    assert_eq!(client.answer(), "CO|0");
    assert_eq!(bench.server.served().len(), 2);
}

#[test]
fn a_delay_in_either_direction_loses_nothing_and_overtakes_nothing() {
    // Later than an answer comes by itself.
    let late = Duration::from_millis(50);
    let delay = FaultKind::Delay(late);
    for fault in [to_client(delay, 1), to_client(delay, 1).from_host()] {
        let (_bench, mut client) = bench_with(fault);
        let sent = Instant::now();
        client.send_frame(CHECK_OUT);
        client.send_frame("CO|0|999");
        for answer in ["CO|0", "TD|0"] {
            assert_eq!(client.byte(), ACK);
            assert!(sent.elapsed() >= late, "{answer} came too early");
            assert_eq!(client.answer(), answer);
        }
    }
}

#[test]
fn a_stalled_server_swallows_everything_until_it_is_restarted() {
    let (bench, mut client) = bench_with(to_client(FaultKind::Stall, 1));
    client.send(&[ENQ]);
    let is_stalled = |_: &crate::LockServerSituation<'_>| bench.server.faults().is_stalled();
    assert!(bench.server.wait_for(LIMIT, is_stalled));
    client.send_frame(CHECK_OUT);
    bench.server.unplug();
    assert_eq!(client.rest(), []);
    bench.server.plug().unwrap();
    assert_eq!(bench.ask(CHECK_OUT), "CO|0");
    assert_eq!(bench.server.served().len(), 1);
}

#[test]
fn another_uid_is_told_than_the_cards() {
    let (bench, mut client) = bench_with(Fault::new(FaultKind::WrongUid, When::AtExchange(1)));
    bench.place("04A1B2C3");
    let order = "CN|1|R|101||||||||||||1";
    assert_eq!(client.ask(order), "CN|1|04A1B2C0");
    assert_eq!(client.ask(order), "CN|1|04A1B2C3");
}
