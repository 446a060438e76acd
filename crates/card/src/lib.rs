//! Cards as data and procedures: technologies, keys, formats, placings, plans, and the lock's decision.
//!
//! Nothing in here does I/O, owns a clock or takes a lock. A procedure says which command the card should get next
//! and is told what the card answered; whoever drives it (an encoder thread, a test on an emulated card, a search
//! over schedules) supplies the wire.
//!
//! An encode is [`Inspect`], then [`plan()`], then [`Write`]; a scan is [`Inspect`] alone; a door is [`ReadCopies`],
//! then [`Lock::decide`]. `docs/card-format.md` says every byte of it.

mod an10922;
mod card_bytes;
mod changes;
mod classic;
mod command;
mod copies;
mod credential;
mod desfire;
mod doors;
mod entropy;
mod format;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(test)]
mod golden;
mod identify;
mod inspect;
mod inspected;
mod keys;
mod lock;
mod ntag424;
mod placing;
mod plan;
mod presented;
mod procedure;
mod read_copies;
mod secure;
mod suspects;
mod technology;
mod type2;
mod uid;
mod write;

pub use changes::{Change, Content};
pub use command::{
    Apdu, BlockData, ClassicCommand, ClassicKey, Command, CommandKind, KeyType, PageData, Password,
    Reply, Type2Command,
};
pub use credential::{
    CardFunction, Credential, CredentialNumber, DoesNotFitCard, IssueNumber, Minute, Sequence,
    SiteMark, Validity,
};
pub use doors::{AdditionalDoor, CommonDoorNumber, CommonDoors, DoorNumber, Doors, RoomRange};
pub use entropy::Entropy;
pub use format::CardFormat;
pub use identify::{Identified, Identify};
pub use inspect::{Inspect, Purpose};
pub use inspected::{Condition, Inspected, ValidCopy};
pub use keys::{
    InvalidKeyRing, InvalidSiteKey, KeyVersion, LockKeys, LockMasters, SiteKey, SiteKeys,
};
pub use lock::{Decision, Denial, Door, Lock};
pub use placing::CopyIndex;
pub use plan::{Phase, Plan, PlanOptions, plan};
pub use presented::{PresentedCard, SelectAnswer};
pub use procedure::{Effect, Procedure, Refusal, Step};
pub use read_copies::{CopiesRead, ReadCopies};
pub use suspects::Suspects;
pub use technology::Technology;
pub use uid::{InvalidUid, Uid};
pub use write::{Progress, Write, Written};
