//! The daemon killed while the real hub is at the other end: what an integrator sees of it through the API.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its bench too"
)]

use crash::plastic::{blank, ours};
use crash::{LIMIT, report};
use e2e::{EncoderPc, Hub, Process};
use emulator::{Card, Cards, Moment, Origin, Pn532Encoder, Slot, Technology};
use serde_json::Value;
use tempfile::TempDir;

/// A desk with a PN532, its bridge, the hub, and an integrator who has encoded one card already.
struct Desk {
    hub: Hub,
    pc: EncoderPc,
    bridge: Process,
    slot: Slot,
    card: Card,
    acs_encoder_id: String,
    acs_user_id: String,
    _encoder: Pn532Encoder,
    _folder: TempDir,
}

impl Desk {
    async fn start() -> Self {
        let (folder, slot) = (tempfile::tempdir().unwrap(), Slot::new());
        let encoder = Pn532Encoder::start(slot.clone(), folder.path().join("front-desk")).unwrap();
        let hub = Hub::start("30s");
        let pc = EncoderPc::with_pn532(&hub.section(), "Front Desk", encoder.path());
        let bridge = Process::start(pc.command("run"));
        let card = factory_card("04A1B2C3");
        slot.place(&card);
        let desk = Self {
            acs_encoder_id: hub.encoder("Front Desk").await,
            acs_user_id: hub.api.user(&hub.acs_system_id).await,
            hub,
            pc,
            bridge,
            slot,
            card,
            _encoder: encoder,
            _folder: folder,
        };
        let first = desk.credential().await;
        desk.hub
            .api
            .encode_once_online(&first, &desk.acs_encoder_id)
            .await;
        desk
    }

    async fn credential(&self) -> String {
        self.hub.api.credential(&self.acs_user_id, &[]).await
    }

    async fn encode(&self, acs_credential_id: &str) -> String {
        let api = &self.hub.api;
        api.encode(acs_credential_id, &self.acs_encoder_id).await
    }

    /// How an encode ends as soon as the bridge has opened the encoder.
    async fn ended_once_online(&self, acs_credential_id: &str) -> Value {
        let api = &self.hub.api;
        api.ended_once_online(acs_credential_id, &self.acs_encoder_id)
            .await
    }

    /// Kills the bridge while the n-th exchange of an encode is on its way, starts it again, and returns the attempt and
    /// how it ended.
    async fn killed_at(&mut self, n: u64, acs_credential_id: &str) -> (String, Value) {
        self.slot.hold_at(n);
        let attempt = self.encode(acs_credential_id).await;
        assert!(self.slot.wait_for(LIMIT, |now| now.is_held));
        self.bridge.kill();
        let begun = self.slot.log().exchanges();
        self.slot.let_go();
        self.bridge = Process::start(self.pc.command("run"));
        let ended = self.hub.api.ended(&attempt).await;
        assert_eq!(ended["status"], "error", "{ended}");
        assert_eq!(ended["error"]["type"], "encoding_interrupted", "{ended}");
        let since = self.slot.log().exchanges() - begun;
        assert_eq!(since, 1, "only what was on its way reached the card");
        (attempt, ended)
    }
}

fn factory_card(uid: &str) -> Card {
    let uid = uid.parse().unwrap();
    Cards::new()
        .card(Technology::MifareClassic1k, uid, Origin::Factory)
        .unwrap()
}

/// Exchanges of the inspection of a card of ours, after which the hub is asked.
fn inspected_with() -> u64 {
    ours("ours", &[]).exchanges().1
}

#[tokio::test]
async fn after_a_kill_in_the_midst_of_writing_the_credential_belongs_to_that_card_and_is_finished_on_it()
 {
    let mut desk = Desk::start().await;
    let credential = desk.credential().await;
    let (attempt, ended) = desk.killed_at(inspected_with() + 3, &credential).await;

    let another = factory_card("04D1E2F3");
    let untouched = another.memory();
    desk.slot.place(&another);
    let refused = desk.ended_once_online(&credential).await;
    let kind = &refused["error"]["type"];
    assert_eq!(kind, "credential_cannot_be_reissued", "{refused}");
    assert_eq!(another.memory(), untouched);

    desk.slot.place(&desk.card);
    let again = desk.encode(&credential).await;
    let result = desk.hub.api.result(&again).await;
    assert_eq!(result["is_issued"], true, "{result}");
    let frozen = desk.hub.api.attempt(&attempt).await;
    assert_eq!(frozen, ended, "an attempt that has ended never changes");
}

#[tokio::test]
async fn after_a_kill_before_the_writing_the_credential_is_free_for_another_card() {
    let mut desk = Desk::start().await;
    let credential = desk.credential().await;
    let before = desk.card.memory();
    desk.killed_at(inspected_with(), &credential).await;
    assert_eq!(desk.card.memory(), before);

    let another = factory_card("04D1E2F3");
    desk.slot.place(&another);
    let again = desk.ended_once_online(&credential).await;
    assert_eq!(again["status"], "success", "{again}");
    assert_eq!(desk.card.memory(), before);
}

#[tokio::test]
async fn a_card_pulled_at_any_exchange_ends_the_attempt_and_takes_the_same_credential_at_the_next()
{
    let desk = Desk::start().await;
    let of_ours = (desk.card.memory(), ours("ours", &[]).exchanges().0);
    let delivered = (factory_card("04A1B2C3").memory(), blank().exchanges().0);
    let mut cases = 0;
    for (memory, exchanges) in [delivered, of_ours] {
        for n in 1..=exchanges {
            desk.card.set_memory(&memory).unwrap();
            desk.slot.place(&desk.card);
            let credential = desk.credential().await;
            desk.slot.remove_at(n, Moment::Unanswered);
            let pulled = desk.encode(&credential).await;
            let kind = desk.hub.api.error(&pulled).await;
            assert_eq!(kind, "encoding_interrupted", "exchange {n} of {exchanges}");

            desk.slot.place(&desk.card);
            let again = desk.encode(&credential).await;
            let result = desk.hub.api.result(&again).await;
            assert_eq!(result["is_issued"], true, "{result}");
            cases += 1;
        }
    }
    report(cases, "a card pulled, through the real hub");
}
