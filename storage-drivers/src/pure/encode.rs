//! Texts inside a URL: names and filters, encoded so that none can leave its place.

use serde_json::Value;

use crate::model::{Filter, Op};

/// Percent-encodes all but unreserved characters (RFC 3986, section 2.3).
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Several values of one parameter: each encoded by itself, the commas between them bare.
pub(super) fn list<S: AsRef<str>>(values: &[S]) -> String {
    let each: Vec<String> = values.iter().map(|v| encode(v.as_ref())).collect();
    each.join(",")
}

/// The filter in the arrays' language, not yet encoded.
pub(super) fn filter_text(filter: &Filter) -> String {
    match filter {
        Filter::Compare { field, op, value } => format!("{field}{}{}", sign(*op), literal(value)),
        Filter::In { field, values } => {
            let all: Vec<String> = values.iter().map(literal).collect();
            format!("{field}=({})", all.join(","))
        }
        Filter::Contains { field, text } => format!("contains({field},{})", quoted(text)),
        Filter::Set(field) => field.clone(),
        Filter::Tags { key, value } => format!("tags({},{})", quoted(key), quoted(value)),
        Filter::And(all) => joined(all, " and "),
        Filter::Or(some) => joined(some, " or "),
        Filter::Not(inner) => format!("not({})", filter_text(inner)),
    }
}

fn joined(filters: &[Filter], word: &str) -> String {
    let each: Vec<String> = filters.iter().map(part).collect();
    each.join(word)
}

/// A part of a longer condition; what has parts of its own stands in parentheses.
fn part(filter: &Filter) -> String {
    match filter {
        Filter::And(_) | Filter::Or(_) => format!("({})", filter_text(filter)),
        _ => filter_text(filter),
    }
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Eq => "=",
        Op::Ne => "!=",
        Op::Gt => ">",
        Op::Lt => "<",
        Op::Ge => ">=",
        Op::Le => "<=",
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_commas_apart() {
        assert_eq!(list(&["a,b", "A:pg.s", "ü&"]), "a%2Cb,A%3Apg.s,%C3%BC%26");
    }

    #[test]
    fn filters_are_written_as_arrays_read_them() {
        let check = |filter: &Filter, text: &str| assert_eq!(filter_text(filter), text);
        check(&Filter::eq("name", "pg*"), "name='pg*'");
        check(&Filter::any_of("serial", ["A", "B"]), "serial=('A','B')");
        check(&Filter::eq("n", r"it's \ 1"), r"n='it\'s \\ 1'");
        let progress = Filter::Compare {
            field: "progress".to_owned(),
            op: Op::Ge,
            value: Value::from(1),
        };
        check(&progress, "progress>=1");
        let tag = Filter::Tags {
            key: "k".to_owned(),
            value: "v".to_owned(),
        };
        let either = Filter::Or(vec![Filter::any_of("name", ["x"]), tag]);
        check(&either, "name=('x') or tags('k','v')");
        let both = Filter::And(vec![
            either,
            Filter::Not(Box::new(Filter::Set("is_local".to_owned()))),
        ]);
        check(&both, "(name=('x') or tags('k','v')) and not(is_local)");
    }
}
