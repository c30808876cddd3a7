//! What a new document breaks for programs that were written for an older one.
//!
//! Both are prepared first, so that unions have named variants and it is known what is sent and what is received: a
//! request may grow and must not ask for more, an answer may say more and must not say less.

mod changelog;
mod operations;
mod schemas;
#[cfg(test)]
mod tests;

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{document, prepare::prepare, toolchain, trouble::Trouble};

pub fn run(repository: &Path, base: Option<&str>, document: &Value) -> Result<(), Trouble> {
    let base = base_document(repository, base)?;
    let announced = changelog::read(&repository.join("openapi/CHANGELOG.md"))?;
    let (deliberate, accidental): (Vec<String>, Vec<String>) =
        breaks(&base, document).into_iter().partition(|found| announced.contains(found));
    deliberate.iter().for_each(|found| eprintln!("announced: {found}"));
    if accidental.is_empty() {
        return Ok(());
    }
    Err(Trouble::Breaks(accidental.iter().map(|found| format!("  {found}")).collect()))
}

/// Sorted, one line each, without backquotes: a line of the changelog quotes them.
fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let (old, new) = (prepare(old.clone()), prepare(new.clone()));
    let mut found = operations::breaks(&old, &new);
    found.extend(schemas::breaks(&old, &new));
    found.sort();
    found.dedup();
    found
}

/// A file, or what git knows as openapi/openapi.json at a revision.
fn base_document(repository: &Path, base: Option<&str>) -> Result<Value, Trouble> {
    let path = match base {
        None => repository.join("openapi/baseline.json"),
        Some(given) if Path::new(given).is_file() => given.into(),
        Some(revision) => {
            let object = format!("{revision}:openapi/openapi.json");
            let shown = toolchain::run(Command::new("git").arg("-C").arg(repository).args(["show", &object]))?;
            return document::parse(&String::from_utf8_lossy(&shown.stdout), &object);
        }
    };
    document::read(&path)
}
