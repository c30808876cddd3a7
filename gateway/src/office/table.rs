//! Answers as tables, for people.

use serde_json::Value as Json;

/// A heading, and the path of what stands under it.
pub(super) type Column = (&'static str, &'static str);

/// Wider cells are cut.
const WIDEST: usize = 60;

/// A row for each entry of a list, or of the `data` in it; one row for anything else.
pub(super) fn table(answer: &Json, columns: &[Column]) -> String {
    let entries = answer["data"].as_array().or_else(|| answer.as_array());
    let rows: Vec<Vec<String>> = match entries {
        Some(entries) => entries.iter().map(|entry| row(entry, columns)).collect(),
        None => vec![row(answer, columns)],
    };
    let heading = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let all: Vec<Vec<String>> = std::iter::once(heading).chain(rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    all.iter().map(line).collect()
}

fn row(entry: &Json, columns: &[Column]) -> Vec<String> {
    columns.iter().map(|(_, path)| cut(&cell(entry, path))).collect()
}

fn cell(entry: &Json, path: &str) -> String {
    // the names of a type's fields that it cannot do without
    if let Some(list) = path.strip_suffix(".required") {
        let fields = entry[list].as_array().into_iter().flatten().filter(|field| field["required"] == true);
        return fields.filter_map(|field| field["name"].as_str()).collect::<Vec<_>>().join(",");
    }
    let mut value = entry;
    for step in path.split('.') {
        value = step.parse::<usize>().map_or_else(|_| &value[step], |index| &value[index]);
    }
    text(value)
}

fn text(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "-".to_owned(),
        Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    // keys are shown whole: they are shown once
    if text.chars().count() <= WIDEST || text.starts_with("sk-") {
        return text.to_owned();
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_stand_under_their_headings() {
        let answer = json!({"data": [{"id": "a", "models": ["x", "y"]}, {"id": "longer", "models": [], "more": 1}]});
        let shown = table(&answer, &[("ID", "id"), ("MODELS", "models"), ("MORE", "more")]);
        assert_eq!(shown, "ID      MODELS  MORE\na       x,y     -\nlonger  -       1\n");
    }
}
