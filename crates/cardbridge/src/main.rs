//! The `cardbridge` program: reads the command line and hands over.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
