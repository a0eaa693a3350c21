//! Reads a configuration file as OpenStack's services do: quotes, backslashes, `#` and `;` inside a
//! value belong to it, and of a repeated key the last one counts.
//!
//! Absent: `$name` in values (a password may hold a `$`), several files, and what the keys mean.

use ini::{Ini, ParseOption};
use std::collections::BTreeMap;

/// Values by section and key.
pub type Entries = BTreeMap<(String, String), String>;

/// Reads all of `text`.
///
/// # Errors
/// The line and what is wrong with it; never the line's content, which may be a secret.
pub fn parse(text: &str) -> Result<Entries, String> {
    let options = ParseOption {
        enabled_quote: false,
        enabled_escape: false,
        enabled_indented_mutiline_value: true,
        ..ParseOption::default()
    };
    let ini = Ini::load_from_str_opt(text, options);
    let ini = ini.map_err(|e| format!("line {}: this is no `key = value`", e.line))?;
    let mut entries = Entries::new();
    for (section, properties) in ini.iter() {
        for (key, value) in properties.iter() {
            let place = (section.unwrap_or_default().to_owned(), key.to_owned());
            entries.insert(place, value.trim().to_owned());
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_what_passwords_hold() {
        let entries = parse(
            "stray = 1\n# note\n[keystone_authtoken]\npassword = a#b;c\\n\"d\" $e=f\n\
             password = last#1\n[api]\nbind_host=::\n; note\n",
        )
        .unwrap();
        let get = |section: &str, key: &str| {
            entries
                .get(&(section.to_owned(), key.to_owned()))
                .map(String::as_str)
        };
        assert_eq!(get("", "stray"), Some("1"));
        assert_eq!(get("keystone_authtoken", "password"), Some("last#1"));
        assert_eq!(get("api", "bind_host"), Some("::"));
        let odd = parse("[a]\nx = a#b;c\\n\"d\" $e=f\n").unwrap();
        assert_eq!(odd.values().next().unwrap(), "a#b;c\\n\"d\" $e=f");
    }

    #[test]
    fn an_error_names_the_line_and_not_what_is_on_it() {
        let error = parse("[a]\nx = 1\nhunter2\n[b\n").unwrap_err();
        assert!(
            error.contains("line") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
