//! Runs openapi-generator once per language and puts the result in place.
//!
//! A language is a folder of `templates`: `config.yaml` is openapi-generator's own (`files:` says which template makes
//! which file), `ignore` suppresses what the generator would write besides, and `post.sh` formats the result in its
//! working directory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    owned::{self, Files},
    toolchain::{Toolchain, run as run_command},
    trouble::Trouble,
};

const LANGUAGES: &[&str] = &["python", "typescript"];

/// What openapi-generator leaves behind that is no part of an SDK.
const SCAFFOLDING: &[&str] = &[".openapi-generator", ".openapi-generator-ignore"];

pub fn run(
    repository: &Path,
    document: &Value,
    wanted: &[String],
    check: bool,
    output: Option<PathBuf>,
) -> Result<(), Trouble> {
    if let Some(given) = wanted.iter().find(|language| !LANGUAGES.contains(&language.as_str())) {
        return Err(Trouble::Language { given: given.clone(), known: LANGUAGES.join(", ") });
    }
    let chosen = LANGUAGES.iter().filter(|language| wanted.is_empty() || wanted.iter().any(|name| name == *language));
    let toolchain = Toolchain::install(repository)?;
    for language in chosen {
        let templates = repository.join("sdk-gen/templates").join(language);
        if !templates.join("config.yaml").exists() {
            eprintln!("{language}: no templates");
            continue;
        }
        let files = generate(&toolchain, repository, document, &templates)?;
        let folder = output.clone().unwrap_or_else(|| repository.join("clients").join(language));
        let differences = owned::differences(&folder, &files);
        if check && !differences.is_empty() {
            return Err(Trouble::Differs { name: format!("clients/{language}"), differences });
        }
        if !check {
            owned::replace(&folder, &files)?;
        }
        eprintln!("{language}: {} files, {} changed", files.len(), differences.len());
    }
    Ok(())
}

fn generate(toolchain: &Toolchain, repository: &Path, document: &Value, templates: &Path) -> Result<Files, Trouble> {
    let temporary =
        tempfile::tempdir().map_err(|source| Trouble::file("create", Path::new("a temporary folder"), source))?;
    let (input, output) = (temporary.path().join("openapi.json"), temporary.path().join("sdk"));
    fs::create_dir(&output).map_err(|source| Trouble::file("create", &output, source))?;
    fs::write(&input, document.to_string()).map_err(|source| Trouble::file("write", &input, source))?;
    // The only place from which the generator obeys it.
    let (ignore, obeyed) = (templates.join("ignore"), output.join(SCAFFOLDING[1]));
    fs::copy(&ignore, &obeyed).map_err(|source| Trouble::file("copy", &ignore, source))?;

    let mut generator = toolchain.generator();
    generator.arg("generate").arg("-c").arg(templates.join("config.yaml")).arg("-t").arg(templates);
    run_command(generator.arg("-i").arg(&input).arg("-o").arg(&output))?;
    for name in SCAFFOLDING {
        let path = output.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|source| Trouble::file("delete", &path, source))?;
    }
    let post = templates.join("post.sh");
    if post.exists() {
        run_command(toolchain.command("bash").arg(&post).current_dir(&output).env("SDK_REPOSITORY", repository))?;
    }
    Ok(owned::sealed(owned::read(&output)?))
}
