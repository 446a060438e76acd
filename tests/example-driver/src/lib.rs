//! Textbox encoders: the example of docs/adding-a-driver.md. No such device exists; it is as small as one can be that has
//! what all have: a wire that spoils things, a card that leaves, a program that has it already.
//!
//! The maker's document, in full. The box listens on a Unix socket and serves one program at a time. Each request and
//! each answer is a line: a number that the program chose, a space, what is said, `*`, and the sum of all bytes before
//! the star, modulo 256; numbers have two hexadecimal digits.
//!
//! | request | answers |
//! | --- | --- |
//! | `SELECT`: field off and on, then look | `CARD atqa sak uid`, `NONE`, `SEVERAL` |
//! | `AUTH block A key`, `AUTH block B key` | `OK`, `NO`, `GONE` |
//! | `READ block` | `DATA` and 16 bytes, `NO`, `GONE` |
//! | `WRITE block` and 16 bytes | `OK`, `NO`, `GONE` |
//! | `OFF`: field off | `OK` |

mod driver;
mod error;
mod line;
mod session;
mod wire;

pub use driver::TextboxDriver;
