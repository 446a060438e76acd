//! The parts of the one binary that tests and other programs can use by themselves: the lab, the virtual locks, and
//! the demo that joins both with a hub and a bridge.

pub mod demo;
pub mod lab;
pub mod locks;
pub mod tap;
