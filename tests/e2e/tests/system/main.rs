//! The whole system over HTTP and on the command line, where it shows more than the guides of the SDKs do.

mod bad_input;
mod cable;
mod pcscd;
mod queue;
mod technician;
