//! Carrying out a plan on a card with native commands.
//!
//! Nothing is decided here and nothing is tried twice, with one exception: when the very first command, which rests on
//! the session that the inspection left open, is refused, the application is selected and opened once more. An encoder
//! may have lost that session while the hub was asked for its grant.

use super::application::{Application, CardKeys, KeyUse};
use super::call::Call;
use super::channel::{Answer, Card, Open, Taken};
use crate::card_bytes::CardBytes;
use crate::format;
use crate::plan::{Outline, Phase};
use crate::{
    Apdu, Command, Credential, Effect, Entropy, KeyVersion, Procedure, Progress, Refusal, Reply,
    SiteKeys, Step, Technology, Written,
};

/// One command of a plan, or one authentication.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// The application, with settings of its master key, type and number of keys.
    CreateApplication {
        id: [u8; 3],
        settings: u8,
        keys: u8,
    },
    Select,
    Authenticate(KeyUse),
    ChangeKey {
        number: u8,
        version: KeyVersion,
    },
    /// A backup file: communication, access rights, size.
    CreateFile([u8; 6]),
    WriteData {
        offset: usize,
        bytes: CardBytes,
    },
    Commit,
    ReadBack {
        offset: usize,
        expected: CardBytes,
    },
}

/// What is to be done to one card.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) application: Application,
    /// The session that the inspection left open.
    pub(crate) open: Option<Open>,
    pub(crate) operations: Vec<Operation>,
}

/// The writing of one planned credential. It must run on the session of the inspection that the plan was made from.
pub(crate) struct Write {
    outline: Outline,
    operations: Vec<Operation>,
    card: Card,
    /// The operation that is next, or whose answer is awaited.
    at: usize,
    writes: usize,
    /// The key of the session that the inspection left open.
    inherited: Option<KeyUse>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Start,
    /// The operation at `at` was sent. `inherits`: it rests on the inspection's session, so it may be sent once more.
    Sent {
        inherits: bool,
    },
    /// The application is being selected, then opened again.
    Selecting(KeyUse),
    Reopening,
    Over,
}

impl Write {
    /// Prepares to carry out a plan; `keys` are those it was made with.
    pub(crate) fn new(outline: Outline, work: Work, keys: &SiteKeys, entropy: Entropy) -> Self {
        let keys = CardKeys::Writing(keys.clone());
        let mut card = Card::new(work.application, outline.presented.clone(), keys, entropy);
        card.uid = Some(outline.uid);
        let inherited = work.open.as_ref().map(|open| open.key);
        card.resume(work.open);
        Self {
            inherited,
            outline,
            operations: work.operations,
            card,
            at: 0,
            writes: 0,
            state: State::Start,
        }
    }

    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            phase: self
                .operations
                .get(self.at)
                .map_or(Phase::Verifying, Operation::phase),
            done: self.at,
            total: self.operations.len(),
        }
    }

    /// Sends the operation at `at`, or ends when there is none left.
    fn send(&mut self, inherits: bool) -> Result<Step<Written>, Refusal> {
        let Some(operation) = self.operations.get(self.at) else {
            return Ok(Step::Done(Ok(Written {
                copy: self.outline.counts,
                sequence: self.outline.sequence,
                writes: self.writes,
            })));
        };
        self.state = State::Sent { inherits };
        let application = self.card.application;
        let (file, data) = (application.file, application.data);
        let apdu = match operation {
            Operation::CreateApplication { id, settings, keys } => {
                let call = Call::create_application(*id, *settings, *keys);
                self.card.call(call)
            }
            Operation::Select => self.card.select(),
            Operation::Authenticate(key) => self.card.authenticate(*key)?,
            Operation::ChangeKey { number, version } => {
                let key = self.card.key(*number, *version)?;
                let of_session = self
                    .card
                    .session()
                    .is_some_and(|open| open.key.number == *number);
                let call = Call::change_key(*number, key, version.get(), of_session);
                self.card.call(call)
            }
            Operation::CreateFile(settings) => {
                self.card.call(Call::create_backup_file(file, *settings))
            }
            Operation::WriteData { offset, bytes } => {
                let call = Call::write_data(file, *offset, bytes.bytes(), data);
                self.card.call(call)
            }
            Operation::Commit => self.card.call(Call::commit_transaction()),
            Operation::ReadBack { offset, expected } => {
                let length = expected.bytes().len();
                self.card.call(Call::read_data(file, *offset, length, data))
            }
        };
        Ok(self.exchange(apdu))
    }

    fn exchange(&self, apdu: Apdu) -> Step<Written> {
        let effect = match self.state {
            State::Sent { .. } => self.operations[self.at].effect(self.card.application.commits),
            _ => Effect::Reads,
        };
        Step::Exchange(Command::Iso(apdu), effect)
    }

    /// Takes the answer to the operation at `at`.
    fn answered(&mut self, answer: Answer, inherits: bool) -> Result<Step<Written>, Refusal> {
        let operation = &self.operations[self.at];
        match answer {
            Ok(read) => {
                if let Operation::ReadBack { expected, .. } = operation
                    && read.as_slice() != expected.bytes()
                {
                    return Err(Refusal::NotVerified);
                }
                self.writes += usize::from(operation.writes());
                self.at += 1;
                self.send(false)
            }
            Err(status) => match self.inherited {
                Some(key) if inherits => {
                    self.state = State::Selecting(key);
                    let apdu = self.card.select();
                    Ok(self.exchange(apdu))
                }
                _ => Err(status.refusal(operation.doing())),
            },
        }
    }

    fn advance(&mut self, last: Option<Reply>) -> Result<Step<Written>, Refusal> {
        let state = std::mem::replace(&mut self.state, State::Over);
        let answer = match (state, last) {
            (State::Start, None) => {
                return self.send(self.inherited.is_some());
            }
            (State::Start | State::Over, _) => return Err(NONSENSE),
            (_, Some(Reply::Data(ref frame))) => match self.card.take(frame)? {
                Taken::Send(apdu) => {
                    self.state = state;
                    return Ok(self.exchange(apdu));
                }
                Taken::Answer(answer) => answer,
            },
            _ => return Err(NONSENSE),
        };
        match (state, answer) {
            (State::Sent { inherits }, answer) => self.answered(answer, inherits),
            (State::Selecting(key), Ok(_)) => {
                self.state = State::Reopening;
                let apdu = self.card.authenticate(key)?;
                Ok(self.exchange(apdu))
            }
            (State::Reopening, Ok(_)) => self.send(false),
            (_, Err(status)) => Err(status.refusal("be opened again")),
            _ => Err(NONSENSE),
        }
    }
}

const NONSENSE: Refusal = Refusal::Nonsense {
    doing: "be written",
};

impl Operation {
    fn phase(&self) -> Phase {
        match self {
            Self::CreateApplication { .. }
            | Self::Select
            | Self::ChangeKey { .. }
            | Self::CreateFile(_)
            | Self::Authenticate(KeyUse { number: 0, .. }) => Phase::Personalising,
            Self::Authenticate(_) | Self::WriteData { .. } | Self::Commit => Phase::Writing,
            Self::ReadBack { .. } => Phase::Verifying,
        }
    }

    /// What a backup file has been given counts only once it is committed; any other file holds it at once.
    fn effect(&self, file_commits: bool) -> Effect {
        match self {
            Self::Select | Self::Authenticate(_) | Self::ReadBack { .. } => Effect::Reads,
            Self::CreateApplication { .. } | Self::ChangeKey { .. } | Self::CreateFile(_) => {
                Effect::Prepares
            }
            Self::WriteData { .. } if file_commits => Effect::Prepares,
            Self::WriteData { .. } | Self::Commit => Effect::Commits,
        }
    }

    fn writes(&self) -> bool {
        !matches!(
            self,
            Self::Select | Self::Authenticate(_) | Self::ReadBack { .. }
        )
    }

    fn doing(&self) -> &'static str {
        match self {
            Self::CreateApplication { .. } => "create an application",
            Self::Select => "select an application",
            Self::Authenticate(_) => "be opened",
            Self::ChangeKey { .. } => "take a key",
            Self::CreateFile(_) => "create a file",
            Self::WriteData { .. } => "take a credential",
            Self::Commit => "commit what was written",
            Self::ReadBack { .. } => "read a file back",
        }
    }
}

impl Procedure for Write {
    type Output = Written;

    fn next(&mut self, last: Option<Reply>) -> Step<Written> {
        self.advance(last)
            .unwrap_or_else(|refusal| Step::Done(Err(refusal)))
    }
}

/// Refuses a credential that a placing of `capacity` bytes does not hold.
///
/// # Errors
/// [`Refusal::DoesNotFit`], saying what would fit.
pub(crate) fn refuse_too_long(
    credential: &Credential,
    capacity: usize,
    technology: Technology,
) -> Result<(), Refusal> {
    let length = format::length(credential)?;
    if length <= capacity {
        return Ok(());
    }
    Err(Refusal::DoesNotFit {
        detail: format!(
            "it takes {length} bytes as {}, and {technology} holds {capacity}; leave out {} of its {} single doors, or use a card with more room",
            credential.format,
            (length - capacity).div_ceil(2),
            credential.doors.additional.len(),
        ),
    })
}
