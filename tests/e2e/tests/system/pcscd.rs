//! A bridge whose encoder is behind a real `pcscd`, with nothing in its configuration that says so.

use e2e::{EncoderPc, Hub, Process};
use emulator::{Card, Cards, Origin, PcscReader, PrivatePcscd, ReaderSettings, Slot, Technology};
use serde_json::Value;

/// Hub, bridge, `pcscd` and reader, each a process or a thread of its own.
struct Bench {
    // In this order: the bridge goes before its pcscd, and the reader too.
    _bridge: Process,
    reader: PcscReader,
    _pcscd: PrivatePcscd,
    hub: Hub,
    _pc: EncoderPc,
    encoder: String,
    cards: Cards,
}

impl Bench {
    async fn start() -> Self {
        let pcscd = PrivatePcscd::start(1).unwrap_or_else(|error| panic!("{error}"));
        let port = pcscd.ports()[0];
        let reader = PcscReader::start(Slot::new(), port, ReaderSettings::default()).unwrap();
        let hub = Hub::start("3s");
        let pc = EncoderPc::new(&hub.section());
        let mut run = pc.command("run");
        run.env("PCSCLITE_CSOCK_NAME", pcscd.socket());
        let bridge = Process::start(run);
        // Without the number, which is another one after every replug.
        let name = pcscd.reader_name(0);
        let encoder = hub.encoder(name.strip_suffix(" 00 00").unwrap()).await;
        Self {
            _bridge: bridge,
            reader,
            _pcscd: pcscd,
            hub,
            _pc: pc,
            encoder,
            cards: Cards::new(),
        }
    }

    fn card(&self, uid: &str, origin: Origin) -> Card {
        let technology = Technology::MifareClassic1k;
        self.cards
            .card(technology, uid.parse().unwrap(), origin)
            .unwrap()
    }

    /// A new card of any technology.
    fn any(&self, technology: Technology, uid: &str) -> Card {
        let uid = uid.parse().unwrap();
        self.cards.card(technology, uid, Origin::Factory).unwrap()
    }

    /// Takes the card off and finds that an encode sees none. Afterwards pcscd has seen it too, which looks every 400 ms.
    async fn take_off(&self, credential: &str) {
        self.reader.slot().remove();
        let attempt = self.hub.api.encode(credential, &self.encoder).await;
        assert_eq!(self.hub.api.error(&attempt).await, "no_card_on_encoder");
    }

    async fn credential(&self) -> String {
        let user = self.hub.api.user(&self.hub.acs_system_id).await;
        let parameters = serde_json::json!({"acs_system_id": self.hub.acs_system_id});
        let entrances = self.hub.api.post("/acs/entrances/list", parameters).await;
        let room = entrances.ok("acs_entrances")[0]["acs_entrance_id"].clone();
        self.hub
            .api
            .credential(&user, &[room.as_str().unwrap()])
            .await
    }
}

#[tokio::test]
async fn a_card_behind_the_real_pcscd_is_encoded_and_scanned() {
    let bench = Bench::start().await;
    let api = &bench.hub.api;
    let credential = bench.credential().await;
    let card = bench.card("04A1B2C3", Origin::Factory);
    bench.reader.slot().place(&card);
    let encoded = api.encode_once_online(&credential, &bench.encoder).await;
    assert_eq!(encoded["acs_credential_id"], credential.as_str());
    assert_eq!(encoded["card_number"], "04A1B2C3");
    assert_eq!(encoded["is_issued"], true);

    let scan = api.scan(&bench.encoder).await;
    let scanned = api.result(&scan).await;
    assert_eq!(scanned["warnings"], serde_json::json!([]));
    let on_encoder = &scanned["acs_credential_on_encoder"];
    assert_eq!(on_encoder["card_number"], "04A1B2C3");
    let on_seam = &scanned["acs_credential_on_seam"];
    assert_eq!(on_seam["acs_credential_id"], credential.as_str());
}

#[tokio::test]
async fn cards_of_every_family_behind_the_real_pcscd_are_encoded_again_and_again_and_scanned() {
    let bench = Bench::start().await;
    let api = &bench.hub.api;
    for (technology, uid) in [
        // By direct transmit, for part 3 of the PC/SC standard has no GET_VERSION and no PWD_AUTH.
        (Technology::Ntag213, "04A1B2C3D4E5F6"),
        (Technology::MifareUltralightC, "04A1B2C3D4E5F7"),
        (Technology::DesfireEv2, "04A1B2C3D4E5F8"),
        (Technology::Ntag424Dna, "04A1B2C3D4E5F9"),
        (Technology::MifareClassic4k, "04A1B2C4"),
    ] {
        let name = technology.name();
        bench.take_off(&bench.credential().await).await;
        bench.reader.slot().place(&bench.any(technology, uid));
        for _ in 0..2 {
            let credential = bench.credential().await;
            let encoded = api.encode_once_online(&credential, &bench.encoder).await;
            assert_eq!(encoded["card_number"], uid, "{name}");
            let scan = api.scan(&bench.encoder).await;
            let scanned = api.result(&scan).await;
            assert_eq!(scanned["warnings"], serde_json::json!([]), "{name}");
            let on_seam = &scanned["acs_credential_on_seam"];
            assert_eq!(on_seam["acs_credential_id"], credential.as_str(), "{name}");
        }
    }
}

#[tokio::test]
async fn cards_behind_the_real_pcscd_come_go_and_are_told_apart() {
    let bench = Bench::start().await;
    let api = &bench.hub.api;
    let (first, second) = (bench.credential().await, bench.credential().await);
    let slot = bench.reader.slot();

    let ada = bench.card("04A1B2C3", Origin::Factory);
    slot.place(&ada);
    api.encode_once_online(&first, &bench.encoder).await;
    let image = ada.memory();

    bench.take_off(&second).await;
    let attempt = api.encode(&second, &bench.encoder).await;
    let foreign = bench.card("04F0F0F0", Origin::Foreign);
    let before = foreign.memory();
    slot.place(&foreign);
    assert_eq!(api.error(&attempt).await, "incompatible_card_format");
    assert_eq!(foreign.memory(), before);

    bench.take_off(&second).await;
    let attempt = api.encode(&second, &bench.encoder).await;
    slot.place(&bench.card("04A1B2C4", Origin::Factory));
    assert_eq!(api.result(&attempt).await["card_number"], "04A1B2C4");

    bench.take_off(&second).await;
    slot.place(&ada);
    let scan = api.scan(&bench.encoder).await;
    let scanned: Value = api.result(&scan).await;
    let on_seam = &scanned["acs_credential_on_seam"];
    assert_eq!(on_seam["acs_credential_id"], first.as_str());
    assert_eq!(ada.memory(), image);
}
