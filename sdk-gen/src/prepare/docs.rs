//! Descriptions as lines of documentation: generators squeeze them into one line, and templates cannot wrap.

use serde_json::{Value, json};

use crate::document::{members_mut, operations_mut, schemas_mut};

/// Leaves room for the deepest indentation at 120 columns.
const WIDTH: usize = 100;

pub fn wrap(document: &mut Value) {
    operations_mut(document).for_each(|(_, _, operation)| note(operation));
    for schema in schemas_mut(document) {
        note(schema);
        members_mut(schema).for_each(note);
    }
}

fn note(described: &mut Value) {
    if let Some(text) = described["description"].as_str() {
        described["x-sdk-doc"] = json!(lines(text));
    }
}

/// Paragraphs stay apart; list items keep their line.
pub fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for source in text.lines().map(str::trim) {
        open &= !source.is_empty() && !source.starts_with(['*', '-', '|']);
        if source.is_empty() {
            lines.push(String::new());
            continue;
        }
        for word in source.split_whitespace() {
            match lines.last_mut() {
                Some(last) if open && last.chars().count() + 1 + word.chars().count() <= WIDTH => {
                    last.push(' ');
                    last.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
            open = true;
        }
    }
    lines
}
