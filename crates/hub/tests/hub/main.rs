//! The hub as its clients and its bridges see it: real HTTP and WebSockets on loopback, a database of its own for each
//! test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod administration;
mod at_the_pc;
mod bad_input;
mod changes;
mod encode;
mod failing_disk;
mod grants;
mod issuing;
mod link;
mod moves;
mod outcomes;
mod passing_time;
mod queue;
mod reconnect;
mod resources;
mod scan;
mod slow_clients;
mod stays;
mod support;
mod visionline;
