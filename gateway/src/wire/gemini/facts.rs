//! What is known of models by the beginning of their names.

/// How a model is told how much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinks {
    /// It does not, or cannot be told.
    No,
    /// `thinkingBudget`, in tokens; 0 only where thinking can be switched off.
    Budget { least: u32, off: bool },
    /// `thinkingLevel`, one of these, from the lowest.
    Level(&'static [&'static str]),
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    prefix: &'static str,
    pub thinks: Thinks,
    /// A JSON answer may be asked for next to tools (from Gemini 3 on).
    pub json_with_tools: bool,
    /// Function calls of the current turn must come back with a signature.
    pub signs: bool,
    /// `googleSearch` (ai.google.dev/gemini-api/docs/google-search).
    pub searches: bool,
}

const LOW_HIGH: &[&str] = &["LOW", "HIGH"];
const LOW_TO_HIGH: &[&str] = &["LOW", "MEDIUM", "HIGH"];
const MINIMAL_TO_HIGH: &[&str] = &["MINIMAL", "LOW", "MEDIUM", "HIGH"];

const fn old(prefix: &'static str, thinks: Thinks) -> Facts {
    Facts { prefix, thinks, json_with_tools: false, signs: false, searches: true }
}

const fn unsearching(prefix: &'static str) -> Facts {
    Facts { searches: false, ..old(prefix, Thinks::No) }
}

const fn new(prefix: &'static str, levels: &'static [&'static str]) -> Facts {
    Facts { prefix, thinks: Thinks::Level(levels), json_with_tools: true, signs: true, searches: true }
}

/// The first row that fits counts; the last one fits every name. (ai.google.dev/gemini-api/docs/thinking)
const TABLE: &[Facts] = &[
    unsearching("gemma-"),
    unsearching("gemini-1"),
    old("gemini-2.0", Thinks::No),
    unsearching("gemini-2.5-flash-image"),
    old("gemini-2.5-flash-lite", Thinks::Budget { least: 512, off: true }),
    old("gemini-2.5-flash", Thinks::Budget { least: 128, off: true }),
    old("gemini-2", Thinks::Budget { least: 128, off: false }),
    new("gemini-3-pro", LOW_HIGH),
    new("gemini-3.1-pro", LOW_TO_HIGH),
    new("gemini-3-flash", MINIMAL_TO_HIGH),
    new("gemini-3.1-flash", MINIMAL_TO_HIGH),
    new("gemini-pro", LOW_TO_HIGH),
    new("gemini-", MINIMAL_TO_HIGH),
    Facts { prefix: "", thinks: Thinks::Level(LOW_TO_HIGH), json_with_tools: true, signs: false, searches: true },
];

/// What is known of this model. The last segment of a path is its name.
pub(super) fn facts(model: &str) -> Facts {
    let name = model.rsplit('/').next().unwrap_or(model);
    let row = TABLE.iter().find(|row| name.starts_with(row.prefix)).expect("the last row fits every name");
    match row.thinks {
        // No Pro model knows `MINIMAL`.
        Thinks::Level(levels) if levels[0] == "MINIMAL" && name.contains("-pro") => {
            Facts { thinks: Thinks::Level(LOW_TO_HIGH), ..*row }
        }
        _ => *row,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_facts() {
        for (model, thinks, signs) in [
            ("gemini-2.0-flash", Thinks::No, false),
            ("gemini-2.5-pro", Thinks::Budget { least: 128, off: false }, false),
            ("models/gemini-2.5-flash-lite-001", Thinks::Budget { least: 512, off: true }, false),
            ("gemini-3-pro-preview", Thinks::Level(LOW_HIGH), true),
            ("gemini-3.5-pro", Thinks::Level(LOW_TO_HIGH), true),
            ("gemini-flash-latest", Thinks::Level(MINIMAL_TO_HIGH), true),
            ("tunedModels/mine", Thinks::Level(LOW_TO_HIGH), false),
        ] {
            let facts = facts(model);
            assert_eq!((facts.thinks, facts.signs), (thinks, signs), "{model}");
        }
    }
}
