//! The serial line.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use super::{Bench, LIMIT, STAY, fields};
use crate::lock_server::frame::{ACK, ENQ, ETX, frame};
use crate::lock_server::{Dialect, LockServerWire};

fn open(path: &Path) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap()
}

/// Asks by the line and returns what comes: an acknowledgement, and bytes to the checksum.
fn ask(line: &mut File, command: &str) -> Vec<u8> {
    line.write_all(&frame(&fields(command), true)).unwrap();
    let mut heard = Vec::new();
    loop {
        let mut byte = [0];
        line.read_exact(&mut byte).unwrap();
        heard.push(byte[0]);
        if heard.len() > 2 && heard[heard.len() - 2] == ETX {
            return heard;
        }
    }
}

fn said(answer: &str) -> Vec<u8> {
    [&[ACK][..], &frame(&fields(answer), true)].concat()
}

#[test]
fn a_serial_line_speaks_the_same_protocol_and_comes_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock-server");
    let bench = Bench::on(Dialect::Salto, LockServerWire::Terminal(path.clone()));
    assert_eq!(bench.server.address(), None);
    bench.place("04A1B2C3");
    let mut line = open(&path);
    let heard = ask(&mut line, &format!("CN|1|R|101||||||{STAY}|||||1"));
    assert_eq!(heard, said("CN|1|04A1B2C3"));

    bench.server.unplug();
    assert!(!path.exists());
    assert!(!matches!(line.read(&mut [0]), Ok(1..)));
    bench.server.plug().unwrap();
    let mut line = open(&path);
    assert_eq!(ask(&mut line, "CO|0|101"), said("CO|0"));
}

#[test]
fn an_answer_that_comes_after_the_host_gave_up_is_heard_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock-server");
    let bench = Bench::on(Dialect::Onity, LockServerWire::Terminal(path.clone()));
    let mut line = open(&path);
    line.write_all(&[ENQ]).unwrap();
    line.read_exact(&mut [0]).unwrap();
    line.write_all(&frame(&fields("LT|1|R"), true)).unwrap();
    line.read_exact(&mut [0]).unwrap();
    drop(line);
    bench.await_task();
    let mut line = open(&path);
    line.write_all(&[ENQ]).unwrap();
    assert!(bench.server.wait_for(LIMIT, |now| now.enquiries == 2));
    line.read_exact(&mut [0]).unwrap();
    bench.place("04A1B2C3");
    let expected = frame(&fields("EF|1"), true);
    let mut heard = vec![0; expected.len()];
    line.read_exact(&mut heard).unwrap();
    assert_eq!(heard, expected);
}
