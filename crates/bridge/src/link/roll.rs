//! What the hub has of this bridge's encoders, as far as it has said so.

use std::collections::{BTreeMap, VecDeque};

use protocol::link::{EncoderState, RegisteredEncoder};
use uuid::Uuid;

/// The encoders as the hub has them on this connection.
#[derive(Debug, Default)]
pub(super) struct Roll {
    encoders: BTreeMap<String, Entry>,
    /// States that were told and not yet answered, oldest first; the hub answers in this order.
    told: VecDeque<EncoderState>,
}

#[derive(Debug, Default)]
struct Entry {
    acs_encoder_id: Option<Uuid>,
    is_online: bool,
}

impl Roll {
    /// The states of the snapshot, which the hub takes over as a whole.
    pub(super) fn snapshot(&mut self, states: &[EncoderState]) {
        for state in states {
            self.entry(&state.identity).is_online = state.is_online;
        }
    }

    /// A change is on its way to the hub.
    pub(super) fn told(&mut self, state: &EncoderState) {
        self.told.push_back(state.clone());
    }

    /// The hub has an encoder under that id.
    pub(super) fn listed(&mut self, encoder: &RegisteredEncoder) {
        self.entry(&encoder.identity).acs_encoder_id = Some(encoder.acs_encoder_id);
    }

    /// The hub says that an encoder is this bridge's: in answer to the oldest change, or because another bridge does not
    /// keep it any more.
    pub(super) fn registered(&mut self, encoder: &RegisteredEncoder) {
        self.answered(&encoder.identity);
        self.listed(encoder);
    }

    /// The hub says that another bridge keeps an encoder.
    pub(super) fn held(&mut self, identity: &str) {
        self.answered(identity);
        self.entry(identity).acs_encoder_id = None;
    }

    /// The hub took the oldest change over, if that was of this encoder.
    fn answered(&mut self, identity: &str) {
        if let Some(state) = self.told.pop_front_if(|state| state.identity == identity) {
            self.entry(identity).is_online = state.is_online;
        }
    }

    /// The encoders that the hub holds for online.
    pub(super) fn online(&self) -> BTreeMap<String, Uuid> {
        self.encoders
            .iter()
            .filter(|(_, entry)| entry.is_online)
            .filter_map(|(identity, entry)| Some((identity.clone(), entry.acs_encoder_id?)))
            .collect()
    }

    fn entry(&mut self, identity: &str) -> &mut Entry {
        self.encoders.entry(identity.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use protocol::link::IdentityScope;

    use super::*;

    fn state(identity: &str, is_online: bool) -> EncoderState {
        EncoderState {
            identity: identity.to_owned(),
            identity_scope: IdentityScope::Computer,
            display_name: identity.to_owned(),
            driver: "pn532".to_owned(),
            is_online,
            is_issuing: false,
            reason: None,
        }
    }

    fn registered(identity: &str) -> RegisteredEncoder {
        RegisteredEncoder {
            identity: identity.to_owned(),
            acs_encoder_id: Uuid::nil(),
        }
    }

    #[test]
    fn an_encoder_is_online_at_the_hub_once_the_hub_has_said_so() {
        let mut roll = Roll::default();
        roll.snapshot(&[state("a", true), state("b", false)]);
        assert!(roll.online().is_empty());
        roll.listed(&registered("a"));
        roll.listed(&registered("b"));
        assert_eq!(roll.online().into_keys().collect::<Vec<_>>(), ["a"]);
        roll.told(&state("b", true));
        roll.told(&state("a", false));
        assert_eq!(roll.online().into_keys().collect::<Vec<_>>(), ["a"]);
        roll.registered(&registered("b"));
        assert_eq!(roll.online().into_keys().collect::<Vec<_>>(), ["a", "b"]);
        roll.registered(&registered("a"));
        assert_eq!(roll.online().into_keys().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn an_encoder_that_another_bridge_keeps_is_online_only_once_it_is_given_over() {
        let mut roll = Roll::default();
        roll.told(&state("a", true));
        roll.told(&state("b", true));
        roll.held("a");
        roll.registered(&registered("b"));
        assert_eq!(roll.online().into_keys().collect::<Vec<_>>(), ["b"]);
        roll.told(&state("b", false));
        // Nothing was told of it anew: the change of the other is still to be answered.
        roll.registered(&registered("a"));
        assert_eq!(roll.online().into_keys().collect::<Vec<_>>(), ["a", "b"]);
        roll.registered(&registered("b"));
        assert_eq!(roll.online().into_keys().collect::<Vec<_>>(), ["a"]);
        roll.held("a");
        assert!(roll.online().is_empty());
    }
}
