//! Reading what services write although their documents promise otherwise: `null` for a list, `""`
//! for nothing, `"True"` for true, numbers as text (B11). Absent: the shapes.

use serde::de::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// `null` reads as the empty value.
pub(crate) fn null_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// `""` and `null` read as nothing.
pub(crate) fn some_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.filter(|text| !text.is_empty()))
}

/// A field that is there, `null` or not; with `default` an absent one is `None`.
pub(crate) fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    some_text(from).map(Some)
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Scalar {
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    Nothing(()),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Bool(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
            Self::Nothing(()) => String::new(),
        }
    }
}

/// `true`, `"True"`, `"true"`; everything empty is false; anything else is an error.
pub(crate) fn loose_bool<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    match Scalar::deserialize(from)?.into_text().as_str() {
        "true" | "True" | "1" => Ok(true),
        "false" | "False" | "0" | "" => Ok(false),
        _ => Err(serde::de::Error::custom("neither true nor false")),
    }
}

/// A count, also as text; everything empty is 0.
pub(crate) fn loose_u64<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let text = Scalar::deserialize(from)?.into_text();
    if text.is_empty() {
        return Ok(0);
    }
    text.parse()
        .map_err(|_| serde::de::Error::custom("not a count"))
}

/// A map of texts, whatever scalars the service wrote; `null` reads as empty.
pub(crate) fn text_map<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let map = Option::<BTreeMap<String, Scalar>>::deserialize(from)?.unwrap_or_default();
    Ok(map
        .into_iter()
        .map(|(key, value)| (key, value.into_text()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug, PartialEq, Default)]
    struct Shape {
        #[serde(default, deserialize_with = "null_default")]
        list: Vec<String>,
        #[serde(default, deserialize_with = "some_text")]
        text: Option<String>,
        #[serde(default, deserialize_with = "loose_bool")]
        flag: bool,
        #[serde(default, deserialize_with = "loose_u64")]
        count: u64,
        #[serde(default, deserialize_with = "text_map")]
        map: BTreeMap<String, String>,
    }

    fn read(text: &str) -> Option<Shape> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn nothing_in_all_its_spellings() {
        let nothing = Some(Shape::default());
        assert_eq!(read("{}"), nothing);
        assert_eq!(
            read(r#"{"list":null,"text":null,"flag":null,"count":null,"map":null}"#),
            nothing
        );
        assert_eq!(read(r#"{"text":"","flag":"","count":""}"#), nothing);
    }

    #[test]
    fn scalars_in_other_clothes() {
        let shape =
            read(r#"{"flag":"True","count":"512","map":{"a":1,"b":true,"c":"x","d":null}}"#)
                .unwrap();
        assert!(shape.flag);
        assert_eq!(shape.count, 512);
        let map: Vec<_> = shape.map.values().map(String::as_str).collect();
        assert_eq!(map, ["1", "true", "x", ""]);
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for text in [
            r#"{"flag":"perhaps"}"#,
            r#"{"count":-1}"#,
            r#"{"list":{}}"#,
            r#"{"map":{"a":[]}}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
