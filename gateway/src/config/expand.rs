//! `${VAR}` and `${VAR:-default}` in string values, after the YAML was read: what a secret holds cannot change the
//! shape of the file. `$${` stands for `${`.

use super::{
    check::Report,
    tree::{Kind, Node, Trail, Value},
};

/// The environment, as the configuration sees it.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces every reference below `node`; a missing variable is a mistake, except in a provider that is switched off.
pub(super) fn expand(node: &mut Node, trail: &Trail, line: usize, env: Environment<'_>, report: &mut Report) {
    let lenient = |name: &str| Some(env(name).unwrap_or_default());
    let env: Environment<'_> = if switched_off(node, trail, env) { &lenient } else { env };
    match &mut node.value {
        Value::Scalar { text, kind } if text.contains("${") => match expanded(text, env) {
            Ok(value) => {
                if value.found {
                    *kind = Kind::Expanded;
                }
                *text = value.text;
            }
            Err(message) => {
                report.structural(trail, line, message);
                (*text, *kind) = (String::new(), Kind::Expanded);
            }
        },
        Value::Scalar { .. } => {}
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let line = item.line;
                expand(item, &trail.index(index), line, env, report);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                expand(&mut entry.node, &trail.key(&entry.key), entry.line, env, report);
            }
        }
    }
}

/// `providers.NAME` with `enabled: false`: it may wait for its key.
fn switched_off(node: &Node, trail: &Trail, env: Environment<'_>) -> bool {
    let is_provider = trail.0.len() == 2 && trail.touches(&Trail::of(["providers"]));
    let enabled = node.get("enabled").map(|entry| &entry.node.value);
    let is_false = |text: &str| expanded(text, env).is_ok_and(|expansion| expansion.text == "false");
    is_provider && matches!(enabled, Some(Value::Scalar { text, .. }) if is_false(text))
}

/// Where the stand-ins of [`shield`] begin, in Unicode's private use area.
const STAND_IN: u32 = 0xE000;

/// Makes references plain words for YAML, which would read the braces of `{api_key: ${KEY}}` as its own: their ASCII
/// is moved to the private use area, and [`unshield`] moves it back. Lines stay. `None` when that area is taken.
pub(super) fn shield(text: &str) -> Option<String> {
    let taken = STAND_IN..STAND_IN + 0x80;
    if text.chars().any(|c| taken.contains(&u32::from(c))) {
        return None;
    }
    let mut shielded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let line = &rest[at..rest[at..].find('\n').map_or(rest.len(), |end| at + end)];
        // Quotes and escapes inside a reference are YAML's to read.
        let end = closing(&line[2..]).map(|end| end + 3).filter(|&end| !line[..end].contains(['"', '\'', '\\']));
        let length = end.unwrap_or(2);
        shielded.push_str(&rest[..at]);
        let stand_in = |c: char| if c.is_ascii() { char::from_u32(STAND_IN + u32::from(c)).unwrap_or(c) } else { c };
        match end {
            Some(_) => shielded.extend(line[..length].chars().map(stand_in)),
            None => shielded.push_str(&line[..length]),
        }
        rest = &rest[at + length..];
    }
    shielded.push_str(rest);
    Some(shielded)
}

/// The text as it was before [`shield`].
pub(super) fn unshield(text: &str) -> String {
    let original = |c: char| match u32::from(c).checked_sub(STAND_IN) {
        Some(ascii @ 0..0x80) => char::from_u32(ascii).unwrap_or(c),
        _ => c,
    };
    text.chars().map(original).collect()
}

struct Expansion {
    text: String,
    /// At least one reference was replaced.
    found: bool,
}

fn expanded(text: &str, env: Environment<'_>) -> Result<Expansion, String> {
    let mut whole = Expansion { text: String::with_capacity(text.len()), found: false };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            whole.text.push_str(before);
            whole.text.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        whole.text.push_str(&rest[..at]);
        let inside = &rest[at + 2..];
        let end = closing(inside).ok_or("`${` without its `}` (`$${` stands for `${`)")?;
        whole.text.push_str(&reference(&inside[..end], env)?);
        whole.found = true;
        rest = &inside[end + 1..];
    }
    whole.text.push_str(rest);
    Ok(whole)
}

/// Where the brace of a reference closes, references in its default skipped.
fn closing(inside: &str) -> Option<usize> {
    let mut open = 1_usize;
    let mut previous = ' ';
    for (at, c) in inside.char_indices() {
        match c {
            '{' if previous == '$' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
        previous = c;
    }
    None
}

fn reference(inside: &str, env: Environment<'_>) -> Result<String, String> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("`${…}` takes the name of an environment variable".to_owned());
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("`${…}` is written `${NAME}` or `${NAME:-default}`".to_owned());
    }
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(expanded(default, env)?.text),
        (None, None) => {
            Err(format!("the environment variable `{name}` is not set (`${{{name}:-}}` would make it optional)"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(template: &str) -> Result<String, String> {
        let env = |name: &str| match name {
            "KEY" => Some("a: {b} # \"c\"".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        expanded(template, &env).map(|expansion| expansion.text)
    }

    #[test]
    fn references_are_replaced_once_and_not_read_again() {
        assert_eq!(text("<${KEY}>").as_deref(), Ok("<a: {b} # \"c\">"));
        assert_eq!(text("${EMPTY}-${NO:-x}${EMPTY:-y}").as_deref(), Ok("-xy"));
        assert_eq!(text("${NO:-${EMPTY:-deep}}!").as_deref(), Ok("deep!"));
        assert_eq!(text("$${KEY} $KEY $5").as_deref(), Ok("${KEY} $KEY $5"));
    }

    #[test]
    fn references_are_words_to_yaml() {
        for text in ["{a: ${B}, c: ${D:-x, [y]}} # ${", "$${A} ${B:-${C}}", "${A\n}", "\"${A:-\\\"}\""] {
            assert_eq!(shield(text).map(|shielded| unshield(&shielded)).as_deref(), Some(text));
        }
        let shielded = shield("{a: ${B:-x, [y]}}").unwrap();
        assert!(!shielded.contains("${") && !shielded.contains('['));
        assert_eq!(shield("\u{e041}"), None);
    }

    #[test]
    fn a_missing_variable_says_how_to_make_it_optional() {
        let message = text("${NO}").unwrap_err();
        assert!(message.contains("`NO` is not set") && message.contains("`${NO:-}`"), "{message}");
        assert!(text("${KEY").is_err());
        assert!(text("${}").is_err());
        assert!(text("${KEY?}").is_err());
    }
}
