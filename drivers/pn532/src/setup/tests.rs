//! A chip and a port that agree on some speeds only.

use std::time::{Duration, Instant};

use super::*;
use crate::frame::{ACK, encode};
use crate::patience::Patience;

/// A chip at a line, with a speed of each.
struct Model {
    chip: u32,
    port: u32,
    after_ack: Option<u32>,
    /// The port does not take these.
    refused: Vec<u32>,
    /// Here the chip hears, but long frames come back broken.
    shaky: Vec<u32>,
    /// Here nothing comes through.
    deaf: Vec<u32>,
    input: Vec<u8>,
}

impl Model {
    fn at(chip: u32) -> Self {
        Self {
            chip,
            port: RESET.baud,
            after_ack: None,
            refused: Vec::new(),
            shaky: Vec::new(),
            deaf: Vec::new(),
            input: Vec::new(),
        }
    }

    fn answer(&mut self, code: u8, parameters: &[u8]) {
        let mut data = match code {
            0x00 => parameters.to_vec(),
            0x02 => vec![0x32, 1, 6, 7],
            0x10 => {
                let all = [&speed::LIKELY[..], &speed::UNLIKELY].concat();
                let told = all.iter().find(|speed| speed.code == parameters[0]);
                self.after_ack = Some(told.unwrap().baud);
                Vec::new()
            }
            _ => Vec::new(),
        };
        if data.len() > 8 && self.shaky.contains(&self.chip) {
            data[8] ^= 0x40;
        }
        let mut frame = encode(&[&[code + 1], &data[..]].concat()).to_vec();
        let checksum = frame.len() - 2;
        frame[5] += 1;
        frame[checksum] = frame[checksum].wrapping_sub(1);
        self.input.extend([&ACK[..], &frame].concat());
    }
}

impl Line for Model {
    fn read(&mut self, buffer: &mut [u8], _: Instant) -> Result<usize, Pn532Error> {
        let count = self.input.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.input[..count]);
        self.input.drain(..count);
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Pn532Error> {
        if self.port != self.chip || self.deaf.contains(&self.chip) {
            return Ok(());
        }
        match *bytes {
            [0x00, 0x00, 0xFF, length, _, 0xD4, code, ref rest @ ..] => {
                self.answer(code, &rest[..usize::from(length) - 2]);
            }
            _ if bytes == ACK => self.chip = self.after_ack.take().unwrap_or(self.chip),
            _ => {}
        }
        Ok(())
    }

    fn set_speed(&mut self, baud: u32) -> Result<(), Pn532Error> {
        if self.refused.contains(&baud) {
            return Err(Pn532Error::SpeedRefused { baud });
        }
        self.port = baud;
        Ok(())
    }
}

fn link(model: Model) -> Link<Model> {
    let patience = Patience {
        settle: Duration::ZERO,
        ..Patience::default()
    };
    Link::new(model, patience, None)
}

#[track_caller]
fn comes_to(model: Model, highest: u32, expected: u32) {
    let mut link = link(model);
    let setup = Setup::begin(&mut link, speed::named(highest.into()).unwrap()).unwrap();
    assert_eq!(setup.speed.baud, expected);
    setup.end(&mut link);
    assert_eq!(find(&mut link).unwrap(), RESET);
}

#[test]
fn the_line_is_as_fast_as_it_may_be_and_is_put_back() {
    for highest in [921_600, 460_800, 230_400, 115_200] {
        comes_to(Model::at(115_200), highest, highest);
    }
}

#[test]
fn a_chip_that_was_left_at_any_speed_is_found() {
    for speed in [&speed::LIKELY[..], &speed::UNLIKELY].concat() {
        comes_to(Model::at(speed.baud), 921_600, 921_600);
        comes_to(Model::at(speed.baud), 115_200, 115_200);
    }
}

#[test]
fn a_speed_that_the_port_does_not_take_is_left_out() {
    let mut model = Model::at(115_200);
    model.refused = vec![921_600, 1_288_000];
    comes_to(model, 921_600, 460_800);
}

#[test]
fn a_speed_at_which_not_everything_comes_through_is_left_again() {
    let mut model = Model::at(115_200);
    model.shaky = vec![921_600];
    comes_to(model, 921_600, 460_800);
    let mut model = Model::at(921_600);
    model.shaky = vec![921_600, 460_800, 230_400];
    comes_to(model, 921_600, 115_200);
}

#[test]
fn a_chip_that_is_lost_at_a_speed_is_reported_with_the_remedy() {
    let mut model = Model::at(115_200);
    model.deaf = vec![921_600];
    let error = Setup::begin(&mut link(model), speed::RAISED[0]).unwrap_err();
    assert!(matches!(
        error,
        Pn532Error::LostAtSpeed {
            baud: 921_600,
            slower: 460_800
        }
    ));
    assert!(error.to_string().contains("speed = 460800"));
}

#[test]
fn a_line_with_nothing_at_its_end_is_silent_and_left_as_it_was() {
    let mut link = link(Model::at(0));
    assert!(matches!(find(&mut link), Err(Pn532Error::Silent)));
    assert_eq!(link.baud(), RESET.baud);
}
