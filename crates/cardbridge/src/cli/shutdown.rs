//! Being told to stop: Ctrl-C, or SIGTERM from a service manager.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::failure::Failure;

/// Told once, heard by everybody who holds a clone.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown {
    told: watch::Receiver<bool>,
}

impl Shutdown {
    /// Listens for the signals from now on.
    pub(crate) fn on_signals() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::because("no_signals", "signals cannot be listened for", &error)
            })
        };
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let (tell, told) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping");
            let _ = tell.send(true);
        });
        Ok(Self { told })
    }

    /// Gives up a piece of work when it is time to stop, and then says so.
    pub(super) async fn before<T>(
        self,
        work: impl Future<Output = Result<T, Failure>>,
        sentence: &str,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            end = work => end,
            () = self.told() => Err(Failure::new("interrupted", sentence)),
        }
    }

    /// Ready when it is time to stop.
    pub(crate) async fn told(mut self) {
        // The sender goes only after it has told, or with the runtime.
        let _ = self.told.wait_for(|told| *told).await;
    }
}
