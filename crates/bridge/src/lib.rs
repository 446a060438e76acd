//! The bridge: the daemon on the encoder PC.
//!
//! It finds the encoders, keeps a link to the hub, carries out the jobs that come down it, and reports how each
//! ended. What must survive a power cut is in the journal before the next step; which step is next is decided by the
//! job machine, which is pure.

mod about;
mod bridge;
mod clock;
pub mod config;
mod convert;
mod discovery;
mod encoder_task;
mod encoders;
mod error_text;
mod journal;
pub mod key_file;
mod link;
mod local;
pub mod machine;
mod preview;
mod recordings;
pub mod socket;
mod watchers;

pub use about::{About, CardsMadeBy, Fact, LastError};
pub use bridge::{Bridge, StartError};
pub use config::{Config, ConfigError};
pub use encoder_task::EncoderStatus;
pub use journal::{Journal, JournalError};
pub use link::{DialConfigError, LinkStatus};
pub use local::{Encoded, Found, LocalEncode, RequestError};
pub use preview::{PlaceChange, Preview};
