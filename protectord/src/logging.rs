//! Where events go: standard error (the journal keeps it) and, if wanted, one file.
//!
//! Absent: rotation. The file is opened for appending, so that logrotate can copy and truncate it.

use std::fs::{File, OpenOptions};
use std::path::Path;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What is heard. Libraries below us stay at `info` even then: their debug shows bytes on the wire.
const QUIET: &str = "info";
const DEBUG: &str = "debug,hyper=info,hyper_util=info,h2=info,reqwest=info,rustls=info,\
                     mysql_async=info,tokio=info,mio=info";

fn open(dir: &Path, program: &str) -> std::io::Result<File> {
    let path = dir.join(format!("{program}.log"));
    OpenOptions::new().create(true).append(true).open(path)
}

/// Sends the events of this process to standard error and, with a directory, to `PROGRAM.log` in it.
///
/// # Errors
/// The file cannot be opened; nothing is set up then.
pub fn start(debug: bool, dir: Option<&Path>, program: &str) -> std::io::Result<()> {
    let file = dir.map(|dir| open(dir, program)).transpose()?;
    let filter = EnvFilter::new(if debug { DEBUG } else { QUIET });
    let errors = layer().with_writer(std::io::stderr).with_ansi(false);
    let file = file.map(|file| layer().with_writer(file).with_ansi(false));
    // An error only says that a test set one up before.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(errors)
        .with(file)
        .try_init();
    protector_runtime::panic_hook::install();
    Ok(())
}
