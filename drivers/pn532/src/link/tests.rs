//! Commands over a scripted line.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

mod stale;

const ACKNOWLEDGEMENT: [u8; 6] = ACK;
/// GetFirmwareVersion and its answer.
const COMMAND: [u8; 1] = [0x02];
const ANSWER: [u8; 13] = [
    0x00, 0x00, 0xFF, 0x06, 0xFA, 0xD5, 0x03, 0x32, 0x01, 0x06, 0x07, 0xE8, 0x00,
];
const SYNTAX_ERROR: [u8; 8] = [0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00];
const FIRMWARE: [u8; 4] = [0x32, 1, 6, 7];

/// A chip that answers the n-th thing it is sent with the n-th line of a script. An echo it gives by itself. What it owes
/// of the past comes before its answer to the n-th frame with a command.
struct Scripted {
    script: VecDeque<Vec<u8>>,
    owed: VecDeque<Vec<u8>>,
    is_dead: bool,
    /// Whether it dies with the last line of its script.
    is_mortal: bool,
    sent: Sender<Vec<u8>>,
    reply: Sender<u8>,
    bytes: Receiver<u8>,
}

impl Scripted {
    fn reply(&self, bytes: &[u8]) {
        for byte in bytes {
            self.reply.send(*byte).unwrap();
        }
    }
}

impl Line for Scripted {
    fn read(&mut self, buffer: &mut [u8], until: Instant) -> Result<usize, Pn532Error> {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(first) = self.bytes.recv_timeout(left) else {
            return Ok(0);
        };
        let bytes: Vec<u8> = std::iter::once(first)
            .chain(self.bytes.try_iter())
            .collect();
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Pn532Error> {
        self.sent.send(bytes.to_vec()).unwrap();
        if bytes.get(5) == Some(&0xD4) {
            let owed = self.owed.pop_front().unwrap_or_default();
            self.reply(&owed);
        }
        let answer = match bytes {
            _ if self.is_dead => Vec::new(),
            [0, 0, 0xFF, 5, 0xFB, 0xD4, 0x00, 0x00, high, low, ..] => {
                let mut echo = encode(&[0x01, 0x00, *high, *low]).to_vec();
                // The same frame from the chip, with the checksum that belongs to it.
                echo[5] = 0xD5;
                echo[10] = echo[10].wrapping_sub(1);
                [&ACKNOWLEDGEMENT[..], &echo].concat()
            }
            _ => self.script.pop_front().unwrap_or_default(),
        };
        self.reply(&answer);
        self.is_dead |= self.is_mortal && self.script.is_empty();
        Ok(())
    }

    fn set_speed(&mut self, _: u32) -> Result<(), Pn532Error> {
        Ok(())
    }
}

fn patience() -> Patience {
    Patience {
        acknowledge: Duration::from_millis(60),
        answer: Duration::from_millis(120),
        gap: Duration::from_millis(20),
        settle: Duration::ZERO,
        ..Patience::default()
    }
}

fn link(script: &[&[&[u8]]]) -> (Link<Scripted>, Receiver<Vec<u8>>) {
    let (sent, was_sent) = channel();
    let (reply, bytes) = channel();
    let line = Scripted {
        script: script.iter().map(|line| line.concat()).collect(),
        owed: VecDeque::new(),
        is_dead: false,
        is_mortal: false,
        sent,
        reply,
        bytes,
    };
    let mut link = Link::new(line, patience(), None);
    link.unsettled = false;
    (link, was_sent)
}

/// What was sent but for the echoes, of which there were so many.
fn sent(was_sent: &Receiver<Vec<u8>>) -> (Vec<Vec<u8>>, usize) {
    let is_echo = |bytes: &Vec<u8>| bytes.get(5..8) == Some(&[0xD4, 0x00, 0x00]);
    let (echoes, rest): (Vec<_>, Vec<_>) = was_sent.try_iter().partition(is_echo);
    (rest, echoes.len())
}

#[track_caller]
fn asks(script: &[&[&[u8]]], expected: &[Vec<u8>], echoes: usize) {
    let (mut link, was_sent) = link(script);
    let answer = link.ask(&COMMAND).map(|data| data.to_vec());
    assert_eq!(answer.unwrap(), FIRMWARE);
    assert_eq!(sent(&was_sent), (expected.to_vec(), echoes));
}

fn command() -> Vec<u8> {
    encode(&COMMAND).to_vec()
}

#[test]
fn waking_it_also_ends_what_it_was_doing() {
    let (mut link, was_sent) = link(&[&[], &[], &[&ACKNOWLEDGEMENT, &ANSWER]]);
    assert!(link.wake(&COMMAND, Duration::from_secs(10)).unwrap());
    let (sent, _) = sent(&was_sent);
    assert_eq!(sent, [WAKE_UP.to_vec(), ACK.to_vec(), command()]);
}

#[test]
fn a_command_is_acknowledged_and_answered() {
    asks(&[&[&ACKNOWLEDGEMENT, &ANSWER]], &[command()], 0);
}

#[test]
fn garbage_before_the_frames_does_not_matter() {
    let garbage = [0x12, 0x00, 0xFF, 0x34];
    let script: &[&[u8]] = &[&garbage, &ACKNOWLEDGEMENT, &[0xFF], &ANSWER];
    asks(&[script], &[command()], 0);
}

#[test]
fn a_command_that_the_chip_did_not_take_is_sent_again() {
    let script: [&[&[u8]]; 2] = [&[], &[&ACKNOWLEDGEMENT, &ANSWER]];
    asks(&script, &[command(), command()], 1);
    let script: [&[&[u8]]; 2] = [
        &[&ACKNOWLEDGEMENT, &SYNTAX_ERROR],
        &[&ACKNOWLEDGEMENT, &ANSWER],
    ];
    asks(&script, &[command(), command()], 0);
}

#[test]
fn what_is_a_step_of_a_conversation_with_a_card_is_not_sent_again() {
    for lost in [&[][..], &[&ACKNOWLEDGEMENT[..], &SYNTAX_ERROR]] {
        let (mut link, was_sent) = link(&[lost, &[&ACKNOWLEDGEMENT, &ANSWER]]);
        assert!(link.ask_iso(&COMMAND).is_err());
        assert_eq!(sent(&was_sent).0, [command()]);
        assert!(!link.is_lost());
    }
}

#[test]
fn a_command_that_the_chip_took_in_silence_is_not_sent_again() {
    let (mut link, was_sent) = link(&[]);
    let taken = [&ACKNOWLEDGEMENT[..], &ANSWER].concat();
    link.line.owed = [Vec::new(), taken].into();
    assert_eq!(**link.ask(&COMMAND).unwrap(), FIRMWARE);
    assert_eq!(sent(&was_sent), (vec![command()], 1));
}

#[test]
fn a_chip_that_falls_silent_is_lost_until_it_is_woken() {
    let (mut link, was_sent) = link(&[]);
    link.line.is_dead = true;
    assert!(matches!(link.ask(&COMMAND), Err(Pn532Error::Silent)));
    assert!(link.is_lost());
    assert_eq!(sent(&was_sent), (vec![command()], 2));
    link.line.is_dead = false;
    link.line.script = [vec![], vec![], [&ACKNOWLEDGEMENT[..], &ANSWER].concat()].into();
    assert!(link.wake(&COMMAND, Duration::from_secs(10)).unwrap());
    assert!(!link.is_lost());
}

#[test]
fn an_answer_does_for_a_broken_acknowledgement() {
    let broken = [0x00, 0x00, 0xFF, 0x00, 0xFE, 0x00];
    asks(&[&[&broken, &ANSWER]], &[command()], 0);
}

#[test]
fn a_late_answer_to_an_aborted_command_is_not_taken_for_this_ones() {
    let mut late = ANSWER;
    (late[8], late[11]) = (0x02, 0xE7);
    asks(&[&[&late, &ACKNOWLEDGEMENT, &ANSWER]], &[command()], 0);
}

#[test]
fn an_answer_that_comes_twice_and_late_is_not_taken_for_the_next_ones() {
    let mut next = ANSWER;
    (next[8], next[11]) = (0x02, 0xE7);
    // The first answer was lost, so that it was asked for again. The chip had begun anew, and owes the rest of that.
    let (mut link, _sent) = link(&[&[&ACKNOWLEDGEMENT], &[&ANSWER], &[&ACKNOWLEDGEMENT, &next]]);
    let rest = [&ACKNOWLEDGEMENT[..], &ANSWER].concat();
    link.line.owed = [Vec::new(), rest].into();
    assert_eq!(**link.ask(&COMMAND).unwrap(), FIRMWARE);
    assert_eq!(**link.ask(&COMMAND).unwrap(), [0x32, 2, 6, 7]);
}

#[test]
fn a_broken_answer_is_asked_for_again() {
    let mut broken = ANSWER;
    broken[8] ^= 0x10;
    for broken in [&broken[..], &ANSWER[..9], &[0x00, 0x00, 0x3F, 0x06, 0xFA]] {
        let script: [&[&[u8]]; 3] = [&[&ACKNOWLEDGEMENT, broken], &[broken], &[&ANSWER]];
        asks(&script, &[command(), NACK.to_vec(), NACK.to_vec()], 0);
    }
}

#[test]
fn a_lost_answer_is_asked_for_once_and_then_the_command_is_aborted() {
    let script: [&[&[u8]]; 2] = [&[&ACKNOWLEDGEMENT], &[&ANSWER]];
    asks(&script, &[command(), NACK.to_vec()], 0);

    let (mut link, was_sent) = link(&[&[&ACKNOWLEDGEMENT]]);
    let answer = link.ask(&COMMAND);
    assert!(matches!(answer, Err(Pn532Error::NoAnswer { .. })));
    let (sent, echoes) = sent(&was_sent);
    assert_eq!(sent, [command(), NACK.to_vec(), ACK.to_vec()]);
    assert_eq!((echoes, link.is_lost()), (1, false));
}

#[test]
fn a_command_that_the_chip_does_not_know_is_refused_in_the_end() {
    let refused: &[&[u8]] = &[&ACKNOWLEDGEMENT, &SYNTAX_ERROR];
    let (mut link, _sent) = link(&[refused; SENDINGS]);
    let answer = link.ask(&COMMAND);
    assert!(matches!(
        answer,
        Err(Pn532Error::SyntaxError { command: 2 })
    ));
}

#[test]
fn a_wait_is_aborted_at_its_deadline_and_when_it_is_stopped() {
    let stopped = Stop::default();
    stopped.raise();
    let soon = Instant::now() + Duration::from_millis(30);
    let far = Instant::now() + Duration::from_secs(60);
    for (deadline, stop) in [(soon, Stop::default()), (far, stopped)] {
        let (mut link, was_sent) = link(&[&[&ACKNOWLEDGEMENT]]);
        assert!(link.ask_until(&COMMAND, deadline, &stop).unwrap().is_none());
        assert_eq!(sent(&was_sent), (vec![command(), ACK.to_vec()], 1));
    }
}

#[test]
fn a_chip_that_died_while_it_waited_for_a_card_did_not_just_see_none() {
    let (mut link, _sent) = link(&[&[&ACKNOWLEDGEMENT]]);
    link.line.is_mortal = true;
    let soon = Instant::now() + Duration::from_millis(30);
    let waited = link.ask_until(&COMMAND, soon, &Stop::default());
    assert!(matches!(waited, Err(Pn532Error::Silent)));
}

mod recorded {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use encoder::Secrets;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What a recording says of one command, without the times.
    fn recorded(command: &[u8], answer: &[u8]) -> Vec<String> {
        let paper = Paper::default();
        let (mut link, _sent) = link(&[&[&ACKNOWLEDGEMENT, answer]]);
        link.tape = Tape::new(Recorder::to(paper.clone(), Secrets::Masked).ok());
        link.ask(command).unwrap();
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .skip(1)
            .map(|line| line.split_once(' ').unwrap().1.to_owned())
            .collect()
    }

    #[test]
    fn what_passes_is_recorded_both_ways() {
        assert_eq!(
            recorded(&COMMAND, &ANSWER),
            [
                "> 0000FF02FED4022A00",
                "< 0000FF00FF000000FF06FAD50332010607E800"
            ]
        );
    }

    #[test]
    fn keys_and_what_is_on_a_card_are_not() {
        let done = [0x00, 0x00, 0xFF, 3, 0xFD, 0xD5, 0x41, 0x00, 0xEA, 0x00];
        let mut authenticate = vec![0x40, 1, 0x60, 7];
        authenticate.extend([0xA0; 6]);
        authenticate.extend([4, 0xA1, 0xB2, 0xC3]);
        let lines = recorded(&authenticate, &done);
        assert_eq!(lines[0], "> 0000FF0FF1D440016007????????????04A1B2C3??00");
        let block = [
            0x00, 0x00, 0xFF, 5, 0xFB, 0xD5, 0x41, 0x00, 0x77, 0x78, 0xFB, 0x00,
        ];
        let lines = recorded(&[0x40, 1, 0x30, 4], &block);
        assert_eq!(
            lines,
            [
                "> 0000FF05FBD440013004B700",
                "< 0000FF00FF000000FF05FBD54100??????00"
            ]
        );
    }

    #[test]
    fn a_long_command_is_masked_behind_its_longer_head() {
        let done = [0x00, 0x00, 0xFF, 3, 0xFD, 0xD5, 0x41, 0x00, 0xEA, 0x00];
        let mut command = vec![0x40, 1, 0x00, 0xD6];
        command.extend([0x5A; 256]);
        let lines = recorded(&command, &done);
        assert!(lines[0].starts_with("> 0000FFFFFF0105FAD4400100D6??"));
        assert!(!lines[0].contains("5A"));
    }
}
