//! The rules that a document has to keep so that good SDKs can come out of it. Each names the operation or schema.

mod operations;
mod schemas;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::trouble::Trouble;

type Rule = fn(&Value, &mut Vec<String>);

const RULES: &[Rule] = &[
    operations::are_identified,
    operations::have_a_method,
    operations::share_a_tag_per_resource,
    operations::answer_with_components,
    operations::stream_on_request,
    operations::take_simple_parameters,
    operations::say_how_they_fail,
    operations::have_no_two_arguments_of_one_name,
    schemas::exist,
    schemas::shadow_nothing,
    schemas::title_their_variants,
    schemas::have_members_that_are_identifiers,
    schemas::describe_without_ending_comments,
];

/// All mistakes at once.
pub fn check(document: &Value) -> Result<(), Trouble> {
    let mistakes = mistakes(document);
    if mistakes.is_empty() { Ok(()) } else { Err(Trouble::Lint(mistakes)) }
}

fn mistakes(document: &Value) -> Vec<String> {
    let mut mistakes = Vec::new();
    RULES.iter().for_each(|rule| rule(document, &mut mistakes));
    mistakes
}

/// Python's.
const KEYWORDS: &str = "False None True and as assert async await break class continue def del elif else except finally \
    for from global if import in is lambda nonlocal not or pass raise return try while with yield";

/// The arguments that every method has.
const EVERYWHERE: &str = "extra_body extra_headers extra_query self timeout";

pub fn is_keyword(name: &str) -> bool {
    listed(KEYWORDS, name)
}

/// Whether a list of words holds this one.
pub fn listed(words: &str, name: &str) -> bool {
    words.split(' ').any(|word| word == name)
}

fn is_identifier(name: &str) -> bool {
    let word = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
    !name.is_empty() && name.chars().all(word) && !name.starts_with(|first: char| first.is_ascii_digit())
}

fn is_argument(name: &str) -> bool {
    is_identifier(name) && !is_keyword(name) && !listed(EVERYWHERE, name)
}
