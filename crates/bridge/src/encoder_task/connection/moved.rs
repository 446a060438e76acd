//! An encoder that was pulled and plugged in elsewhere.

use encoder::{Error, ErrorKind, Listing};

use super::{Connection, News, REOPEN_FIRST, State};

impl Connection {
    /// The encoder is plugged in elsewhere now: what was open is gone, and it is opened there.
    pub(in crate::encoder_task) fn moved(&mut self, listing: &Listing) -> Option<News> {
        self.device.selector = listing.selector.clone();
        self.device.notes.listed(listing);
        // What a look at the old place sees is of no interest any more.
        self.looking = None;
        self.changed = true;
        match &self.state {
            State::Open { question: None, .. } => {
                return Some(self.lost(Error::new(ErrorKind::Absent), REOPEN_FIRST));
            }
            // It has left the place at which it hung.
            State::GivenUp => self.state = State::CLOSED,
            State::Open { .. } | State::Opening { .. } | State::Closed { .. } => {}
        }
        self.start_look();
        None
    }
}
