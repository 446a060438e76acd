//! What a daemon says of itself: its encoders, and its link to the hub.

use protocol::link::EncoderState;
use serde::{Deserialize, Serialize};

use crate::{Bridge, LinkStatus};

/// What a daemon serves, and how its link to the hub is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// All its encoders.
    pub encoders: Vec<EncoderState>,
    /// Its link.
    pub hub: HubState,
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
        let encoders = bridge.encoders().into_iter().map(|status| status.state);
        Self {
            encoders: encoders.collect(),
            hub,
        }
    }
}
