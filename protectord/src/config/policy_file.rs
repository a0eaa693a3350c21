//! `[oslo_policy] policy_file`. Rules of one's own are not evaluated yet, so a file that holds some is
//! refused: a restriction that is silently ignored would be a hole.
//!
//! Absent: the rules that hold (`http`, one table of roles).

use super::ConfigError;
use super::read::Values;

/// # Errors
/// The file has rules, or cannot be looked into.
pub fn check(values: &Values<'_>) -> Result<(), ConfigError> {
    let (section, key) = ("oslo_policy", "policy_file");
    let Some(path) = values.path(section, key)? else {
        return Ok(());
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(values.fault(section, key, error.to_string())),
    };
    if has_rules(&text) {
        let cause = "the file holds rules, and rules of one's own are not supported yet: \
                     comment them out (reader reads, member writes, admin administers)";
        return Err(values.fault(section, key, cause));
    }
    Ok(())
}

fn has_rules(text: &str) -> bool {
    let lines = text.lines().map(str::trim);
    let mut rules = lines.filter(|l| !l.is_empty() && !l.starts_with('#'));
    rules.any(|l| !["---", "...", "{}"].contains(&l))
}

#[cfg(test)]
mod tests {
    use super::has_rules;

    #[test]
    fn comments_are_no_rules() {
        assert!(!has_rules(""));
        assert!(!has_rules("---\n# \"protector:x\": \"role:admin\"\n\n{}\n"));
        assert!(has_rules("\"protector:x\": \"role:admin\"\n"));
    }
}
