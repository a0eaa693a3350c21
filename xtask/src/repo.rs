//! Where the repository is and what belongs to it.
//!
//! Deliberately absent: writing. Only files that git tracks, or would track, are seen; build output never is.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// One text file of the repository.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Relative to the root, with `/` between the parts.
    pub path: String,
    /// Whole content.
    pub text: String,
}

impl SourceFile {
    /// True when the file name ends in `.ext`.
    pub fn has_ext(&self, ext: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|found| found == ext)
    }
}

/// The folder of the root `Cargo.toml`.
///
/// Errors: not called through cargo, or this crate was moved.
pub fn root() -> anyhow::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .context("the xtask folder has no parent; it belongs directly under the repository root")
}

/// The folder this tool writes to; git ignores it.
pub fn scratch(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |dir| root.join(dir))
        .join("xtask")
}

/// Every text file git tracks or would add, sorted by path. Files that are not UTF-8 are left out.
///
/// Errors: git is missing, or `root` is not a git working tree.
pub fn files(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let args = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let listed = Command::new("git")
        .args(args)
        .current_dir(root)
        .output()
        .context("git is needed to list files")?;
    if !listed.status.success() {
        bail!(
            "git ls-files failed: {}",
            String::from_utf8_lossy(&listed.stderr).trim()
        );
    }
    let mut paths: Vec<String> = String::from_utf8_lossy(&listed.stdout)
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    // A tracked file that was just deleted is listed and cannot be read; it is not part of the tree any more.
    let read = |path: String| {
        std::fs::read_to_string(root.join(&path))
            .ok()
            .map(|text| SourceFile { path, text })
    };
    Ok(paths.into_iter().filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_lists_its_own_sources_and_no_build_output() {
        let files = files(&root().unwrap()).unwrap();
        assert!(
            files
                .iter()
                .any(|file| file.path == "xtask/src/repo.rs" && file.has_ext("rs"))
        );
        assert!(files.iter().all(|file| !file.path.starts_with("target/")));
    }
}
