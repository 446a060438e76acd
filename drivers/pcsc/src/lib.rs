//! Any contactless reader behind PC/SC, by the commands of PC/SC part 3: no escapes, and one maker's command (ACR122U),
//! which is tried where the standard's own fails.
//!
//! Each open reader has a context of its own, made on its own thread, because one call that hangs in a context blocks
//! every later call in it; listing, watching and waiting for other programs have theirs. Nothing here knows what is written to a card or why.

mod apdu;
mod context;
mod driver;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod iso;
mod keys;
mod kind;
mod raw;
mod reader;
mod session;
mod status;
mod take;
mod watch;

pub use driver::PcscDriver;
