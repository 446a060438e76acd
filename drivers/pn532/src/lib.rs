//! PN532 contactless front ends over a serial line (HSU), the chip's own serial protocol.
//!
//! Facts come from NXP UM0701-02 (PN532 User Manual, "UM" below) and from what libnfc and nfcpy do on real chips.
//! Nothing here knows what is written to a card or why.

mod chip;
mod driver;
mod encoder;
mod error;
mod frame;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod line;
mod link;
mod listing;
mod patience;
mod port;
mod probe;
#[cfg(test)]
mod replayed;
mod secrets;
mod session;
mod settings;
mod setup;
mod speed;
mod status;
mod tape;

pub use driver::Pn532Driver;
pub use patience::Patience;
