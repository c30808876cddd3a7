//! What is sent, case by case, and that the same request always gives the same bytes.

use serde_json::Value;

use super::{Anthropic, upstream};
use crate::wire::hub::{dispositions, golden};

fn given(case: &Value) -> Value {
    let model = case["model"].as_str().unwrap_or("claude-sonnet-4-5");
    golden::request(|| upstream(&case["request"], model, case["version"].as_str()))
}

#[test]
fn every_case_gives_its_golden_request() {
    golden::check(&Anthropic, "requests", include_str!("requests.json"), given);
}

#[test]
fn every_field_has_one_row() {
    let rows: Vec<&str> = super::super::DISPOSITIONS.iter().map(|(field, _)| *field).collect();
    assert_eq!(rows, dispositions::fields());
}
