//! Requests that somebody does not want any more.

use super::*;

#[test]
fn a_change_of_mind_ends_what_was_not_sent() {
    let mut talk = Talk::issuing(Dialect::Onity);
    talk.sends(&[ENQ])
        .on(Event::Stopped)
        .fails(Unwritten, Why::Stopped);
    let mut talk = Talk::issuing(Dialect::Onity);
    talk.sends(&[ENQ])
        .hears(&[NAK])
        .on(Event::Stopped)
        .fails(Unwritten, Why::Stopped);
}

#[test]
fn salto_offers_no_way_back_so_the_answer_is_awaited() {
    let mut talk = Talk::issuing(Dialect::Salto);
    talk.asks()
        .on(Event::Stopped)
        .hears(&[ACK])
        .on(Event::Stopped);
    talk.hears_frame("CN|1").is_answered("CN|1");
    // What was only to be read is given up at once.
    let mut talk = Talk::reading(Dialect::Salto);
    talk.asks()
        .hears(&[ACK])
        .on(Event::Stopped)
        .fails(Unwritten, Why::Stopped);
}

#[test]
fn onity_is_asked_to_take_the_task_back() {
    let back = frame("EX|1").encode();
    let waiting = || {
        let mut talk = Talk::issuing(Dialect::Onity);
        talk.asks().hears(&[ACK]);
        talk
    };
    // The task ends as if nobody had come, or is only said to be taken back, which leaves a doubt.
    let mut talk = waiting();
    talk.on(Event::Stopped)
        .sends(&[ENQ])
        .hears(&[ACK])
        .sends(&back)
        .hears(&[ACK]);
    talk.hears_frame("ED|1").is_answered("ED|1");
    let mut talk = waiting();
    talk.on(Event::Stopped)
        .sends(&[ENQ])
        .hears(&[ACK])
        .sends(&back)
        .hears(&[ACK]);
    talk.hears_frame("EX|1").fails(Unknown, Why::Stopped);
    // The card was made in the meantime.
    let mut talk = waiting();
    talk.on(Event::Stopped)
        .sends(&[ENQ])
        .hears_frame("CN|1|04112233")
        .is_answered("CN|1|04112233");
    let mut talk = waiting();
    talk.on(Event::Stopped)
        .sends(&[ENQ])
        .hears(&[ACK])
        .sends(&back);
    talk.hears_frame("CN|1|04112233")
        .is_answered("CN|1|04112233");
    // An error after it may be the answer to the taking back, and says nothing of the card.
    let mut talk = waiting();
    talk.on(Event::Stopped)
        .sends(&[ENQ])
        .hears(&[ACK])
        .sends(&back);
    talk.hears_frame("ES|1")
        .is_quiet_until(LIMIT)
        .fails(Unknown, Why::Stopped);
    // Not taken, so nothing is known.
    let mut talk = waiting();
    talk.on(Event::Stopped)
        .sends(&[ENQ])
        .hears(&[NAK])
        .is_quiet_until(LIMIT)
        .fails(Unknown, Why::Stopped);
}

#[test]
fn a_task_that_nobody_came_for_is_taken_back_shortly_before_the_deadline() {
    let mut talk = Talk::issuing(Dialect::Onity);
    talk.asks().hears(&[ACK]);
    talk.is_quiet_until(LIMIT - TO_TAKE_BACK)
        .sends(&[ENQ])
        .hears(&[ACK]);
    talk.sends(&frame("EX|1").encode())
        .hears(&[ACK])
        .hears_frame("ED|1")
        .is_answered("ED|1");
}
