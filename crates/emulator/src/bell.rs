//! A bell that one thread rings and another hears inside `poll`, so that a wire thread can wait for
//! bytes and for steering at once. It carries no message: whoever hears it looks at the state.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, Timespec, eventfd};

/// How long the end of a thread is awaited. Such a thread blocks only where its bell is heard.
const JOIN_LIMIT: Duration = Duration::from_secs(2);

/// An `eventfd`: readable from a ring until it is [`hushed`](Bell::hush).
#[derive(Debug)]
pub(crate) struct Bell {
    fd: OwnedFd,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Bell> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Bell { fd })
    }

    /// Wakes the listener. A counter that is full is ringing already, so no error matters.
    pub(crate) fn ring(&self) {
        let _ = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
    }

    /// Clears the bell before its listener looks at the state, so that no later ring is lost.
    pub(crate) fn hush(&self) {
        let _ = rustix::io::read(&self.fd, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The time left until a deadline, as `poll` wants it.
pub(crate) fn timeout_until(deadline: Instant) -> Timespec {
    let left = deadline.saturating_duration_since(Instant::now());
    // Rounded up, so that the deadline has passed when `poll` returns.
    let left = left + Duration::from_micros(1);
    Timespec::try_from(left).unwrap_or(Timespec {
        tv_sec: i64::MAX,
        tv_nsec: 0,
    })
}

/// A thread that is asked to end by a bell, and whose end is awaited with a limit.
#[derive(Debug)]
pub(crate) struct Thread {
    handle: JoinHandle<()>,
    /// Behind a lock only so that encoders can be shared between threads.
    ended: Mutex<Receiver<()>>,
}

impl Thread {
    pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Thread> {
        let (alive, ended) = channel();
        let handle = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // Dropped when the work is done, even by a panic.
                let _alive = alive;
                work();
            })?;
        Ok(Thread {
            handle,
            ended: Mutex::new(ended),
        })
    }

    /// Waits for the end. A thread that does not come to it is left behind, with a word in the log.
    pub(crate) fn join(self) {
        let ended = self
            .ended
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match ended.recv_timeout(JOIN_LIMIT) {
            Err(RecvTimeoutError::Disconnected) | Ok(()) => {
                if self.handle.join().is_err() {
                    tracing::error!("an emulator's thread panicked");
                }
            }
            Err(RecvTimeoutError::Timeout) => tracing::error!("an emulator's thread did not end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::Bell;

    fn is_heard(bell: &Bell) -> bool {
        let mut fds = [PollFd::new(bell, PollFlags::IN)];
        poll(
            &mut fds,
            Some(&Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            }),
        )
        .unwrap()
            == 1
    }

    #[test]
    fn a_ring_is_heard_until_it_is_hushed() {
        let bell = Bell::new().unwrap();
        assert!(!is_heard(&bell));
        bell.ring();
        bell.ring();
        assert!(is_heard(&bell));
        bell.hush();
        assert!(!is_heard(&bell));
    }
}
