//! `cardbridge tap`: what passes between a serial port and the program that uses it.

use std::ops::Range;
use std::path::PathBuf;

use cardbridge::tap::{Mask, Tap, TapError, Witness};
use clap::{Args, ValueEnum};
use encoder::{Direction, Recorder, Secrets};
use serde::Serialize;

use super::failure::Failure;
use super::output::Output;
use super::shutdown::Shutdown;

/// Bytes on a line of the live view.
const LINE: usize = 16;

/// Sit between a serial port and a program that uses it, and write down what passes.
///
/// Start it, then give the program the path of --link as its port. It ends with Ctrl-C, or when the port goes away.
/// Nothing that passes is changed. Without --mask a recording holds every key that is sent: it is for test cards.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The real port, such as /dev/ttyUSB0.
    #[arg(long, value_name = "PATH")]
    port: PathBuf,
    /// Where the program will find its port. Must not be there yet; goes with the tap.
    #[arg(long, value_name = "PATH")]
    link: PathBuf,
    /// The speed to begin with; what the program sets is followed.
    #[arg(long, value_name = "BITS", default_value_t = 115_200)]
    baud: u32,
    /// The recording to make, a new file. Without it only the live view is shown.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What to leave out: nothing, or keys, passwords and written data in the frames of a PN532.
    #[arg(long, value_name = "WHAT", default_value = "none")]
    mask: MaskArgument,
    /// Show what passes on stderr, also with --out.
    #[arg(long)]
    live: bool,
    /// Print one JSON object at the end: {"recording", "bytes_to_device", "bytes_from_device"}.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MaskArgument {
    None,
    Pn532,
}

#[derive(Debug, Serialize)]
struct Passed {
    recording: Option<PathBuf>,
    bytes_to_device: u64,
    bytes_from_device: u64,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let shutdown = Shutdown::on_signals()?;
    let (mask, secrets) = match arguments.mask {
        MaskArgument::None => (Mask::Nothing, Secrets::Plain),
        MaskArgument::Pn532 => (Mask::Pn532, Secrets::Masked),
    };
    let mut tap = Tap::open(&arguments.port, &arguments.link, arguments.baud, mask)
        .map_err(|error| failure(&error))?;
    let recorder = arguments.out.as_deref().map(|path| {
        Recorder::create(path, secrets).map_err(|error| {
            let what = format!(
                "the recording {} cannot be made; it must be a new file",
                path.display()
            );
            Failure::because("recording_unavailable", what, &error)
        })
    });
    let mut clerk = Clerk {
        live: (arguments.live || arguments.out.is_none()).then_some(output),
        recorder: recorder.transpose()?,
        passed: Passed {
            recording: arguments.out,
            bytes_to_device: 0,
            bytes_from_device: 0,
        },
    };
    output.progress(&format!(
        "Tapping {}; let the program use {} as its port. Ctrl-C ends it.",
        arguments.port.display(),
        arguments.link.display()
    ));
    let gone = tokio::select! {
        error = tap.run(&mut clerk) => Some(error),
        () = shutdown.told() => None,
    };
    tap.tell_rest(&mut clerk);
    match gone {
        Some(error) => Err(failure(&error)),
        None => output.result(&clerk.passed, || in_words(&clerk.passed)),
    }
}

/// Writes down what passes.
struct Clerk {
    live: Option<Output>,
    recorder: Option<Recorder>,
    passed: Passed,
}

impl Witness for Clerk {
    fn passed(&mut self, direction: Direction, bytes: &[u8], secret: &[Range<usize>]) {
        let count = match direction {
            Direction::ToDevice => &mut self.passed.bytes_to_device,
            Direction::FromDevice => &mut self.passed.bytes_from_device,
        };
        *count += bytes.len() as u64;
        if let Some(recorder) = &self.recorder {
            recorder.note(direction, bytes, secret);
        }
        if let Some(output) = self.live {
            for line in live(direction, bytes, secret) {
                output.progress(&line);
            }
        }
    }

    fn speed(&mut self, baud: u32) {
        if let Some(recorder) = &self.recorder {
            recorder.remark(&format!("{baud} baud"));
        }
        if let Some(output) = self.live {
            output.progress(&format!("= {baud} baud"));
        }
    }
}

/// Bytes as a person reads them: direction, hex, and what is printable.
fn live(direction: Direction, bytes: &[u8], secret: &[Range<usize>]) -> Vec<String> {
    let arrow = match direction {
        Direction::ToDevice => '>',
        Direction::FromDevice => '<',
    };
    let shown: Vec<Option<u8>> = (0..)
        .zip(bytes)
        .map(|(at, byte)| (!secret.iter().any(|range| range.contains(&at))).then_some(*byte))
        .collect();
    shown
        .chunks(LINE)
        .map(|line| {
            let hex: Vec<String> = line
                .iter()
                .map(|byte| byte.map_or("??".to_owned(), |byte| format!("{byte:02X}")))
                .collect();
            let text: String = line
                .iter()
                .map(|byte| match byte {
                    Some(byte @ 0x20..=0x7E) => char::from(*byte),
                    _ => '.',
                })
                .collect();
            format!(
                "{arrow} {:<width$}  {text}",
                hex.join(" "),
                width = LINE * 3 - 1
            )
        })
        .collect()
}

fn in_words(passed: &Passed) -> String {
    let kept = match &passed.recording {
        Some(path) => format!(" The recording is {}.", path.display()),
        None => String::new(),
    };
    format!(
        "{} bytes went to the device and {} came from it.{kept}",
        passed.bytes_to_device, passed.bytes_from_device
    )
}

fn failure(error: &TapError) -> Failure {
    let kind = match error {
        TapError::Port { .. } | TapError::Open { .. } => "port_unavailable",
        TapError::LinkExists { .. } | TapError::Link { .. } => "link_unavailable",
        TapError::Gone { .. } => "port_gone",
    };
    Failure::from_error(kind, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_shown_in_hex_and_as_text_without_its_secrets() {
        let secret = 1..3;
        let lines = live(
            Direction::ToDevice,
            b"ABCDEFGHIJKLMNOPQ",
            std::slice::from_ref(&secret),
        );
        assert!(lines[0].starts_with("> 41 ?? ?? 44"), "{}", lines[0]);
        assert!(lines[0].ends_with("  A..DEFGHIJKLMNOP"), "{}", lines[0]);
        assert!(lines[1].starts_with("> 51 ") && lines[1].ends_with("  Q"));
    }
}
