//! One name, three spellings.

/// `org_configs.versions` becomes `OrgConfigsVersions`.
pub fn pascal(name: &str) -> String {
    name.split(['_', '.', '-']).map(capitalise).collect()
}

/// `org_configs` becomes `orgConfigs`.
pub fn camel(name: &str) -> String {
    let name = pascal(name);
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// `x-prism-trace-id` becomes `trace_id`.
pub fn header(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_prefix("x-prism-").unwrap_or(&name).replace('-', "_")
}

fn capitalise(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
