//! Tells the lab on whose behalf an encoder works, so that its log names the attempt behind each write.

use bridge::Bridge;
use emulator::Slot;
use tokio::task::JoinSet;

use crate::lab::Lab;

/// Follows every encoder until the set is dropped.
pub(super) fn follow(bridge: &Bridge, lab: &Lab) -> JoinSet<()> {
    let mut following = JoinSet::new();
    for encoder in lab.encoders() {
        let Ok(slot) = lab.slot(encoder.name.as_str()) else {
            continue;
        };
        let display_name = encoder.name.in_words();
        let states = bridge.encoders().into_iter().map(|status| status.state);
        let identity = states
            .filter(|state| state.display_name == display_name)
            .map(|state| state.identity)
            .next();
        if let Some(status) = identity.and_then(|identity| bridge.watch_encoder(&identity)) {
            following.spawn(tell(status, slot.clone()));
        }
    }
    following
}

async fn tell(mut status: tokio::sync::watch::Receiver<bridge::EncoderStatus>, slot: Slot) {
    loop {
        let running = status.borrow_and_update().running;
        slot.set_attempt(running.map(|(attempt, _)| attempt.to_string()));
        if status.changed().await.is_err() {
            return;
        }
    }
}
