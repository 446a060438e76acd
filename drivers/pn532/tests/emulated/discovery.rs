//! Encoders that are found at serial adapters: left alone or asked, told apart, and found again at another port.

use std::sync::Arc;
use std::sync::mpsc::channel;

use emulator::{Cards, Origin, Technology};
use encoder::{Access, Driver as _, Encoder, Identity, Listing, Opening, Probing, Selector};

use crate::port::silent_terminal;
use crate::rig::{LIMIT, Rig, select};
use crate::tree::Tree;

fn reason(listing: &Listing) -> &str {
    match &listing.access {
        Access::Accessible => "",
        Access::Absent { reason }
        | Access::Unclaimed { reason }
        | Access::Inaccessible { reason } => reason,
    }
}

#[test]
fn a_port_that_nobody_configured_is_listed_with_the_lines_to_write_and_left_alone() {
    let (tree, rig) = (Tree::new(), Rig::new());
    tree.plug("ttyUSB0", "1-1", Some("AL00XQ3T"), 3, rig.encoder.path());
    let frames = rig.encoder.faults().frames();
    let listings = tree.driver().list(Probing::Forbidden, &[]);
    let [listing] = &listings[..] else {
        panic!("{listings:?}");
    };
    assert!(matches!(listing.access, Access::Unclaimed { .. }));
    let lines = "[[encoder]]\ndriver = \"pn532\"\nusb_serial = \"AL00XQ3T\"";
    assert!(reason(listing).ends_with(lines), "{listing:?}");
    assert_eq!(
        listing.identity,
        Identity::of_serial_number("pn532", "AL00XQ3T")
    );
    // Opened without a byte it would answer nothing either; opening is what the claim tells.
    assert_eq!(rig.encoder.faults().frames(), frames);
    rig.open();
}

#[test]
fn a_port_that_may_be_asked_is_asked_once_while_the_same_device_stays() {
    let (tree, rig) = (Tree::new(), Rig::new());
    let (_terminal, silent) = silent_terminal();
    tree.plug("ttyUSB0", "1-1", Some("AL00XQ3T"), 3, rig.encoder.path());
    tree.plug("ttyUSB1", "1-2", Some("AL00XQ4U"), 4, &silent);
    let driver = tree.driver();
    let frames = || rig.encoder.faults().frames();
    let list = || driver.list(Probing::Allowed, &[]);
    let before = frames();
    let listings = list();
    let asked = frames();
    assert!(asked > before);
    assert_eq!(listings[0].access, Access::Accessible);
    assert!(matches!(listings[1].access, Access::Unclaimed { .. }));
    assert!(reason(&listings[1]).starts_with("no PN532 answered here"));
    assert_eq!(list(), listings);
    assert_eq!(frames(), asked);
    // Another time, perhaps another device.
    tree.unplug("ttyUSB0", "1-1");
    tree.plug("ttyUSB0", "1-1", Some("AL00XQ3T"), 5, rig.encoder.path());
    assert_eq!(list()[0].access, Access::Accessible);
    assert!(frames() > asked);
}

#[test]
fn an_encoder_that_was_found_is_opened_by_its_listing_and_held_by_this_program_it_stays_one() {
    let (tree, rig) = (Tree::new(), Rig::new());
    rig.place("04A1B2C3");
    tree.plug("ttyUSB0", "1-1", None, 3, rig.encoder.path());
    let driver = tree.driver();
    let listings = driver.list(Probing::Allowed, &[]);
    assert_eq!(listings[0].selector, Selector::UsbPort("1-1".to_owned()));
    let opened = driver.open(&listings[0].selector, &Opening::default());
    let Ok(Encoder::Block(mut encoder)) = opened else {
        panic!("not opened");
    };
    select(encoder.as_mut());
    assert_eq!(driver.list(Probing::Allowed, &[]).len(), 1);
    assert_eq!(
        driver.list(Probing::Allowed, &[])[0].access,
        Access::Accessible
    );
}

#[test]
fn what_an_entry_means_is_neither_listed_nor_asked() {
    let (tree, rig) = (Tree::new(), Rig::new());
    tree.plug("ttyUSB0", "1-1", Some("AL00XQ3T"), 3, rig.encoder.path());
    let server = Selector::Server {
        address: tree.by_path("1-1").display().to_string(),
        encoder: "1".to_owned(),
    };
    for claim in [
        Selector::Port(tree.by_path("1-1")),
        Selector::Usb("AL00XQ3T".to_owned()),
        server,
    ] {
        let frames = rig.encoder.faults().frames();
        assert_eq!(tree.driver().list(Probing::Allowed, &[claim]), []);
        assert_eq!(rig.encoder.faults().frames(), frames);
    }
}

#[test]
fn twins_are_told_apart_by_their_usb_ports_and_the_listing_says_so() {
    let (tree, left, right) = (Tree::new(), Rig::new(), Rig::new());
    tree.plug("ttyUSB0", "1-1.3", Some("0001"), 3, left.encoder.path());
    tree.plug("ttyUSB1", "1-1.4", Some("0001"), 4, right.encoder.path());
    let listings = tree.driver().list(Probing::Allowed, &[]);
    for (listing, port) in listings.iter().zip(["1-1.3", "1-1.4"]) {
        assert_eq!(listing.identity, Identity::of_usb_port("pn532", port));
        let told_apart = format!("one of two alike; told apart by USB port {port}");
        assert!(listing.description.ends_with(&told_apart), "{listing:?}");
    }
    // Whichever name the kernel gives it at the next start, the one at that port is that one.
    tree.unplug("ttyUSB0", "1-1.3");
    tree.unplug("ttyUSB1", "1-1.4");
    tree.plug("ttyUSB0", "1-1.4", Some("0001"), 9, right.encoder.path());
    assert_eq!(
        tree.driver().look_up(&listings[1].selector).access,
        Access::Accessible
    );
    assert!(matches!(
        tree.driver().look_up(&listings[0].selector).access,
        Access::Absent { .. }
    ));
    let again = tree.driver().list(Probing::Forbidden, &[]);
    assert_eq!(again[0].identity, listings[1].identity);
    let lines = format!("port = {:?}", tree.by_path("1-1.4"));
    assert!(reason(&again[0]).ends_with(&lines), "{again:?}");
}

#[test]
fn an_encoder_named_by_its_serial_number_is_the_same_at_every_port() {
    let (tree, rig) = (Tree::new(), Rig::new());
    let card = Cards::new()
        .card(
            Technology::MifareClassic1k,
            "04A1B2C3".parse().unwrap(),
            Origin::Factory,
        )
        .unwrap();
    rig.slot().place(&card);
    let driver = tree.driver();
    let (tx, changes) = channel();
    let changed = Arc::new(move || tx.send(()).unwrap_or_default());
    let selector = Selector::Usb("AL00XQ3T".to_owned());
    let watched = [(selector.clone(), Default::default())];
    let _watch = driver.watch(&watched, changed).unwrap();
    let absent = driver.look_up(&selector);
    assert!(matches!(absent.access, Access::Absent { .. }));
    for (name, usb_port) in [("ttyUSB0", "1-1"), ("ttyUSB7", "2-3.1")] {
        tree.plug(name, usb_port, Some("AL00XQ3T"), 3, rig.encoder.path());
        changes.recv_timeout(LIMIT).unwrap();
        let listing = driver.look_up(&selector);
        assert_eq!(
            (listing.access, listing.identity),
            (Access::Accessible, absent.identity.clone())
        );
        let Ok(Encoder::Block(mut encoder)) = driver.open(&selector, &Opening::default()) else {
            panic!("not opened");
        };
        select(encoder.as_mut());
        drop(encoder);
        tree.unplug(name, usb_port);
        while !matches!(driver.look_up(&selector).access, Access::Absent { .. }) {
            changes.recv_timeout(LIMIT).unwrap();
        }
        while changes.try_recv().is_ok() {}
    }
}

#[test]
fn a_port_that_another_program_holds_is_not_asked_and_its_holder_is_named() {
    let (tree, rig) = (Tree::new(), Rig::new());
    tree.plug("ttyUSB0", "1-1", Some("AL00XQ3T"), 3, rig.encoder.path());
    let terminal = std::fs::File::open(rig.encoder.path()).unwrap();
    let mut program = std::process::Command::new("sleep")
        .arg("60")
        .stdin(terminal)
        .spawn()
        .unwrap();
    let frames = rig.encoder.faults().frames();
    let listing = tree.driver().list(Probing::Allowed, &[]).remove(0);
    let named = tree.driver().look_up(&Selector::Usb("AL00XQ3T".to_owned()));
    let id = program.id();
    program.kill().unwrap();
    program.wait().unwrap();
    assert!(matches!(listing.access, Access::Unclaimed { .. }));
    for told in [&listing, &named] {
        assert!(
            reason(told).contains(&format!("(process {id})")),
            "{told:?}"
        );
    }
    assert!(matches!(named.access, Access::Inaccessible { .. }));
    assert_eq!(rig.encoder.faults().frames(), frames);
}

#[test]
fn a_reader_that_the_kernel_has_taken_is_listed_with_the_remedy() {
    let tree = Tree::new();
    tree.plug_reader_of_kernel("1-5");
    let listings = tree.driver().list(Probing::Forbidden, &[]);
    let [listing] = &listings[..] else {
        panic!("{listings:?}");
    };
    assert!(matches!(listing.access, Access::Unclaimed { .. }));
    assert!(reason(listing).contains("modprobe -r pn533_usb"));
    assert_eq!(listing.description, "ACR122U at USB port 1-5");
    assert_eq!(tree.driver().look_up(&listing.selector), *listing);
}
