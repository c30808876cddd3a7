//! A table for people: texts on the left, numbers on the right.

use std::fmt::Write;

/// Columns that stand beside each other.
pub(super) struct Table {
    heads: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Table {
    pub fn new(heads: impl IntoIterator<Item = (String, Side)>) -> Self {
        Self { heads: heads.into_iter().collect(), rows: Vec::new() }
    }

    /// A cell for each column.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// `last` is set apart by a rule.
    pub fn render(&self, last: Option<Vec<String>>) -> String {
        let heads: Vec<String> = self.heads.iter().map(|(name, _)| name.clone()).collect();
        let all = || std::iter::once(&heads).chain(&self.rows).chain(&last);
        let wide = |at: usize| all().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..heads.len()).map(wide).collect();
        let line = |cells: &[String]| {
            let mut text = String::new();
            for ((cell, width), (_, side)) in cells.iter().zip(&widths).zip(&self.heads) {
                let _ = match side {
                    Side::Left => write!(text, "{cell:<width$}  "),
                    Side::Right => write!(text, "{cell:>width$}  "),
                };
            }
            format!("{}\n", text.trim_end())
        };
        let rule = || line(&widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>());
        let mut text = line(&heads) + &rule();
        text.extend(self.rows.iter().map(|row| line(row)));
        if let Some(last) = &last {
            text += &rule();
            text += &line(last);
        }
        text
    }
}

/// `12,345`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_on_the_right() {
        let mut table = Table::new([("model".to_owned(), Side::Left), ("requests".to_owned(), Side::Right)]);
        table.row(vec!["größer".into(), count(1_234_567)]);
        let text = table.render(Some(vec!["total".into(), count(7)]));
        let expected =
            "model    requests\n──────  ─────────\ngrößer  1,234,567\n──────  ─────────\ntotal           7\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1_000, 1_000_000].map(count), ["0", "999", "1,000", "1,000,000"]);
    }
}
