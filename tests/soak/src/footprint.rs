//! What a process holds, as the kernel counts it, and how often it is woken.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Threads.
    pub threads: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Resident memory, in KiB.
    pub resident_kib: u64,
}

impl Footprint {
    /// Of that process, now.
    ///
    /// # Panics
    /// There is no such process.
    #[must_use]
    pub fn of(process: u32) -> Self {
        let status = read(&proc(process).join("status"));
        let descriptors = fs::read_dir(proc(process).join("fd")).expect("the process runs");
        Self {
            threads: field(&status, "Threads:"),
            descriptors: descriptors.count() as u64,
            resident_kib: field(&status, "VmRSS:"),
        }
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} threads, {} descriptors, {} KiB",
            self.threads, self.descriptors, self.resident_kib
        )
    }
}

/// How often the threads of a process were put on a processor, per second, over this time. A thread that sleeps and is
/// woken counts once each time.
///
/// # Panics
/// There is no such process.
pub async fn wake_ups_per_second(process: u32, over: Duration) -> f64 {
    let mut span = tokio::time::interval(over);
    span.tick().await;
    let began = Instant::now();
    let before = switches(process);
    span.tick().await;
    let switched = switches(process).saturating_sub(before);
    switched as f64 / began.elapsed().as_secs_f64()
}

/// Context switches of all threads that live now, since each began.
fn switches(process: u32) -> u64 {
    let threads = fs::read_dir(proc(process).join("task")).expect("the process runs");
    threads
        .flatten()
        // A thread may end meanwhile.
        .filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok())
        .map(|status| field(&status, "voluntary_ctxt_switches:"))
        .sum()
}

fn proc(process: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{process}"))
}

fn read(path: &std::path::Path) -> String {
    fs::read_to_string(path).expect("the process runs")
}

fn field(status: &str, name: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_and_a_file_more_are_seen() {
        let own = std::process::id();
        let before = Footprint::of(own);
        let file = tempfile::tempfile().unwrap();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || ended.recv().unwrap_err());
        let during = Footprint::of(own);
        drop((file, end));
        thread.join().unwrap();
        assert!(during.threads > before.threads, "{before}; {during}");
        assert!(
            during.descriptors > before.descriptors,
            "{before}; {during}"
        );
        assert!(during.resident_kib > 0);
    }

    #[tokio::test]
    async fn a_thread_that_sleeps_and_wakes_is_counted() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            while let Err(std::sync::mpsc::RecvTimeoutError::Timeout) =
                ended.recv_timeout(Duration::from_millis(2))
            {}
        });
        let woken = wake_ups_per_second(std::process::id(), Duration::from_millis(200)).await;
        drop(end);
        thread.join().unwrap();
        assert!(woken >= 5.0, "{woken}");
    }
}
