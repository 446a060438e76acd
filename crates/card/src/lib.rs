//! Cards as data and procedures: technologies, keys, formats, placings, plans, and the lock's decision.
//!
//! Nothing in here does I/O, owns a clock or takes a lock. A procedure says which command the card should get next
//! and is told what the card answered; whoever drives it (an encoder thread, a test on an emulated card, a search
//! over schedules) supplies the wire.

mod command;
mod presented;
mod procedure;
mod uid;

pub use command::{BlockData, ClassicCommand, ClassicKey, Command, CommandKind, KeyType, Reply};
pub use presented::{PresentedCard, SelectAnswer};
pub use procedure::{Effect, Procedure, Refusal, Step};
pub use uid::{InvalidUid, Uid};
