//! What a service says about a refusal: the envelope it came in and one short, clean sentence.
//! Absent: what follows from it (`classify`).

use serde_json::Value;

/// Longest text of a service that is passed on, in characters (K12).
pub(crate) const REASON_CHARS_MAX: usize = 200;
/// Nova's and Cinder's validation repeats the offending value, which may be user data (H15, S15).
const ECHO_MARK: &str = "Value:";

/// An error body, read. All empty when nothing in it was understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    /// `itemNotFound`, `IpAddressInUse`, `error`, ...; empty: not an envelope of OpenStack, so the
    /// answer may come from something that stands in front of the service.
    pub(crate) name: String,
    /// At most [`REASON_CHARS_MAX`] characters, one line, no echoed values.
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(map)) => Self::of_envelope(&map).unwrap_or_default(),
            _ => Self::default(),
        }
    }

    fn of_envelope(map: &serde_json::Map<String, Value>) -> Option<Self> {
        // Microversion refusals come as a list (406).
        if let Some(first) = map.get("errors").and_then(|list| list.get(0)) {
            return Some(Self::new("errors", text(first, "detail")));
        }
        let (key, inner) = map.iter().next().filter(|_| map.len() == 1)?;
        if let (true, Some(all)) = (key == "NeutronError", inner.as_str()) {
            return Some(Self::new(key, all));
        }
        inner.get("message")?;
        let name = match text(inner, "type") {
            "" => key.as_str(),
            named => named,
        };
        Some(Self::new(name, text(inner, "message")))
    }

    fn new(name: &str, message: &str) -> Self {
        Self {
            name: shorten(name),
            message: clean(message),
        }
    }

    /// True when the message contains one of `words`, whatever the case.
    pub(crate) fn mentions(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|word| message.contains(word))
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

/// One line, no control characters, no markup breaks, no echoed value, short.
pub(crate) fn clean(message: &str) -> String {
    let kept = message.split(ECHO_MARK).next().unwrap_or("");
    let spaced: String = kept
        .replace("<br />", " ")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    shorten(&spaced.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn shorten(text: &str) -> String {
    text.chars().take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, name: &str, message: &str) {
        let fault = Fault::read(body.as_bytes());
        assert_eq!(
            (fault.name.as_str(), fault.message.as_str()),
            (name, message),
            "{body}"
        );
    }

    #[test]
    fn each_service_has_its_envelope() {
        check(
            r#"{"itemNotFound":{"code":404,"message":"gone"}}"#,
            "itemNotFound",
            "gone",
        );
        check(
            r#"{"NeutronError":{"type":"IpAddressInUse","message":"taken","detail":""}}"#,
            "IpAddressInUse",
            "taken",
        );
        check(r#"{"NeutronError":"plain"}"#, "NeutronError", "plain");
        check(
            r#"{"error":{"code":401,"title":"No","message":"who?"}}"#,
            "error",
            "who?",
        );
        check(
            r#"{"errors":[{"status":406,"detail":"2.1 to 2.60"}]}"#,
            "errors",
            "2.1 to 2.60",
        );
    }

    #[test]
    fn what_is_no_envelope_says_nothing() {
        for body in [
            "",
            "<html>404</html>",
            "null",
            "[]",
            r#"{"message":"x","code":"404 Not Found","title":"Not Found"}"#,
            r#"{"servers":[]}"#,
            r#"{"error":{"mess"#,
            r#"{"errors":[]}"#,
        ] {
            check(body, "", "");
        }
    }

    #[test]
    fn an_echoed_value_is_cut_off() {
        let body = r#"{"badRequest":{"code":400,"message":
            "Invalid input for field/attribute user_data.\n Value: Y2FuYXJ5. 'Y2FuYXJ5' is too long"}}"#;
        check(
            body,
            "badRequest",
            "Invalid input for field/attribute user_data.",
        );
    }

    #[test]
    fn long_and_wild_texts_are_tamed() {
        let body = serde_json::json!({"x": {"message": format!("a\r\n\u{7}b<br />{}", "é".repeat(5_000))}});
        let fault = Fault::read(body.to_string().as_bytes());
        assert!(fault.message.starts_with("a b é"), "{}", fault.message);
        assert_eq!(fault.message.chars().count(), REASON_CHARS_MAX);
    }
}
