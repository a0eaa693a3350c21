//! What may stand in a name or a text. Absent: whether it is taken.

use super::AdminRefusal;
use uuid::Uuid;

/// As wide as the columns it is stored in.
const NAME_CHARS_MAX: usize = 255;
const TEXT_CHARS_MAX: usize = 4_096;

/// A name that people and programs can tell from an id.
///
/// # Errors
/// `BadName`.
pub fn check_name(field: &'static str, name: &str) -> Result<(), AdminRefusal> {
    let length = name.chars().count();
    let is_plain = (1..=NAME_CHARS_MAX).contains(&length)
        && !name.chars().any(char::is_control)
        && name.trim() == name;
    // Names and ids share one argument everywhere: a name that is an id would hide another's row.
    if is_plain && Uuid::try_parse(name).is_err() {
        Ok(())
    } else {
        Err(AdminRefusal::BadName {
            field: field.to_owned(),
        })
    }
}

/// A foreign id or a text: bounded, printable, maybe empty.
///
/// # Errors
/// `BadName`.
pub fn check_text(field: &'static str, text: &str, is_id: bool) -> Result<(), AdminRefusal> {
    let length = text.chars().count();
    let fits = if is_id {
        (1..=NAME_CHARS_MAX).contains(&length) && text.trim() == text
    } else {
        length <= TEXT_CHARS_MAX
    };
    if fits && !text.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(AdminRefusal::BadName {
            field: field.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_not_ids_and_ids_not_empty() {
        for good in ["site-b", "Rückfall 2", &"x".repeat(NAME_CHARS_MAX)] {
            assert!(check_name("name", good).is_ok(), "{good}");
        }
        let id = "0197a2b0-0000-7000-8000-000000000001";
        let bare = id.replace('-', "");
        for bad in ["", " a", "a\n", id, &bare, &"x".repeat(NAME_CHARS_MAX + 1)] {
            assert!(check_name("name", bad).is_err(), "{bad}");
        }
        assert!(check_text("id", id, true).is_ok());
        assert!(check_text("id", "", true).is_err());
        assert!(check_text("description", "", false).is_ok());
        assert!(check_text("description", "a\0", false).is_err());
    }
}
