//! What a daemon says of itself: its encoders, and its link to the hub.

use encoder::{Access, Listing, Settings};
use protocol::link::{EncoderState, Phase};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{About, Bridge, LinkStatus};

/// What a daemon serves, and how its link to the hub is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// All its encoders.
    pub encoders: Vec<ServedEncoder>,
    /// Devices that are there and not used.
    pub unused: Vec<UnusedDevice>,
    /// Its link.
    pub hub: HubState,
}

/// One encoder that a daemon serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedEncoder {
    /// As the hub is told.
    pub state: EncoderState,
    /// What else is known of it.
    pub about: About,
    /// The job that runs on it.
    pub job: Option<ServedJob>,
    /// Why the hub has it at another encoder PC of the site.
    pub held_elsewhere: Option<String>,
}

/// A job that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedJob {
    /// The action attempt, or the request of somebody at this PC.
    pub id: Uuid,
    /// How far it is.
    pub phase: Phase,
}

/// A device that is there and not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusedDevice {
    /// What a person would call it.
    pub name: String,
    /// The driver that found it.
    pub driver: String,
    /// What it is known by.
    pub identity: String,
    /// Whether nobody said that it is an encoder, as opposed to its identity being another's.
    pub is_unclaimed: bool,
    /// Why it is not used, and what to do.
    pub reason: Option<String>,
    /// What else is known of it.
    pub about: About,
}

/// How a daemon's link to the hub is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HubState {
    /// It needs none.
    None,
    /// Not connected.
    Offline {
        /// Why, as a sentence for a person.
        reason: String,
    },
    /// Connected.
    Online {
        /// Why the hub lets this PC encode nothing all the same, and what to do.
        problem: Option<String>,
    },
}

impl Served {
    pub(super) fn by(bridge: &Bridge) -> Self {
        let hub = match &*bridge.link().borrow() {
            LinkStatus::None => HubState::None,
            LinkStatus::Down(reason) => HubState::Offline {
                reason: reason.clone(),
            },
            LinkStatus::Up {
                site_key_problem, ..
            } => HubState::Online {
                problem: site_key_problem.clone(),
            },
        };
        let encoders = bridge.encoders().into_iter().map(|status| {
            let identity = &status.state.identity;
            ServedEncoder {
                about: bridge.about(identity).unwrap_or_default(),
                held_elsewhere: bridge.encoders.held(identity),
                job: status.running.map(|(id, phase)| ServedJob { id, phase }),
                state: status.state,
            }
        });
        let unused = bridge.unused().borrow().iter().map(unused).collect();
        Self {
            encoders: encoders.collect(),
            unused,
            hub,
        }
    }
}

fn unused(listing: &Listing) -> UnusedDevice {
    let reason = match &listing.access {
        Access::Accessible => None,
        Access::Absent { reason }
        | Access::Unclaimed { reason }
        | Access::Inaccessible { reason } => Some(reason.clone()),
    };
    UnusedDevice {
        name: listing.description.clone(),
        driver: listing.driver.to_owned(),
        identity: listing.identity.text.clone(),
        is_unclaimed: matches!(listing.access, Access::Unclaimed { .. }),
        reason,
        about: About::listed(listing, &Settings::default()),
    }
}
