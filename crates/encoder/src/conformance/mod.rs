//! What every driver must do, as named cases that run on a [`Rig`]: one encoder, real or emulated, and cards to put on it.
//!
//! A driver has them all with one line in a test of its own, and a rig behind it:
//!
//! ```ignore
//! encoder::conformance_tests! {
//!     driver: MyDriver,
//!     rig: MyRig::start(),
//! }
//! ```
//!
//! That makes one `#[test]` of each case. `rig` is asked anew for each and gives a `Result<impl Rig, Skip>`; `driver`
//! gives the driver, also in a process that never makes a rig (see below). Where a test needs something around
//! it, a process with other environment variables say, `around: path` names a function
//! `fn(test: &str, case: impl FnOnce())` that gets the test's full name.
//!
//! A case passes, fails with a sentence, or is skipped with the reason that the rig gave, which is printed and, where
//! `CARDBRIDGE_CONFORMANCE_SKIPS` names a file, added to it: what a rig cannot do never counts as done. Programs with tests of their own making (one file per rig) take [`cases()`] and
//! [`check`].
//!
//! Cases ask the encoder the way the bridge does, through an [`EncoderThread`](crate::EncoderThread), so a driver that
//! hangs fails a case and does not hang it. Two of them start the running program once more, with the arguments that
//! make it run one test (`--exact NAME --nocapture --test-threads=1`): a host that is killed, and one whose whole log
//! is looked through. That process opens the device by the rig's settings and ends before a rig would be made.
//!
//! The bench knows its own keys, credential and order, and nothing of the device: that is the rig's. The kit is no part
//! of a product.

mod bench;
mod case_list;
mod cases;
mod desk;
mod host;
mod outcome;
mod rig;
mod session;
mod site;
#[cfg(test)]
mod tests;
mod work;

pub use bench::{Bench, check};
pub use case_list::{Case, at_once, cases, test_name};
pub use outcome::{Outcome, Skip, Unmet, Verdict};
pub use rig::{FaultKind, Rig, Sample};
