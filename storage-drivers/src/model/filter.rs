//! The filter language as data, judged against a row's JSON shape. Absent: its text and parser.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
}

/// A condition on a row. Fields are nested by dot; a list field matches when any element does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    /// Text ignores case; in `Eq` and `Ne` a `*` stands for any run of letters.
    Compare {
        field: String,
        op: Op,
        value: Value,
    },
    /// `field = ('a','b')`.
    In {
        field: String,
        values: Vec<Value>,
    },
    Contains {
        field: String,
        text: String,
    },
    /// A bare field: true when it is set and neither false nor empty.
    Set(String),
    /// The row carries the tag.
    Tags {
        key: String,
        value: String,
    },
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
}

impl Filter {
    /// `field = value`.
    #[must_use]
    pub fn eq(field: &str, value: impl Into<Value>) -> Self {
        Self::Compare {
            field: field.to_owned(),
            op: Op::Eq,
            value: value.into(),
        }
    }

    /// `field = ('a','b',..)`.
    #[must_use]
    pub fn any_of<S: AsRef<str>>(field: &str, values: impl IntoIterator<Item = S>) -> Self {
        Self::In {
            field: field.to_owned(),
            values: values
                .into_iter()
                .map(|v| Value::from(v.as_ref()))
                .collect(),
        }
    }

    /// True when `row` meets the condition.
    #[must_use]
    pub fn passes(&self, row: &Value) -> bool {
        match self {
            Self::Compare { field, op, value } => compares(field_of(row, field), *op, value),
            Self::In { field, values } => {
                let found = field_of(row, field);
                values.iter().any(|value| compares(found, Op::Eq, value))
            }
            Self::Contains { field, text } => any(field_of(row, field), &|value| {
                value
                    .as_str()
                    .is_some_and(|s| fold(s).contains(&fold(text)))
            }),
            Self::Set(field) => field_of(row, field).is_some_and(is_set),
            Self::Tags { key, value } => any(row.get("tags"), &|tag| {
                let held = |name| tag.get(name).and_then(Value::as_str);
                held("key") == Some(key.as_str()) && held("value") == Some(value.as_str())
            }),
            Self::And(all) => all.iter().all(|filter| filter.passes(row)),
            Self::Or(some) => some.iter().any(|filter| filter.passes(row)),
            Self::Not(filter) => !filter.passes(row),
        }
    }
}

/// The value at a dotted path, if the row has it.
pub(super) fn field_of<'a>(row: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(row, |value, part| value.get(part))
}

fn any(value: Option<&Value>, test: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Some(Value::Array(items)) => items.iter().any(test),
        Some(value) => test(value),
        None => false,
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn compares(found: Option<&Value>, op: Op, wanted: &Value) -> bool {
    match op {
        Op::Ne => !any(found, &|value| one_compares(value, Op::Eq, wanted)),
        _ => any(found, &|value| one_compares(value, op, wanted)),
    }
}

fn one_compares(found: &Value, op: Op, wanted: &Value) -> bool {
    if let (Some(a), Some(b)) = (found.as_f64(), number_of(wanted)) {
        return match op {
            Op::Eq | Op::Ne => a == b,
            Op::Gt => a > b,
            Op::Lt => a < b,
            Op::Ge => a >= b,
            Op::Le => a <= b,
        };
    }
    let (Some(a), Some(b)) = (text_of(found), text_of(wanted)) else {
        return false;
    };
    match op {
        Op::Eq | Op::Ne => glob(&fold(&b), &fold(&a)),
        Op::Gt => a > b,
        Op::Lt => a < b,
        Op::Ge => a >= b,
        Op::Le => a <= b,
    }
}

/// Clients quote numbers (`progress="1.0"`): a text that reads as a number is one.
fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn fold(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// `*` in `pattern` stands for any run of letters, also an empty one.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let middle: Vec<&str> = parts.collect();
    let Some((last, inner)) = middle.split_last() else {
        return rest.is_empty();
    };
    for part in inner {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}
