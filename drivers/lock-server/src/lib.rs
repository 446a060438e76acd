//! Encoders that belong to a lock server, by the Industry Standard protocol that SALTO and Onity speak to hotel software,
//! over TCP or RS-232.
//!
//! Facts come from public clients of the protocol (`coucounco/salto`, the Python package of that name, `batiati/Onity`)
//! and from what SALTO publishes for operators. Nothing here knows what the server writes to a card.

mod address;
mod answer;
mod codes;
mod dialect;
mod dialogue;
mod driver;
mod encoder;
mod error;
mod frame;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod line;
mod read_back;
mod request;
mod server;
mod settings;
mod text;
mod time;
mod turn;

pub use driver::LockServerDriver;
