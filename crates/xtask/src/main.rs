//! `cargo xtask <verb>`: everything a developer or CI runs, set-up included.
//!
//! xtask builds before anything else does, on a machine that has nothing but Rust and a C compiler.
//! So it has few dependencies, none that needs a C library, and none among the other crates of this workspace;
//! `tidy` proves that. What it says goes to stderr: stdout belongs to the program that `demo` starts.
#![expect(
    clippy::print_stderr,
    reason = "xtask is a command-line program; its output is for the person at the terminal"
)]

mod ci;
mod demo;
mod programs;
mod run;
mod rungs;
mod setup;
mod skipped_cases;
mod soak;
mod steps;
mod test;
mod tidy;
mod workspace;

use std::env;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::steps::Steps;
use crate::workspace::Workspace;

/// Builds, tests and shows cardbridge; sets the machine up first where that is needed.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Shows a card being encoded, with no hardware: hub, bridge and emulated encoders in one process.
    Demo {
        /// Passed on to `cardbridge demo`, for example `--json`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Sets the machine up, then checks the tree (`tidy`), builds it and runs every test that can run here.
    Test {
        /// Passed on to `cargo nextest run`: only the tests chosen so are run, and nothing else is checked.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// What must pass before a change lands: fmt, tidy, clippy, doc, deny, test.
    Ci,
    /// Checks the rules of this workspace that the compiler does not know.
    Tidy,
    /// Long loops against the built product: cables pulled and services restarted under load.
    Soak {
        /// What is soaked and how long, for example `encoders --replugs 20`; `--help` tells all.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
    /// Installs what building and testing need, and says what could not be had.
    Setup,
}

fn main() -> ExitCode {
    match run(Arguments::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    env::set_current_dir(&workspace.root)?;
    let mut steps = Steps::default();
    match verb {
        Verb::Demo { arguments } => return Err(demo::become_demo(&workspace, &arguments)),
        Verb::Test { arguments } if arguments.is_empty() => {
            test::everything(&workspace, &mut steps)
        }
        Verb::Test { arguments } => test::chosen(&workspace, &mut steps, &arguments),
        Verb::Soak { arguments } => soak::soak(&workspace, &mut steps, &arguments),
        Verb::Ci => ci::everything(&workspace, &mut steps),
        Verb::Tidy => {
            steps.check("tidy", "cargo xtask tidy", || tidy::check(&workspace));
        }
        Verb::Setup => test::set_up_alone(&workspace, &mut steps),
    }
    Ok(steps.finish())
}
