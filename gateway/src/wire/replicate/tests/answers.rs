//! Predictions, over and not, and where they are asked after.

use serde_json::{Value, json};

use super::{Replicate, reading};
use crate::wire::{Job, WireFormat, hub::golden};

#[test]
fn every_prediction_gives_its_golden_completion() {
    golden::check(&Replicate, "answers", include_str!("answers.json"), |case| {
        golden::answer(&Replicate, case, &reading())
    });
}

fn job(prediction: &Value) -> Result<Job, crate::refusal::Refusal> {
    Replicate.jobs().unwrap().job(prediction.to_string().as_bytes())
}

#[test]
fn a_prediction_is_over_when_its_status_is_final() {
    for (status, over) in [
        ("starting", false),
        ("processing", false),
        ("succeeded", true),
        ("failed", true),
        ("canceled", true),
        ("aborted", true),
        ("still to come", false),
    ] {
        assert_eq!(job(&json!({"id": "p1", "status": status})).unwrap().over, over, "{status}");
    }
}

#[test]
fn a_prediction_is_asked_after_by_its_id_alone() {
    let urls =
        json!({"get": "https://evil.example/x", "cancel": "https://evil.example/x", "stream": "https://s.example/p1"});
    let asked = job(&json!({"id": "p1", "status": "starting", "urls": urls})).unwrap();
    let expected = Job {
        over: false,
        path: "/v1/predictions/p1".to_owned(),
        cancel: "/v1/predictions/p1/cancel".to_owned(),
        events: Some("https://s.example/p1".to_owned()),
    };
    assert_eq!(asked, expected);
    for id in ["", "../account", "a/b", "a?b", "a b"] {
        assert!(job(&json!({"id": id, "status": "starting"})).is_err(), "{id}");
    }
}

#[test]
fn model_pages_follow_one_another() {
    let list = json!({
        "previous": null,
        "next": "https://api.replicate.com/v1/models?cursor=cD0y",
        "results": [{"owner": "meta", "name": "llama"}, {"owner": null, "name": "x"}, {"owner": "a", "name": "b"}],
    });
    let page = Replicate.models(list.to_string().as_bytes()).unwrap();
    assert_eq!(page.ids, ["meta/llama", "a/b"]);
    assert_eq!(page.next.as_deref(), Some("?cursor=cD0y"));
}
