//! Runs other programs, without a shell in between. What is shown is what is run, so that a shown line can be pasted.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A program with its arguments, the variables set for it and the directory it runs in.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
}

impl Invocation {
    /// `program` is looked up on `PATH` unless it contains a slash.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
        }
    }

    /// The cargo that runs this xtask, so that both are of one toolchain.
    pub(crate) fn cargo(arguments: &[&str]) -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).arguments(arguments)
    }

    /// Adds one argument.
    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds several arguments.
    pub(crate) fn arguments<S: AsRef<OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        self.arguments
            .extend(arguments.into_iter().map(|it| it.as_ref().to_owned()));
        self
    }

    /// Sets one variable for the program.
    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Runs the program in `directory`.
    pub(crate) fn directory(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    /// Runs it with its output on stderr and waits for its end.
    ///
    /// # Errors
    /// When it cannot be started or ends with anything but 0.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let status = self
            .command()
            .stdin(Stdio::null())
            .stdout(io::stderr())
            .status()
            .with_context(|| format!("could not start `{self}`"))?;
        if !status.success() {
            bail!("`{self}` ended with {status}");
        }
        Ok(())
    }

    /// Runs it unseen and returns what it wrote to stdout.
    ///
    /// # Errors
    /// When it cannot be started or ends with anything but 0: then with the last line of what it said.
    pub(crate) fn output(&self) -> anyhow::Result<String> {
        let output = self
            .command()
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("could not start `{self}`"))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let last = last_line(&said).unwrap_or("it said nothing");
            bail!("`{self}` ended with {}: {last}", output.status);
        }
        String::from_utf8(output.stdout)
            .with_context(|| format!("`{self}` wrote something that is not UTF-8"))
    }

    /// Whether it can be started and ends with 0.
    pub(crate) fn succeeds(&self) -> bool {
        self.output().is_ok()
    }

    /// Becomes that program: stdin, stdout and signals are its own from now on. Returns only when that fails.
    pub(crate) fn become_it(&self) -> anyhow::Error {
        let error = self.command().exec();
        anyhow::Error::new(error).context(format!("could not start `{self}`"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }
}

/// As it would be typed, variables and directory included. A path to cargo reads as `cargo`.
impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(directory) = &self.directory {
            write!(f, "cd {} && ", quoted(directory.as_os_str()))?;
        }
        for (name, value) in &self.environment {
            write!(f, "{}={} ", name.display(), quoted(value))?;
        }
        let program = Path::new(&self.program);
        if program.file_name() == Some(OsStr::new("cargo")) {
            f.write_str("cargo")?;
        } else {
            f.write_str(&quoted(&self.program))?;
        }
        for argument in &self.arguments {
            write!(f, " {}", quoted(argument))?;
        }
        Ok(())
    }
}

/// One word for a POSIX shell.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+./:,@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The line in which programs put what went wrong; npm follows it with a pointer to its log, which is not it.
fn last_line(said: &str) -> Option<&str> {
    said.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !line.contains("complete log of this run"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_line_can_be_pasted_into_a_shell() {
        let shown = Invocation::new("/opt/my tools/cargo-nextest")
            .arguments(["nextest", "run", "-E", "not (test(/pcsc/))"])
            .variable("WHO", "it's me")
            .to_string();
        assert_eq!(
            shown,
            r"WHO='it'\''s me' '/opt/my tools/cargo-nextest' nextest run -E 'not (test(/pcsc/))'"
        );
        let echoed = Invocation::new("sh")
            .arguments([
                "-c",
                r#"for word in 'it'\''s' 'a b' ''; do echo "[$word]"; done"#,
            ])
            .output()
            .unwrap();
        assert_eq!(echoed, "[it's]\n[a b]\n[]\n");
    }

    #[test]
    fn a_failure_says_what_the_program_said_last() {
        let error = Invocation::new("sh")
            .arguments(["-c", "echo first; echo 'no route to host' >&2; exit 3"])
            .output()
            .unwrap_err();
        assert!(error.to_string().ends_with("no route to host"), "{error}");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = Invocation::new("no-such-program-here").run().unwrap_err();
        assert_eq!(error.to_string(), "could not start `no-such-program-here`");
    }

    #[test]
    fn a_program_gets_its_variables_and_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let said = Invocation::new("sh")
            .arguments(["-c", "echo $COLOUR; pwd -P"])
            .variable("COLOUR", "blue")
            .directory(directory.path())
            .output()
            .unwrap();
        let expected = directory.path().canonicalize().unwrap();
        assert_eq!(said, format!("blue\n{}\n", expected.display()));
    }
}
