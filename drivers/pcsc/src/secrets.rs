//! Which bytes of a command and of its answer a recording keeps to itself: keys, passwords, and what cards hold. In
//! doubt, all of them.

use std::ops::Range;

/// What is secret in one command and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secrecy {
    /// From this byte of the command on.
    command_from: usize,
    command_length: usize,
    is_answer_secret: bool,
}

/// Before the data of a short command: class, instruction, two parameters and the length.
const HEADER: usize = 5;
/// Before the card's frame in a transparent exchange, and in a direct transmit.
const TRANSPARENT: [u8; 4] = [0xFF, 0xC2, 0x00, 0x01];
const DIRECT: [u8; 4] = [0xFF, 0x00, 0x00, 0x00];
const FRAME_AT: usize = 7;

/// The status word at the end of an answer.
const STATUS: usize = 2;

/// Commands of cards in ISO/IEC 14443-4 whose data and answers anybody may see, by class and instruction: choosing an
/// application or a file, and what a card says of itself. (Source of the numbers: NXP MF3DX2_MX2, 11.2; AN12196.)
const OPEN: [(u8, u8); 9] = [
    (0x00, 0xA4),
    (0x90, 0x5A),
    (0x90, 0x60),
    (0x90, 0x6A),
    (0x90, 0x6E),
    (0x90, 0x6F),
    (0x90, 0x45),
    (0x90, 0x64),
    (0x90, 0xF5),
];

impl Secrecy {
    pub(crate) fn of(command: &[u8]) -> Self {
        let (from, is_answer_secret) = match command {
            // LOAD KEYS, UPDATE BINARY: what is written.
            [0xFF, 0x82 | 0xD6, ..] => (HEADER, false),
            // READ BINARY: what is read.
            [0xFF, 0xB0, ..] => (command.len(), true),
            _ if command.starts_with(&TRANSPARENT) || command.starts_with(&DIRECT) => {
                in_frame(command)
            }
            // What else is for the reader: UID, authentication by number, the session.
            [0xFF, ..] => (command.len(), false),
            [class, instruction, ..] if OPEN.contains(&(*class, *instruction)) => {
                (command.len(), false)
            }
            _ => (HEADER, true),
        };
        Self {
            command_from: from.min(command.len()),
            command_length: command.len(),
            is_answer_secret,
        }
    }

    /// The secret bytes of the command.
    pub(crate) fn in_command(self) -> Range<usize> {
        self.command_from..self.command_length
    }

    /// The secret bytes of its answer: the data, never the status word.
    pub(crate) fn in_answer(self, answer: &[u8]) -> Range<usize> {
        if self.is_answer_secret {
            0..answer.len().saturating_sub(STATUS)
        } else {
            0..0
        }
    }
}

/// A frame for a card of pages: GET_VERSION and READ_SIG may be seen, of all others the command's first byte.
fn in_frame(command: &[u8]) -> (usize, bool) {
    match command.get(FRAME_AT) {
        Some(0x60 | 0x3C) | None => (command.len(), false),
        Some(_) => (FRAME_AT + 1, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 6] = [0x51, 0x7E, 0x51, 0x7E, 0x51, 0x7E];

    /// What a recording shows of a command, and whether it shows the answer.
    fn shown(command: &[u8]) -> (Vec<u8>, bool) {
        let secrecy = Secrecy::of(command);
        let range = secrecy.in_command();
        let seen = command
            .iter()
            .enumerate()
            .filter(|(at, _)| !range.contains(at));
        let answer = secrecy.in_answer(&[1, 2, 3, 0x90, 0x00]);
        assert!(answer.is_empty() || answer == (0..3));
        (seen.map(|(_, byte)| *byte).collect(), answer.is_empty())
    }

    #[test]
    fn keys_passwords_and_content_are_kept_back() {
        let load = [&[0xFF, 0x82, 0x20, 0x00, 6][..], &KEY].concat();
        assert_eq!(shown(&load), (load[..5].to_vec(), true));
        let update = [&[0xFF, 0xD6, 0x00, 0x05, 16][..], &[0xAB; 16]].concat();
        assert_eq!(shown(&update), (update[..5].to_vec(), true));
        let read = [0xFF, 0xB0, 0x00, 0x05, 0x10];
        assert_eq!(shown(&read), (read.to_vec(), false));
        let password = [0xFF, 0, 0, 0, 7, 0xD4, 0x42, 0x1B, 1, 2, 3, 4];
        assert_eq!(shown(&password), (password[..8].to_vec(), false));
        let page = [0xFF, 0xC2, 0, 1, 8, 0x95, 6, 0xA2, 8, 1, 2, 3, 4, 0];
        assert_eq!(shown(&page), (page[..8].to_vec(), false));
        let written = [0x90, 0x3D, 0, 0, 9, 1, 0, 0, 0, 2, 0, 0, 7, 7, 0];
        assert_eq!(shown(&written), (written[..5].to_vec(), false));
        // The rest of anything.
        let more = [0x90, 0xAF, 0, 0, 0];
        assert_eq!(shown(&more), (more.to_vec(), false));
    }

    #[test]
    fn what_anybody_may_ask_is_shown() {
        for command in [
            &[0xFF, 0xCA, 0, 0, 0][..],
            &[0xFF, 0x86, 0, 0, 5, 1, 0, 7, 0x60, 0],
            &[0xFF, 0xC2, 0, 1, 3, 0x95, 1, 0x60, 0],
            &[0xFF, 0xC2, 0, 0, 2, 0x81, 0, 0],
            &[0x90, 0x60, 0, 0, 0],
            &[0x90, 0x5A, 0, 0, 3, 1, 2, 3, 0],
        ] {
            assert_eq!(shown(command), (command.to_vec(), true));
        }
        assert_eq!(shown(&[0x90]), (vec![0x90], false));
        assert_eq!(shown(&[]), (vec![], false));
    }
}
