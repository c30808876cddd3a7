//! What is sent, case by case, and that the same request always gives the same bytes.

use serde_json::{Value, json};

use super::{check, report, upstream};
use crate::wire::hub::dispositions;

fn given(case: &Value) -> Value {
    let model = case["model"].as_str().unwrap_or("claude-sonnet-4-5");
    let send = || upstream(&case["request"], model, case["version"].as_str());
    match send() {
        Err(refusal) => json!({ "refused": report(&refusal) }),
        Ok(sent) => {
            assert_eq!(sent.body.to_bytes(), send().unwrap().body.to_bytes());
            let losses: Vec<String> =
                sent.losses.iter().map(|loss| format!("{:?} {}", loss.fate, loss.field)).collect();
            let mut given = json!({"body": serde_json::from_slice::<Value>(&sent.body.to_bytes()).unwrap()});
            if !losses.is_empty() {
                given["losses"] = json!(losses);
            }
            if !sent.headers.is_empty() {
                given["headers"] = json!(format!("{:?}", sent.headers));
            }
            if !sent.reading.tool_ids.is_empty() {
                given["tool_ids"] = json!(sent.reading.tool_ids);
            }
            if let Some(tool) = sent.reading.json_tool {
                given["json_tool"] = json!(tool);
            }
            given
        }
    }
}

#[test]
fn every_case_gives_its_golden_request() {
    check("requests", include_str!("requests.json"), given);
}

#[test]
fn every_field_has_one_row() {
    let rows: Vec<&str> = super::super::DISPOSITIONS.iter().map(|(field, _)| *field).collect();
    assert_eq!(rows, dispositions::fields());
}
