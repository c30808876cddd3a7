#![expect(clippy::unwrap_used, reason = "a test")]
//! The floor plan of `gateway/src`, checked: a module may use only floors below its own, and only the bottom names providers.

use std::{fs, path::Path};

const FLOORS: &[&[&str]] = &[
    &["code", "ids", "memory", "money", "secret", "spool"],
    &["body"],
    &["refusal", "api", "config"],
    &["prices", "wire"],
    &["transport", "telemetry"],
    &["provider", "nats", "traces"],
    &["usage", "store"],
    &["admission", "replay"],
    &["dispatch"],
    &["control"],
    &["http"],
    &["options", "formats", "price_list", "reports", "translate"],
    &["office"],
    &["watcher"],
    &["app"],
    &["cli"],
    &["lib", "main"],
];

fn floor(module: &str) -> usize {
    let at = FLOORS.iter().position(|names| names.contains(&module));
    at.unwrap_or_else(|| panic!("`{module}` has no floor: add it to FLOORS"))
}

/// Every source file with its top-level module.
fn sources() -> Vec<(String, String, String)> {
    fn walk(folder: &Path, module: Option<&str>, found: &mut Vec<(String, String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let module = module.unwrap_or(name);
            if path.is_dir() {
                walk(&path, Some(module), found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), module.to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), None, &mut found);
    assert!(found.len() > 50, "found only {} files", found.len());
    found
}

/// Names after `crate::`, in single paths and in `use crate::{…}` blocks alike.
fn used(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    for (at, _) in text.match_indices("crate::") {
        let line = text[..at].matches('\n').count() + 1;
        let rest = &text[at + "crate::".len()..];
        let Some(block) = rest.strip_prefix('{') else {
            found.push((line, word(rest)));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (offset, c) in block.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && c.is_alphabetic() => {
                    found.push((line, word(&block[offset..])));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn two_lines_are_unsafe() {
    let blocks = sources().into_iter().flat_map(|(file, _, text)| vec![file; text.matches("unsafe {").count()]);
    let mut files: Vec<_> = blocks.map(|file| file.rsplit("/src/").next().unwrap_or_default().to_owned()).collect();
    files.sort();
    assert_eq!(files, ["code.rs", "spool/map.rs"]);
}

#[test]
fn every_use_points_downward() {
    let mut offences = Vec::new();
    for (file, module, text) in sources() {
        let is_test = file.contains("/tests");
        for (line, used) in used(&text) {
            if used != module && !is_test && floor(&used) >= floor(&module) {
                offences.push(format!("{file}:{line} {module} -> {used}"));
            }
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

/// Presets, quirks and formats know providers by name; nothing else does.
#[test]
fn no_code_above_the_table_names_a_provider() {
    const TABLES: &[&str] = &["/config/", "/wire/", "/api/", "/transport/simulator/"];
    let names = prism::config::PRESETS.iter().map(|preset| preset.name).filter(|name| *name != "simulator");
    let quoted: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    let mut offences = Vec::new();
    for (file, _, text) in sources() {
        if TABLES.iter().any(|table| file.contains(table)) || file.contains("tests") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            offences.extend(
                quoted.iter().filter(|name| line.contains(*name)).map(|name| format!("{file}:{} {name}", number + 1)),
            );
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
}

#[test]
fn configuration_knows_exactly_the_formats_that_are_built() {
    let mut built: Vec<_> = prism::wire::FORMATS.iter().map(|format| format.name()).collect();
    let mut known = prism::config::BUILT_FORMATS.to_vec();
    built.sort_unstable();
    known.sort_unstable();
    assert_eq!(built, known);
}
