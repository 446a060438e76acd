//! Encoders that come and go under load: cables pulled, pcscd restarted, and what the bridge has left of it.

mod bench;
mod load;

use std::fmt;
use std::time::Duration;

use crate::{Footprint, Spread, wake_ups_per_second};
use bench::Bench;
use load::Load;
use tokio::task::LocalSet;

/// How long the bridge may take to let go of what it held, once it is quiet.
const LETS_GO: Duration = Duration::from_secs(30);
/// How far two looks at what it holds are apart.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Memory that counts as nothing: what allocators and caches keep.
const MEMORY_SLACK_KIB: u64 = 6 * 1024;

/// How long a soak is.
#[derive(Debug, Clone, Copy)]
pub struct Length {
    /// How often a cable is pulled and put back, one encoder after the other.
    pub replugs: u32,
    /// How often pcscd is restarted.
    pub restarts: u32,
    /// For how long the idle bridge is watched.
    pub idle: Duration,
}

/// What a soak found.
#[derive(Debug)]
pub struct Report {
    /// From the cable's being in to the first job that succeeds.
    pub after_replug: Spread,
    /// From pcscd's being there with its reader to the first job that succeeds.
    pub after_restart: Spread,
    /// Jobs that succeeded, and that ended otherwise, as they must while a cable is out.
    pub jobs: load::Count,
    /// The bridge before the first cable was pulled, and after the last was put back.
    pub before: Footprint,
    /// See `before`.
    pub after: Footprint,
    /// How often the idle bridge with its four encoders is woken.
    pub wake_ups_per_second: f64,
}

/// Runs it: a hub, a bridge with three PN532 and a reader behind pcscd, a card on each, and jobs on all of them all the
/// time.
///
/// # Panics
/// An encoder does not come back, a job ends as none may, or the bridge holds more than before.
pub async fn run(length: Length) -> Report {
    // What asks an API until it answers is not `Send`.
    LocalSet::new().run_until(rounds(length)).await
}

async fn rounds(length: Length) -> Report {
    let mut bench = Bench::start().await;
    let bridge = bench.bridge.id();
    let load = Load::start(&bench).await;
    // Everything that is made on first use is made before the first count.
    for encoder in 0..bench.encoders.len() {
        bench.replug(encoder, &load).await;
    }
    bench.restart_pcscd(&load).await;
    load.pause().await;
    let before = settled(bridge).await;
    load.go_on();

    let mut after_replug = Spread::default();
    let mut after_restart = Spread::default();
    let rounds = length.replugs.max(length.restarts);
    for round in 0..rounds {
        // Both spread evenly over all rounds.
        if is_due(round, length.replugs, rounds) {
            let encoder = round as usize % bench.encoders.len();
            after_replug.add(bench.replug(encoder, &load).await);
        }
        if is_due(round, length.restarts, rounds) {
            after_restart.add(bench.restart_pcscd(&load).await);
        }
    }
    load.pause().await;
    let after = back_to(bridge, before).await;
    let wake_ups_per_second = wake_ups_per_second(bridge, length.idle).await;
    Report {
        after_replug,
        after_restart,
        jobs: load.stop().await,
        before,
        after,
        wake_ups_per_second,
    }
}

/// Whether, of `times` times spread over `rounds` rounds, one falls into this round.
fn is_due(round: u32, times: u32, rounds: u32) -> bool {
    let done_by = |round: u32| u64::from(round) * u64::from(times) / u64::from(rounds);
    done_by(round + 1) > done_by(round)
}

/// What the bridge holds once it lets go of nothing more.
async fn settled(bridge: u32) -> Footprint {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.tick().await;
    let mut last = Footprint::of(bridge);
    e2e::until("a bridge at rest", async || {
        looks.tick().await;
        let now = Footprint::of(bridge);
        let same = (now.threads, now.descriptors) == (last.threads, last.descriptors);
        last = now;
        same.then_some(now)
    })
    .await
}

/// What the bridge holds as soon as that is no more than `before`.
async fn back_to(bridge: u32, before: Footprint) -> Footprint {
    let deadline = tokio::time::Instant::now() + LETS_GO;
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        let now = Footprint::of(bridge);
        let is_back = now.threads <= before.threads
            && now.descriptors <= before.descriptors
            && now.resident_kib <= before.resident_kib + MEMORY_SLACK_KIB;
        if is_back {
            return now;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "the bridge keeps more than it had: {before} before, {now} after"
        );
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "back in service after a replug:         {}",
            self.after_replug
        )?;
        writeln!(
            f,
            "back in service after pcscd restarted:  {}",
            self.after_restart
        )?;
        writeln!(f, "jobs meanwhile:                         {}", self.jobs)?;
        writeln!(f, "the bridge before:                      {}", self.before)?;
        writeln!(f, "the bridge after:                       {}", self.after)?;
        write!(
            f,
            "the idle bridge with four encoders:     {:.1} wake-ups a second",
            self.wake_ups_per_second
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rarer_things_are_spread_evenly() {
        let due = |times, rounds| {
            (0..rounds)
                .filter(|&round| is_due(round, times, rounds))
                .collect::<Vec<_>>()
        };
        assert_eq!(due(4, 4), [0, 1, 2, 3]);
        assert_eq!(due(2, 4), [1, 3]);
        assert!(due(0, 4).is_empty());
        assert_eq!(due(50, 200).len(), 50);
    }
}
