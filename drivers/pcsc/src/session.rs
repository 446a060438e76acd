//! One card in a transaction, and the commands for it.

use card::{
    ClassicCommand, Command, CommandKind, PresentedCard, Reply, SelectAnswer, Type2Command, Uid,
};
use encoder::{CardSession, Error, ErrorKind};
use pcsc::Error as Pcsc;
use zeroize::Zeroizing;

use crate::apdu::{self, Apdu, BLOCK};
use crate::error::PcscError;
use crate::iso;
use crate::keys::KeyMemory;
use crate::kind;
use crate::quirks::Quirks;
use crate::raw::{self, RawAnswer, RawWay};
use crate::status::{self, Meaning};
use crate::wire::Wire;

/// What was found out about a reader, kept from card to card.
#[derive(Debug)]
pub(crate) struct Findings {
    quirks: &'static Quirks,
    keys: KeyMemory,
    raw: RawAccess,
}

impl Findings {
    /// Nothing but what the table says.
    pub(crate) fn new(quirks: &'static Quirks) -> Self {
        Self {
            quirks,
            keys: KeyMemory::new(quirks.key_places),
            raw: RawAccess::default(),
        }
    }
}

/// How a reader sends a card any frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum RawAccess {
    /// Not tried yet, as that takes a card.
    #[default]
    Unknown,
    By(RawWay),
    None,
}

/// A card that is lent: connected to, in a transaction, until it goes.
pub(crate) struct Session<'a> {
    wire: Wire,
    card: PresentedCard,
    findings: &'a mut Findings,
    /// The reader leaves the card alone, and its commands for storage cards have to wait.
    is_transparent: bool,
}

/// A command was carried out, or what came in its place.
enum Answer {
    Done,
    Data(Zeroizing<Vec<u8>>),
    /// The card said no or is gone, and the reader cannot tell.
    RefusedOrGone,
    /// The exchange was lost on the way.
    Disturbed,
}

impl<'a> Session<'a> {
    /// Lends a card that was taken hold of. A key that an earlier session had to leave in the reader goes first.
    pub(crate) fn new(wire: Wire, card: PresentedCard, findings: &'a mut Findings) -> Self {
        findings.keys.forget_key(&wire);
        let mut session = Self {
            wire,
            card,
            findings,
            is_transparent: false,
        };
        if session.commands() == Some(CommandKind::Type2) {
            session.find_raw_way();
        }
        session
    }

    /// The family of commands that the card takes.
    fn commands(&self) -> Option<CommandKind> {
        match &self.card.answer {
            SelectAnswer::Atr(atr) => kind::commands_of(atr),
            SelectAnswer::Iso14443a { .. } => None,
        }
    }

    fn classic(&mut self, command: &ClassicCommand) -> Result<Answer, PcscError> {
        match command {
            ClassicCommand::Authenticate {
                block,
                key_type,
                key,
            } => match self.findings.keys.load(&self.wire, *key_type, key) {
                Err(error) if error.is_doubtful() => Ok(Answer::Disturbed),
                Err(error) => Err(error),
                Ok(place) => self.send(&apdu::authenticate(place, *block, *key_type), None),
            },
            ClassicCommand::Read { block } => self.send(&apdu::read(*block), Some(BLOCK.into())),
            ClassicCommand::Write { block, data } => {
                self.send(&apdu::update(*block, data.expose()), None)
            }
        }
    }

    /// Pages by the reader's own commands, everything else by a raw frame.
    fn type2(&mut self, command: &Type2Command) -> Result<Answer, PcscError> {
        match command {
            Type2Command::Read { page } if !self.is_transparent => {
                self.send(&apdu::read(*page), command.answer_length())
            }
            Type2Command::Write { page, data } if !self.is_transparent => {
                self.send(&apdu::update(*page, data.expose()), None)
            }
            _ => self.send_raw(command),
        }
    }

    /// Sends the reader a command that it answers with so many bytes, or with a status word only.
    fn send(&self, command: &Apdu, length: Option<usize>) -> Result<Answer, PcscError> {
        let answer = match self.wire.transmit(command) {
            Err(error) if error.is_doubtful() => return Ok(Answer::Disturbed),
            answer => answer?,
        };
        let status = status::meaning(answer.word);
        match (status.meaning, length) {
            (Meaning::Done, None) => Ok(Answer::Done),
            (Meaning::Done, Some(length)) if answer.data.len() == length => {
                Ok(Answer::Data(answer.data))
            }
            (Meaning::Done, Some(_)) => Err(PcscError::Malformed),
            (Meaning::RefusedOrGone, _) => Ok(Answer::RefusedOrGone),
            (Meaning::Failed(kind), _) => Err(PcscError::Status {
                word: status.word,
                text: status.text,
                kind,
            }),
        }
    }

    fn send_raw(&mut self, command: &Type2Command) -> Result<Answer, PcscError> {
        if self.findings.raw == RawAccess::Unknown {
            self.find_raw_way();
        }
        let way = match self.findings.raw {
            RawAccess::By(way) => way,
            RawAccess::None => return Err(PcscError::NoRawFrames),
            RawAccess::Unknown => return Ok(Answer::Disturbed),
        };
        let answer = self.raw(way, &command.to_bytes());
        match (
            answer.unwrap_or(RawAnswer::Disturbed),
            command.answer_length(),
        ) {
            (RawAnswer::Acknowledged, None) => Ok(Answer::Done),
            (RawAnswer::Data(data), Some(length)) if data.len() == length => Ok(Answer::Data(data)),
            (RawAnswer::Refused, _) => Ok(Answer::RefusedOrGone),
            (RawAnswer::Disturbed, _) => Ok(Answer::Disturbed),
            (RawAnswer::Acknowledged | RawAnswer::Data(_), _) => Err(PcscError::Malformed),
        }
    }

    /// Tries on the card that lies there how the reader sends any frame, and remembers it. Only a card that is still
    /// there afterwards proves that the reader has no way.
    fn find_raw_way(&mut self) {
        if self.findings.raw != RawAccess::Unknown {
            return;
        }
        for &way in self.findings.quirks.raw_ways {
            if let Some(RawAnswer::Data(_)) = self.raw(way, &raw::HARMLESS) {
                self.findings.raw = RawAccess::By(way);
                return;
            }
            self.end_transparent();
        }
        let is_there = self
            .wire
            .transmit(&apdu::GET_UID)
            .is_ok_and(|answer| status::meaning(answer.word).meaning == Meaning::Done);
        if is_there {
            tracing::info!("{}", PcscError::NoRawFrames);
            self.findings.raw = RawAccess::None;
        }
    }

    /// Sends the card any frame. `None` when the reader does not do it in this way, or the command was lost.
    fn raw(&mut self, way: RawWay, frame: &[u8]) -> Option<RawAnswer> {
        if way == RawWay::Transparent && !self.is_transparent {
            let begun = self.successful(&raw::START_SESSION)?;
            self.is_transparent = raw::is_session_managed(&begun);
            if !self.is_transparent {
                return None;
            }
        }
        way.unwrap(&self.successful(&way.wrap(frame))?)
    }

    fn end_transparent(&mut self) {
        if std::mem::take(&mut self.is_transparent) {
            // The reconnection or the end of the connection that follows does it too.
            let _ = self.successful(&raw::END_SESSION);
        }
    }

    /// The data of an answer, if the reader did what it was told.
    fn successful(&self, command: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let answer = self.wire.transmit(command).ok()?;
        (status::meaning(answer.word).meaning == Meaning::Done).then_some(answer.data)
    }

    fn once(&mut self, command: &Command) -> Result<Answer, PcscError> {
        match command {
            Command::Classic(command) => self.classic(command),
            Command::Type2(command) => self.type2(command),
            Command::Iso(apdu) => match iso::exchange(&self.wire, apdu) {
                Err(error) if error.is_doubtful() => Err(Pcsc::RemovedCard.into()),
                answer => Ok(Answer::Data(answer?)),
            },
            Command::Reselect => {
                self.reselect()?;
                Ok(Answer::Done)
            }
        }
    }

    /// Carries a command out. Where a refusal would say what kind of card this is or whose, an exchange that was lost on
    /// the way must not: the same card is selected again and asked once more. A status word for a failure says nothing of
    /// how it failed, and counts as a refusal at once.
    fn carry_out(&mut self, command: &Command) -> Result<Reply, PcscError> {
        let mut answer = self.once(command)?;
        if matches!(answer, Answer::Disturbed) && opens_or_identifies(command) {
            let uid = self.card.uid;
            self.reselect()?;
            if self.card.uid == uid {
                answer = self.once(command)?;
            }
        }
        Ok(match answer {
            Answer::Done => Reply::Done,
            Answer::Data(data) => Reply::Data(data.to_vec()),
            Answer::RefusedOrGone | Answer::Disturbed => Reply::Refused,
        })
    }

    /// Takes the power from the card and gives it back, which wakes one that was halted.
    fn reselect(&mut self) -> Result<(), PcscError> {
        self.end_transparent();
        self.wire.reconnect()?;
        self.card = present(&self.wire)?;
        Ok(())
    }
}

/// Whether a procedure takes the card for another kind, or for somebody else's, when it refuses this. Each starts from
/// a card that was just selected, or ends in a state that does not depend on what was open before.
fn opens_or_identifies(command: &Command) -> bool {
    match command {
        Command::Classic(command) => matches!(command, ClassicCommand::Authenticate { .. }),
        Command::Type2(command) => matches!(
            command,
            Type2Command::GetVersion
                | Type2Command::PasswordAuthenticate { .. }
                | Type2Command::Authenticate
        ),
        Command::Iso(_) | Command::Reselect => false,
    }
}

impl CardSession for Session<'_> {
    fn card(&self) -> &PresentedCard {
        &self.card
    }

    fn supports(&self, kind: CommandKind) -> bool {
        match kind {
            CommandKind::Reselect => true,
            CommandKind::Type2 if self.findings.raw == RawAccess::None => false,
            CommandKind::Classic | CommandKind::Type2 | CommandKind::Iso => {
                self.commands() == Some(kind)
            }
        }
    }

    fn exchange(&mut self, command: &Command) -> Result<Reply, Error> {
        if !self.supports(command.kind()) {
            return Err(match command {
                Command::Type2(_) if self.findings.raw == RawAccess::None => {
                    PcscError::NoRawFrames.into()
                }
                _ => Error::new(ErrorKind::Unsupported),
            });
        }
        let reply = self.carry_out(command)?;
        Ok(match command {
            Command::Reselect => Reply::Reselected(self.card.clone()),
            _ => reply,
        })
    }
}

impl Drop for Session<'_> {
    /// No key of a site stays behind in a reader that keeps what it was given, as long as the card is there to do it.
    /// The connection then ends, with it the transaction, and a reset makes the card forget that it was opened.
    fn drop(&mut self) {
        self.end_transparent();
        self.findings.keys.forget_key(&self.wire);
    }
}

/// Asks the card in the reader who it is.
pub(crate) fn present(wire: &Wire) -> Result<PresentedCard, PcscError> {
    let atr = wire.atr()?;
    let answer = match wire.transmit(&apdu::GET_UID) {
        // The card has left, and the service will notice within its next look at the reader.
        Err(error) if error.is_doubtful() => return Err(Pcsc::RemovedCard.into()),
        answer => answer?,
    };
    match status::meaning(answer.word).meaning {
        Meaning::Done => Ok(PresentedCard {
            uid: Uid::new(&answer.data).map_err(|_| PcscError::NoUid)?,
            answer: SelectAnswer::Atr(atr),
        }),
        // So is answered for a card that has just left; the next event tells.
        Meaning::RefusedOrGone => Err(Pcsc::NoSmartcard.into()),
        Meaning::Failed(_) => Err(PcscError::NoUid),
    }
}
