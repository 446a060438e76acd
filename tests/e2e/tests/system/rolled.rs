//! A site that rolls its key, as the operating guide says: cards made under the old version stay in use, and locks that
//! have both versions open to cards of both.

use bridge::key_file::KeyFile;
use card::{Door, DoorNumber};
use cardbridge::locks::Locks;
use e2e::{EncoderPc, Hub, Output, Process};
use emulator::{Card, Cards, Origin, Pn532Encoder, Slot, Technology};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// One of each family, since each keeps the version of its keys in a place of its own.
const CARDS: [(Technology, &str); 4] = [
    (Technology::MifareClassic1k, "04A1B2C3"),
    (Technology::Ntag213, "04A1B2C3D4E5F6"),
    (Technology::DesfireEv2, "04A1B2C3D4E5F7"),
    (Technology::Ntag424Dna, "04A1B2C3D4E5F8"),
];

/// A desk whose encoder and cards are in this process, and its hub.
struct Desk {
    slot: Slot,
    _encoder: Pn532Encoder,
    hub: Hub,
    pc: EncoderPc,
    room: String,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let slot = Slot::new();
        let encoder = Pn532Encoder::start(slot.clone(), folder.path().join("front-desk")).unwrap();
        let hub = Hub::start("5s");
        let pc = EncoderPc::with_pn532(&hub.section(), "Front Desk", encoder.path());
        let site = json!({"acs_system_id": hub.acs_system_id});
        let entrances = hub.api.post("/acs/entrances/list", site).await;
        let room = &entrances.ok("acs_entrances")[0]["acs_entrance_id"];
        Self {
            room: room.as_str().unwrap().to_owned(),
            slot,
            _encoder: encoder,
            hub,
            pc,
            _folder: folder,
        }
    }

    /// A credential for a new stay in the room.
    async fn stay(&self) -> String {
        let user = self.hub.api.user(&self.hub.acs_system_id).await;
        self.hub.api.credential(&user, &[&self.room]).await
    }

    async fn encode(&self, card: &Card) -> String {
        let credential = self.stay().await;
        self.slot.place(card);
        let encoder = self.hub.encoder("Front Desk").await;
        let api = &self.hub.api;
        let encoded = api.encode_once_online(&credential, &encoder).await;
        assert_eq!(encoded["card_number"], card.uid().to_string());
        credential
    }

    async fn scan(&self, card: &Card) -> Value {
        self.slot.place(card);
        let encoder = self.hub.encoder("Front Desk").await;
        let scan = self.hub.api.scan(&encoder).await;
        self.hub.api.result(&scan).await
    }

    /// Whether the lock of the room opens that was given what the key file holds now.
    fn opens(&self, locks_of: &KeyFile, card: &Card) -> bool {
        let entrance = Uuid::new_v4();
        // The site's first room has the first number.
        let door = Door::Guest(DoorNumber::new(1).unwrap());
        let locks = Locks::new(&locks_of.keys().lock_keys(), [(entrance, door)]);
        let decision = locks.decide(entrance, card, Timestamp::now(), false);
        decision.unwrap().granted
    }

    fn keys(&self) -> KeyFile {
        KeyFile::read(&self.pc.key_file()).unwrap()
    }
}

#[tokio::test]
async fn cards_of_the_old_key_are_read_and_encoded_again_and_locks_of_both_versions_open_to_them() {
    let desk = Desk::start().await;
    let cards = Cards::new();
    let cards = CARDS.map(|(technology, uid)| {
        let uid = uid.parse().unwrap();
        cards.card(technology, uid, Origin::Factory).unwrap()
    });
    let daemon = Process::start(desk.pc.command("run"));
    let mut before = Vec::new();
    for card in &cards {
        before.push(desk.encode(card).await);
    }
    let old = desk.keys();

    drop(daemon);
    let mut roll = desk.pc.command("keys roll");
    roll.arg("--json");
    assert_eq!(Output::of(roll).done()["newest"], 2);
    let both = desk.keys();
    let _daemon = Process::start(desk.pc.command("run"));
    let new = Cards::new();
    let new = new.card(
        Technology::MifareClassic1k,
        "04A1B2C9".parse().unwrap(),
        Origin::Factory,
    );
    let new = new.unwrap();
    desk.encode(&new).await;
    assert!(desk.opens(&both, &new) && !desk.opens(&old, &new));

    for (card, credential) in cards.iter().zip(&before) {
        let name = card.technology().name();
        assert!(desk.opens(&old, card) && desk.opens(&both, card), "{name}");
        let scanned = desk.scan(card).await;
        let on_seam = &scanned["acs_credential_on_seam"];
        assert_eq!(on_seam["acs_credential_id"], **credential, "{name}");

        desk.encode(card).await;
        assert!(desk.opens(&both, card), "{name}");
        let tagged_anew = !desk.opens(&old, card);
        assert!(tagged_anew, "{name}: made with the old version still");
    }
}
