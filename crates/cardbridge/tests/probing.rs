//! A whole bridge with the PN532 driver before a tree of devices: which become encoders, and which are only shown.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "the driver's own tests use the rest")]
#[path = "../../../drivers/pn532/tests/emulated/tree.rs"]
mod tree;

use std::time::Duration;

use bridge::{Bridge, Config};
use emulator::{Pn532Encoder, Slot};
use encoder::{Access, Listing, Registry};

use tree::Tree;

/// Generous: it only keeps a broken test from hanging.
const LIMIT: Duration = Duration::from_secs(20);

const SITE: &str = "[site]\nkey = \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"\n\
                    [bridge]\nstate_dir = \"state\"\n";

/// Two PN532 at adapters of USB, a reader that the kernel has taken, and a bridge.
struct Desk {
    tree: Tree,
    encoders: [Pn532Encoder; 2],
    home: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let (tree, home) = (Tree::new(), tempfile::tempdir().unwrap());
        let encoders = ["left", "right"]
            .map(|name| Pn532Encoder::start(Slot::new(), home.path().join(name)).unwrap());
        let serials = ["AL00XQ3T", "AL00XQ4U"];
        for (at, (encoder, serial)) in (0..).zip(encoders.iter().zip(serials)) {
            let (name, place) = (format!("ttyUSB{at}"), format!("1-{}", at + 1));
            tree.plug(&name, &place, Some(serial), at + 3, encoder.path());
        }
        tree.plug_reader_of_kernel("1-5");
        Self {
            tree,
            encoders,
            home,
        }
    }

    async fn start(&self, settings: &str) -> Bridge {
        let registry = Registry::new().with(self.tree.driver());
        let origin = self.home.path().join("bridge.toml");
        let config = Config::parse(&format!("{SITE}{settings}"), &origin, &registry).unwrap();
        std::fs::create_dir(&config.state_directory).unwrap();
        Bridge::start(config, registry).await.unwrap()
    }

    fn frames(&self) -> [u64; 2] {
        [0, 1].map(|at| self.encoders[at].faults().frames())
    }
}

/// The devices that are not used, once there are so many.
async fn unused(bridge: &Bridge, count: usize) -> Vec<Listing> {
    let mut unused = bridge.unused();
    let all = unused.wait_for(|listings| listings.len() == count);
    tokio::time::timeout(LIMIT, all)
        .await
        .unwrap()
        .unwrap()
        .clone()
}

/// The identities of the encoders that the hub would be told of, once so many of them are online.
async fn online(bridge: &Bridge, count: usize) -> Vec<String> {
    let seen = async {
        loop {
            let all = bridge.encoders();
            if all.iter().filter(|status| status.state.is_online).count() == count {
                return all
                    .into_iter()
                    .map(|status| status.state.identity)
                    .collect();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, seen).await.unwrap()
}

#[tokio::test]
async fn what_nobody_claimed_is_shown_gets_no_byte_and_becomes_no_encoder() {
    let desk = Desk::new();
    let bridge = desk.start("").await;
    let unused = unused(&bridge, 3).await;
    assert!(
        unused
            .iter()
            .all(|listing| matches!(listing.access, Access::Unclaimed { .. }))
    );
    let kernels = unused
        .iter()
        .find(|listing| listing.description.starts_with("ACR122U"));
    let told = format!("{:?}", kernels.unwrap().access);
    assert!(told.contains("modprobe -r pn533_usb"), "{told}");
    assert_eq!(online(&bridge, 0).await, [""; 0]);
    assert_eq!(desk.frames(), [0, 0]);
    bridge.stop().await;
}

#[tokio::test]
async fn a_pn532_that_answers_a_probe_becomes_an_encoder_and_nothing_else_does() {
    let desk = Desk::new();
    // This one is no PN532 now: nothing answers.
    desk.encoders[1].faults().set(vec![emulator::Fault {
        kind: emulator::FaultKind::Stall,
        when: emulator::When::AtFrame(1),
        way: emulator::Way::ToHost,
    }]);
    let bridge = desk.start("probe = true\n").await;
    assert_eq!(online(&bridge, 1).await, ["pn532:serial:AL00XQ3T"]);
    let unused = unused(&bridge, 2).await;
    let told: Vec<_> = unused
        .iter()
        .map(|listing| format!("{:?}", listing.access))
        .collect();
    assert!(
        told.iter()
            .any(|told| told.contains("no PN532 answered here")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|told| told.contains("pn533_usb")),
        "{told:?}"
    );
    bridge.stop().await;
}

#[tokio::test]
async fn an_entry_claims_its_port_and_no_other() {
    let desk = Desk::new();
    let entry = "[[encoder]]\ndriver = \"pn532\"\nusb_serial = \"AL00XQ4U\"\nname = \"Desk\"\n";
    let bridge = desk.start(entry).await;
    assert_eq!(online(&bridge, 1).await, ["pn532:serial:AL00XQ4U"]);
    unused(&bridge, 2).await;
    assert_eq!(desk.frames()[0], 0);
    bridge.stop().await;
}
