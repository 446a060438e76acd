//! Any contactless reader behind PC/SC, by the commands of PC/SC part 3 alone: no escapes, no maker's commands.
//!
//! Each open reader has a context of its own, made on its own thread, because one call that hangs in a context blocks
//! every later call in it; listing, watching and waiting for other programs have theirs. Nothing here knows what is written to a card or why.

mod apdu;
mod context;
mod driver;
mod error;
mod keys;
mod reader;
mod session;
mod status;
mod take;
mod watch;

pub use driver::PcscDriver;
