//! How a virtual lock reads a virtual card: the lock's own procedure, step by step, on the card's memory. The only
//! place where the commands of `card` and the cards of `emulator` meet without a wire between them.

use card::{
    ClassicCommand, Command, CopiesRead, KeyType, LockKeys, PresentedCard, Procedure, ReadCopies,
    Refusal, Reply, SelectAnswer, Step, Uid,
};
use emulator::{Card, Technology};

const BLOCK: usize = 16;
/// Blocks of a sector; a lock reads only the lower part of the larger cards, where all sectors have four.
const BLOCKS_OF_A_SECTOR: u8 = 4;

/// Reads both copies as a lock does.
pub(super) fn read(card: &Card, keys: &LockKeys) -> Result<CopiesRead, Refusal> {
    let mut field = Field::with(card);
    let mut procedure = ReadCopies::new(field.card.clone(), keys.clone())?;
    let mut last = None;
    loop {
        match procedure.next(last.take()) {
            Step::Exchange(command, _) => last = Some(field.exchange(&command)),
            Step::Done(result) => return result,
        }
    }
}

/// A card in the field of a lock, as it was when it was shown.
struct Field {
    card: PresentedCard,
    image: Vec<u8>,
    open_sector: Option<u8>,
}

impl Field {
    fn with(card: &Card) -> Self {
        let uid =
            Uid::new(card.uid().as_bytes()).expect("an emulated UID has a length that UIDs have");
        Self {
            card: PresentedCard {
                uid,
                answer: select_answer(card.technology()),
            },
            image: card.memory(),
            open_sector: None,
        }
    }

    fn exchange(&mut self, command: &Command) -> Reply {
        match command {
            Command::Reselect => {
                self.open_sector = None;
                Reply::Reselected(self.card.clone())
            }
            Command::Classic(ClassicCommand::Authenticate {
                block,
                key_type,
                key,
            }) => {
                let sector = block / BLOCKS_OF_A_SECTOR;
                let fits = self.key(sector, *key_type) == Some(&key.expose()[..]);
                self.open_sector = fits.then_some(sector);
                if fits { Reply::Done } else { Reply::Refused }
            }
            Command::Classic(ClassicCommand::Read { block }) => self
                .block(*block)
                .filter(|_| self.open_sector == Some(block / BLOCKS_OF_A_SECTOR))
                .map_or(Reply::Refused, |bytes| Reply::Data(bytes.to_vec())),
            // A lock never writes.
            _ => Reply::Refused,
        }
    }

    fn block(&self, block: u8) -> Option<&[u8]> {
        let start = usize::from(block) * BLOCK;
        self.image.get(start..start + BLOCK)
    }

    /// A key of a sector's trailer: A in front, B behind (NXP MF1S50YYX_V1, 8.6.3).
    fn key(&self, sector: u8, key_type: KeyType) -> Option<&[u8]> {
        let trailer = self.block(sector * BLOCKS_OF_A_SECTOR + BLOCKS_OF_A_SECTOR - 1)?;
        Some(match key_type {
            KeyType::A => &trailer[..6],
            KeyType::B => &trailer[10..],
        })
    }
}

/// What the card says of itself while it is selected (NXP AN10833).
fn select_answer(technology: Technology) -> SelectAnswer {
    let (atqa, sak) = match technology {
        Technology::MifareClassicMini => ([0x00, 0x04], 0x09),
        Technology::MifareClassic1k => ([0x00, 0x04], 0x08),
        Technology::MifareClassic4k => ([0x00, 0x02], 0x18),
        // What the emulator learns before the locks do is of a kind that no lock knows.
        _ => ([0x00, 0x00], 0xFF),
    };
    SelectAnswer::Iso14443a {
        atqa,
        sak,
        ats: Vec::new(),
    }
}
