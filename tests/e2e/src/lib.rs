//! Starts the product's own binary, as a customer would, and talks to it over HTTP and standard output alone. For the
//! tests of this package and of others that need a running system. Nothing here knows a crate of the product, and
//! everything here panics where a test should fail.

mod api;
mod demo;
mod encoder_pc;
mod hub;
mod lab;
mod polled;
mod process;

pub use api::{Answer, Api};
pub use demo::Demo;
pub use encoder_pc::EncoderPc;
pub use hub::Hub;
pub use lab::Lab;
pub use polled::{until, within};
pub use process::{Output, Process, cardbridge};
