//! The resources of the public API, as the contract writes them (`@seamapi/types` 1.977.0).
//!
//! Shapes only: which value a field has is decided by whoever answers. A field that the contract
//! calls optional and that has nothing to say is left out; one that it calls nullable is `null`.

mod credential;
mod event;
mod resources;
mod scan;
mod time;

pub use credential::{AcsCredential, CardVisionlineMetadata, ResourceNote};
pub use event::Event;
pub use resources::{
    AccessSchedule, AcsEncoder, AcsEntrance, AcsSystem, AcsUser, ActionAttempt, Empty,
    EntranceVisionlineMetadata, Location, Pagination, Workspace,
};
pub use scan::{
    CredentialOnEncoder, LockServerMetadata, ScanResult, ScanWarning, ScannedVisionlineMetadata,
};
pub use time::Time;
