//! Native commands of DESFire and NTAG 424 DNA: how they are wrapped, cut into frames, authenticated and protected, and
//! what their status words mean (NXP MF3ICD81 for EV1, MF2DLHX0 and NT4H2421Gx with AN12196 for EV2).
//!
//! Nothing in here knows what a credential is. An answer whose MAC or checksum does not verify ends the procedure, and
//! none of its content goes any further. Keys and sessions are zeroised and never printed.

mod application;
mod authentication;
mod call;
mod changes;
mod channel;
mod cipher;
mod entry;
mod ev1;
mod ev2;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzzed;
mod legacy;
mod session;
mod status;
mod write;

pub(crate) use application::{Application, CardKeys, KeyUse, Secret, Select};
pub(crate) use call::{ApplicationId, Call, FileData};
pub(crate) use changes::changes;
pub(crate) use channel::{Answer, Card, Open, Taken};
pub(crate) use entry::{Entered, Entry, Next as EntryNext, OTHER_KEYS};
#[cfg(any(test, feature = "fuzzing"))]
pub use fuzzed::fuzz_answer;
pub(crate) use session::Suite;
pub(crate) use status::Status;
pub(crate) use write::{Operation, Work, Write, refuse_too_long};
