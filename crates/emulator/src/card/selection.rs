//! The states of ISO/IEC 14443-3 §6.3 type A: idle, ready, active, halted. Everything that is out of
//! place sends a card back to where it was woken from, without a word.

use super::uid::Uid;
use crate::air::{Frame, crc_a};

/// SELECT codes of the cascade levels (ISO/IEC 14443-3 §6.5.3.2).
const SELECT: [u8; 3] = [0x93, 0x95, 0x97];
const REQA: u8 = 0x26;
const WUPA: u8 = 0x52;
const HLTA: [u8; 2] = [0x50, 0x00];
/// NVB of an anticollision that names no bit of the UID yet, and of a full SELECT.
const NVB_NONE: u8 = 0x20;
const NVB_ALL: u8 = 0x70;
/// SAK bit that says "my UID goes on".
const SAK_CASCADE: u8 = 0x04;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Halt,
    /// At a cascade level, counted from 0.
    Ready(usize),
    Active,
}

#[derive(Debug, Clone)]
pub(crate) struct Selection {
    state: State,
    /// Woken from HALT, so whatever goes wrong leads back there (READY* and ACTIVE*).
    came_from_halt: bool,
    atqa: [u8; 2],
    sak: u8,
    levels: Vec<[u8; 4]>,
}

/// Who a frame was for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Selection dealt with it; perhaps by silence.
    Answered(Option<Frame>),
    /// The card is selected and this is for what lies behind.
    ForApplication,
}

/// REQA or WUPA, a short frame of seven bits.
pub(crate) fn is_wake_up(frame: &Frame) -> bool {
    matches!(frame.short(7), Some(REQA | WUPA))
}

pub(crate) fn is_halt(frame: &Frame) -> bool {
    frame.body() == Some(&HLTA)
}

impl Selection {
    pub(crate) fn new(atqa: [u8; 2], sak: u8, uid: &Uid) -> Selection {
        let levels = uid.cascade_levels();
        Selection {
            state: State::Idle,
            came_from_halt: false,
            atqa,
            sak,
            levels,
        }
    }

    pub(crate) fn power_off(&mut self) {
        self.state = State::Idle;
        self.came_from_halt = false;
    }

    pub(crate) fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Whether a card that is not selected takes notice of the frame.
    pub(crate) fn hears(&self, frame: &Frame) -> bool {
        match self.state {
            State::Idle => is_wake_up(frame),
            State::Halt => frame.short(7) == Some(WUPA),
            State::Ready(_) | State::Active => true,
        }
    }

    /// Goes to sleep until it is woken by WUPA.
    pub(crate) fn halt(&mut self) {
        self.state = State::Halt;
        self.came_from_halt = true;
    }

    /// Back to IDLE or HALT, mute until woken.
    pub(crate) fn fall_back(&mut self) {
        self.state = if self.came_from_halt {
            State::Halt
        } else {
            State::Idle
        };
    }

    /// `in_midst`: the application waits for the rest of a command, so data may look like anything.
    pub(crate) fn receive(&mut self, frame: &Frame, in_midst: bool) -> Heard {
        match self.state {
            State::Idle | State::Halt => Heard::Answered(self.wake(frame)),
            State::Ready(level) => {
                let answer = self.resolve(level, frame);
                if answer.is_none() {
                    self.fall_back();
                }
                Heard::Answered(answer)
            }
            State::Active if is_wake_up(frame) => {
                self.fall_back();
                Heard::Answered(None)
            }
            State::Active if !in_midst && is_halt(frame) => {
                self.halt();
                Heard::Answered(None)
            }
            State::Active => Heard::ForApplication,
        }
    }

    fn wake(&mut self, frame: &Frame) -> Option<Frame> {
        if !self.hears(frame) {
            return None;
        }
        self.came_from_halt = self.state == State::Halt;
        self.state = State::Ready(0);
        Some(Frame::whole(self.atqa))
    }

    /// Anticollision and SELECT of one level. `None`: not for this card.
    fn resolve(&mut self, level: usize, frame: &Frame) -> Option<Frame> {
        let part = self.levels[level];
        let check = part.iter().fold(0, |check, byte| check ^ byte);
        let with_check = [part[0], part[1], part[2], part[3], check];
        if frame.bits_in_last() == 8 && frame.bytes() == [SELECT[level], NVB_NONE] {
            return Some(Frame::whole(with_check));
        }
        let body = frame.body()?;
        if body.strip_prefix(&[SELECT[level], NVB_ALL]) != Some(&with_check[..]) {
            return None;
        }
        let sak = if level + 1 < self.levels.len() {
            self.state = State::Ready(level + 1);
            SAK_CASCADE
        } else {
            self.state = State::Active;
            self.sak
        };
        let [low, high] = crc_a(&[sak]);
        Some(Frame::whole([sak, low, high]))
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, Selection};
    use crate::air::Frame;

    fn selection(uid: &str) -> Selection {
        Selection::new([0x04, 0x00], 0x08, &uid.parse().unwrap())
    }

    fn answer(selection: &mut Selection, frame: Frame) -> Option<Vec<u8>> {
        match selection.receive(&frame, false) {
            Heard::Answered(answer) => answer.map(|frame| frame.bytes().to_vec()),
            Heard::ForApplication => panic!("{frame:?} went through to the application"),
        }
    }

    fn reqa() -> Frame {
        Frame::partial([0x26], 7)
    }

    fn wupa() -> Frame {
        Frame::partial([0x52], 7)
    }

    fn select(code: u8, part: [u8; 4]) -> Frame {
        let check = part.iter().fold(0, |check, byte| check ^ byte);
        let mut body = vec![code, 0x70];
        body.extend(part);
        body.push(check);
        Frame::with_crc(&body)
    }

    fn selected() -> Selection {
        let mut card = selection("04A1B2C3");
        answer(&mut card, reqa());
        answer(&mut card, select(0x93, [0x04, 0xA1, 0xB2, 0xC3]));
        assert!(card.is_active());
        card
    }

    #[test]
    fn a_short_uid_is_selected_in_one_level() {
        let mut card = selection("04A1B2C3");
        assert_eq!(answer(&mut card, reqa()), Some(vec![0x04, 0x00]));
        assert_eq!(
            answer(&mut card, Frame::whole([0x93, 0x20])),
            Some(vec![0x04, 0xA1, 0xB2, 0xC3, 0xD4])
        );
        assert_eq!(
            answer(&mut card, select(0x93, [0x04, 0xA1, 0xB2, 0xC3])),
            Some(vec![0x08, 0xB6, 0xDD])
        );
        assert!(card.is_active());
    }

    #[test]
    fn a_long_uid_is_selected_in_two_levels() {
        let mut card = selection("04A1B2C3D4E5F6");
        answer(&mut card, reqa());
        assert_eq!(
            answer(&mut card, Frame::whole([0x93, 0x20])),
            Some(vec![0x88, 0x04, 0xA1, 0xB2, 0x9F])
        );
        assert_eq!(
            answer(&mut card, select(0x93, [0x88, 0x04, 0xA1, 0xB2])).unwrap()[0],
            0x04
        );
        assert!(!card.is_active());
        assert_eq!(
            answer(&mut card, select(0x95, [0xC3, 0xD4, 0xE5, 0xF6])).unwrap()[0],
            0x08
        );
        assert!(card.is_active());
    }

    #[test]
    fn a_halted_card_answers_only_to_wake_up() {
        let mut card = selected();
        assert_eq!(answer(&mut card, Frame::with_crc(&[0x50, 0x00])), None);
        assert_eq!(answer(&mut card, reqa()), None);
        assert_eq!(answer(&mut card, wupa()), Some(vec![0x04, 0x00]));
    }

    #[test]
    fn a_card_woken_from_halt_falls_back_to_halt_and_others_to_idle() {
        let mut idle = selected();
        idle.fall_back();
        assert!(answer(&mut idle, reqa()).is_some());

        let mut halted = selected();
        answer(&mut halted, Frame::with_crc(&[0x50, 0x00]));
        answer(&mut halted, wupa());
        answer(&mut halted, select(0x93, [0x04, 0xA1, 0xB2, 0xC3]));
        halted.fall_back();
        assert!(answer(&mut halted, reqa()).is_none());
    }

    #[test]
    fn a_request_to_a_selected_card_drops_it_and_the_next_one_finds_it() {
        let mut card = selected();
        assert_eq!(answer(&mut card, reqa()), None);
        assert!(answer(&mut card, reqa()).is_some());
    }

    #[test]
    fn another_cards_select_sends_this_one_back() {
        let mut card = selection("04A1B2C3");
        answer(&mut card, reqa());
        assert_eq!(
            answer(&mut card, select(0x93, [0x04, 0xA1, 0xB2, 0xC4])),
            None
        );
        assert_eq!(answer(&mut card, Frame::whole([0x93, 0x20])), None);
    }

    #[test]
    fn short_garbage_while_ready_is_no_panic() {
        for bytes in [
            vec![],
            vec![0x93],
            Frame::with_crc(&[]).bytes().to_vec(),
            Frame::with_crc(&[0x93]).bytes().to_vec(),
        ] {
            let mut card = selection("04A1B2C3");
            answer(&mut card, reqa());
            assert_eq!(answer(&mut card, Frame::whole(bytes)), None);
        }
    }
}
