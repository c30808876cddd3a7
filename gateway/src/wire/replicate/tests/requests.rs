//! What is sent, case by case, and that the same request always gives the same bytes.

use serde_json::{Value, json};

use super::{check, report, upstream};
use crate::wire::hub::dispositions;

fn given(case: &Value) -> Value {
    let model = case["model"].as_str().unwrap_or("meta/meta-llama-3-70b-instruct");
    match upstream(&case["request"], model) {
        Err(refusal) => json!({ "refused": report(&refusal) }),
        Ok(sent) => {
            assert_eq!(sent.body.to_bytes(), upstream(&case["request"], model).unwrap().body.to_bytes());
            let losses: Vec<String> =
                sent.losses.iter().map(|loss| format!("{:?} {}", loss.fate, loss.field)).collect();
            let headers: Vec<String> =
                sent.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
            json!({
                "path": sent.path,
                "headers": headers,
                "body": serde_json::from_slice::<Value>(&sent.body.to_bytes()).unwrap(),
                "losses": losses,
            })
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
