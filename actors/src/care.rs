//! What the engine does against lost and late answers, as values.
//!
//! Production always takes `Care::default()`. The crash matrix takes one care away at a time and has
//! to turn red: that is how we know that it still sees.

/// How careful steps and sweeps are. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Care {
    /// After an unknown outcome or a crash: look for the key before repeating (B2, A3).
    pub look_before_repeat: bool,
    /// How long to wait before that look, so that what was sent has arrived (B3, B20).
    pub settle_ms: u64,
    /// When to look for younger twins of keys, counted from the end of an operation (B3). Empty:
    /// never.
    pub stray_sweeps_ms: Vec<u64>,
    /// Write the intent before the effect (S12).
    pub intent_first: bool,
    /// Attempts of one step in one run of the engine; then it has failed (S13).
    pub step_attempts_max: u32,
    /// Every write of an effect asks whether its epoch still leads, and an operation stops at a higher one
    /// (S11, I5).
    pub heed_epochs: bool,
    /// Pause between two looks at everything: how soon a site that returns is noticed (I4, C4).
    pub sweep_ms: u64,
}

impl Default for Care {
    fn default() -> Self {
        Self {
            look_before_repeat: true,
            settle_ms: 3_000,
            stray_sweeps_ms: vec![10_000, 60_000, 600_000],
            intent_first: true,
            step_attempts_max: 12,
            heed_epochs: true,
            sweep_ms: 60_000,
        }
    }
}
