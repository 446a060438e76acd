//! The parts of the one binary that tests and other programs can use by themselves: the lab and the virtual locks.

pub mod lab;
pub mod locks;
