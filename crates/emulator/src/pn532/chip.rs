//! The chip as its host sees it: power, frames in both directions, commands under way (UM0701-02 §6,
//! §7.2). It does no I/O and owns no clock; `line` carries its bytes and tells it the time.

use std::time::Instant;

use super::frame::{self, Decoder, Incoming};
use super::radio::{Answer, Radio};
use super::search::Search;
use super::status;
use crate::slot::Slot;

/// The line's speed after reset (§6.3.2).
pub(super) const RESET_BAUD: u32 = 115_200;
/// SetSerialBaudRate's codes (§7.2.8).
const BAUD_RATES: [u32; 9] = [
    9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600, 1_288_000,
];
/// So many rising edges on the line wake the chip; what comes until then is lost.
const WAKING_EDGES: u32 = 5;
/// SetParameters' bit for "activate ISO/IEC 14443-4 cards by yourself" (§7.2.9).
const AUTOMATIC_RATS: u8 = 0x10;
/// PowerDown's bit for "wake up by the serial line" (§7.2.11).
const WAKE_BY_HSU: u8 = 0x10;

/// IC, version 1.6, and what it supports: ISO/IEC 14443 A and B, ISO 18092 (§7.2.2).
const FIRMWARE_VERSION: [u8; 4] = [0x32, 0x01, 0x06, 0x07];

#[derive(Debug)]
enum Power {
    Awake,
    /// LowVbat or PowerDown: `edges` of a wake-up were seen; `by_line` if the line can wake it at all.
    Asleep {
        edges: u32,
        by_line: bool,
    },
}

/// A command that has not answered yet.
#[derive(Debug)]
enum Running {
    Search {
        search: Search,
        until: Option<Instant>,
    },
    /// It answers never; the host must interrupt it.
    Endless,
}

/// The speed of the chip's side of the line, and the one that it takes over once the host has acknowledged
/// (§7.2.8). In bits a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Speeds {
    pub(super) current: u32,
    pub(super) next: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Chip {
    power: Power,
    decoder: Decoder,
    radio: Radio,
    /// A command that was acknowledged and has not begun.
    accepted: Option<Vec<u8>>,
    running: Option<Running>,
    last_response: Option<Vec<u8>>,
    baud: u32,
    /// Taken over once the host has acknowledged (§7.2.8).
    baud_after_ack: Option<u32>,
    /// P3 and P7 (§7.2.6).
    gpio: [u8; 2],
}

impl Chip {
    /// A chip just powered: LowVbat mode, to be woken.
    pub(super) fn new(slot: Slot) -> Chip {
        Chip {
            power: Power::Asleep {
                edges: 0,
                by_line: true,
            },
            decoder: Decoder::default(),
            radio: Radio::new(slot),
            accepted: None,
            running: None,
            last_response: None,
            baud: RESET_BAUD,
            baud_after_ack: None,
            gpio: [0x3F, 0x06],
        }
    }

    /// The speeds of its side of the line.
    pub(super) fn speeds(&self) -> Speeds {
        Speeds {
            current: self.baud,
            next: self.baud_after_ack,
        }
    }

    /// When [`wake`](Chip::wake) must be called at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.running {
            Some(Running::Search { until, .. }) => *until,
            _ => None,
        }
    }

    /// Takes bytes from the host and returns the frames that go back at once. A command is acknowledged and waits
    /// to be [`carried out`](Chip::carry_out).
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        bytes
            .iter()
            .flat_map(|&byte| self.receive_byte(byte))
            .collect()
    }

    fn receive_byte(&mut self, byte: u8) -> Vec<Vec<u8>> {
        if let Power::Asleep { edges, by_line } = &mut self.power {
            *edges += rising_edges(byte);
            if *by_line && *edges >= WAKING_EDGES {
                self.power = Power::Awake;
                self.decoder = Decoder::default();
            }
            return Vec::new();
        }
        match self.decoder.push(byte) {
            None => Vec::new(),
            Some(Incoming::Ack) => {
                self.acknowledged();
                Vec::new()
            }
            Some(Incoming::Nack) => self.last_response.clone().into_iter().collect(),
            Some(Incoming::Nonsense) => {
                self.interrupt();
                vec![
                    frame::ACK.to_vec(),
                    self.remember(frame::SYNTAX_ERROR.to_vec()),
                ]
            }
            Some(Incoming::Command(command)) => {
                self.interrupt();
                self.accepted = Some(command);
                vec![frame::ACK.to_vec()]
            }
        }
    }

    /// A command waits to be carried out.
    pub(super) fn has_accepted(&self) -> bool {
        self.accepted.is_some()
    }

    /// Carries out the command that waits; the frame with its answer, unless that comes later.
    pub(super) fn carry_out(&mut self, now: Instant) -> Option<Vec<u8>> {
        let command = self.accepted.take()?;
        self.execute(&command, now)
    }

    /// A card came or went, or the deadline passed: returns the frames to send.
    pub(super) fn wake(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let Some(Running::Search { search, until }) = self.running.take() else {
            return Vec::new();
        };
        let response = match self.radio.attempt(&search) {
            Some(found) => found,
            None if until.is_some_and(|until| until <= now) => search.nothing(),
            None => {
                self.running = Some(Running::Search { search, until });
                return Vec::new();
            }
        };
        vec![self.remember(frame::response(&response))]
    }

    /// The host's ACK ends whatever runs (§6.2.1.3), or seals a change of speed.
    fn acknowledged(&mut self) {
        match self.baud_after_ack.take() {
            Some(baud) => self.baud = baud,
            None => self.interrupt(),
        }
    }

    fn interrupt(&mut self) {
        self.accepted = None;
        self.running = None;
        self.baud_after_ack = None;
    }

    fn remember(&mut self, frame: Vec<u8>) -> Vec<u8> {
        self.last_response = Some(frame.clone());
        frame
    }

    fn execute(&mut self, command: &[u8], now: Instant) -> Option<Vec<u8>> {
        let (&code, parameters) = command.split_first().expect("a command has a code");
        let response = match self.run(code, parameters) {
            Answer::Now(response) => frame::response(&response),
            Answer::SyntaxError => frame::SYNTAX_ERROR.to_vec(),
            Answer::Endless => {
                self.running = Some(Running::Endless);
                return None;
            }
            Answer::Search(search) => {
                self.radio.begin_search();
                let until = search.patience.map(|patience| now + patience);
                self.running = Some(Running::Search { search, until });
                return self.wake(now).pop();
            }
        };
        Some(self.remember(response))
    }

    fn run(&mut self, code: u8, parameters: &[u8]) -> Answer {
        match code {
            0x00 => self.diagnose(parameters),
            0x02 => Answer::Now([&[0x03][..], &FIRMWARE_VERSION].concat()),
            0x04 => self.general_status(),
            0x06 => self.read_registers(parameters),
            0x08 => self.write_registers(parameters),
            0x0C => Answer::Now(vec![0x0D, self.gpio[0], self.gpio[1], 0x00]),
            0x0E => self.write_gpio(parameters),
            0x10 => self.set_serial_baud_rate(parameters),
            0x12 => self.set_parameters(parameters),
            0x14 => self.sam_configuration(parameters),
            0x16 => self.power_down(parameters),
            // TgInitAsTarget waits for a reader's field, and none ever comes.
            0x8C => Answer::Endless,
            0x86 | 0x88 | 0x8E | 0x90 | 0x92 | 0x94 => {
                Answer::Now(vec![code + 1, status::DEP_STATE])
            }
            0x8A => Answer::Now(vec![0x8B, 0x00, 0x00]),
            _ => self.radio.run(code, parameters),
        }
    }

    /// `NumTst InParam` (§7.2.1).
    fn diagnose(&mut self, parameters: &[u8]) -> Answer {
        match *parameters {
            // Communication line: what came goes back, test number and all.
            [0x00, ..] => Answer::Now([&[0x01][..], parameters].concat()),
            // ROM, RAM and antenna are well.
            [0x01] | [0x02] | [0x07, _] => Answer::Now(vec![0x01, 0x00]),
            // Polling of a FeliCa target fails every one of its 128 times.
            [0x04, _] => Answer::Now(vec![0x01, 0x80]),
            // Echo back as a target.
            [0x05, ..] => Answer::Endless,
            [0x06] => Answer::Now(vec![0x01, self.radio.attention()]),
            _ => Answer::SyntaxError,
        }
    }

    /// `Err Field NbTg [targets] SAMstatus` (§7.2.3); the field meant is another device's.
    fn general_status(&self) -> Answer {
        let mut response = vec![0x05, 0x00, 0x00];
        response.extend(self.radio.status_of_targets());
        response.push(0x00);
        Answer::Now(response)
    }

    fn read_registers(&self, parameters: &[u8]) -> Answer {
        match parameters.as_chunks() {
            ([], _) | (_, [_, ..]) => Answer::SyntaxError,
            (addresses, []) => {
                let values = addresses
                    .iter()
                    .map(|&address| self.radio.registers.read(u16::from_be_bytes(address)));
                Answer::Now(std::iter::once(0x07).chain(values).collect())
            }
        }
    }

    fn write_registers(&mut self, parameters: &[u8]) -> Answer {
        match parameters.as_chunks() {
            ([], _) | (_, [_, ..]) => Answer::SyntaxError,
            (writes, []) => {
                for &[high, low, value] in writes {
                    self.radio
                        .registers
                        .write(u16::from_be_bytes([high, low]), value);
                }
                Answer::Now(vec![0x09])
            }
        }
    }

    /// `P3 P7`; a byte whose top bit is clear changes nothing (§7.2.7).
    fn write_gpio(&mut self, parameters: &[u8]) -> Answer {
        let &[p3, p7] = parameters else {
            return Answer::SyntaxError;
        };
        for (pins, written) in self.gpio.iter_mut().zip([p3, p7]) {
            if written & 0x80 != 0 {
                *pins = written & 0x3F;
            }
        }
        Answer::Now(vec![0x0F])
    }

    fn set_serial_baud_rate(&mut self, parameters: &[u8]) -> Answer {
        let &[code] = parameters else {
            return Answer::SyntaxError;
        };
        let Some(&baud) = BAUD_RATES.get(usize::from(code)) else {
            return Answer::SyntaxError;
        };
        self.baud_after_ack = Some(baud);
        Answer::Now(vec![0x11])
    }

    /// §7.2.9: of its flags only the one that activates cards for ISO/IEC 14443-4 matters here.
    fn set_parameters(&mut self, parameters: &[u8]) -> Answer {
        let &[flags] = parameters else {
            return Answer::SyntaxError;
        };
        self.radio.activates = flags & AUTOMATIC_RATS != 0;
        Answer::Now(vec![0x13])
    }

    /// `Mode [Timeout [IRQ]]` (§7.2.10); leaves LowVbat mode for good.
    fn sam_configuration(&mut self, parameters: &[u8]) -> Answer {
        match *parameters {
            [1..=4] | [1..=4, _] | [1..=4, _, _] => {
                self.radio.configure();
                Answer::Now(vec![0x15])
            }
            _ => Answer::SyntaxError,
        }
    }

    /// `WakeUpEnable [GenerateIRQ]` (§7.2.11).
    fn power_down(&mut self, parameters: &[u8]) -> Answer {
        let (&[sources] | &[sources, _]) = parameters else {
            return Answer::SyntaxError;
        };
        self.radio.power_down();
        self.power = Power::Asleep {
            edges: 0,
            by_line: sources & WAKE_BY_HSU != 0,
        };
        Answer::Now(vec![0x17, status::OK])
    }
}

/// How often a line rises while a byte passes, lowest bit first between a start bit 0 and a stop bit 1.
fn rising_edges(byte: u8) -> u32 {
    let levels = (u16::from(byte) << 1) | 0x200;
    (!levels & (levels >> 1) & 0x1FF).count_ones()
}

#[cfg(test)]
mod tests;
