//! The port: opened, held, pulled out, and with something else behind it.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use driver_pn532::Pn532Driver;
use encoder::{
    Access, CardWait, Driver as _, ErrorKind, Identity, Opening, Selector, Settings, Stop,
};

use crate::rig::{LIMIT, Rig, TRANSPORT, authenticate, refusal, select};

#[test]
fn a_pulled_cable_is_an_absent_encoder() {
    let rig = Rig::new();
    let mut encoder = rig.open();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            rig.field_becomes(true);
            rig.encoder.unplug();
        });
        let kind = refusal(
            encoder.as_mut(),
            CardWait::Resting,
            10_000,
            &Stop::default(),
        );
        assert_eq!(kind, ErrorKind::Absent);
    });
    assert_eq!(rig.try_open().err().unwrap().kind(), ErrorKind::Absent);
    drop(encoder);

    rig.encoder.plug().unwrap();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    let mut session = select(encoder.as_mut());
    rig.encoder.unplug();
    let error = session.exchange(&authenticate(7, TRANSPORT)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Absent);
}

#[test]
fn a_port_is_held_while_it_is_open_and_free_afterwards() {
    let rig = Rig::new();
    let encoder = rig.open();
    let error = rig.try_open().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Held);
    drop(encoder);
    rig.open();
}

#[test]
fn an_encoder_that_a_killed_program_left_waiting_is_taken_over() {
    let rig = Rig::new();
    let leave = |bytes: &[u8]| {
        let path = rig.encoder.path().to_str().unwrap();
        let mut port = serialport::new(path, 115_200).open().unwrap();
        port.write_all(bytes).unwrap();
    };
    rig.open();
    // InListPassiveTarget, endless.
    leave(&[
        0, 0, 0xFF, 6, 0xFA, 0xD4, 0x32, 0x05, 0xFF, 0x01, 0xFF, 0xF6, 0,
    ]);
    let waits = [0, 0, 0xFF, 0x04, 0xFC, 0xD4, 0x4A, 0x01, 0x00, 0xE1, 0x00];
    leave(&waits);
    rig.field_becomes(true);
    rig.open();
    // And one whose program died within the frame.
    leave(&waits[..7]);
    rig.place("04A1B2C3");
    select(rig.open().as_mut());
}

#[test]
fn something_else_at_the_port_is_not_taken_for_an_encoder() {
    let (_terminal, port) = silent_terminal();
    let error = Pn532Driver::default()
        .open(&Selector::Port(port), &Opening::default())
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Unresponsive);
}

/// A terminal at whose other end nobody answers.
pub(crate) fn silent_terminal() -> (std::os::fd::OwnedFd, std::path::PathBuf) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    (master, Path::new(name.to_str().unwrap()).to_owned())
}

#[test]
fn a_listing_follows_the_cable() {
    let rig = Rig::new();
    let (tx, changes) = channel();
    let watched = [(rig.selector(), Settings::default())];
    let changed = Arc::new(move || tx.send(()).unwrap_or_default());
    let _watch = Pn532Driver::default().watch(&watched, changed).unwrap();

    let listing = Pn532Driver::default().look_up(&rig.selector());
    assert_eq!(listing.access, Access::Accessible);
    assert_eq!(listing.identity, Identity::of_port(rig.encoder.path()));

    rig.encoder.unplug();
    changes.recv_timeout(LIMIT).unwrap();
    let listing = Pn532Driver::default().look_up(&rig.selector());
    assert!(matches!(listing.access, Access::Absent { .. }));

    rig.encoder.plug().unwrap();
    changes.recv_timeout(LIMIT).unwrap();
    let listing = Pn532Driver::default().look_up(&rig.selector());
    assert_eq!(listing.access, Access::Accessible);
}

#[test]
fn an_encoder_is_the_same_one_before_it_is_plugged_in_and_after() {
    let rig = Rig::new();
    let identity = || Pn532Driver::default().look_up(&rig.selector()).identity;
    let present = identity();
    rig.encoder.unplug();
    assert_eq!(identity(), present);
}
