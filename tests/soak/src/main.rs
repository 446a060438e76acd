//! `soak encoders`: what `cargo xtask soak encoders` runs.
#![expect(clippy::print_stdout, reason = "a report is what this program is for")]

use std::time::Duration;

use clap::{Parser, Subcommand};
use soak::encoders::{self, Length};

/// Long loops against the product's own binary.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Pulls cables and restarts pcscd under load, and shows what the bridge has left of it.
    Encoders {
        /// How often a cable is pulled and put back.
        #[arg(long, default_value_t = 200)]
        replugs: u32,
        /// How often pcscd is restarted.
        #[arg(long, default_value_t = 50)]
        restarts: u32,
        /// For how many seconds the idle bridge is watched.
        #[arg(long, default_value_t = 30)]
        idle_seconds: u64,
    },
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let What::Encoders {
        replugs,
        restarts,
        idle_seconds,
    } = Arguments::parse().what;
    let length = Length {
        replugs,
        restarts,
        idle: Duration::from_secs(idle_seconds),
    };
    println!("{}", encoders::run(length).await);
}
