//! The device abstraction: what a driver is, what an open encoder can do, and how a program waits for slow hardware.
//!
//! Blocking code without tokio or JSON. A driver lists and opens; an open encoder lends a card session; a session
//! carries out one command at a time. Nothing in here knows what the commands are for.

mod answer;
mod block;
mod drive;
mod driver;
mod error;
mod listing;
mod settings;
mod stop;
mod thread;
mod watch;

pub use block::{BlockEncoder, CardSession, CardWait};
pub use drive::{DriveError, drive};
pub use driver::{Changed, Driver, Encoder, Registry};
pub use error::{BoxedSource, Error, ErrorKind};
pub use listing::{Access, Identity, Listing, Selector};
pub use settings::{Settings, SettingsError, Value};
pub use stop::{Nudging, Stop};
pub use thread::{Abandoned, EncoderThread, Selected};
pub use watch::PathWatch;
