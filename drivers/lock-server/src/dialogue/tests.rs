//! Conversations as tables: what happens, and what is done about it.

use Certainty::{Unknown, Unwritten};
use encoder::{LocalTime, Order, OrderKind};

use super::*;
use crate::dialect::Dialect;
use crate::frame::{ACK, NAK};
use crate::request::{Afterwards, EncoderName};

const SECOND: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(30);

/// One dialogue on a clock that goes only when told.
struct Talk {
    dialogue: Dialogue,
    began: Instant,
    now: Instant,
    step: Step,
}

fn asked(dialect: Dialect, reads: bool) -> Asked {
    let encoder = EncoderName::new(dialect, "1").unwrap();
    let order = Order {
        kind: OrderKind::New,
        rooms: vec!["101".to_owned()],
        granted: vec![],
        denied: vec![],
        starts_at: None,
        ends_at: LocalTime {
            year: 2026,
            month: 11,
            day: 22,
            hour: 12,
            minute: 0,
        },
        operator: None,
    };
    if reads {
        Asked::read(dialect, &encoder, Afterwards::Retain)
    } else {
        Asked::issue(dialect, &encoder, &order, None, Afterwards::Retain).unwrap()
    }
}

fn frame(text: &str) -> Frame {
    Frame::new(text.split('|').map(|it| it.as_bytes().to_vec()).collect()).unwrap()
}

impl Talk {
    fn issuing(dialect: Dialect) -> Self {
        Self::of(|now| Dialogue::new(asked(dialect, false), dialect.rules(), now, now + LIMIT))
    }

    fn reading(dialect: Dialect) -> Self {
        Self::of(|now| Dialogue::new(asked(dialect, true), dialect.rules(), now, now + LIMIT))
    }

    fn of(dialogue: impl FnOnce(Instant) -> Dialogue) -> Self {
        let now = Instant::now();
        let mut dialogue = dialogue(now);
        let step = dialogue.begin();
        Self {
            dialogue,
            began: now,
            now,
            step,
        }
    }

    fn on(&mut self, event: Event<'_>) -> &mut Self {
        self.step = self.dialogue.on(event, self.now);
        self
    }

    /// The machine wants to send this, and it goes out.
    #[track_caller]
    fn sends(&mut self, bytes: &[u8]) -> &mut Self {
        assert_eq!(self.step, Step::Send(bytes.to_vec()));
        self.on(Event::Sent)
    }

    #[track_caller]
    fn sends_request(&mut self) -> &mut Self {
        let frame = self.dialogue.asked.as_ref().unwrap().frame.encode();
        self.sends(&frame)
    }

    #[track_caller]
    fn hears(&mut self, bytes: &[u8]) -> &mut Self {
        assert!(matches!(self.step, Step::Wait(_)), "{:?}", self.step);
        self.on(Event::Received(bytes))
    }

    fn hears_frame(&mut self, text: &str) -> &mut Self {
        self.hears(&frame(text).encode())
    }

    /// Nothing comes until the time that the machine waits for, which is that far from the beginning.
    #[track_caller]
    fn is_quiet_until(&mut self, after: Duration) -> &mut Self {
        let Step::Wait(until) = self.step else {
            panic!("{:?}", self.step)
        };
        assert_eq!(until - self.began, after);
        self.now = until;
        self.on(Event::Quiet)
    }

    /// The server is ready, and the request goes out.
    #[track_caller]
    fn asks(&mut self) -> &mut Self {
        self.sends(&[ENQ]).hears(&[ACK]).sends_request()
    }

    fn is_quiet(&mut self) -> &mut Self {
        let Step::Wait(until) = self.step else {
            panic!("{:?}", self.step)
        };
        self.is_quiet_until(until - self.began)
    }

    #[track_caller]
    fn fails(&self, certainty: Certainty, why: Why) {
        assert_eq!(self.step, Step::Done(Ending::Failed { certainty, why }));
    }

    #[track_caller]
    fn is_answered(&self, text: &str) {
        assert_eq!(self.step, Step::Done(Ending::Answer(frame(text))));
    }
}

mod taking_back;

#[test]
fn either_server_is_asked_before_the_request_goes_out() {
    for dialect in [Dialect::Salto, Dialect::Onity] {
        let mut talk = Talk::issuing(dialect);
        talk.sends(&[ENQ])
            .hears(&[ACK])
            .sends_request()
            .hears(&[ACK]);
        talk.hears_frame("CN|1|04112233")
            .is_answered("CN|1|04112233");
    }
}

#[test]
fn acknowledgement_and_answer_may_come_in_one_piece_or_byte_by_byte() {
    let bytes = [&[ACK], &frame("CN|1|04112233").encode()[..]].concat();
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks().hears(&bytes).is_answered("CN|1|04112233");
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks();
    for byte in bytes.chunks(1) {
        talk.hears(byte);
    }
    talk.is_answered("CN|1|04112233");
}

#[test]
fn a_busy_server_is_asked_three_times_200_ms_apart() {
    let mut talk = Talk::issuing(Dialect::Onity);
    talk.sends(&[ENQ]).hears(&[NAK]).is_quiet_until(PAUSE);
    talk.sends(&[ENQ]).hears(&[NAK]).is_quiet_until(2 * PAUSE);
    talk.sends(&[ENQ])
        .hears(&[NAK])
        .fails(Unwritten, Why::NotReady);

    let mut talk = Talk::issuing(Dialect::Onity);
    talk.sends(&[ENQ]).hears(&[NAK]).is_quiet().asks();
}

#[test]
fn a_server_that_says_nothing_is_told_from_one_that_is_busy() {
    let mut talk = Talk::issuing(Dialect::Onity);
    for _ in 0..2 {
        talk.sends(&[ENQ]).is_quiet().is_quiet();
    }
    talk.sends(&[ENQ]).is_quiet().fails(Unwritten, Why::Silent);
}

#[test]
fn a_refused_request_is_sent_again_when_the_server_is_ready_at_most_three_times() {
    let mut talk = Talk::issuing(Dialect::Salto);
    for _ in 0..2 {
        talk.asks().hears(&[NAK]);
    }
    talk.asks().hears(&[NAK]).fails(Unwritten, Why::NotTaken);
}

#[test]
fn what_was_acknowledged_is_never_sent_again() {
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks()
        .hears(&[ACK])
        .hears(&[NAK])
        .hears(&[NAK, ACK, NAK]);
    talk.hears_frame("CN|1").is_answered("CN|1");
}

#[test]
fn what_may_have_been_taken_is_in_doubt_and_not_sent_again() {
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks()
        .is_quiet_until(10 * SECOND)
        .fails(Unknown, Why::NotAcknowledged);
    let mut talk = Talk::reading(Dialect::Salto);
    talk.asks()
        .is_quiet()
        .fails(Unwritten, Why::NotAcknowledged);
}

#[test]
fn a_lost_connection_is_in_doubt_only_once_the_request_was_out() {
    let mut talk = Talk::issuing(Dialect::Onity);
    talk.on(Event::Lost).fails(Unwritten, Why::TurnedAway);
    let mut talk = Talk::issuing(Dialect::Onity);
    talk.sends(&[ENQ])
        .on(Event::Lost)
        .fails(Unwritten, Why::TurnedAway);
    let mut talk = Talk::issuing(Dialect::Onity);
    talk.sends(&[ENQ])
        .hears(&[ACK])
        .on(Event::Lost)
        .fails(Unwritten, Why::TurnedAway);
    let mut talk = Talk::issuing(Dialect::Onity);
    talk.asks().on(Event::Lost).fails(Unknown, Why::Lost);
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks()
        .hears(&[ACK])
        .on(Event::Lost)
        .fails(Unknown, Why::Lost);
    // The server did not take it, and now it is gone.
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks()
        .hears(&[NAK])
        .sends(&[ENQ])
        .on(Event::Lost)
        .fails(Unwritten, Why::TurnedAway);
    let mut talk = Talk::reading(Dialect::Salto);
    talk.asks()
        .hears(&[ACK])
        .on(Event::Lost)
        .fails(Unwritten, Why::Lost);
}

#[test]
fn an_answer_to_an_earlier_request_is_passed_over() {
    let stale = frame("CN|1|04AAAAAA").encode();
    let mut talk = Talk::issuing(Dialect::Onity);
    // While asking, with the acknowledgement of the ENQ, and before that of the request.
    talk.sends(&[ENQ])
        .hears(&stale)
        .hears(&[&[ACK], &stale[..]].concat());
    talk.sends_request()
        .hears(&stale)
        .hears(&[&stale[..], &[ACK]].concat());
    // Of another command and of another encoder.
    talk.hears_frame("LT|1|101")
        .hears_frame("CN|2|04BBBBBB")
        .hears_frame("ED|2");
    talk.hears_frame("CN|1|04112233")
        .is_answered("CN|1|04112233");
}

#[test]
fn silence_after_the_acknowledgement_is_in_doubt_at_the_deadline() {
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks()
        .hears(&[ACK])
        .is_quiet_until(LIMIT)
        .fails(Unknown, Why::NoAnswer);
    let mut talk = Talk::reading(Dialect::Salto);
    talk.asks()
        .hears(&[ACK])
        .is_quiet_until(LIMIT)
        .fails(Unwritten, Why::NoAnswer);
}

#[test]
fn a_garbled_answer_is_in_doubt_unless_a_good_one_follows() {
    let mut garbled = frame("CN|1").encode();
    garbled[3] ^= 1;
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks()
        .hears(&[ACK])
        .hears(&garbled)
        .is_quiet_until(GAP)
        .fails(Unknown, Why::Garbled);
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks()
        .hears(&[ACK])
        .hears(&garbled)
        .hears_frame("CN|1")
        .is_answered("CN|1");
}

#[test]
fn an_answer_that_breaks_off_is_not_awaited_for_long() {
    let answer = frame("CN|1").encode();
    for cut in 1..answer.len() {
        let mut talk = Talk::issuing(Dialect::Salto);
        talk.asks().hears(&[ACK]).hears(&answer[..cut]);
        talk.is_quiet_until(GAP).fails(Unknown, Why::Garbled);
    }
}

#[test]
fn an_enquiry_alone_sends_nothing_else() {
    let rules = Dialect::Salto.rules();
    let mut talk = Talk::of(|now| Dialogue::enquiry(rules, now, now + LIMIT));
    talk.sends(&[ENQ]).hears(&[ACK]);
    assert_eq!(talk.step, Step::Done(Ending::Ready));
    let mut talk = Talk::of(|now| Dialogue::enquiry(rules, now, now + LIMIT));
    talk.sends(&[ENQ])
        .hears(&[NAK])
        .is_quiet()
        .sends(&[ENQ])
        .hears(&[NAK])
        .is_quiet();
    talk.sends(&[ENQ])
        .hears(&[NAK])
        .fails(Unwritten, Why::NotReady);
}

#[test]
fn a_request_whose_time_is_over_does_not_go_out() {
    let mut talk = Talk::of(|now| {
        let asked = asked(Dialect::Salto, false);
        Dialogue::new(asked, Dialect::Salto.rules(), now, now)
    });
    talk.sends(&[ENQ])
        .hears(&[ACK])
        .fails(Unwritten, Why::TooLate);
}

#[test]
fn a_server_that_never_stops_talking_is_not_listened_to_beyond_the_deadline() {
    fn listened_to(talk: &mut Talk) -> &mut Talk {
        while matches!(talk.step, Step::Wait(_)) {
            talk.now += SECOND;
            assert!(talk.now <= talk.began + LIMIT, "{:?}", talk.step);
            talk.hears(b"?");
        }
        talk
    }
    let mut talk = Talk::issuing(Dialect::Salto);
    listened_to(talk.sends(&[ENQ])).fails(Unwritten, Why::Silent);
    let mut talk = Talk::issuing(Dialect::Salto);
    listened_to(talk.asks()).fails(Unknown, Why::NotAcknowledged);
    let mut talk = Talk::issuing(Dialect::Salto);
    listened_to(talk.asks().hears(&[ACK])).fails(Unknown, Why::NoAnswer);
}
