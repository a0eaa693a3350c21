//! The text of the filter language, read into the model's `Filter`.
//!
//! `field op value`, `and`, `or`, `not`, parentheses, bare fields, `contains(..)`, `tags(..)`, lists.
//! Absent: what a filter lets pass (the model).

use protector_storage_drivers::model::{Filter, Op};
use serde_json::Value;

/// Longest filter, letters.
const LETTERS_MAX: usize = 65_536;
/// Deepest nesting of parentheses and `not`.
const DEPTH_MAX: usize = 64;

/// The text is no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoFilter;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Op(Op),
    Open,
    Close,
    Comma,
}

/// Reads a whole filter.
pub(super) fn parse(text: &str) -> Result<Filter, NoFilter> {
    if text.len() > LETTERS_MAX {
        return Err(NoFilter);
    }
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens, at: 0 };
    let filter = reader.any_of(0)?;
    if reader.at == reader.tokens.len() {
        Ok(filter)
    } else {
        Err(NoFilter)
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, NoFilter> {
    let mut letters = text.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(letter) = letters.next() {
        let mut followed_by_equal = || letters.next_if_eq(&'=').is_some();
        let token = match letter {
            ' ' | '\t' | '\n' => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '=' => {
                followed_by_equal();
                Token::Op(Op::Eq)
            }
            '!' if followed_by_equal() => Token::Op(Op::Ne),
            '>' if followed_by_equal() => Token::Op(Op::Ge),
            '<' if followed_by_equal() => Token::Op(Op::Le),
            '>' => Token::Op(Op::Gt),
            '<' => Token::Op(Op::Lt),
            '\'' | '"' => Token::Text(quoted(letter, &mut letters)?),
            '!' => return Err(NoFilter),
            other => {
                let mut word = String::from(other);
                while let Some(next) = letters.next_if(|l| is_word(*l)) {
                    word.push(next);
                }
                Token::Word(word)
            }
        };
        tokens.push(token);
    }
    Ok(tokens)
}

fn is_word(letter: char) -> bool {
    !matches!(
        letter,
        ' ' | '\t' | '\n' | '(' | ')' | ',' | '=' | '!' | '<' | '>' | '\'' | '"'
    )
}

/// The text up to its closing quote; a backslash takes the next letter as it is.
fn quoted(quote: char, letters: &mut impl Iterator<Item = char>) -> Result<String, NoFilter> {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.push(letters.next().ok_or(NoFilter)?),
            end if end == quote => return Ok(text),
            other => text.push(other),
        }
    }
    Err(NoFilter)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.tokens.get(self.at) == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Word(w)) if w.eq_ignore_ascii_case(wanted));
        self.at += usize::from(is);
        is
    }

    fn must_take(&mut self, wanted: &Token) -> Result<(), NoFilter> {
        self.take(wanted).then_some(()).ok_or(NoFilter)
    }

    fn any_of(&mut self, depth: usize) -> Result<Filter, NoFilter> {
        let mut parts = vec![self.all_of(depth)?];
        while self.take_word("or") {
            parts.push(self.all_of(depth)?);
        }
        Ok(one_or(parts, Filter::Or))
    }

    fn all_of(&mut self, depth: usize) -> Result<Filter, NoFilter> {
        let mut parts = vec![self.one(depth)?];
        while self.take_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(one_or(parts, Filter::And))
    }

    fn one(&mut self, depth: usize) -> Result<Filter, NoFilter> {
        if depth >= DEPTH_MAX {
            return Err(NoFilter);
        }
        if self.take_word("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take(&Token::Open) {
            let inner = self.any_of(depth + 1)?;
            self.must_take(&Token::Close)?;
            return Ok(inner);
        }
        let Some(Token::Word(word)) = self.next() else {
            return Err(NoFilter);
        };
        if ["and", "or", "not"]
            .iter()
            .any(|own| word.eq_ignore_ascii_case(own))
        {
            return Err(NoFilter);
        }
        if self.take(&Token::Open) {
            return self.call(&word);
        }
        self.comparison(word)
    }

    /// `contains(field,'text')` and `tags('key','value')`.
    fn call(&mut self, name: &str) -> Result<Filter, NoFilter> {
        let first = self.next();
        self.must_take(&Token::Comma)?;
        let second = self.next();
        self.must_take(&Token::Close)?;
        match (name, first, second) {
            ("contains", Some(Token::Word(field)), Some(Token::Text(text))) => {
                Ok(Filter::Contains { field, text })
            }
            ("tags", Some(Token::Text(key)), Some(Token::Text(value))) => {
                Ok(Filter::Tags { key, value })
            }
            _ => Err(NoFilter),
        }
    }

    fn comparison(&mut self, word: String) -> Result<Filter, NoFilter> {
        // `iqns[any]` is what a list field does anyhow.
        let field = word
            .trim_end_matches("[any]")
            .trim_end_matches("[all]")
            .to_owned();
        let Some(Token::Op(op)) = self.tokens.get(self.at).cloned() else {
            return Ok(Filter::Set(field));
        };
        self.at += 1;
        if self.take(&Token::Open) {
            let values = self.values()?;
            return Ok(match op {
                Op::Eq => Filter::In { field, values },
                Op::Ne => Filter::Not(Box::new(Filter::In { field, values })),
                _ => return Err(NoFilter),
            });
        }
        let value = self.value()?;
        Ok(Filter::Compare { field, op, value })
    }

    /// The rest of `('a','b')`, or of `(('a','b'))` as one client writes it.
    fn values(&mut self) -> Result<Vec<Value>, NoFilter> {
        let doubled = self.take(&Token::Open);
        let mut values = vec![self.value()?];
        while self.take(&Token::Comma) {
            values.push(self.value()?);
        }
        self.must_take(&Token::Close)?;
        if doubled {
            self.must_take(&Token::Close)?;
        }
        Ok(values)
    }

    fn value(&mut self) -> Result<Value, NoFilter> {
        match self.next() {
            Some(Token::Text(text)) => Ok(Value::String(text)),
            Some(Token::Word(word)) => bare(&word),
            _ => Err(NoFilter),
        }
    }
}

/// Numbers, `true` and `false` stand without quotes; any other word needs them.
fn bare(word: &str) -> Result<Value, NoFilter> {
    match word.to_ascii_lowercase().as_str() {
        "true" => Ok(Value::Bool(true)),
        "false" => Ok(Value::Bool(false)),
        number => {
            let number: serde_json::Number = number.parse().map_err(|_| NoFilter)?;
            Ok(Value::Number(number))
        }
    }
}

fn one_or(mut parts: Vec<Filter>, many: impl FnOnce(Vec<Filter>) -> Filter) -> Filter {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn passes(filter: &str, row: &Value) -> bool {
        parse(filter).unwrap().passes(row)
    }

    /// What clients of arrays send, and what it lets pass.
    #[test]
    fn what_clients_send_is_understood() {
        let row = json!({
            "name": "A:pg.s1", "is_local": true, "progress": 1.0, "pod": null,
            "source": {"name": "A"}, "iqns": ["iqn.one", "iqn.two"], "destroyed": false,
            "tags": [{"key": "k", "value": "v"}],
        });
        for (filter, expected) in [
            ("name='A:pg.s1'", true),
            ("name='a:PG.*'", true),
            ("name=\"*.s1\"", true),
            ("name='vol*'", false),
            ("progress=\"1.0\"", true),
            ("progress>=0.5 and progress<=1", true),
            ("iqns='iqn.two' and is_local", true),
            ("iqns='iqn.two' and not is_local", false),
            ("not(is_local)", false),
            ("is_local='true'", true),
            ("destroyed=false", true),
            ("name=('x','A:pg.s1')", true),
            ("name = (('x','A:pg.s1'))", true),
            ("name != ('x','y')", true),
            ("contains(name,'PG')", true),
            ("tags('k','v')", true),
            ("tags('k','w')", false),
            ("source.name='A' and (name='x' or name='A:pg.*')", true),
            ("pod.name='p'", false),
            ("name='it\\'s'", false),
        ] {
            assert_eq!(passes(filter, &row), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_none() {
        let deep = format!("{}name='x'{}", "(".repeat(100), ")".repeat(100));
        for text in [
            "",
            "=",
            "name=",
            "name='x",
            "name='x' and",
            "and",
            "(name='x'",
            "name='x')",
            "name='x' name='y'",
            "contains(name)",
            "nothing(name,'x')",
            "name=word",
            "!name",
            "name > ('a','b')",
            &deep,
        ] {
            assert_eq!(parse(text), Err(NoFilter), "{text}");
        }
    }
}
