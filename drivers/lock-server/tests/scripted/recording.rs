//! What passes is written down where that is asked for.

use driver_lock_server::LockServerDriver;
use encoder::{Driver as _, Encoder, Opening, Recorder, Secrets};

use crate::server::*;

#[test]
fn both_directions_are_recorded() {
    let server = Server::new("salto");
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("session");
    let recorder = Recorder::create(&path, Secrets::Masked).unwrap();
    let settings = server.settings_of("1");
    let opening = std::thread::spawn(move || {
        let driver = LockServerDriver::default();
        let selector = driver.configure(&settings).unwrap();
        let how = Opening {
            settings,
            recorder: Some(recorder),
        };
        match driver.open(&selector, &how).unwrap() {
            Encoder::Issuing(encoder) => encoder,
            Encoder::Block(_) => panic!("it lends cards"),
        }
    });
    server.accept().hears_byte(ENQ).says(&[ACK]);
    let desk = Desk::new(opening.join().unwrap());
    let reading = desk.reads();
    server
        .accept()
        .is_asked("LT|1|R")
        .says(&[ACK])
        .answers("LT|1|LM");
    assert!(reading.outcome().is_ok());
    let text = std::fs::read_to_string(&path).unwrap();
    for line in [
        "> 05",
        "< 06",
        "> 02B34C54B331B352B303",
        "B34C54B331B34C4DB303",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
}
