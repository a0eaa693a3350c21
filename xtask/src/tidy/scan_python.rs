//! Reads Python just deeply enough to measure functions: strings, comments, brackets and indentation.
//!
//! Deliberately absent: Python's grammar. Nested functions count on their own and as part of the outer one.

use super::scan_rust::Function;

/// Every `def` in `text` with its first and last line.
pub fn functions(text: &str) -> Vec<Function> {
    let lines = logical_lines(&blank(text));
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let head = line.text.trim_start();
        let Some(rest) = head
            .strip_prefix("async def ")
            .or_else(|| head.strip_prefix("def "))
        else {
            continue;
        };
        let name = rest
            .split(['(', ' ', ':'])
            .next()
            .unwrap_or_default()
            .to_owned();
        let body = lines
            .iter()
            .skip(i + 1)
            .take_while(|inner| inner.indent() > line.indent());
        let last = body.last().map_or(line.last, |inner| inner.last);
        found.push(Function {
            name,
            first: line.first,
            last,
        });
    }
    found
}

/// Stands at the start of every line of a long string after its first.
const STRING_GOES_ON: char = '\u{1}';

/// A statement with all the physical lines it takes.
struct Logical {
    text: String,
    first: usize,
    last: usize,
}

impl Logical {
    fn indent(&self) -> usize {
        self.text.chars().take_while(|c| c.is_whitespace()).count()
    }
}

/// Joins the lines between brackets and inside strings; blank lines and comments are left out.
fn logical_lines(blanked: &str) -> Vec<Logical> {
    let mut lines: Vec<Logical> = Vec::new();
    let mut depth = 0_i32;
    for (i, text) in blanked.split('\n').enumerate() {
        let inside = depth > 0;
        depth += text
            .chars()
            .map(|c| i32::from("([{".contains(c)) - i32::from(")]}".contains(c)))
            .sum::<i32>();
        let text = text.trim_end();
        let continued = inside || text.starts_with(STRING_GOES_ON);
        match lines.last_mut() {
            Some(last) if continued => last.last = i + 1,
            _ if text.trim_start().is_empty() => {}
            _ => lines.push(Logical {
                text: text.to_owned(),
                first: i + 1,
                last: i + 1,
            }),
        }
    }
    lines
}

/// Comments removed, every string replaced by `~`, with the mark on each further line of a long one.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        match at(i) {
            '#' => {
                i = (i..chars.len())
                    .find(|n| at(*n) == '\n')
                    .unwrap_or(chars.len())
            }
            quote @ ('"' | '\'') => {
                let end = end_of_string(&at, i, quote, chars.len());
                out.push('~');
                out.extend(
                    (i..end)
                        .filter(|n| at(*n) == '\n')
                        .flat_map(|_| ['\n', STRING_GOES_ON]),
                );
                i = end;
            }
            other => {
                out.push(other);
                i += 1;
            }
        }
    }
    out
}

fn end_of_string(at: &dyn Fn(usize) -> char, from: usize, quote: char, len: usize) -> usize {
    let long = at(from + 1) == quote && at(from + 2) == quote;
    let mut i = from + if long { 3 } else { 1 };
    while i < len {
        match at(i) {
            '\\' => i += 2,
            '\n' if !long => return i, // not valid Python; do not swallow the file
            c if c == quote && !long => return i + 1,
            c if c == quote && at(i + 1) == quote && at(i + 2) == quote => return i + 3,
            _ => i += 1,
        }
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(text: &str) -> Vec<(String, usize, usize)> {
        functions(text)
            .into_iter()
            .map(|f| (f.name, f.first, f.last))
            .collect()
    }

    #[test]
    fn a_function_ends_where_its_indentation_ends() {
        let text = "class A:\n    def one(self,\n        x,\n    ):\n        return 1\n\n    # note\n    async def two(self): return 2\nx = 1\n";
        assert_eq!(
            brief(text),
            [("one".to_owned(), 2, 5), ("two".to_owned(), 8, 8)]
        );
    }

    #[test]
    fn text_in_strings_is_no_code() {
        let text = "def one():\n    \"\"\"Says\ndef not_me():\n# not a comment\n\"\"\"\n    return '#(' + \"it's\"\n\ndef two():\n    pass\n";
        assert_eq!(
            brief(text),
            [("one".to_owned(), 1, 6), ("two".to_owned(), 8, 9)]
        );
    }
}
