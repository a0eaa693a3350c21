//! Reads Rust just deeply enough for the house rules: what is code, where functions end, what is test only.
//!
//! Comments, strings and character literals become spaces (lines stay), so that a rule never trips over a word in a
//! sentence. Deliberately absent: a parser. rustc has seen the file before us; we only measure.

/// A function and the lines it takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Line of `fn`, counted from 1.
    pub first: usize,
    /// Line of the closing brace.
    pub last: usize,
}

/// What is known of one file.
#[derive(Debug, Default)]
pub struct Shape {
    /// The code, line by line, without comments and literals.
    pub lines: Vec<String>,
    /// Every function with a body, in order.
    pub functions: Vec<Function>,
    /// First and last line of every item under `#[cfg(test)]`.
    pub test_ranges: Vec<(usize, usize)>,
    /// Names of modules declared `#[cfg(test)] mod name;`.
    pub test_modules: Vec<String>,
    code: Code,
}

impl Shape {
    /// Reads `text`.
    pub fn read(text: &str) -> Self {
        let blank = blank(text);
        let code = Code::new(&blank);
        let mut shape = Self {
            lines: blank.split('\n').map(str::to_owned).collect(),
            ..Self::default()
        };
        shape.functions = code.functions();
        code.tests(&mut shape);
        shape.code = code;
        shape
    }

    /// True when `line` belongs to an item under `#[cfg(test)]`.
    pub fn is_test_line(&self, line: usize) -> bool {
        self.test_ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// Lines of every `select!` whose first word is not `biased;`.
    pub fn unbiased_selects(&self) -> Vec<usize> {
        let starts = (0..self.code.len()).filter(|at| self.code.word_at(*at, "select!"));
        let unbiased = starts.filter(|at| {
            let open = self.code.skip_space(at + "select!".len());
            let first = self.code.skip_space(open + 1);
            matches!(self.code.at(open), '{' | '(' | '[') && !self.code.word_at(first, "biased")
        });
        unbiased.map(|at| self.code.line(at)).collect()
    }
}

/// True for a character that can be part of a name.
pub fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Blanked code with a line number for every character.
#[derive(Debug, Default)]
struct Code {
    chars: Vec<char>,
    line_of: Vec<usize>,
}

impl Code {
    fn new(blank: &str) -> Self {
        let chars: Vec<char> = blank.chars().collect();
        let mut line = 1;
        let mut line_of = Vec::with_capacity(chars.len());
        for c in &chars {
            line_of.push(line);
            line += usize::from(*c == '\n');
        }
        Self { chars, line_of }
    }

    fn len(&self) -> usize {
        self.chars.len()
    }

    /// The character there; a NUL past the end.
    fn at(&self, at: usize) -> char {
        self.chars.get(at).copied().unwrap_or('\0')
    }

    fn line(&self, at: usize) -> usize {
        self.line_of
            .get(at)
            .or(self.line_of.last())
            .copied()
            .unwrap_or(1)
    }

    fn skip_space(&self, mut at: usize) -> usize {
        while self.at(at).is_whitespace() {
            at += 1;
        }
        at
    }

    /// True when `word` stands at `at` and is not a part of a longer name.
    fn word_at(&self, at: usize, word: &str) -> bool {
        let same = word.chars().enumerate().all(|(i, c)| self.at(at + i) == c);
        let before = at.checked_sub(1).map_or(' ', |before| self.at(before));
        let longer = word.ends_with(is_name) && is_name(self.at(at + word.len()));
        same && !is_name(before) && !longer
    }

    fn name_at(&self, at: usize) -> String {
        self.chars
            .iter()
            .skip(at)
            .take_while(|c| is_name(**c))
            .collect()
    }

    /// From `from`: the place of the `{` or `;` that starts or replaces a body, outside of any bracket.
    fn body_start(&self, from: usize) -> Option<usize> {
        let mut depth = 0_i32;
        for at in from..self.len() {
            match self.at(at) {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                '{' | ';' if depth == 0 => return Some(at),
                _ => {}
            }
        }
        None
    }

    /// The place of the bracket that closes the one at `open`; the end of the file when there is none.
    fn closing(&self, open: usize) -> usize {
        let mut depth = 0_i32;
        for at in open..self.len() {
            match self.at(at) {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        self.len()
    }

    fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for at in (0..self.len()).filter(|at| self.word_at(*at, "fn")) {
            let name = self.name_at(self.skip_space(at + 2));
            let body = self.body_start(at).filter(|body| self.at(*body) == '{');
            if let (false, Some(body)) = (name.is_empty(), body) {
                found.push(Function {
                    name,
                    first: self.line(at),
                    last: self.line(self.closing(body)),
                });
            }
        }
        found
    }

    /// Finds the items under `#[cfg(test)]` (also `all(test, ..)`, never `not(test)`).
    fn tests(&self, shape: &mut Shape) {
        for at in (0..self.len()).filter(|at| self.word_at(*at, "#[cfg(")) {
            let mut item = self.closing(at + 1) + 1;
            let condition: String = self.chars.iter().take(item).skip(at).collect();
            if !has_word(&condition, "test") || has_word(&condition, "not") {
                continue;
            }
            item = self.skip_space(item);
            while self.word_at(item, "#[") {
                item = self.skip_space(self.closing(item + 1) + 1);
            }
            let Some(body) = self.body_start(item) else {
                continue;
            };
            let head: String = self.chars.iter().take(body).skip(item).collect();
            if self.at(body) == ';' {
                shape.test_modules.extend(
                    head.split_once("mod ")
                        .map(|(_, name)| name.trim().to_owned()),
                );
            }
            let last = if self.at(body) == '{' {
                self.closing(body)
            } else {
                body
            };
            shape.test_ranges.push((self.line(at), self.line(last)));
        }
    }
}

/// True when `word` stands in `text` on its own.
pub fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text
            .get(at + word.len()..)
            .and_then(|tail| tail.chars().next());
        !(word.starts_with(is_name) && before.is_some_and(is_name)
            || word.ends_with(is_name) && after.is_some_and(is_name))
    })
}

/// The text with comments, strings and character literals turned to spaces.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let in_name = i > 0 && is_name(at(i - 1));
        let end = match at(i) {
            '/' if at(i + 1) == '/' => end_of_line(&at, i, chars.len()),
            '/' if at(i + 1) == '*' => end_of_block(&at, i, chars.len()),
            '"' => end_of_string(&at, i, chars.len()),
            'r' | 'b' | 'c' if !in_name => end_of_raw(&at, i, chars.len()).unwrap_or(i),
            '\'' => end_of_char(&at, i, chars.len()).unwrap_or(i),
            _ => i,
        };
        if end == i {
            out.push(at(i));
            i += 1;
        }
        while i < end {
            out.push(if at(i) == '\n' { '\n' } else { ' ' });
            i += 1;
        }
    }
    out
}

fn end_of_line(at: &dyn Fn(usize) -> char, from: usize, len: usize) -> usize {
    (from..len).find(|i| at(*i) == '\n').unwrap_or(len)
}

fn end_of_block(at: &dyn Fn(usize) -> char, from: usize, len: usize) -> usize {
    let (mut depth, mut i) = (0_usize, from);
    while i < len {
        match (at(i), at(i + 1)) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth.saturating_sub(1), i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i.min(len);
        }
    }
    len
}

fn end_of_string(at: &dyn Fn(usize) -> char, from: usize, len: usize) -> usize {
    let mut i = from + 1;
    while i < len {
        match at(i) {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    len
}

/// `r"..."`, `r#"..."#`, `br"..."`, `cr"..."`; `None` when a plain name starts here.
fn end_of_raw(at: &dyn Fn(usize) -> char, from: usize, len: usize) -> Option<usize> {
    let r = if at(from) == 'r' { from } else { from + 1 };
    if at(r) != 'r' {
        return None;
    }
    let hashes = (r + 1..len).take_while(|i| at(*i) == '#').count();
    if at(r + 1 + hashes) != '"' {
        return None;
    }
    let closes = |i: usize| at(i) == '"' && (1..=hashes).all(|n| at(i + n) == '#');
    Some(
        (r + 2 + hashes..len)
            .find(|i| closes(*i))
            .map_or(len, |i| i + 1 + hashes),
    )
}

/// A character literal; `None` for a lifetime or a label.
fn end_of_char(at: &dyn Fn(usize) -> char, from: usize, len: usize) -> Option<usize> {
    if at(from + 1) == '\\' {
        return (from + 3..len).find(|i| at(*i) == '\'').map(|i| i + 1);
    }
    (at(from + 2) == '\'').then_some(from + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_become_spaces_and_lines_stay() {
        let text = "let a = \"x // \\\" y\"; // gone\n/* one /* two */ still */ b('\"', 'z', '\\'');\nr#\"raw \" \"# r#type 'life br\"x\"";
        let blanked = blank(text);
        assert_eq!(blanked.chars().count(), text.chars().count());
        let words: Vec<&str> = blanked.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "let", "a", "=", ";", "b(", ",", ",", ");", "r#type", "'life"
            ]
        );
        assert_eq!(blanked.matches('\n').count(), 2);
    }

    #[test]
    fn functions_end_at_their_own_brace() {
        let text = "trait T { fn declared(&self) -> [u8; 2]; }\nimpl T {\n    async fn outer<T>(x: [u8; 2]) -> fn(u8) -> u8 {\n        fn inner() { if x { } }\n        \"}\";\n    }\n}\n";
        let found = Shape::read(text).functions;
        let brief: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.first, f.last))
            .collect();
        assert_eq!(brief, [("outer", 3, 6), ("inner", 4, 4)]);
    }

    #[test]
    fn only_what_cfg_test_covers_is_test_code() {
        let text = "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn b() {}\n}\n#[cfg(not(test))]\nfn c() {}\n#[cfg(all(test, unix))]\nmod far;\nfn d() {}\n";
        let shape = Shape::read(text);
        let test_lines: Vec<usize> = (1..=11).filter(|line| shape.is_test_line(*line)).collect();
        assert_eq!(test_lines, [2, 3, 4, 5, 6, 9, 10]);
        assert_eq!(shape.test_modules, ["far"]);
    }

    #[test]
    fn a_select_must_open_with_biased() {
        let text = "tokio::select! {\n  biased;\n  x => {}\n}\ntokio::select! { x => {} }\nselect_biased! { x => {} }\n// select! { y }\nselect!(\n biased_not = y)\n";
        assert_eq!(Shape::read(text).unbiased_selects(), [5, 8]);
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("a HashMap<K>", "HashMap") && has_word("unsafe", "unsafe"));
        assert!(!has_word("FxHashMap", "HashMap") && !has_word("unsafe_code", "unsafe"));
    }
}
