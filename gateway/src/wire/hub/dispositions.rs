//! What becomes of every field of the chat request in every format: printed by `prism formats`, checked by tests.

use std::fmt;

/// The fate of a field in one format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Arrives as meant; the note says as what.
    Mapped(&'static str),
    /// Arrives as something close; reported in `x-prism-translation` when it differs.
    Approximated(&'static str),
    /// Does not arrive; reported in `x-prism-translation`.
    Dropped(&'static str),
    /// The request is refused with 400, because without the field it means something else.
    Refused(&'static str),
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, note) = match self {
            Self::Mapped(note) => ("mapped", note),
            Self::Approximated(note) => ("approximated", note),
            Self::Dropped(note) => ("dropped", note),
            Self::Refused(note) => ("refused", note),
        };
        if note.is_empty() { f.write_str(word) } else { write!(f, "{word}: {note}") }
    }
}

/// One format's table: field of the chat request → fate.
pub type Dispositions = &'static [(&'static str, Disposition)];

/// Every field of the chat request, in the order of the document.
pub fn fields() -> Vec<String> {
    let schema = serde_json::to_value(<crate::api::ChatCompletionRequest as utoipa::PartialSchema>::schema());
    let schema = schema.expect("a schema serialises");
    // a struct with flattened extras is an `allOf` or an object, depending on what is flattened
    let parts = schema["allOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
    parts.iter().filter_map(|part| part["properties"].as_object()).flat_map(|members| members.keys().cloned()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_field_has_a_row_in_every_format() {
        let fields = super::fields();
        assert!(fields.len() > 30, "{fields:?}");
        for format in crate::wire::FORMATS {
            let Some(table) = format.dispositions() else { continue };
            for field in &fields {
                let rows = table.iter().filter(|(name, _)| name == field).count();
                assert_eq!(rows, 1, "`{}` has {rows} rows for `{field}`", format.name());
            }
            assert_eq!(table.len(), fields.len(), "`{}` has rows for fields that do not exist", format.name());
        }
    }
}
