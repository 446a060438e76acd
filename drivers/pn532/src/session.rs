//! One card in the field, and one command at a time for it.

use card::{
    Apdu, ClassicCommand, Command, CommandKind, PresentedCard, Reply, SelectAnswer, Type2Command,
};
use encoder::{CardSession, Error, ErrorKind};
use zeroize::Zeroizing;

use crate::chip::{self, Found};
use crate::encoder::{Pn532, is_iso_14443_4};
use crate::error::Pn532Error;
use crate::line::Line;
use crate::status::{self, Meaning};

/// Bytes of a Classic block.
const BLOCK: usize = 16;

/// The longest answer to an APDU without extended length: 256 bytes and the status word (ISO/IEC 7816-4, 5.1).
const ISO_ANSWER: usize = 258;

/// One card in the field. The field goes off with it.
pub(crate) struct Session<'a, L: Line> {
    encoder: &'a mut Pn532<L>,
    target: u8,
    card: PresentedCard,
}

/// What came of a command for the card.
enum Answer {
    Done,
    Data(Zeroizing<Vec<u8>>),
    Refused,
    /// Nothing that makes sense.
    Disturbed,
}

impl<'a, L: Line> Session<'a, L> {
    /// Lends the card that the chip has selected.
    pub(crate) fn new(encoder: &'a mut Pn532<L>, target: u8, card: PresentedCard) -> Self {
        Self {
            encoder,
            target,
            card,
        }
    }

    fn classic(&mut self, command: &ClassicCommand) -> Result<Answer, Pn532Error> {
        let bytes = chip::classic(self.target, command, &self.card.uid);
        let length = match command {
            ClassicCommand::Read { .. } => Some(BLOCK),
            ClassicCommand::Authenticate { .. } | ClassicCommand::Write { .. } => None,
        };
        self.ask(&bytes, length)
    }

    fn type2(&mut self, command: &Type2Command) -> Result<Answer, Pn532Error> {
        let bytes = chip::type2(self.target, command);
        self.ask(&bytes, command.answer_length())
    }

    /// Asks the card something that it answers with so many bytes, or only acknowledges.
    fn ask(&mut self, bytes: &[u8], length: Option<usize>) -> Result<Answer, Pn532Error> {
        let answer = self.encoder.ask(bytes)?;
        let malformed = Pn532Error::Malformed { command: bytes[0] };
        let (&first, data) = answer.split_first().ok_or(malformed)?;
        let status = status::meaning(first);
        match (status.meaning, length) {
            (Meaning::Done, None) => Ok(Answer::Done),
            (Meaning::Done, Some(length)) if data.len() == length => {
                Ok(Answer::Data(Zeroizing::new(data.to_vec())))
            }
            // A NAK has four bits; the chip may hand it on as a whole answer.
            (Meaning::Done, Some(_)) if data.len() <= 1 => Ok(Answer::Refused),
            (Meaning::Done, Some(_)) => Err(Pn532Error::Malformed { command: bytes[0] }),
            (Meaning::Refused, _) => Ok(Answer::Refused),
            (Meaning::Disturbed, _) => Ok(Answer::Disturbed),
            (Meaning::Gone, _) => Err(Pn532Error::CardGone { text: status.text }),
            (Meaning::Failed(kind), _) => Err(Pn532Error::Status {
                code: status.code,
                text: status.text,
                kind,
            }),
        }
    }

    /// Carries out a command of a family in which a card that does not answer has refused.
    fn once(&mut self, command: &Command) -> Result<Answer, Error> {
        match command {
            Command::Classic(command) => Ok(self.classic(command)?),
            Command::Type2(command) => Ok(self.type2(command)?),
            Command::Iso(_) | Command::Reselect => Err(Error::new(ErrorKind::Unsupported)),
        }
    }

    /// Carries out such a command. Where a refusal would say what kind of card this is or whose, one disturbance on the
    /// air must not: the same card is selected again and asked once more.
    fn refusable(&mut self, command: &Command) -> Result<Reply, Error> {
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
            Answer::Refused | Answer::Disturbed => Reply::Refused,
        })
    }

    /// The chip makes the blocks, repeats a broken one and grants the card the time that it asks for
    /// (ISO/IEC 14443-4, 7.5). A card that does not answer through all that is gone.
    fn iso(&mut self, apdu: &Apdu) -> Result<Reply, Pn532Error> {
        let command = chip::iso(self.target, apdu)?;
        let mut answer = self.encoder.ask_iso(&command)?;
        let mut whole = Zeroizing::new(Vec::with_capacity(ISO_ANSWER));
        loop {
            let malformed = || Pn532Error::Malformed {
                command: command[0],
            };
            let (&first, part) = answer.split_first().ok_or_else(malformed)?;
            let status = status::meaning(first);
            match status.meaning {
                Meaning::Done if whole.len() + part.len() <= ISO_ANSWER => whole.extend(part),
                Meaning::Done => return Err(malformed()),
                Meaning::Refused | Meaning::Disturbed | Meaning::Gone => {
                    return Err(Pn532Error::CardGone { text: status.text });
                }
                Meaning::Failed(kind) => {
                    return Err(Pn532Error::Status {
                        code: status.code,
                        text: status.text,
                        kind,
                    });
                }
            }
            if first & chip::MORE == 0 {
                return Ok(Reply::Data(whole.to_vec()));
            }
            if part.is_empty() {
                return Err(malformed());
            }
            answer = self.encoder.ask(&chip::rest(self.target))?;
        }
    }

    fn reselect(&mut self) -> Result<(), Error> {
        let found = if is_iso_14443_4(&self.card) {
            self.encoder.look_afresh(1)?
        } else {
            self.encoder.look_twice(1)?
        };
        match found {
            Found::One(target, card) => {
                self.target = target;
                self.card = card;
                Ok(())
            }
            Found::None => Err(Error::new(ErrorKind::CardGone)),
            Found::Several => Err(Error::new(ErrorKind::SeveralCards)),
        }
    }
}

/// Whether a procedure takes the card for another kind, or for somebody else's, when it refuses this. Each starts from
/// a card that was just selected, or ends in a state that does not depend on what was open before. A password is not
/// among them: a wrong one is answered by a NAK, which the chip reports as a disturbance too, and a card may count tries.
fn opens_or_identifies(command: &Command) -> bool {
    match command {
        Command::Classic(command) => matches!(command, ClassicCommand::Authenticate { .. }),
        Command::Type2(command) => matches!(
            command,
            Type2Command::GetVersion | Type2Command::Authenticate
        ),
        Command::Iso(_) | Command::Reselect => false,
    }
}

impl<L: Line> CardSession for Session<'_, L> {
    fn card(&self) -> &PresentedCard {
        &self.card
    }

    fn supports(&self, kind: CommandKind) -> bool {
        let SelectAnswer::Iso14443a { sak, .. } = self.card.answer else {
            return false;
        };
        match kind {
            CommandKind::Reselect => true,
            CommandKind::Classic => sak & chip::SAK_CLASSIC != 0,
            CommandKind::Type2 => sak == chip::SAK_TYPE2,
            CommandKind::Iso => sak & chip::SAK_ISO_14443_4 != 0,
        }
    }

    fn exchange(&mut self, command: &Command) -> Result<Reply, Error> {
        match command {
            Command::Classic(_) | Command::Type2(_) => self.refusable(command),
            Command::Iso(apdu) => Ok(self.iso(apdu)?),
            Command::Reselect => {
                self.reselect()?;
                Ok(Reply::Reselected(self.card.clone()))
            }
        }
    }
}

impl<L: Line> Drop for Session<'_, L> {
    fn drop(&mut self) {
        // A line that fails here fails at the next selection, which reports it.
        let _ = self.encoder.field_off();
    }
}

#[cfg(test)]
mod tests;
