//! An encoder whose lock server makes the cards: from the API through hub, link, bridge and driver to an emulated SALTO
//! server, and back.

use std::time::Duration;

use e2e::{EncoderPc, Hub, Output, Process};
use emulator::{
    Card, Cards, Dialect, LockServer, LockServerSettings, LockServerWire, Origin, Slot, Technology,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const NAME: &str = "Reception";
const UID: &str = "04A1B2C3";
const LIMIT: Duration = Duration::from_secs(20);

/// A hub, a lock server with one encoder, and the bridge between them.
struct Hotel {
    hub: Hub,
    server: LockServer,
    slot: Slot,
    card: Card,
    pc: EncoderPc,
    bridge: Process,
    encoder: String,
    user: String,
}

impl Hotel {
    async fn open() -> Self {
        let slot = Slot::new();
        let settings = LockServerSettings::new(Dialect::Salto)
            .with_encoder("Online Encoder 1", slot.clone())
            .with_rooms(["101", "102", "103"]);
        let server = LockServer::start(&settings, LockServerWire::Loopback(0)).unwrap();
        server.adjust(|knobs| knobs.awaits_removal = false);
        let hub = Hub::start("15s");
        let pc = EncoderPc::new(&format!(
            "discover = false\n{}[[encoder]]\ndriver = \"lock-server\"\nname = \"{NAME}\"\naddress = \"tcp://{}\"\n\
             dialect = \"salto\"\nencoder = \"Online Encoder 1\"\n",
            hub.section(),
            server.address().unwrap(),
        ));
        let bridge = Process::start(pc.command("run"));
        let encoder = hub.encoder(NAME).await;
        let user = hub.api.user(&hub.acs_system_id).await;
        let uid = UID.parse().unwrap();
        let card = Cards::new().card(Technology::MifareClassic1k, uid, Origin::Factory);
        Self {
            card: card.unwrap(),
            hub,
            server,
            slot,
            pc,
            bridge,
            encoder,
            user,
        }
    }

    /// A credential for one room, until tomorrow.
    async fn credential(&self, room: &str) -> String {
        let parameters = json!({ "acs_system_id": self.hub.acs_system_id });
        let doors = self.hub.api.post("/acs/entrances/list", parameters).await;
        let doors = doors.ok("acs_entrances");
        let mut doors = doors.as_array().unwrap().iter();
        let door = doors.find(|door| door["display_name"] == room).unwrap();
        let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
        let parameters = json!({
            "acs_user_id": self.user,
            "access_method": "card",
            "allowed_acs_entrance_ids": [door["acs_entrance_id"]],
            "ends_at": tomorrow.to_string(),
        });
        let made = self.hub.api.post("/acs/credentials/create", parameters);
        let made = made.await.ok("acs_credential");
        made["acs_credential_id"].as_str().unwrap().to_owned()
    }

    /// Has a card made for room 101, which shows that everything is in service.
    async fn encode_one(&self) -> Value {
        self.slot.place(&self.card);
        let credential = self.credential("101").await;
        let api = &self.hub.api;
        api.encode_once_online(&credential, &self.encoder).await
    }

    /// Has a card for room 102 ordered that nobody puts on: the credential and the attempt, once the server has the order.
    async fn order_without_a_card(&self) -> (String, String) {
        self.slot.remove();
        let credential = self.credential("102").await;
        let attempt = self.hub.api.encode(&credential, &self.encoder).await;
        let has_order = self.server.wait_for(LIMIT, |now| {
            let latest = now.served.back().map(|served| served.line());
            latest.is_some_and(|line| line.starts_with("CN") && line.contains("|102|"))
        });
        assert!(has_order, "{:?}", self.server.served());
        (credential, attempt)
    }

    async fn assert_no_second_card(&self, credential: &str) {
        self.slot.place(&self.card);
        let api = &self.hub.api;
        let refused = e2e::until("an encoder in service", async || {
            let attempt = api.encode(credential, &self.encoder).await;
            let error = api.error(&attempt).await;
            (error != "encoder_not_online").then_some(error)
        });
        assert_eq!(refused.await, "credential_cannot_be_reissued");
        let orders = self.server.served();
        let orders = orders
            .iter()
            .filter(|served| served.line().contains("|102|"));
        assert_eq!(orders.count(), 1);
    }
}

#[tokio::test]
async fn a_card_that_the_lock_server_made_is_issued_and_read_by_it() {
    let hotel = Hotel::open().await;
    let issued = hotel.encode_one().await;
    assert_eq!(issued["is_issued"], true);

    let scan = hotel.hub.api.scan(&hotel.encoder).await;
    let result = hotel.hub.api.result(&scan).await;
    let on_encoder = &result["acs_credential_on_encoder"];
    let metadata = &on_encoder["lock_server_metadata"];
    assert_eq!(metadata["card_type"], "guest", "{result}");
    assert_eq!(metadata["rooms"], json!(["101"]));
    assert_eq!(metadata["is_checked_in"], true);
    // This server tells the UID of a card that it makes, and not of one that it reads.
    assert_eq!(issued["card_number"], UID);
    assert_eq!(on_encoder["card_number"], Value::Null);
    let warning = &result["warnings"][0]["warning_code"];
    assert_eq!(warning, "acs_credential_on_seam_not_found");

    let mut scan = hotel.pc.command("scan");
    scan.arg("--json");
    let scanned = Output::of(scan).done();
    assert_eq!(scanned["card"], "guest");
    assert_eq!(scanned["rooms"], json!(["101"]));
}

#[tokio::test]
async fn a_connection_cut_after_the_order_leaves_a_doubt_and_no_second_card() {
    let hotel = Hotel::open().await;
    hotel.encode_one().await;
    let (credential, attempt) = hotel.order_without_a_card().await;
    hotel.server.unplug();
    let ended = hotel.hub.api.ended(&attempt).await;
    let message = ended["error"]["message"].as_str().unwrap();
    assert!(message.contains("is not known"), "{ended}");
    hotel.server.plug().unwrap();
    hotel.assert_no_second_card(&credential).await;
}

#[tokio::test]
async fn a_bridge_killed_while_the_lock_server_has_the_order_leaves_a_doubt_and_no_second_card() {
    let mut hotel = Hotel::open().await;
    hotel.encode_one().await;
    let (credential, attempt) = hotel.order_without_a_card().await;
    hotel.bridge.kill();
    hotel.bridge = Process::start(hotel.pc.command("run"));
    let error = hotel.hub.api.error(&attempt).await;
    assert_eq!(error, "encoding_interrupted");
    hotel.assert_no_second_card(&credential).await;
}
