//! The device abstraction: what a driver is, what an open encoder can do, and how a program waits for slow hardware.
//!
//! Blocking code without tokio or JSON. A driver lists and opens; an open encoder lends a card session; a session
//! carries out one command at a time. Nothing in here knows what the commands are for.

mod answer;
mod block;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod drive;
mod driver;
mod error;
mod issuing;
mod listing;
mod recording;
pub mod serial;
mod serve;
mod settings;
mod stop;
mod thread;
mod watch;

pub use block::{BlockEncoder, CardSession, CardWait, Signal};
pub use drive::{DriveError, drive};
pub use driver::{Changed, Driver, Encoder, Opening, Probing, Registry};
pub use error::{BoxedSource, Error, ErrorKind};
pub use issuing::{
    Certainty, IssueError, Issued, IssuingEncoder, LocalTime, Order, OrderKind, ServerCard,
    ServerCardContent, ServerGuestCard,
};
pub use listing::{Access, Facts, Identity, Listing, Scope, Selector};
pub use recording::{
    Deviation, Direction, Piece, Recorder, Recording, RecordingError, Replay, Secrets,
};
pub use settings::{Settings, SettingsError, Value};
pub use stop::{Nudging, Stop};
pub use thread::{Abandoned, EncoderThread, Makes, Opened, Selected};
pub use watch::PathWatch;
