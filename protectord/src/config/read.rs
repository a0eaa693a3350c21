//! Values of single keys, read to their types. A value that does not fit names its place and never
//! shows itself: it may be a secret in the wrong line.
//!
//! Absent: which keys there are (`keys`) and what they mean together (`config`).

use super::ConfigError;
use super::ini::Entries;
use super::keys::{Preset, find};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The file's values with the defaults behind them.
pub struct Values<'a> {
    pub file: &'a Path,
    pub entries: &'a Entries,
}

impl Values<'_> {
    pub fn fault(&self, section: &str, key: &str, cause: impl Into<String>) -> ConfigError {
        ConfigError {
            file: self.file.to_owned(),
            section: section.to_owned(),
            key: key.to_owned(),
            cause: cause.into(),
        }
    }

    /// The value or its default; `None` where neither says anything.
    pub fn text(&self, section: &str, key: &str) -> Result<Option<String>, ConfigError> {
        let written = self.entries.get(&(section.to_owned(), key.to_owned()));
        if let Some(written) = written.filter(|text| !text.is_empty()) {
            return Ok(Some(written.clone()));
        }
        match find(section, key).map(|known| known.preset) {
            Some(Preset::Text(text)) => Ok(Some(text.to_owned())),
            Some(Preset::None) => Ok(None),
            Some(Preset::Required) => Err(self.fault(section, key, "it has to be given")),
            None => Err(self.fault(section, key, "this program does not know its own key")),
        }
    }

    /// As `text`, for keys that always have a value.
    pub fn given(&self, section: &str, key: &str) -> Result<String, ConfigError> {
        let text = self.text(section, key)?;
        text.ok_or_else(|| self.fault(section, key, "it has to be given"))
    }

    pub fn secret(&self, section: &str, key: &str) -> Result<SecretString, ConfigError> {
        self.given(section, key).map(SecretString::from)
    }

    /// As OpenStack's configuration reads truth.
    pub fn flag(&self, section: &str, key: &str) -> Result<bool, ConfigError> {
        match self.given(section, key)?.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(self.fault(section, key, "it is neither True nor False")),
        }
    }

    /// A whole number from `min` to `max`.
    pub fn number<N>(&self, section: &str, key: &str, min: N, max: N) -> Result<N, ConfigError>
    where
        N: FromStr + PartialOrd + std::fmt::Display,
    {
        let read = self.given(section, key)?.parse::<N>().ok();
        read.filter(|n| *n >= min && *n <= max)
            .ok_or_else(|| self.fault(section, key, format!("it is no number from {min} to {max}")))
    }

    pub fn path(&self, section: &str, key: &str) -> Result<Option<PathBuf>, ConfigError> {
        let Some(text) = self.text(section, key)? else {
            return Ok(None);
        };
        let path = PathBuf::from(text);
        if path.is_absolute() {
            return Ok(Some(path));
        }
        Err(self.fault(section, key, "it is no absolute path"))
    }

    pub fn url(&self, section: &str, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(text) = self.text(section, key)? else {
            return Ok(None);
        };
        let is_web = text.starts_with("http://") || text.starts_with("https://");
        if is_web && !text.contains(char::is_whitespace) && !text.contains('@') {
            return Ok(Some(text.trim_end_matches('/').to_owned()));
        }
        let cause = "it is no http(s) URL without credentials";
        Err(self.fault(section, key, cause))
    }

    /// Words between commas.
    pub fn list(&self, section: &str, key: &str) -> Result<Vec<String>, ConfigError> {
        let text = self.text(section, key)?.unwrap_or_default();
        let words = text.split(',').map(str::trim).filter(|w| !w.is_empty());
        Ok(words.map(str::to_owned).collect())
    }
}
