//! One card in a transaction, and the commands for it.

use card::{ClassicCommand, Command, CommandKind, PresentedCard, Reply, SelectAnswer, Uid};
use encoder::{CardSession, Error, ErrorKind};
use pcsc::{Card, Disposition, Error as Pcsc, Protocols, ShareMode};
use zeroize::Zeroizing;

use crate::apdu::{self, Apdu, BLOCK};
use crate::error::PcscError;
use crate::keys::KeyMemory;
use crate::status::{self, Meaning};

/// The answer to any command here, with room: an UID, or a block, and the status word.
const ANSWER: usize = 64;
/// The longest ATR (ISO/IEC 7816-3, 8.2.1).
const ATR: usize = 33;

/// Names of storage cards that take the commands of MIFARE Classic (PC/SC part 3, 3.1.3.2.3.2, and its supplement).
const CLASSIC_NAMES: [[u8; 2]; 5] = [
    // Classic 1K, 4K, Mini
    [0x00, 0x01],
    [0x00, 0x02],
    [0x00, 0x26],
    // Plus 2K and 4K in security level 1
    [0x00, 0x36],
    [0x00, 0x37],
];

/// A card that is lent: connected to, in a transaction, until it goes.
pub(crate) struct Session<'a> {
    connection: Card,
    card: PresentedCard,
    keys: &'a mut KeyMemory,
}

/// A command was carried out, or what came in its place.
enum Answer {
    Data(Zeroizing<Vec<u8>>),
    RefusedOrGone,
}

impl<'a> Session<'a> {
    /// Lends a card that was taken hold of. A key that an earlier session had to leave in the reader goes first.
    pub(crate) fn new(connection: Card, card: PresentedCard, keys: &'a mut KeyMemory) -> Self {
        keys.forget_key(&connection);
        Self {
            connection,
            card,
            keys,
        }
    }

    fn classic(&mut self, command: &ClassicCommand) -> Result<Reply, PcscError> {
        let answer = match command {
            ClassicCommand::Authenticate {
                block,
                key_type,
                key,
            } => match self.keys.load(&self.connection, key) {
                Err(error) if is_doubtful(&error) => Answer::RefusedOrGone,
                Err(error) => return Err(error),
                Ok(()) => self.send(&apdu::authenticate(*block, *key_type))?,
            },
            ClassicCommand::Read { block } => self.send(&apdu::read(*block))?,
            ClassicCommand::Write { block, data } => {
                self.send(&apdu::update(*block, data.expose()))?
            }
        };
        match (answer, command) {
            (Answer::RefusedOrGone, _) => Ok(Reply::Refused),
            (Answer::Data(data), ClassicCommand::Read { .. })
                if data.len() == usize::from(BLOCK) =>
            {
                Ok(Reply::Data(data.to_vec()))
            }
            (Answer::Data(_), ClassicCommand::Read { .. }) => Err(PcscError::Malformed),
            (Answer::Data(_), _) => Ok(Reply::Done),
        }
    }

    fn send(&self, command: &Apdu) -> Result<Answer, PcscError> {
        let answer = match transmit(&self.connection, command) {
            Err(error) if is_doubtful(&error) => return Ok(Answer::RefusedOrGone),
            answer => answer?,
        };
        let status = status::meaning(answer.word);
        match status.meaning {
            Meaning::Done => Ok(Answer::Data(answer.data)),
            Meaning::RefusedOrGone => Ok(Answer::RefusedOrGone),
            Meaning::Failed(kind) => Err(PcscError::Status {
                word: status.word,
                text: status.text,
                kind,
            }),
        }
    }

    /// Takes the power from the card and gives it back, which wakes one that was halted.
    fn reselect(&mut self) -> Result<Reply, PcscError> {
        self.connection
            .reconnect(ShareMode::Shared, Protocols::ANY, Disposition::UnpowerCard)?;
        self.card = present(&self.connection)?;
        Ok(Reply::Reselected(self.card.clone()))
    }
}

impl CardSession for Session<'_> {
    fn card(&self) -> &PresentedCard {
        &self.card
    }

    fn supports(&self, kind: CommandKind) -> bool {
        match kind {
            CommandKind::Reselect => true,
            CommandKind::Type2 | CommandKind::Iso => false,
            CommandKind::Classic => match &self.card.answer {
                SelectAnswer::Atr(atr) => is_classic(atr),
                SelectAnswer::Iso14443a { .. } => false,
            },
        }
    }

    fn exchange(&mut self, command: &Command) -> Result<Reply, Error> {
        match command {
            Command::Classic(command) => Ok(self.classic(command)?),
            Command::Type2(_) | Command::Iso(_) => Err(Error::new(ErrorKind::Unsupported)),
            Command::Reselect => Ok(self.reselect()?),
        }
    }
}

impl Drop for Session<'_> {
    /// No key of a site stays behind in a reader that keeps what it was given, as long as the card is there to do it.
    /// The connection then ends, with it the transaction, and a reset makes the card forget that it was opened.
    fn drop(&mut self) {
        self.keys.forget_key(&self.connection);
    }
}

/// Asks the card in the reader who it is.
pub(crate) fn present(connection: &Card) -> Result<PresentedCard, PcscError> {
    let (mut names, mut atr) = ([0; 256], [0; ATR]);
    let atr = connection.status2(&mut names, &mut atr)?.atr().to_vec();
    let answer = match transmit(connection, &apdu::GET_UID) {
        // The card has left, and the service will notice within its next look at the reader.
        Err(error) if is_doubtful(&error) => return Err(Pcsc::RemovedCard.into()),
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

/// What a reader answered.
pub(crate) struct Response {
    data: Zeroizing<Vec<u8>>,
    pub(crate) word: u16,
}

/// Sends one command to the reader.
pub(crate) fn transmit(connection: &Card, command: &[u8]) -> Result<Response, PcscError> {
    let mut buffer = Zeroizing::new([0; ANSWER]);
    let (data, word) = apdu::split(connection.transmit(command, buffer.as_mut())?)?;
    Ok(Response {
        data: Zeroizing::new(data.to_vec()),
        word,
    })
}

/// Whether an exchange failed in a way that leaves open what became of the card: it was lost on the way, or the card
/// was reset under it. Selecting it again will tell.
fn is_doubtful(error: &PcscError) -> bool {
    matches!(
        error,
        PcscError::Service(
            Pcsc::NotTransacted | Pcsc::CommError | Pcsc::CommDataLost | Pcsc::ResetCard
        )
    )
}

/// `3B 8F 80 01 80 4F 0C A0 00 00 03 06 SS NN NN ...`: SS 03 is ISO/IEC 14443 A, part 3; NN NN the card's name
/// (PC/SC part 3, 3.1.3.2.3.2).
fn is_classic(atr: &[u8]) -> bool {
    const HEAD: [u8; 13] = [
        0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03,
    ];
    atr.strip_prefix(&HEAD)
        .and_then(|rest| rest.first_chunk())
        .is_some_and(|name| CLASSIC_NAMES.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classic_is_known_by_its_atr() {
        let head = [
            0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03,
        ];
        let atr = |name: [u8; 2], check| [&head[..], &name, &[0, 0, 0, 0, check]].concat();
        assert!(is_classic(&atr([0x00, 0x01], 0x6A)));
        assert!(is_classic(&atr([0x00, 0x02], 0x69)));
        assert!(!is_classic(&atr([0x00, 0x03], 0x68)));
        assert!(!is_classic(&[0x3B, 0x81, 0x80, 0x01, 0x80, 0x80]));
        assert!(!is_classic(&[]));
    }
}
