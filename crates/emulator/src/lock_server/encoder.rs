//! One encoder of a lock server, in a thread of its own: waits for the card that a task needs, writes or reads it, and
//! may hang over a card without harm to the server or to other encoders.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::Shared;
use super::command::Issue;
use super::error_code::ErrorCode;
use super::frame::Field;
use super::medium::{self, Failure};
use super::task::{Task, Work, serials_told};
use crate::bell::{Bell, timeout_until};
use crate::card::Uid;
use crate::slot::Slot;

/// How an encoder's task goes on or ends.
enum End {
    /// It cannot be done.
    Error(ErrorCode),
    /// Somebody else ended it and answered it.
    Abandoned,
}

/// One encoder with its thread's view of the server.
pub(super) struct Encoder {
    pub(super) shared: Arc<Shared>,
    /// Its place in the server's list.
    pub(super) at: usize,
    pub(super) slot: Slot,
    pub(super) bell: Arc<Bell>,
}

impl Encoder {
    /// Works until the server is dropped.
    pub(super) fn run(self) {
        loop {
            self.bell.hush();
            let (is_stopping, task) = {
                let state = self.shared.lock();
                (state.is_stopping, state.encoders[self.at].task.clone())
            };
            match task {
                _ if is_stopping => return,
                Some(task) if task.is_open() => self.perform(&task),
                Some(task) => self.await_removal(&task),
                None => self.wait(None),
            }
        }
    }

    fn wait(&self, until: Option<Instant>) {
        let mut fds = [PollFd::new(&*self.bell, PollFlags::IN)];
        let timeout = until.map(timeout_until);
        // Whatever woke it, the state is looked at anew.
        let _ = poll(&mut fds, timeout.as_ref());
    }

    fn perform(&self, task: &Task) {
        let result = match &task.work {
            Work::Issue(issue) => self.issue(task, issue),
            Work::Read(_) => self.read(task),
            Work::Track { number, text, .. } => self.track(task, *number, text.as_ref()),
        };
        let result = match result {
            Ok(fields) => Ok(fields),
            Err(End::Error(code)) => Err(code),
            Err(End::Abandoned) => return,
        };
        self.shared
            .change(|state| state.finish(self.at, task.id, result));
    }

    fn issue(&self, task: &Task, issue: &Issue) -> Result<Vec<Field>, End> {
        let (mut written, mut lying): (Vec<Uid>, _) = (Vec::new(), None);
        for nth in 0..issue.count {
            lying = Some(self.await_card(task, lying)?);
            let mark = self.shared.change(|state| state.site.next_mark());
            let uid = medium::write(&self.slot, mark)?;
            self.shared
                .change(|state| state.site.issued(issue, nth, uid, mark));
            written.push(uid);
        }
        Ok(serials_told(issue, &written))
    }

    fn read(&self, task: &Task) -> Result<Vec<Field>, End> {
        self.await_card(task, None)?;
        let (uid, mark) = medium::read(&self.slot)?;
        Ok(self.shared.lock().site.describe(uid, mark))
    }

    fn track(&self, task: &Task, number: u8, text: Option<&Field>) -> Result<Vec<Field>, End> {
        self.await_card(task, None)?;
        let uid = medium::uid(&self.slot)?;
        self.shared.change(|state| match text {
            Some(text) => {
                state.site.set_track(uid, number, text.clone());
                Ok(Vec::new())
            }
            None => {
                let text = state.site.track(uid, number);
                text.map(|text| vec![text.clone()])
                    .ok_or(End::Error(ErrorCode::Ef))
            }
        })
    }

    /// Waits for a card, another arrangement than the one before; returns its arrangement.
    fn await_card(&self, task: &Task, before: Option<u64>) -> Result<u64, End> {
        let end = Instant::now() + task.card_wait;
        loop {
            self.bell.hush();
            self.check(task)?;
            let (arrangement, has_card) = self.slot.arrangement();
            if has_card && before != Some(arrangement) {
                return Ok(arrangement);
            }
            if end.saturating_duration_since(Instant::now()) == Duration::ZERO {
                return Err(End::Error(ErrorCode::Ed));
            }
            self.wait(Some(end));
        }
    }

    /// Whether the task is still this encoder's.
    fn check(&self, task: &Task) -> Result<(), End> {
        let state = self.shared.lock();
        let encoder = &state.encoders[self.at];
        if state.is_stopping || encoder.task.as_ref().is_none_or(|now| now.id != task.id) {
            Err(End::Abandoned)
        } else {
            Ok(())
        }
    }

    /// The card was made and answered for, and the encoder is busy until somebody takes it.
    fn await_removal(&self, task: &Task) {
        let end = Instant::now() + task.card_wait;
        loop {
            self.bell.hush();
            let is_over = end.saturating_duration_since(Instant::now()) == Duration::ZERO;
            if self.check(task).is_err() {
                return;
            }
            if is_over || !self.slot.arrangement().1 {
                self.shared.change(|state| {
                    let task_now = &mut state.encoders[self.at].task;
                    if task_now.as_ref().is_some_and(|now| now.id == task.id) {
                        *task_now = None;
                    }
                });
                return;
            }
            self.wait(Some(end));
        }
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> End {
        End::Error(failure.into())
    }
}
