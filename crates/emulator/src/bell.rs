//! A bell that one thread rings and another hears inside `poll`, so that a wire thread can wait for
//! bytes and for steering at once. It carries no message: whoever hears it looks at the state.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

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
