//! Makes programs present: finds them, or installs Debian's packages as root without starting their services.
//!
//! Deliberately absent: other package managers. Where this cannot install, it says so and what to do.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process::{Group, Interrupt};

/// Folders that hold servers and are often missing in a user's PATH.
const EXTRA_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"];
/// Debian asks this program whether a package may start its service; 101 means no.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Most time one run of apt-get may take.
const APT_LIMIT: Duration = Duration::from_secs(600);

/// Something of the machine's that is needed, and the package that brings it.
pub struct Need {
    /// As an error names it.
    pub what: &'static str,
    pub package: &'static str,
    pub is_there: fn() -> bool,
}

/// Installs what is missing of `needs`.
///
/// Errors: missing, and it cannot be installed here.
pub fn ensure(needs: &[Need]) -> anyhow::Result<()> {
    let missing = || needs.iter().filter(|need| !(need.is_there)());
    let packages: Vec<&str> = missing().map(|need| need.package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let packages = packages.join(" ");
    let names: Vec<&str> = missing().map(|need| need.what).collect();
    let names = names.join(", ");
    eprintln!("missing: {names}; installing {packages}");
    install(&packages).with_context(|| {
        format!(
            "{names}: missing, and could not be installed; on Debian: `apt-get install {packages}`"
        )
    })?;
    match missing().next() {
        Some(need) => bail!(
            "{} was installed, yet there is no {}",
            need.package,
            need.what
        ),
        None => Ok(()),
    }
}

/// The first program of that name in PATH or in the usual server folders.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(EXTRA_FOLDERS.map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// True when this process runs as root.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn is_executable(file: &Path) -> bool {
    std::fs::metadata(file)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn install(packages: &str) -> anyhow::Result<()> {
    if !is_root() {
        bail!("not root");
    }
    if find("apt-get").is_none() {
        bail!("no apt-get");
    }
    let _policy = ServicePolicy::forbid()?;
    let mut words = vec!["install", "-y", "--no-install-recommends"];
    words.extend(packages.split(' '));
    if apt_get(&words).is_ok() {
        return Ok(());
    }
    // The lists may be missing or old. One foreign source that fails must not decide; the second install does.
    let _ = apt_get(&["update"]);
    apt_get(&words)
}

/// Runs to its end even when a signal came: half-installed packages would block the next attempt.
fn apt_get(args: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(["-q", "-o", "DPkg::Lock::Timeout=120"])
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let status = Group::spawn(&mut command)?.wait(APT_LIMIT, &Interrupt::default())?;
    if !status.success() {
        bail!("apt-get {} failed ({status})", args.join(" "));
    }
    Ok(())
}

/// Keeps packages from starting services while it lives.
struct ServicePolicy {
    ours: bool,
}

impl ServicePolicy {
    /// Errors: a policy exists that lets the service start, or ours cannot be written.
    fn forbid() -> anyhow::Result<Self> {
        if Path::new(POLICY).exists() {
            let answer = Command::new(POLICY).args(["any", "start"]).status()?;
            if answer.code() != Some(101) {
                bail!(
                    "{POLICY} exists and would let packages start their services; install them by hand"
                );
            }
            return Ok(Self { ours: false });
        }
        std::fs::write(POLICY, "#!/bin/sh\nexit 101\n")
            .with_context(|| format!("cannot write {POLICY}"))?;
        let policy = Self { ours: true };
        std::fs::set_permissions(POLICY, std::fs::Permissions::from_mode(0o755))?;
        Ok(policy)
    }
}

impl Drop for ServicePolicy {
    fn drop(&mut self) {
        if self.ours {
            let _ = std::fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_installed_and_what_cannot_be_is_named() {
        let need = |is_there| Need {
            what: "a unicorn",
            package: "no-such-package-here",
            is_there,
        };
        assert!(ensure(&[need(|| true)]).is_ok());
        if !is_root() {
            let error = ensure(&[need(|| false)]).unwrap_err().to_string();
            assert!(
                error.contains("a unicorn") && error.contains("apt-get install"),
                "{error}"
            );
        }
    }

    #[test]
    fn programs_are_found_by_name_and_only_when_executable() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-here"), None);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tool");
        std::fs::write(&file, "").unwrap();
        assert!(!is_executable(&file));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(is_executable(&file));
        assert!(!is_executable(dir.path()));
    }
}
