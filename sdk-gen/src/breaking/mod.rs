use crate::trouble::Trouble;
use serde_json::Value;
use std::path::Path;
pub fn run(_: &Path, _: Option<&str>, _: &Value) -> Result<(), Trouble> {
    Ok(())
}
