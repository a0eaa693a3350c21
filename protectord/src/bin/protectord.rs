//! `protectord`: one site's API and engine in one process.
//!
//! Absent: everything but arguments, log and signals.

use clap::Parser;
use protectord::config::{self, CONFIG_FILE};
use protectord::{daemon, logging};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// What the configuration has to mend; the unit does not start it again by itself (EX_CONFIG).
const EXIT_CONFIG: u8 = 78;

#[derive(Parser)]
#[command(
    name = "protectord",
    about = "Disaster recovery for OpenStack: API and engine",
    version
)]
struct Arguments {
    #[arg(long, default_value = CONFIG_FILE)]
    config_file: PathBuf,
}

fn main() -> ExitCode {
    protector_runtime::remote::tls_provider_install();
    let arguments = Arguments::parse();
    let loaded = match config::load(&arguments.config_file) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("protectord: {error}");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let config = loaded.config;
    if let Err(error) = logging::start(config.debug, config.log_dir.as_deref(), "protectord") {
        eprintln!("protectord: [DEFAULT] log_dir: {error}");
        return ExitCode::from(EXIT_CONFIG);
    }
    for warning in loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.workers)
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(async {
            let shutdown = terminated()?;
            daemon::run(config, shutdown)
                .await
                .map_err(|e| e.to_string())
        }),
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends at the first SIGTERM or SIGINT.
fn terminated() -> Result<impl Future<Output = ()> + Send, String> {
    let term = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let int = signal(SignalKind::interrupt()).map_err(|e| e.to_string())?;
    Ok(async move {
        let (mut term, mut int) = (term, int);
        tokio::select! {
            biased;
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}
