//! What a recording of a session shows, and what it does not.

use card::{Command, Password, Type2Command};
use driver_pn532::Pn532Driver;
use emulator::Technology;
use encoder::{Driver as _, Encoder, Opening, Recorder, Secrets};

use crate::rig::{Rig, TRANSPORT, authenticate, read, select, write};

/// A session with a MIFARE Classic and one with an NTAG, as they were written down.
fn recorded(secrets: Secrets) -> String {
    let rig = Rig::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    let how = Opening {
        recorder: Recorder::to(file.reopen().unwrap(), secrets).ok(),
        ..Opening::default()
    };
    let Encoder::Block(mut encoder) = Pn532Driver::default().open(&rig.selector(), &how).unwrap()
    else {
        panic!("an encoder of another kind");
    };
    rig.place("04A1B2C3");
    let mut session = select(encoder.as_mut());
    session.exchange(&authenticate(7, TRANSPORT)).unwrap();
    session.exchange(&write(5, [0x5A; 16])).unwrap();
    session.exchange(&read(5)).unwrap();
    drop(session);
    rig.place_new(Technology::Ntag213);
    let mut session = select(encoder.as_mut());
    let password = Password::new([0xB1, 0xB2, 0xB3, 0xB4]);
    for command in [
        Type2Command::GetVersion,
        Type2Command::FastRead { first: 4, last: 9 },
        Type2Command::PasswordAuthenticate { password },
    ] {
        session.exchange(&Command::Type2(command)).unwrap();
    }
    drop(session);
    drop(encoder);
    std::fs::read_to_string(file.path()).unwrap()
}

#[test]
fn a_recording_shows_the_session_without_keys_and_card_data() {
    let (masked, plain) = (recorded(Secrets::Masked), recorded(Secrets::Plain));
    for secret in ["FFFFFFFFFFFF", &"5A".repeat(16), "B1B2B3B4"] {
        assert!(plain.contains(secret), "{secret}");
        assert!(!masked.contains(secret), "{secret}");
    }
    for shown in [
        // Wake-up, GetFirmwareVersion and its answer, InListPassiveTarget, the authentication's UID, GET_VERSION.
        "> 5555000000000000",
        "D4022A00",
        "D50332010607E800",
        "D44A0100",
        "D440016007????????????04A1B2C3??00",
        "D44260",
    ] {
        assert!(plain.contains(shown) || shown.contains('?'), "{shown}");
        assert!(masked.contains(shown), "{shown} in\n{masked}");
    }
}
