//! What becomes of every field of a chat request in every provider format: a table for people, JSON for programs.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::wire::{Disposition, FORMATS, hub::dispositions};

/// The table in Markdown, or as JSON.
pub fn describe(as_json: bool) -> String {
    if as_json { as_json_text() } else { as_markdown() }
}

fn as_markdown() -> String {
    let formats: Vec<_> = FORMATS.iter().filter_map(|format| Some((format.name(), format.dispositions()?))).collect();
    let mut text = String::from("| field |");
    for (name, _) in &formats {
        let _ = write!(text, " {name} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(formats.len()));
    for field in dispositions::fields() {
        let _ = write!(text, "\n| `{field}` |");
        for (_, table) in &formats {
            let fate = table.iter().find(|(name, _)| *name == field).map(|(_, fate)| fate.to_string());
            let _ = write!(text, " {} |", fate.unwrap_or_default().replace('|', "\\|"));
        }
    }
    let untouched = FORMATS.iter().filter(|format| format.dispositions().is_none()).map(|format| format.name());
    let _ = writeln!(text, "\n\nPassed through byte for byte: {}.", untouched.collect::<Vec<_>>().join(", "));
    text
}

fn as_json_text() -> String {
    let mut all = Map::new();
    for format in FORMATS {
        let rows = format.dispositions().map(|table| {
            let rows = table.iter().map(|(field, fate)| ((*field).to_owned(), row(*fate)));
            Value::Object(rows.collect::<Map<String, Value>>())
        });
        all.insert(format.name().to_owned(), rows.unwrap_or(Value::Null));
    }
    serde_json::to_string_pretty(&Value::Object(all)).expect("a value serialises") + "\n"
}

fn row(fate: Disposition) -> Value {
    let (fate, note) = match fate {
        Disposition::Mapped(note) => ("mapped", note),
        Disposition::Approximated(note) => ("approximated", note),
        Disposition::Dropped(note) => ("dropped", note),
        Disposition::Refused(note) => ("refused", note),
    };
    json!({ "fate": fate, "note": note })
}
