//! One line of the table, and how many samples become one figure.

use std::fmt::Write;

/// One figure with everything that has to be said of it.
#[derive(Debug, Clone)]
pub struct Figure {
    pub bench: &'static str,
    /// What of it: sizes, database.
    pub part: String,
    pub median: f64,
    /// Smallest and largest of all rounds; the same as the median where nothing is left to chance.
    pub lowest: f64,
    pub highest: f64,
    /// What it should be at most. `None`: a part of another figure.
    pub aim: Option<f64>,
    /// What is in it.
    pub note: String,
}

impl Figure {
    /// Exactly this, in every run.
    pub fn exact(bench: &'static str, part: impl Into<String>, value: f64) -> Self {
        Self::of(bench, part, vec![value])
    }

    /// The median of the rounds; none: not a number.
    pub fn of(bench: &'static str, part: impl Into<String>, mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |index: usize| rounds.get(index).copied().unwrap_or(f64::NAN);
        Self {
            bench,
            part: part.into(),
            median: at(rounds.len() / 2),
            lowest: at(0),
            highest: at(rounds.len().saturating_sub(1)),
            aim: None,
            note: String::new(),
        }
    }

    #[must_use]
    pub fn aim(self, aim: f64) -> Self {
        Self {
            aim: Some(aim),
            ..self
        }
    }

    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self {
            note: note.into(),
            ..self
        }
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// All figures as one Markdown table.
pub fn table(figures: &[Figure]) -> String {
    let mut text = String::from(
        "| bench | part | figure | spread | aim | of it |\n|---|---|---|---|---|---|\n",
    );
    for figure in figures {
        let spread = if figure.lowest < figure.highest {
            format!("{} to {}", number(figure.lowest), number(figure.highest))
        } else {
            "exact".to_owned()
        };
        let aim = figure.aim.map(number).unwrap_or_default();
        let (bench, part, note) = (figure.bench, &figure.part, &figure.note);
        let median = number(figure.median);
        let _ = writeln!(
            text,
            "| {bench} | {part} | {median} | {spread} | {aim} | {note} |"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_its_spread_whatever_the_order() {
        let figure = Figure::of("a", "b", vec![9.0, 1.0, 5.0]);
        assert_eq!(
            (figure.lowest, figure.median, figure.highest),
            (1.0, 5.0, 9.0)
        );
        assert!(Figure::of("a", "b", Vec::new()).median.is_nan());
        let text = table(&[figure.aim(2.2).note("why")]);
        assert!(
            text.contains("| a | b | 5.00 | 1.00 to 9.00 | 2.20 | why |"),
            "{text}"
        );
    }
}
