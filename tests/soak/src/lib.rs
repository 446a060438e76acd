//! Long loops against the product's own binary. `cargo xtask soak encoders` runs them at full length; the tests of this
//! package run a few rounds of each. Everything here panics where a soak should fail.

pub mod encoders;
mod footprint;
mod spread;

pub use footprint::{Footprint, wake_ups_per_second};
pub use spread::Spread;
