//! Cutting texts that others wrote.
//!
//! Deliberately absent: any understanding of them.

/// The longest beginning of `text` of at most `bytes_max` bytes that ends between two characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    let ends = (0..=bytes_max.min(text.len())).rev();
    let mut whole = ends.filter_map(|end| text.get(..end));
    whole.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("aä", 5), "aä");
        assert_eq!(cut("aä", 2), "a");
        assert_eq!(cut("ä", 1), "");
        assert_eq!(cut("abc", 2), "ab");
    }
}
