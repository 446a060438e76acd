//! Turns at one server: one request at a time, in the order in which they were asked for. Whoever stops waiting leaves
//! the queue.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use encoder::Stop;

/// Where those stand who want to talk to one server.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    queue: Mutex<Queue>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    /// Whoever is first has the turn.
    tickets: VecDeque<u64>,
    next: u64,
}

/// The turn, or a place in the queue, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    ticket: u64,
}

/// It did not become our turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTurn {
    TooLate,
    Stopped,
}

impl Turns {
    /// Waits for the turn.
    pub(crate) fn take(self: &Arc<Self>, until: Instant, stop: &Stop) -> Result<Turn, NoTurn> {
        let turn = self.stand_in_line();
        let woken = Arc::clone(self);
        let _nudging = stop.nudge(move || {
            // Not between a look at the stop and the wait for what moves.
            drop(woken.lock());
            woken.moved.notify_all();
        });
        let mut queue = self.lock();
        loop {
            if stop.is_raised() {
                drop(queue);
                return Err(NoTurn::Stopped);
            }
            if queue.tickets.front() == Some(&turn.ticket) {
                drop(queue);
                return Ok(turn);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(queue);
                return Err(NoTurn::TooLate);
            }
            queue = self
                .moved
                .wait_timeout(queue, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// The turn, if nobody has it or waits for it.
    pub(crate) fn take_if_free(self: &Arc<Self>) -> Option<Turn> {
        let turn = self.stand_in_line();
        let is_first = self.lock().tickets.front() == Some(&turn.ticket);
        is_first.then_some(turn)
    }

    fn stand_in_line(self: &Arc<Self>) -> Turn {
        let mut queue = self.lock();
        let ticket = queue.next;
        queue.next += 1;
        queue.tickets.push_back(ticket);
        drop(queue);
        Turn {
            turns: Arc::clone(self),
            ticket,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.lock().tickets.retain(|it| *it != self.ticket);
        self.turns.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::*;

    /// Generous: it only keeps a broken test from hanging.
    const LIMIT: Duration = Duration::from_secs(20);

    fn limit() -> Instant {
        Instant::now() + LIMIT
    }

    fn is_waiting(turns: &Turns, count: usize) {
        while turns.lock().tickets.len() != count {
            std::thread::yield_now();
        }
    }

    /// Asks for the turn on a thread of its own, which tells what it got.
    fn ask(turns: &Arc<Turns>, stop: &Stop) -> Receiver<Result<Turn, NoTurn>> {
        let (told, tells) = channel();
        let (turns, stop) = (Arc::clone(turns), stop.clone());
        std::thread::spawn(move || {
            let _ = told.send(turns.take(limit(), &stop));
        });
        tells
    }

    #[test]
    fn turns_are_given_in_the_order_in_which_they_were_asked_for() {
        let turns = Arc::new(Turns::default());
        let mut turn = turns.take(limit(), &Stop::default()).unwrap();
        let mut waiting = Vec::new();
        for count in 2..6 {
            waiting.push(ask(&turns, &Stop::default()));
            is_waiting(&turns, count);
        }
        for place in 0..waiting.len() {
            for later in &waiting[place..] {
                assert!(later.try_recv().is_err(), "two have the turn");
            }
            drop(turn);
            turn = waiting[place].recv_timeout(LIMIT).unwrap().unwrap();
        }
    }

    #[test]
    fn who_changes_their_mind_leaves_the_queue_at_once() {
        let turns = Arc::new(Turns::default());
        let turn = turns.take(limit(), &Stop::default()).unwrap();
        let stop = Stop::default();
        let leaving = ask(&turns, &stop);
        is_waiting(&turns, 2);
        let staying = ask(&turns, &Stop::default());
        is_waiting(&turns, 3);
        stop.raise();
        assert_eq!(
            leaving.recv_timeout(LIMIT).unwrap().unwrap_err(),
            NoTurn::Stopped
        );
        is_waiting(&turns, 2);
        drop(turn);
        assert!(staying.recv_timeout(LIMIT).unwrap().is_ok());
    }

    #[test]
    fn who_runs_out_of_time_leaves_the_queue() {
        let turns = Arc::new(Turns::default());
        let turn = turns.take(limit(), &Stop::default()).unwrap();
        let late = turns.take(Instant::now(), &Stop::default());
        assert_eq!(late.unwrap_err(), NoTurn::TooLate);
        assert!(turns.take_if_free().is_none());
        is_waiting(&turns, 1);
        drop(turn);
        assert!(turns.take_if_free().is_some());
        is_waiting(&turns, 0);
    }

    #[test]
    fn a_raised_stop_takes_no_turn() {
        let turns = Arc::new(Turns::default());
        let stop = Stop::default();
        stop.raise();
        assert_eq!(turns.take(limit(), &stop).unwrap_err(), NoTurn::Stopped);
        is_waiting(&turns, 0);
    }
}
