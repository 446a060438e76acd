//! The procedures on an NTAG 424 DNA, whose file has no backup.

pub(crate) mod encode;
mod model;
mod tear;
