//! Jobs on every encoder, all the time: encodes of a new credential every few scans, each tried until it is done.

use std::fmt;
use std::rc::Rc;
use std::time::Instant;

use e2e::Api;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::bench::Bench;

/// Scans for each encode.
const SCANS: u32 = 3;
/// How an attempt may end while cables are pulled and services restarted. `no_card_on_encoder` among them, as a card
/// loses its supply with its encoder.
const EXPECTED: [&str; 6] = [
    "encoder_not_online",
    "encoder_communication_timeout",
    "encoding_interrupted",
    "no_card_on_encoder",
    "no_credential_on_encoder",
    "uncategorized_error",
];

/// How many jobs ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Did what they were asked.
    pub succeeded: u64,
    /// Ended in an error, as they may while a cable is out.
    pub failed: u64,
}

/// Jobs under way.
pub(super) struct Load {
    desks: Vec<watch::Receiver<Desk>>,
    is_going_on: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// How the jobs of one encoder went.
#[derive(Debug, Clone, Copy)]
struct Desk {
    count: Count,
    /// When the last job that succeeded was begun and when it ended.
    last_success: Option<(Instant, Instant)>,
    /// When the last job that failed was begun.
    last_failure: Option<Instant>,
    is_paused: bool,
}

impl Load {
    pub(super) async fn start(bench: &Bench) -> Self {
        let api = Rc::new(bench.hub.api.clone());
        let site = &bench.hub.acs_system_id;
        let user = api.user(site).await;
        let entrances = api.post("/acs/entrances/list", json!({"acs_system_id": site}));
        let entrances = entrances.await.ok("acs_entrances");
        let (is_going_on, going_on) = watch::channel(true);
        let mut tasks = JoinSet::new();
        let desks = bench
            .encoders
            .iter()
            .enumerate()
            .map(|(n, encoder)| {
                let (told, desk) = watch::channel(Desk {
                    count: Count::default(),
                    last_success: None,
                    last_failure: None,
                    is_paused: false,
                });
                // One guest, and so one room, for each encoder: none overrides another's card.
                let room = entrances[n % 3]["acs_entrance_id"]
                    .as_str()
                    .unwrap_or_default();
                let clerk = Clerk {
                    api: Rc::clone(&api),
                    encoder: encoder.acs_encoder_id.clone(),
                    user: user.clone(),
                    room: room.to_owned(),
                    told,
                    going_on: going_on.clone(),
                };
                tasks.spawn_local(clerk.work());
                desk
            })
            .collect();
        let mut load = Self {
            desks,
            is_going_on,
            tasks,
        };
        for encoder in 0..load.desks.len() {
            load.check();
            load.succeeds_after(encoder, Instant::now()).await;
        }
        load
    }

    /// When the first job ended that was begun after `since` and succeeded.
    pub(super) async fn succeeds_after(&self, encoder: usize, since: Instant) -> Instant {
        let seen = |desk: &Desk| desk.last_success.filter(|(begun, _)| *begun >= since);
        let what = format!("a job that succeeds on encoder {encoder}");
        let (_, ended) = self.wait_for(encoder, &what, seen).await;
        ended
    }

    /// Waits until a job that was begun after `since` has ended in an error: the bridge has seen that the encoder is
    /// gone. So has pcscd, which looks every 400 ms; a card that is back sooner is a case of the driver's own tests.
    pub(super) async fn fails_after(&self, encoder: usize, since: Instant) {
        let seen = |desk: &Desk| desk.last_failure.filter(|begun| *begun >= since);
        let what = format!("a job that fails on encoder {encoder}");
        self.wait_for(encoder, &what, seen).await;
    }

    /// Lets every job end and begins no other.
    pub(super) async fn pause(&self) {
        self.is_going_on.send_replace(false);
        for encoder in 0..self.desks.len() {
            let is_paused = |desk: &Desk| desk.is_paused.then_some(());
            self.wait_for(encoder, "the end of a job", is_paused).await;
        }
    }

    pub(super) fn go_on(&self) {
        self.is_going_on.send_replace(true);
    }

    /// Ends it, and says what was done.
    pub(super) async fn stop(mut self) -> Count {
        self.check();
        self.tasks.shutdown().await;
        let counts = self.desks.iter().map(|desk| desk.borrow().count);
        counts.fold(Count::default(), |all, one| Count {
            succeeded: all.succeeded + one.succeeded,
            failed: all.failed + one.failed,
        })
    }

    /// A job that ended as none may has ended its task with a panic.
    fn check(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.expect("a job ends as it may");
        }
    }

    async fn wait_for<T>(
        &self,
        encoder: usize,
        what: &str,
        seen: impl Fn(&Desk) -> Option<T>,
    ) -> T {
        let mut desk = self.desks[encoder].clone();
        e2e::within(what, async {
            loop {
                if let Some(seen) = seen(&desk.borrow_and_update()) {
                    return seen;
                }
                if desk.changed().await.is_err() {
                    panic!("the jobs of encoder {encoder} ended; what was said above tells why");
                }
            }
        })
        .await
    }
}

/// Somebody who asks one encoder for jobs.
struct Clerk {
    api: Rc<Api>,
    encoder: String,
    user: String,
    room: String,
    told: watch::Sender<Desk>,
    going_on: watch::Receiver<bool>,
}

impl Clerk {
    async fn work(mut self) {
        loop {
            let credential = self.api.credential(&self.user, &[&self.room]).await;
            // A credential that may be half on the card is encoded again until it is whole.
            while !self.encode(&credential).await {}
            for _ in 0..SCANS {
                self.scan().await;
            }
        }
    }

    async fn encode(&mut self, credential: &str) -> bool {
        self.may_go_on().await;
        let begun = Instant::now();
        let attempt = self.api.encode(credential, &self.encoder).await;
        let ended = self.api.ended(&attempt).await;
        self.tell(begun, &ended)
    }

    async fn scan(&mut self) {
        self.may_go_on().await;
        let begun = Instant::now();
        let attempt = self.api.scan(&self.encoder).await;
        let ended = self.api.ended(&attempt).await;
        self.tell(begun, &ended);
    }

    fn tell(&self, begun: Instant, ended: &Value) -> bool {
        let now = Instant::now();
        let succeeded = ended["status"] == "success";
        if !succeeded {
            let kind = ended["error"]["type"].as_str().unwrap_or_default();
            assert!(EXPECTED.contains(&kind), "{ended}");
        }
        self.told.send_modify(|desk| {
            if succeeded {
                desk.count.succeeded += 1;
                desk.last_success = Some((begun, now));
            } else {
                desk.count.failed += 1;
                desk.last_failure = Some(begun);
            }
        });
        succeeded
    }

    async fn may_go_on(&mut self) {
        if *self.going_on.borrow_and_update() {
            return;
        }
        self.told.send_modify(|desk| desk.is_paused = true);
        // Ends with the load, which drops this task with it.
        let _ = self.going_on.wait_for(|going_on| *going_on).await;
        self.told.send_modify(|desk| desk.is_paused = false);
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} succeeded, {} ended in an error while a cable was out",
            self.succeeded, self.failed
        )
    }
}
