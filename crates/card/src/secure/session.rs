//! What an authentication has opened, whatever its kind.

use std::fmt;

use zeroize::Zeroizing;

use super::call::Call;
use super::ev1::Ev1;
use super::ev2::Ev2;
use super::legacy::Legacy;

/// How a card is authenticated, and how commands are protected afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suite {
    /// Authenticate (0A) with single DES: the master key of a card as delivered.
    Legacy,
    /// AuthenticateAES (AA), secure messaging of EV1.
    Ev1,
    /// AuthenticateEV2First (71), EV2 secure messaging.
    Ev2,
}

/// An open session. Zeroised, never printed.
#[derive(Clone)]
pub(super) enum Session {
    Legacy(Legacy),
    Ev1(Ev1),
    Ev2(Ev2),
}

impl Session {
    /// What goes over the air after the instruction.
    pub(super) fn protect(&mut self, call: &Call) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Legacy(_) => Zeroizing::new(call.header.clone()),
            Self::Ev1(session) => session.protect(call),
            Self::Ev2(session) => session.protect(call),
        }
    }

    /// The content of an answer that ended with status 00; `None` when it does not verify.
    pub(super) fn open(&mut self, call: &Call, answer: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Legacy(session) => session.open(call, answer),
            Self::Ev1(session) => session.open(call, answer),
            Self::Ev2(session) => session.open(call, answer),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(…)")
    }
}
