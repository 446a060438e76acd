//! How a virtual lock reads a virtual card: the lock's own procedure, under an antenna of its own. The only place of
//! the product where the commands of `card` and the cards of `emulator` meet without a wire between them.
//!
//! A lock never writes, and is shown a twin of the card only, so nothing that it does changes the card itself.

use card::{
    ClassicCommand, Command, CopiesRead, Entropy, KeyType, LockKeys, PresentedCard, Procedure,
    ReadCopies, Refusal, Reply, SelectAnswer, Step, Type2Command, Uid,
};
use emulator::{Answer, Antenna, Card, Selected, Slot};

/// Reads every copy as a lock does. The card stays where it lies: the lock is shown a twin.
pub(super) fn read(card: &Card, keys: &LockKeys) -> Result<CopiesRead, Refusal> {
    let gone = Refusal::Nonsense {
        doing: "be selected",
    };
    let slot = Slot::new();
    slot.place(&card.twin());
    let mut reader = Antenna::over(slot);
    let presented = reader.select().and_then(presented).ok_or(gone)?;
    let mut procedure = ReadCopies::new(presented, keys.clone(), entropy()?)?;
    let mut last = None;
    loop {
        match procedure.next(last.take()) {
            Step::Exchange(command, _) => last = Some(exchange(&mut reader, &command)),
            Step::Done(result) => return result,
        }
    }
}

fn entropy() -> Result<Entropy, Refusal> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| Refusal::Nonsense {
        doing: "be challenged, since this PC gives no random numbers",
    })?;
    Ok(Entropy::new(seed))
}

fn presented(selected: &Selected) -> Option<PresentedCard> {
    let [low, high] = selected.atqa;
    Some(PresentedCard {
        uid: Uid::new(selected.uid.as_bytes()).ok()?,
        answer: SelectAnswer::Iso14443a {
            atqa: [high, low],
            sak: selected.sak,
            ats: selected
                .ats
                .as_ref()
                .and_then(|ats| ats.get(1..))
                .unwrap_or_default()
                .to_vec(),
        },
    })
}

fn exchange(reader: &mut Antenna, command: &Command) -> Reply {
    let answer = match command {
        Command::Reselect => {
            let card = reader.select().and_then(presented);
            return card.map_or(Reply::Refused, Reply::Reselected);
        }
        Command::Classic(ClassicCommand::Authenticate {
            block,
            key_type,
            key,
        }) => {
            let key_type = match key_type {
                KeyType::A => emulator::KeyType::A,
                KeyType::B => emulator::KeyType::B,
            };
            reader.authenticate(*block, key_type, *key.expose())
        }
        Command::Classic(ClassicCommand::Read { block }) => reader.read(*block),
        Command::Type2(Type2Command::Write { .. })
        | Command::Classic(ClassicCommand::Write { .. }) => Answer::Refused,
        Command::Type2(command) => reader.transceive(&command.to_bytes()),
        Command::Iso(apdu) => reader.apdu(apdu.expose()),
    };
    match answer {
        Answer::Acknowledged => Reply::Done,
        Answer::Data(bytes) => Reply::Data(bytes),
        Answer::Refused | Answer::Silence => Reply::Refused,
    }
}
