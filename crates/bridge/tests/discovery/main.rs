//! Encoders as they are plugged in, pulled and plugged in elsewhere, in front of a whole bridge.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bench;

use bench::{Bench, files};

const SERIAL: &str = "fake:serial:A1";

#[tokio::test]
async fn what_is_plugged_in_is_there_at_once_and_back_after_every_unplug() {
    let bench = Bench::default();
    let desk = bench.start("").await;
    for _ in 0..3 {
        bench.plug(&[("usb0", "A1")]);
        desk.until(SERIAL, Some("usb0")).await;
        bench.unplug("usb0");
        desk.until(SERIAL, None).await;
    }
    assert_eq!(desk.identities(), [SERIAL]);
    desk.stop().await;
}

#[tokio::test]
async fn an_encoder_that_comes_back_at_another_port_is_the_same_one() {
    let bench = Bench::default();
    bench.plug(&[("usb0", "A1")]);
    let desk = bench.start("").await;
    desk.until(SERIAL, Some("usb0")).await;
    bench.unplug("usb0");
    bench.plug(&[("usb1", "A1")]);
    desk.until(SERIAL, Some("usb1")).await;
    assert_eq!(desk.identities(), [SERIAL]);
    assert_eq!(bench.opened().last().map(String::as_str), Some("usb1"));
    let about = desk.bridge.about(SERIAL).unwrap();
    assert_eq!(about.listing[0].value, "usb1");
    assert_eq!(about.device[0].value, "1.6");
    desk.stop().await;
}

#[tokio::test]
async fn two_that_are_plugged_in_at_once_and_swap_their_ports_stay_who_they_are() {
    let bench = Bench::default();
    let desk = bench.start("").await;
    bench.plug(&[("usb0", "A1"), ("usb1", "B2")]);
    desk.until(SERIAL, Some("usb0")).await;
    desk.until("fake:serial:B2", Some("usb1")).await;
    bench.unplug("usb0");
    bench.unplug("usb1");
    desk.until(SERIAL, None).await;
    desk.until("fake:serial:B2", None).await;
    bench.plug(&[("usb0", "B2"), ("usb1", "A1")]);
    desk.until(SERIAL, Some("usb1")).await;
    desk.until("fake:serial:B2", Some("usb0")).await;
    assert_eq!(desk.identities().len(), 2);
    desk.stop().await;
}

/// When its twin comes, no serial number tells the first one any more; it was there all the time all the same.
#[tokio::test]
async fn an_encoder_stays_who_it_is_when_its_twin_comes_and_goes() {
    let bench = Bench::default();
    bench.plug(&[("usb0", "twin")]);
    let desk = bench.start("").await;
    let (first, second) = ("fake:serial:twin", "fake:usb-port:usb1");
    desk.until(first, Some("usb0")).await;
    bench.plug(&[("usb1", "twin")]);
    desk.until(second, Some("usb1")).await;
    desk.until(first, Some("usb0")).await;
    // The twin has the number to itself now, and is not the first one for that.
    bench.unplug("usb0");
    desk.until(first, None).await;
    desk.until(second, Some("usb1")).await;
    assert_eq!(desk.identities(), [first, second]);
    assert_eq!(bench.opened(), ["usb0", "usb1"]);
    desk.stop().await;
}

#[tokio::test]
async fn an_absent_encoder_with_an_entry_is_used_where_it_appears() {
    let bench = Bench::default();
    let entry = "[[encoder]]\ndriver = \"fake\"\nname = \"Front Desk\"\nusb_serial = \"A1\"\n";
    let desk = bench.start(entry).await;
    desk.until(SERIAL, None).await;
    bench.plug(&[("usb7", "A1")]);
    desk.until(SERIAL, Some("usb7")).await;
    let encoders = desk.bridge.encoders();
    assert_eq!(encoders.len(), 1);
    assert_eq!(encoders[0].state.display_name, "Front Desk");
    desk.stop().await;
}

#[tokio::test]
async fn a_second_device_of_one_identity_is_listed_with_the_reason_and_takes_over_when_the_first_goes()
 {
    let bench = Bench::default();
    bench.plug(&[("usb0", "A1")]);
    let desk = bench.start("").await;
    desk.until(SERIAL, Some("usb0")).await;
    bench.plug(&[("usb1", "A1")]);
    let reasons = desk.until_unused(&["usb1"]).await;
    assert!(reasons[0].contains(SERIAL) && reasons[0].contains("unplug one"));
    assert_eq!(bench.opened(), ["usb0"]);
    bench.unplug("usb0");
    desk.until(SERIAL, Some("usb1")).await;
    desk.until_unused(&[]).await;
    desk.stop().await;
}

#[tokio::test]
async fn a_port_of_which_nobody_said_anything_is_shown_and_left_alone_until_it_has_an_entry() {
    let bench = Bench::default();
    bench.plug_unknown("ttyS0");
    let desk = bench.start("").await;
    let reasons = desk.until_unused(&["ttyS0"]).await;
    assert!(reasons[0].contains("write an entry"));
    assert!(desk.identities().is_empty());
    assert!(bench.opened().is_empty());
    desk.stop().await;

    let bench = Bench::default();
    bench.plug(&[("ttyS0", "A1")]);
    let entry = "[[encoder]]\ndriver = \"fake\"\nport = \"ttyS0\"\nrecord = \"wire\"\n";
    let desk = bench.start(entry).await;
    desk.until("port:ttyS0", Some("ttyS0")).await;
    desk.until_unused(&[]).await;
    let recording = desk.bridge.about("port:ttyS0").unwrap().recording.unwrap();
    assert_eq!(files(desk.home.path().join("wire")), [recording]);
    desk.stop().await;
}
