//! One panic hook: a panic becomes one error event instead of a line on the terminal.
//!
//! Deliberately absent: ending the process. Supervision needs panics to unwind.

use std::panic::PanicHookInfo;
use std::sync::Once;

static INSTALL: Once = Once::new();

/// Routes every panic to tracing. Calling it again changes nothing.
pub fn install() {
    INSTALL.call_once(|| std::panic::set_hook(Box::new(report)));
}

fn report(panic: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let location = panic.location().map(ToString::to_string);
    tracing::error!(
        panic = message(panic.payload()),
        location = location.as_deref().unwrap_or("?"),
        thread = thread.name().unwrap_or("?"),
        "panicked"
    );
}

fn message(payload: &(dyn std::any::Any + Send)) -> &str {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    let text = owned.or_else(|| payload.downcast_ref::<&'static str>().copied());
    text.unwrap_or("(not a text)")
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn reads_both_forms_of_a_message() {
        assert_eq!(message(&"plain"), "plain");
        assert_eq!(message(&String::from("made")), "made");
        assert_eq!(message(&7_u8), "(not a text)");
    }
}
