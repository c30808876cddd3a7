//! What is sent, case by case, and that the same request always gives the same bytes.

use serde_json::{Value, json};

use super::{Replicate, upstream};
use crate::wire::hub::{dispositions, golden};

fn given(case: &Value) -> Value {
    let model = case["model"].as_str().unwrap_or("meta/meta-llama-3-70b-instruct");
    match upstream(&case["request"], model) {
        Err(refusal) => json!({ "refused": golden::report(&refusal) }),
        Ok(sent) => {
            assert_eq!(sent.body.to_bytes(), upstream(&case["request"], model).unwrap().body.to_bytes());
            let headers: Vec<String> =
                sent.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
            json!({
                "path": sent.path,
                "headers": headers,
                "body": serde_json::from_slice::<Value>(&sent.body.to_bytes()).unwrap(),
                "losses": golden::losses(&sent),
            })
        }
    }
}

#[test]
fn every_case_gives_its_golden_request() {
    golden::check(&Replicate, "requests", include_str!("requests.json"), given);
}

#[test]
fn every_field_has_one_row() {
    let rows: Vec<&str> = super::super::DISPOSITIONS.iter().map(|(field, _)| *field).collect();
    assert_eq!(rows, dispositions::fields());
}
