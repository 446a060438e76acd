//! The command line: what each verb takes, how its result is shown, and how it ends. What the verbs do lives elsewhere.

mod admin;
mod configuration;
mod daemon;
mod demo;
mod encode;
mod encoders;
mod failure;
mod hub;
mod keys;
mod lab;
mod logging;
mod output;
mod parse;
mod run;
mod scan;
mod shutdown;
mod standalone;
mod tap;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use failure::Failure;
use logging::LogFormat;
use output::Output;

/// Makes card encoders on a desk reachable by an API, and gives the people around them their tools.
///
/// Every verb explains itself with --help. Results go to stdout, everything else to stderr.
///
/// Exit codes: 0, it was done; 1, it could not be done, and stderr says why and what to do; 2, the command line or the
/// configuration is wrong. With --json a failure is also one object {"error":{"type","message"}} on stdout.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    logging: LoggingArguments,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Args)]
struct LoggingArguments {
    /// What to log to stderr: error, warn, info, debug or trace, or a filter such as info,bridge=debug; the
    /// environment variable CARDBRIDGE_LOG says the same. Libraries of others are never logged below info, where they
    /// would show tokens.
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Logging")]
    log: Option<String>,
    /// How each line of the log looks.
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Logging"
    )]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Demo(demo::Arguments),
    Lab(lab::Arguments),
    Hub(hub::Arguments),
    Admin(admin::Arguments),
    Run(run::Arguments),
    Encoders(encoders::Arguments),
    Scan(scan::Arguments),
    Encode(encode::Arguments),
    Keys(keys::Arguments),
    Tap(tap::Arguments),
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => return Output::asked_for(std::env::args_os()).instead_of_a_verb(&told),
    };
    let output = Output::new(cli.verb.wants_json());
    match start(cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.failure(&failure),
    }
}

fn start(cli: Cli, output: Output) -> Result<(), Failure> {
    logging::start(
        cli.logging.log,
        cli.verb.default_filter(),
        cli.logging.log_format,
    )?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            let what = "the program could not start its threads";
            Failure::because("no_runtime", what, &error)
        })?;
    let result = runtime.block_on(cli.verb.run(output));
    // A driver's thread may never return; it must not keep the program from ending.
    runtime.shutdown_background();
    result
}

impl Verb {
    fn wants_json(&self) -> bool {
        match self {
            Self::Demo(arguments) => arguments.json,
            Self::Lab(arguments) => arguments.json,
            Self::Hub(arguments) => arguments.json,
            Self::Admin(arguments) => arguments.json(),
            Self::Run(_) => false,
            Self::Encoders(arguments) => arguments.json,
            Self::Scan(arguments) => arguments.json,
            Self::Encode(arguments) => arguments.json,
            Self::Keys(arguments) => arguments.json(),
            Self::Tap(arguments) => arguments.json,
        }
    }

    /// What is logged when nobody says otherwise: daemons tell what they do, tools only what is wrong.
    fn default_filter(&self) -> &'static str {
        match self {
            Self::Run(_) | Self::Hub(_) => "info",
            Self::Demo(_) | Self::Lab(_) => "warn",
            Self::Admin(_)
            | Self::Encoders(_)
            | Self::Scan(_)
            | Self::Encode(_)
            | Self::Keys(_)
            | Self::Tap(_) => "error",
        }
    }

    async fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::Demo(arguments) => demo::run(arguments, output).await,
            Self::Lab(arguments) => lab::run(arguments, output).await,
            Self::Hub(arguments) => hub::run(arguments, output).await,
            Self::Admin(arguments) => admin::run(arguments, output).await,
            Self::Run(arguments) => run::run(arguments).await,
            Self::Encoders(arguments) => encoders::run(arguments, output).await,
            Self::Scan(arguments) => scan::run(arguments, output).await,
            Self::Encode(arguments) => encode::run(arguments, output).await,
            Self::Keys(arguments) => keys::run(arguments, output),
            Self::Tap(arguments) => tap::run(arguments, output).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_and_every_option_explains_itself() {
        fn check(command: &clap::Command, path: &str) {
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments() {
                let is_explained = argument.get_help().is_some();
                assert!(is_explained, "{path} {}", argument.get_id());
            }
            for verb in command.get_subcommands() {
                check(verb, &format!("{path} {}", verb.get_name()));
            }
        }
        check(&Cli::command(), "cardbridge");
    }
}
