//! What `up` leaves in its directory: `clouds.yaml` and `lab.json` for clients, `site-a.conf` and `site-b.conf`
//! for `protector-manage`; readable by the owner.
//!
//! Absent: the databases, which the sites make themselves.

use super::PASSWORD;
use super::site::UpSite;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes the directory, or finds it empty.
///
/// # Errors
/// Something is in it: it may belong to another world, and is left alone.
pub(super) fn prepare(state: &Path) -> Result<()> {
    let named = || state.display().to_string();
    let made = DirBuilder::new().recursive(true).mode(0o700).create(state);
    made.with_context(named)?;
    if std::fs::read_dir(state)
        .with_context(named)?
        .next()
        .is_some()
    {
        bail!(
            "{} is not empty: clouds and arrays live in memory only, so a directory is used once; \
             give an empty one",
            named()
        );
    }
    Ok(())
}

/// # Errors
/// A file cannot be written.
pub(super) fn write(state: &Path, sites: &[UpSite; 2]) -> Result<()> {
    let lab = serde_json::to_string_pretty(&lab(sites))?;
    put(&state.join("clouds.yaml"), &clouds(sites))?;
    for site in sites {
        let name = format!("{}.conf", site.which.name());
        put(&state.join(name), &conf(site))?;
    }
    // Last, and under its name only when whole: who waits for it may start.
    let draft = state.join("lab.json.new");
    put(&draft, &lab)?;
    Ok(std::fs::rename(draft, state.join("lab.json"))?)
}

fn put(path: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| path.display().to_string())?;
    Ok(file.write_all(text.as_bytes())?)
}

/// The site as `protector-manage` reads it.
fn conf(site: &UpSite) -> String {
    format!(
        "[api]\nbind_host = {}\nbind_port = {}\n[database]\nconnection = sqlite:///{}\n\
         encryption_key_file = {}\n[keystone_authtoken]\nauth_url = {}\npassword = {PASSWORD}\n\
         [engine]\nstorage_driver = mock\nsite_name = {}\n",
        site.api_at.ip(),
        site.api_at.port(),
        site.database.display(),
        site.key_file().display(),
        site.auth_url,
        site.which.name(),
    )
}

/// `site-a`, `site-b`: the tenant; with `-admin`: the administrator.
fn clouds(sites: &[UpSite; 2]) -> String {
    let mut text = "clouds:\n".to_owned();
    for site in sites {
        let name = site.which.name();
        for (entry, user, project) in [
            (name.to_owned(), "demo", "demo"),
            (format!("{name}-admin"), "admin", "admin"),
        ] {
            text.push_str(&entry_of(&entry, &site.auth_url, user, project));
        }
    }
    text
}

fn entry_of(entry: &str, auth_url: &str, user: &str, project: &str) -> String {
    format!(
        "  {entry}:\n    auth:\n      auth_url: {auth_url}\n      username: {user}\n      \
         password: {PASSWORD}\n      project_name: {project}\n      user_domain_name: Default\n      \
         project_domain_name: Default\n    region_name: RegionOne\n    identity_api_version: 3\n    \
         interface: public\n"
    )
}

fn lab(sites: &[UpSite; 2]) -> Value {
    let shown = sites.iter().map(|site| {
        let value = json!({
            "site_id": site.which.site_id(),
            "pid": std::process::id(),
            "api_url": site.api_url,
            "auth_url": site.auth_url,
            "database": site.database,
            "array": site.which.array(),
            "cloud": site.which.name(),
            "admin_cloud": format!("{}-admin", site.which.name()),
            "project_id": site.tenant.project,
            "user_id": site.tenant.user,
            "servers": site.tenant.servers,
            "networks": site.tenant.standard.networks,
        });
        (site.which.name().to_owned(), value)
    });
    json!({
        "pid": std::process::id(),
        "password": PASSWORD,
        "volume_type": "replicated-ssd",
        "sites": shown.collect::<serde_json::Map<String, Value>>(),
    })
}
