//! Any contactless reader behind PC/SC, by the commands of PC/SC part 3, and what is known of single models in a table.
//! No escapes, unless an entry wants light and sound of a reader that has them by nothing else.
//!
//! Each open reader has a context of its own, made on its own thread, because one call that hangs in a context blocks
//! every later call in it; listing, watching and waiting for other programs have theirs. Nothing here knows what is written to a card or why.

mod apdu;
mod context;
mod direct;
mod driver;
mod error;
mod find;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod holder;
mod iso;
mod keys;
mod kind;
mod name;
mod quirks;
mod raw;
mod reader;
mod secrets;
mod session;
mod signal;
mod status;
mod take;
mod usb;
mod watch;
mod wire;

pub use driver::PcscDriver;
