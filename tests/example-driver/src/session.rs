//! The box as an encoder: it looks for a card, lends it, and carries out one command at a time.

use std::time::{Duration, Instant};

use card::{
    ClassicCommand, Command, CommandKind, KeyType, PresentedCard, Reply, SelectAnswer, Uid,
};
use encoder::{BlockEncoder, CardSession, CardWait, Error, ErrorKind, Facts, Stop};
use zeroize::Zeroizing;

use crate::error::TextboxError;
use crate::wire::Wire;

/// Pause between two looks: the box has no event for a card that comes or leaves.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// SAK bit of a MIFARE Classic (NXP AN10833).
const SAK_CLASSIC: u8 = 0x08;

/// An open box.
pub(crate) struct Textbox {
    wire: Wire,
}

enum Found {
    None,
    One(PresentedCard),
    Several,
}

impl Textbox {
    /// Makes sure that a box answers. Whatever an earlier program left it doing ends with its field.
    pub(crate) fn open(mut wire: Wire) -> Result<Self, TextboxError> {
        match wire.ask("OFF")?.as_str() {
            "OK" => Ok(Self { wire }),
            other => Err(TextboxError::Unexpected(other.to_owned())),
        }
    }

    fn look(&mut self) -> Result<Found, TextboxError> {
        let answer = self.wire.ask("SELECT")?;
        match answer.as_str() {
            "NONE" => Ok(Found::None),
            "SEVERAL" => Ok(Found::Several),
            other => presented(other)
                .map(Found::One)
                .ok_or_else(|| TextboxError::Unexpected(other.to_owned())),
        }
    }
}

/// `CARD 0004 08 04A1B2C3`.
fn presented(answer: &str) -> Option<PresentedCard> {
    let mut words = answer.strip_prefix("CARD ")?.split(' ');
    let mut bytes = || hex::decode(words.next()?).ok();
    let atqa = bytes()?.try_into().ok()?;
    let [sak] = bytes()?[..] else { return None };
    let uid = Uid::new(&bytes()?).ok()?;
    let ats = Vec::new();
    let answer = SelectAnswer::Iso14443a { atqa, sak, ats };
    Some(PresentedCard { uid, answer })
}

impl BlockEncoder for Textbox {
    fn select<'a>(
        &'a mut self,
        wait: CardWait,
        deadline: Instant,
        stop: &Stop,
    ) -> Result<Box<dyn CardSession + 'a>, Error> {
        let mut resting = None;
        let mut must_leave = wait == CardWait::Fresh;
        loop {
            match self.look()? {
                Found::Several => return Err(Error::new(ErrorKind::SeveralCards)),
                Found::One(card) if !must_leave || resting.is_some_and(|uid| uid != card.uid) => {
                    return Ok(Box::new(Session { open: self, card }));
                }
                Found::One(card) => resting = Some(card.uid),
                Found::None => must_leave = false,
            }
            if Instant::now() >= deadline {
                return Err(Error::new(ErrorKind::NoCard));
            }
            if stop.wait_until(deadline.min(Instant::now() + LOOK_EVERY)) {
                return Err(Error::new(ErrorKind::Cancelled));
            }
        }
    }

    fn facts(&self) -> Facts {
        Facts::default().with("encoder", "Textbox")
    }
}

/// One card in the field, which goes off with it.
struct Session<'a> {
    open: &'a mut Textbox,
    card: PresentedCard,
}

impl Session<'_> {
    fn classic(&mut self, command: &ClassicCommand) -> Result<Reply, Error> {
        let answer = self.open.wire.ask(&request(command))?;
        let unexpected = || TextboxError::Unexpected(first_word(&answer));
        match (command, answer.as_str()) {
            (_, "NO") => Ok(Reply::Refused),
            (_, "GONE") => Err(Error::new(ErrorKind::CardGone)),
            (ClassicCommand::Read { .. }, data) => {
                let block = data
                    .strip_prefix("DATA ")
                    .and_then(|data| hex::decode(data).ok());
                match block {
                    Some(block) if block.len() == 16 => Ok(Reply::Data(block)),
                    _ => Err(unexpected().into()),
                }
            }
            (_, "OK") => Ok(Reply::Done),
            _ => Err(unexpected().into()),
        }
    }
}

/// What an error may tell of an answer: the rest of it may be what a block holds.
fn first_word(answer: &str) -> String {
    answer.split(' ').next().unwrap_or_default().to_owned()
}

fn request(command: &ClassicCommand) -> Zeroizing<String> {
    Zeroizing::new(match command {
        ClassicCommand::Authenticate {
            block,
            key_type,
            key,
        } => {
            let which = match key_type {
                KeyType::A => 'A',
                KeyType::B => 'B',
            };
            let key = Zeroizing::new(hex::encode_upper(key.expose()));
            format!("AUTH {block:02X} {which} {}", *key)
        }
        ClassicCommand::Read { block } => format!("READ {block:02X}"),
        ClassicCommand::Write { block, data } => {
            let data = Zeroizing::new(hex::encode_upper(data.expose()));
            format!("WRITE {block:02X} {}", *data)
        }
    })
}

impl CardSession for Session<'_> {
    fn card(&self) -> &PresentedCard {
        &self.card
    }

    fn supports(&self, kind: CommandKind) -> bool {
        let SelectAnswer::Iso14443a { sak, .. } = self.card.answer else {
            return false;
        };
        match kind {
            CommandKind::Reselect => true,
            CommandKind::Classic => sak & SAK_CLASSIC != 0,
            CommandKind::Type2 | CommandKind::Iso => false,
        }
    }

    fn exchange(&mut self, command: &Command) -> Result<Reply, Error> {
        match command {
            Command::Classic(command) => self.classic(command),
            Command::Reselect => match self.open.look()? {
                Found::One(card) => {
                    self.card = card.clone();
                    Ok(Reply::Reselected(card))
                }
                Found::None => Err(Error::new(ErrorKind::CardGone)),
                Found::Several => Err(Error::new(ErrorKind::SeveralCards)),
            },
            Command::Type2(_) | Command::Iso(_) => Err(Error::new(ErrorKind::Unsupported)),
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // A wire that fails here fails at the next selection, which reports it.
        let _ = self.open.wire.ask("OFF");
    }
}
