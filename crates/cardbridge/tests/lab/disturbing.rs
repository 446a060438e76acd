//! Faults and timing: what can be set, what is refused, and what the log tells of it.

use std::io::Write;
use std::time::{Duration, Instant};

use cardbridge::lab::{Lab, LabError, LabSettings, Timing, Undisturbed};
use emulator::{Fault, FaultKind, When};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench};

const FAULTS: &str = "/encoders/front-desk/faults";
const TIMING: &str = "/encoders/front-desk/timing";
const LIMIT: Duration = Duration::from_secs(10);

async fn put(bench: &Bench, path: &str, body: Value) -> Answer {
    bench.send(Method::PUT, path, body.to_string()).await
}

#[tokio::test]
async fn every_kind_of_fault_can_be_set_at_an_exchange_at_a_frame_or_by_a_rate_and_cleared() {
    let bench = Bench::start().await;
    let delay = FaultKind::Delay(Duration::from_millis(50));
    let rate = |rate, seed| When::Rate { rate, seed };
    let exchange = When::AtExchange;
    for (shape, fault) in [
        (
            json!({"kind": "drop", "at_exchange": 3}),
            Fault::new(FaultKind::Drop, exchange(3)),
        ),
        (
            json!({"kind": "delay", "ms": 50, "rate": 0.01, "seed": 7}),
            Fault::new(delay, rate(0.01, 7)),
        ),
        (
            json!({"kind": "garble", "rate": 1}),
            Fault::new(FaultKind::Garble, rate(1.0, 0)),
        ),
        (
            json!({"kind": "truncate", "at_frame": 2}),
            Fault::new(FaultKind::Truncate, When::AtFrame(2)),
        ),
        (
            json!({"kind": "nak", "at_exchange": 1, "way": "from_host"}),
            Fault::new(FaultKind::Nak, exchange(1)).from_host(),
        ),
        (
            json!({"kind": "wrong_uid", "at_frame": 1, "way": "to_host"}),
            Fault::new(FaultKind::WrongUid, When::AtFrame(1)),
        ),
        (
            json!({"kind": "stall", "at_exchange": 1}),
            Fault::new(FaultKind::Stall, exchange(1)),
        ),
        (
            json!({"kind": "duplicate", "at_exchange": 1}),
            Fault::new(FaultKind::Duplicate, exchange(1)),
        ),
        (
            json!({"kind": "oversize", "at_exchange": 1}),
            Fault::new(FaultKind::Oversize, exchange(1)),
        ),
    ] {
        put(&bench, FAULTS, json!([shape])).await.json();
        assert_eq!(bench.lab.faults("front-desk").unwrap().get(), [fault]);
    }
    let both = json!([{"kind": "drop", "at_exchange": 3}, {"kind": "stall", "at_frame": 9}]);
    put(&bench, FAULTS, both).await.json();
    assert_eq!(bench.lab.faults("front-desk").unwrap().get().len(), 2);
    assert_eq!(bench.lab.faults("back-office").unwrap().get(), []);
    assert_eq!(put(&bench, FAULTS, json!([])).await.json(), json!([]));
    assert_eq!(bench.lab.faults("front-desk").unwrap().get(), []);
    bench.stop().await;
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused_with_its_place_and_changes_nothing() {
    let bench = Bench::start().await;
    let kept = json!([{"kind": "drop", "at_exchange": 3}]);
    put(&bench, FAULTS, kept).await.json();
    for (fault, kind, said) in [
        (
            json!({"kind": "melt", "at_exchange": 1}),
            "invalid_request",
            "melt",
        ),
        (json!({"at_exchange": 1}), "invalid_request", "kind"),
        (json!({"kind": "drop"}), "invalid_fault", "when"),
        (
            json!({"kind": "drop", "at_exchange": 1, "rate": 0.5}),
            "invalid_fault",
            "in one way",
        ),
        (
            json!({"kind": "drop", "at_exchange": 0}),
            "invalid_fault",
            "first is 1",
        ),
        (
            json!({"kind": "drop", "at_frame": 0}),
            "invalid_fault",
            "first is 1",
        ),
        (
            json!({"kind": "drop", "at_frame": -1}),
            "invalid_request",
            "-1",
        ),
        (
            json!({"kind": "drop", "rate": 1.01}),
            "invalid_fault",
            "0 to 1",
        ),
        (
            json!({"kind": "drop", "rate": -0.5}),
            "invalid_fault",
            "0 to 1",
        ),
        (
            json!({"kind": "drop", "rate": "often"}),
            "invalid_request",
            "often",
        ),
        (
            json!({"kind": "drop", "at_frame": 1, "seed": 7}),
            "invalid_fault",
            "seed",
        ),
        (
            json!({"kind": "delay", "at_frame": 1}),
            "invalid_fault",
            "ms",
        ),
        (
            json!({"kind": "delay", "ms": 60_001, "at_frame": 1}),
            "invalid_fault",
            "minute",
        ),
        (
            json!({"kind": "drop", "ms": 50, "at_frame": 1}),
            "invalid_fault",
            "only a delay",
        ),
        (
            json!({"kind": "wrong_uid", "at_frame": 1, "way": "from_host"}),
            "invalid_fault",
            "way",
        ),
        (
            json!({"kind": "drop", "at_frame": 1, "way": "sideways"}),
            "invalid_request",
            "sideways",
        ),
        (
            json!({"kind": "drop", "at_frame": 1, "colour": "red"}),
            "invalid_request",
            "colour",
        ),
    ] {
        let sound = json!({"kind": "garble", "at_frame": 1});
        let answer = put(&bench, FAULTS, json!([sound, fault])).await;
        assert_eq!(answer.refused(400), kind, "{fault}");
        let text = String::from_utf8(answer.body).unwrap();
        assert!(text.contains(said), "{fault}: {text}");
        assert!(
            kind == "invalid_request" || text.contains("fault 2"),
            "{text}"
        );
        let left = bench.lab.faults("front-desk").unwrap().get();
        assert_eq!(left, [Fault::new(FaultKind::Drop, When::AtExchange(3))]);
    }
    for body in [
        json!({"kind": "drop", "at_exchange": 3}),
        json!("drop"),
        json!(null),
    ] {
        let answer = put(&bench, FAULTS, body.clone()).await;
        assert_eq!(answer.refused(400), "invalid_request", "{body}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn an_encoder_that_is_not_plugged_in_meets_no_faults() {
    let bench = Bench::start().await;
    bench.lab.unplug("front-desk").unwrap();
    let answer = put(&bench, FAULTS, json!([{"kind": "drop", "at_exchange": 3}])).await;
    assert_eq!(answer.refused(409), "unplugged");
    assert_eq!(bench.lab.faults("front-desk").unwrap().get(), []);
    bench.stop().await;
}

#[tokio::test]
async fn an_encoder_takes_its_time_or_none() {
    let bench = Bench::start().await;
    for timing in [
        json!({"mode": "paced", "baud": 115_200, "card": true}),
        json!({"mode": "paced", "baud": 300, "card": false}),
        json!({"mode": "paced", "baud": 1_288_000, "card": false}),
        json!({"mode": "instant"}),
    ] {
        assert_eq!(put(&bench, TIMING, timing.clone()).await.json(), timing);
    }
    let without_card = json!({"mode": "paced", "baud": 9600});
    let told = put(&bench, TIMING, without_card).await.json();
    assert_eq!(told["card"], false);
    for (timing, kind, said) in [
        (json!({}), "invalid_request", "mode"),
        (json!({"mode": "slow"}), "invalid_request", "slow"),
        (
            json!({"mode": "paced", "baud": 0}),
            "invalid_timing",
            "300 to 1288000",
        ),
        (
            json!({"mode": "paced", "baud": 299}),
            "invalid_timing",
            "299",
        ),
        (
            json!({"mode": "paced", "baud": 1_288_001}),
            "invalid_timing",
            "1288001",
        ),
        (
            json!({"mode": "paced", "baud": -9600}),
            "invalid_request",
            "-9600",
        ),
        (
            json!({"mode": "paced", "baud": 1e12}),
            "invalid_request",
            "1000000000000",
        ),
        (
            json!({"mode": "paced", "card": true}),
            "invalid_timing",
            "115200",
        ),
        (
            json!({"mode": "paced", "baud": 9600, "card": 1}),
            "invalid_request",
            "boolean",
        ),
        (
            json!({"mode": "instant", "baud": 9600}),
            "invalid_request",
            "baud",
        ),
        (json!("instant"), "invalid_request", "instant"),
    ] {
        let answer = put(&bench, TIMING, timing.clone()).await;
        assert_eq!(answer.refused(400), kind, "{timing}");
        let text = String::from_utf8(answer.body).unwrap();
        assert!(text.contains(said), "{timing}: {text}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn the_log_tells_the_faults_that_happened_and_the_time_of_the_line() {
    let bench = Bench::start().await;
    put(&bench, FAULTS, json!([{"kind": "garble", "at_frame": 1}]))
        .await
        .json();
    let port = bench.lab.encoder("front-desk").unwrap().port.unwrap();
    let mut host = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(port)
        .unwrap();
    // A wake-up and SAMConfiguration: an acknowledgement and an answer.
    host.write_all(&[0x55, 0x55, 0, 0, 0, 0, 0, 0]).unwrap();
    host.write_all(&[0, 0, 0xFF, 5, 0xFB, 0xD4, 0x14, 1, 0, 0, 0x17, 0])
        .unwrap();
    let deadline = Instant::now() + LIMIT;
    let log = loop {
        let log = bench.get("/encoders/front-desk/log").await.json();
        if log["frames"] == 2 {
            break log;
        }
        assert!(Instant::now() < deadline, "{log}");
    };
    assert_eq!(log["faults_happened"], 1);
    // 20 bytes there, 6 and 9 back, 86.8 µs each.
    let line = log["imposed_ms"]["line"].as_f64().unwrap();
    assert!((line - 3.038).abs() < 0.01, "{line}");
    assert_eq!(log["imposed_ms"]["card"], 0.0);
    bench.stop().await;
}

#[test]
fn a_reader_has_no_line_to_slow_down_and_tells_nothing_twice() {
    let lab = Lab::start(&LabSettings {
        readers: vec![("desk".parse().unwrap(), 1)],
        ..LabSettings::default()
    })
    .unwrap();
    let paced = |baud| Timing::Paced { baud, card: true };
    lab.set_timing("desk", paced(None)).unwrap();
    lab.set_timing("desk", Timing::Instant).unwrap();
    let refused = lab.set_timing("desk", paced(Some(9600))).unwrap_err();
    assert!(matches!(
        refused,
        LabError::Undisturbed(Undisturbed::NoLine)
    ));
    let when = When::AtExchange(1);
    lab.set_faults("desk", vec![Fault::new(FaultKind::Stall, when)])
        .unwrap();
    let twice = vec![Fault::new(FaultKind::Duplicate, when)];
    let refused = lab.set_faults("desk", twice).unwrap_err().to_string();
    assert!(
        refused.starts_with("fault 1 of the list sends a frame twice"),
        "{refused}"
    );
    assert_eq!(lab.faults("desk").unwrap().get().len(), 1);
}
