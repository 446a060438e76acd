//! The speed of the line: raised, capped, put back, and found again after a program that died.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use driver_pn532::{Patience, Pn532Driver};
use emulator::{Fault, FaultKind, When};
use encoder::{BlockEncoder, Driver as _, Encoder, ErrorKind, Opening, Value};

use crate::rig::{LIMIT, Rig, TRANSPORT, authenticate, read, select, write};

fn open(rig: &Rig, speed: Option<i64>) -> Box<dyn BlockEncoder> {
    let settings = speed.map(|speed| ("speed".to_owned(), Value::Integer(speed)));
    let how = Opening {
        settings: settings.into_iter().collect(),
        recorder: None,
    };
    // Longer than on real hardware: tests share a busy machine.
    let driver = Pn532Driver::default().with_patience(Patience {
        probe: Duration::from_millis(400),
        ..Patience::default()
    });
    match driver.open(&rig.selector(), &how).unwrap() {
        Encoder::Block(encoder) => encoder,
        Encoder::Issuing(_) => panic!("an encoder of another kind"),
    }
}

fn speed(encoder: &dyn BlockEncoder) -> String {
    let facts = encoder.facts();
    let speed = facts.iter().find(|(name, _)| *name == "speed");
    speed.unwrap().1.to_owned()
}

/// A program that speaks to the chip at the speed after a reset, without this driver: what it gets for a frame.
fn raw(rig: &Rig, baud: u32, frame: &[u8], answer: usize) -> Vec<u8> {
    let path = rig.encoder.path().to_str().unwrap();
    let mut port = serialport::new(path, baud).timeout(LIMIT).open().unwrap();
    port.write_all(&[&[0x55, 0x55], &[0; 14][..], frame].concat())
        .unwrap();
    let mut bytes = vec![0; answer];
    port.read_exact(&mut bytes).unwrap();
    // Also what makes the chip take a speed that it was told.
    port.write_all(&[0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00])
        .unwrap();
    bytes
}

const GET_FIRMWARE_VERSION: [u8; 9] = [0, 0, 0xFF, 0x02, 0xFE, 0xD4, 0x02, 0x2A, 0];

#[test]
fn the_line_is_raised_and_put_back() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = rig.open();
    assert_eq!(speed(encoder.as_ref()), "921600 baud");
    let mut session = select(encoder.as_mut());
    session.exchange(&authenticate(7, TRANSPORT)).unwrap();
    session.exchange(&write(5, [0x5A; 16])).unwrap();
    session.exchange(&read(5)).unwrap();
    drop(session);
    drop(encoder);
    let answer = raw(&rig, 115_200, &GET_FIRMWARE_VERSION, 6 + 13);
    assert_eq!(
        answer[11..],
        [0xD5, 0x03, 0x32, 0x01, 0x06, 0x07, 0xE8, 0x00]
    );
}

#[test]
fn a_setting_caps_the_speed() {
    let rig = Rig::new();
    for baud in [115_200, 230_400, 460_800, 921_600] {
        let encoder = open(&rig, Some(baud));
        assert_eq!(speed(encoder.as_ref()), format!("{baud} baud"));
    }
}

#[test]
fn a_chip_that_a_killed_program_left_at_another_speed_is_found() {
    let is_found = |code: u8| {
        let rig = Rig::new();
        rig.place("04A1B2C3");
        // SetSerialBaudRate, as a program does that dies then.
        let sum = 0xD4_u8.wrapping_add(0x10).wrapping_add(code);
        let frame = [
            0,
            0,
            0xFF,
            0x03,
            0xFD,
            0xD4,
            0x10,
            code,
            sum.wrapping_neg(),
            0,
        ];
        raw(&rig, 115_200, &frame, 6 + 9);
        select(open(&rig, None).as_mut());
    };
    std::thread::scope(|scope| {
        // Most of it is waiting at the wrong speeds.
        for code in 0..=8 {
            scope.spawn(move || is_found(code));
        }
    });
}

#[test]
fn what_the_chip_is_and_where_is_known() {
    let rig = Rig::new();
    let facts = rig.open().facts();
    let facts: Vec<_> = facts.iter().collect();
    for fact in [("chip", "PN532"), ("firmware", "1.6")] {
        assert!(facts.contains(&fact), "{facts:?}");
    }
    assert!(facts.iter().any(|(name, _)| *name == "port"));
}

#[test]
fn a_chip_that_falls_silent_and_comes_back_is_found_by_the_encoder_that_is_open() {
    let rig = Rig::new();
    rig.place("04A1B2C3");
    let mut encoder = open(&rig, None);
    let mut session = select(encoder.as_mut());
    let stall = Fault::new(FaultKind::Stall, When::AtFrame(1));
    rig.encoder.faults().set(vec![stall]);
    let error = session.exchange(&authenticate(7, TRANSPORT)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unresponsive);
    drop(session);
    rig.encoder.faults().set(Vec::new());
    let mut session = select(encoder.as_mut());
    session.exchange(&authenticate(7, TRANSPORT)).unwrap();
    drop(session);
    // At a speed that just failed it is not trusted again.
    assert_eq!(speed(encoder.as_ref()), "460800 baud");
}

#[test]
fn a_chip_that_was_lost_at_a_speed_is_raised_less_high_when_it_was_plugged_in_again() {
    let rig = Rig::new();
    // Longer than on real hardware: tests share a busy machine.
    let driver = Pn532Driver::default().with_patience(Patience {
        acknowledge: Duration::from_millis(500),
        probe: Duration::from_millis(200),
        ..Patience::default()
    });
    // After acknowledgement and answer of SAMConfiguration, an echo, GetFirmwareVersion and SetSerialBaudRate.
    let stall = Fault::new(FaultKind::Stall, When::AtFrame(9));
    rig.encoder.faults().set(vec![stall]);
    let Err(lost) = rig.try_open_by(&driver) else {
        panic!("a silent chip was opened");
    };
    let cause = std::error::Error::source(&lost).unwrap().to_string();
    assert!(cause.contains("raised to 921600 baud"), "{cause}");
    rig.encoder.unplug();
    rig.encoder.faults().set(Vec::new());
    rig.encoder.plug().unwrap();
    let encoder = rig.try_open_by(&driver).unwrap();
    assert_eq!(speed(encoder.as_ref()), "460800 baud");
}
