//! Secrets that are kept elsewhere: `env://NAME` in the gateway's environment, `file:///path` on its machine.
//!
//! Each kind of place is a [`Keeper`]; a vault would be another.

use std::path::Path;

use crate::secret::Secret;

/// A place that keeps secrets.
trait Keeper: Sync {
    /// How references to it begin.
    fn scheme(&self) -> &'static str;

    /// # Errors
    /// What is wrong with the rest of a reference.
    fn check(&self, rest: &str) -> Result<(), String>;

    /// # Errors
    /// When there is no secret; the reason holds nothing of one.
    fn read(&self, rest: &str) -> Result<Secret, String>;
}

const KEEPERS: &[&dyn Keeper] = &[&Environment, &File];

/// Whether a text is a reference to a secret instead of one.
pub fn is_reference(text: &str) -> bool {
    find(text).is_some()
}

/// # Errors
/// What is wrong with it.
pub fn check(text: &str) -> Result<(), String> {
    find(text).map_or(Ok(()), |(keeper, rest)| keeper.check(rest))
}

/// The secret that a reference leads to.
///
/// # Errors
/// When there is none.
pub fn read(text: &str) -> Result<Secret, String> {
    let (keeper, rest) = find(text).ok_or("is no reference")?;
    let secret = keeper.read(rest).inspect_err(|error| tracing::error!(reference = text, %error, "no secret there"))?;
    if secret.expose().is_empty() { Err("is empty".to_owned()) } else { Ok(secret) }
}

fn find(text: &str) -> Option<(&'static dyn Keeper, &str)> {
    KEEPERS.iter().find_map(|keeper| Some((*keeper, text.strip_prefix(keeper.scheme())?)))
}

struct Environment;

impl Keeper for Environment {
    fn scheme(&self) -> &'static str {
        "env://"
    }

    fn check(&self, rest: &str) -> Result<(), String> {
        let named = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if named { Ok(()) } else { Err("refers to no environment variable".to_owned()) }
    }

    fn read(&self, rest: &str) -> Result<Secret, String> {
        std::env::var(rest).map(Secret::new).map_err(|_| "the environment variable is not set".to_owned())
    }
}

struct File;

impl Keeper for File {
    fn scheme(&self) -> &'static str {
        "file://"
    }

    fn check(&self, rest: &str) -> Result<(), String> {
        if Path::new(rest).is_absolute() {
            Ok(())
        } else {
            Err("needs an absolute path, as in `file:///run/key`".to_owned())
        }
    }

    /// Without the line break that editors leave at the end.
    fn read(&self, rest: &str) -> Result<Secret, String> {
        let text = zeroize::Zeroizing::new(std::fs::read_to_string(rest).map_err(|error| error.kind().to_string())?);
        Ok(Secret::new(text.trim_end()))
    }
}
