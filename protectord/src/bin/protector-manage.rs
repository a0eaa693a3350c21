//! `protector-manage`: what an operator does at the site itself: schema, identity, a look at drivers.
//!
//! Absent: everything the API does.

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use protector_domain::sync::{PairOffer, SigningIdentity, fingerprint};
use protector_runtime::ctx::Ctx;
use protector_store::{Identity, Store, StoreError};
use protectord::config::{self, CONFIG_FILE, Config};
use protectord::{daemon, identity, key_file, logging, restored};
use secrecy::{ExposeSecret, SecretString};
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

/// Longest passphrase file that is read, bytes.
const PASSPHRASE_BYTES_MAX: u64 = 4_096;

#[derive(Parser)]
#[command(
    name = "protector-manage",
    about = "Looks after a Protector site",
    version
)]
struct Arguments {
    #[arg(long, default_value = CONFIG_FILE, global = true)]
    config_file: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// The database schema.
    #[command(subcommand)]
    Db(DbVerb),
    /// Storage drivers of this build.
    #[command(subcommand)]
    Driver(DriverVerb),
    /// The site's signing key.
    #[command(subcommand)]
    Key(KeyVerb),
    /// The site itself.
    #[command(subcommand)]
    Site(SiteVerb),
}

#[derive(Subcommand)]
enum DbVerb {
    /// Creates or upgrades the schema; the first time also the key for secrets at rest and the
    /// site's identity.
    Sync,
    /// Shows where schema and program stand.
    Version,
    /// Tells a stopped site that its database was restored from a backup: its groups are trusted
    /// again one by one, when each has been compared with its peer.
    Restored,
}

#[derive(Subcommand)]
enum DriverVerb {
    /// Shows each driver, and whether it is in this build.
    List,
}

#[derive(Subcommand)]
enum KeyVerb {
    /// Writes the identity to a new file, sealed with a passphrase.
    Export(KeyFile),
    /// Brings an exported identity into a database that has none (before its first `db sync`).
    Import(KeyFile),
}

#[derive(Args)]
struct KeyFile {
    file: PathBuf,
    /// First line of this file; otherwise the variable PROTECTOR_PASSPHRASE.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

#[derive(Subcommand)]
enum SiteVerb {
    /// Shows id and fingerprint, to be compared when sites are paired.
    Identity,
}

fn main() -> ExitCode {
    protector_runtime::remote::tls_provider_install();
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("protector-manage: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    if let Verb::Driver(DriverVerb::List) = arguments.verb {
        driver_list();
        return Ok(());
    }
    let loaded = config::load(&arguments.config_file)?;
    logging::start(loaded.config.debug, None, "protector-manage")?;
    for warning in loaded.warnings {
        tracing::warn!("{warning}");
    }
    let config = loaded.config;
    let ctx = Ctx::production(config.site_name.clone());
    let store = open(&config, &ctx).await?;
    let done = act(arguments.verb, &config, &store, &ctx).await;
    store.close().await;
    done
}

async fn open(config: &Config, ctx: &Ctx) -> Result<Store> {
    let opened = daemon::store_open(config, ctx).await;
    opened.context("[database] connection")
}

async fn act(verb: Verb, config: &Config, store: &Store, ctx: &Ctx) -> Result<()> {
    match verb {
        Verb::Db(DbVerb::Sync) => db_sync(store, ctx).await,
        Verb::Db(DbVerb::Version) => db_version(store).await,
        Verb::Db(DbVerb::Restored) => db_restored(config, store, ctx).await,
        Verb::Key(KeyVerb::Export(key)) => key_export(store, ctx, &key).await,
        Verb::Key(KeyVerb::Import(key)) => key_import(store, &key).await,
        Verb::Site(SiteVerb::Identity) => site_identity(store).await,
        Verb::Driver(DriverVerb::List) => Ok(()),
    }
}

fn driver_list() {
    for (name, driver, what) in protector_storage_drivers::DRIVERS {
        println!("{name}: {driver} OK ({what})");
    }
}

async fn db_sync(store: &Store, ctx: &Ctx) -> Result<()> {
    store.migrate().await?;
    let site = protector_domain::ids::SiteId(ctx.uuid());
    let identity = identity::ensure(store, ctx, site).await?;
    let (found, _) = store.schema_version().await?;
    println!("schema {}", found.unwrap_or_default());
    println!("site   {}", identity.site);
    Ok(())
}

async fn db_version(store: &Store) -> Result<()> {
    let (found, wanted) = store.schema_version().await?;
    println!("database {}", found.as_deref().unwrap_or("none"));
    println!("program  {wanted}");
    match store.schema_check().await {
        Ok(()) => Ok(()),
        Err(StoreError::SchemaMismatch { newer: false, .. }) => {
            println!("run protector-manage db sync");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn db_restored(config: &Config, store: &Store, ctx: &Ctx) -> Result<()> {
    let told = restored::restored(config, store, ctx).await?;
    let doubted = &told.doubted;
    println!("site   {}", told.site);
    println!("mark   {} in {}", doubted.mark, told.place);
    println!("groups {} in doubt", doubted.groups.len());
    for group in &doubted.groups {
        println!("       {group}");
    }
    for operation in &doubted.ended {
        println!("over   operation {operation}: what it did after the backup is not known here");
    }
    println!("Start protectord, then compare each group with its peer:");
    println!("       openstack protector protection-group sync-force <group>");
    Ok(())
}

/// Errors: there is none.
async fn known(store: &Store) -> Result<Identity> {
    store
        .schema_check()
        .await
        .context("protector-manage db sync")?;
    let known = store.identity_fetch().await?;
    known.context("this site has no identity yet: run protector-manage db sync")
}

async fn key_export(store: &Store, ctx: &Ctx, key: &KeyFile) -> Result<()> {
    let identity = known(store).await?;
    key_file::export(&key.file, &identity, &passphrase(key)?, &*ctx.entropy)?;
    println!("site {} is in {}", identity.site, key.file.display());
    Ok(())
}

async fn key_import(store: &Store, key: &KeyFile) -> Result<()> {
    // Opened first: a wrong passphrase leaves the database as it is.
    let given = key_file::import(&key.file, &passphrase(key)?)?;
    store.migrate().await?;
    let site = given.site;
    if let Some(known) = store.identity_fetch().await? {
        let same = known.site == given.site
            && known.secret.expose_secret() == given.secret.expose_secret();
        if !same {
            bail!(
                "this database belongs to site {}, the file to site {site}: nothing was changed; \
                 import into an empty database, before its first db sync",
                known.site
            );
        }
        println!("site {site} has this identity already");
        return Ok(());
    }
    store.identity_put(given).await?;
    println!("site {site} has its identity again");
    Ok(())
}

async fn site_identity(store: &Store) -> Result<()> {
    let known = known(store).await?;
    let seed: &[u8; 32] = known
        .secret
        .expose_secret()
        .try_into()
        .map_err(|_| identity::IdentityError::Damaged)?;
    let signing = SigningIdentity::from_seed(known.site, seed);
    let offer = PairOffer::of(&signing, known.installation);
    println!("site         {}", known.site);
    println!("installation {}", known.installation);
    println!("fingerprint  {}", fingerprint(&offer));
    Ok(())
}

fn passphrase(key: &KeyFile) -> Result<SecretString> {
    let Some(path) = &key.passphrase_file else {
        let given = std::env::var("PROTECTOR_PASSPHRASE");
        let given = given.map_err(|_| {
            anyhow::anyhow!("give --passphrase-file or the variable PROTECTOR_PASSPHRASE")
        })?;
        return Ok(SecretString::from(given));
    };
    let named = || path.display().to_string();
    let file = std::fs::File::open(path).with_context(named)?;
    let mut text = String::new();
    file.take(PASSPHRASE_BYTES_MAX)
        .read_to_string(&mut text)
        .with_context(named)?;
    let line = text.lines().next().unwrap_or_default();
    Ok(SecretString::from(line.to_owned()))
}
