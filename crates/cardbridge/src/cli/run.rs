//! `cardbridge run`: the daemon on the encoder PC.

use std::path::Path;
use std::sync::Arc;

use bridge::{Bridge, socket};
use clap::Args;

use super::configuration::{ConfigArgument, make_state_directory};
use super::failure::Failure;
use super::shutdown::Shutdown;
use super::standalone::Standalone;

/// Run the bridge: keep the encoders open and do what the hub asks, until SIGTERM or Ctrl-C.
///
/// Without a [hub] in the configuration it serves only the technician's commands on this PC. A card that is being
/// written when the signal comes is finished first.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let shutdown = Shutdown::on_signals()?;
    let registry = driver_all::registry();
    let mut config = arguments.config.read(&registry)?;
    let path = config.socket.clone();
    let mut standalone = match config.hub {
        Some(_) => None,
        None => Some(Standalone::start(&mut config).await?),
    };
    let bridge = start(config, registry).await?;
    let result = serve(&bridge, &path, shutdown, standalone.as_mut()).await;
    bridge.stop().await;
    if let Some(standalone) = standalone {
        standalone.stop().await;
    }
    result
}

/// Serves local commands until it is told to stop, or until the standalone store stops by itself.
async fn serve(
    bridge: &Arc<Bridge>,
    path: &Path,
    shutdown: Shutdown,
    standalone: Option<&mut Standalone>,
) -> Result<(), Failure> {
    let local = socket::serve(Arc::clone(bridge), path)
        .map_err(|error| Failure::from_error("socket_unavailable", &error))?;
    let local = tokio::spawn(local);
    tracing::info!(socket = %path.display(), encoders = bridge.encoders().len(), "ready");
    let broken = async {
        match standalone {
            Some(standalone) => standalone.broken().await,
            None => std::future::pending().await,
        }
    };
    let result = tokio::select! {
        () = shutdown.told() => Ok(()),
        failure = broken => Err(failure),
    };
    local.abort();
    // The socket is gone with its owner in any case; a file without one behind it only confuses.
    let _ = std::fs::remove_file(path);
    result
}

/// Starts a bridge in this process.
pub(super) async fn start(
    config: bridge::Config,
    registry: encoder::Registry,
) -> Result<Arc<Bridge>, Failure> {
    make_state_directory(&config)?;
    let bridge = Bridge::start(config, registry)
        .await
        .map_err(|error| Failure::from_error("bridge_not_started", &error))?;
    Ok(Arc::new(bridge))
}
