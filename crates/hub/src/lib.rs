//! The cloud API: it grants credentials, hands encodes and scans to bridges, and keeps what became of them.
//!
//! `routes` and `link` are the edges, `decisions` the rules (pure), `transactions` what is committed together, `store`
//! the rows. The hub never sees a key of a site and cannot name one: its only sibling is `protocol`.

mod admin;
mod attempt_error;
mod auth;
mod core;
mod deadlines;
mod decisions;
mod dispatch;
mod doors;
mod error;
mod hub;
mod id;
mod issue_number;
mod link;
mod listen;
mod moment;
mod pagination;
mod request;
mod resources;
mod routes;
mod settings;
mod store;
mod transactions;
mod validation;

pub use admin::{Admin, AdminError, EncoderListing};
pub use doors::{Door, DoorCategory};
pub use hub::Hub;
pub use settings::HubSettings;
pub use store::OpenError;
