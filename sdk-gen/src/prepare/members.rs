//! Members of objects: their descriptions are where generators look for them, and they have names in Python.

use serde_json::{Value, json};

use crate::{
    document::{members_mut, reference, schemas_mut},
    lint::{is_keyword, listed},
};

/// `oneOf: [{$ref, description}, null]` says it one level too deep, and openapi-generator forgets everything about the
/// member when it unfolds that: `{$ref, description, x-nullable}` survives.
pub fn describe(document: &mut Value) {
    schemas_mut(document).flat_map(members_mut).for_each(lift);
}

/// `x-sdk-py`, and `x-sdk-alias` where the wire name is another one.
pub fn name(document: &mut Value) {
    for schema in schemas_mut(document) {
        for (wire, member) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            let name = attribute(wire);
            if name != *wire {
                member["x-sdk-alias"] = json!(wire);
            }
            member["x-sdk-py"] = json!(name);
        }
    }
}

/// A name that is no keyword and hides no method of a pydantic model.
fn attribute(wire: &str) -> String {
    let plain: String = wire.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    let plain = plain.trim_start_matches('_');
    let taken = is_keyword(plain) || listed(MODEL, plain) || plain.starts_with(|c: char| c.is_ascii_digit());
    match (taken, plain.starts_with(|c: char| c.is_ascii_digit())) {
        (true, true) => format!("n{plain}"),
        (true, false) => format!("{plain}_"),
        (false, _) => plain.to_owned(),
    }
}

/// What `prism._models.BaseModel` and pydantic's call their own.
const MODEL: &str = "construct copy dict from_orm json model_computed_fields model_config model_construct model_copy model_dump \
    model_dump_json model_extra model_fields model_fields_set model_json_schema model_post_init model_rebuild \
    model_validate model_validate_json parse_file parse_obj parse_raw prism schema schema_json to_dict to_json \
    update_forward_refs validate";

fn lift(member: &mut Value) {
    let Some(variants) = member.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
    let [one, null] = &mut variants[..] else { return };
    if reference(one).is_none() || null["type"] != "null" {
        return;
    }
    let mut lifted = one.take();
    lifted["x-nullable"] = json!(true);
    if let Some(description) = member.get("description") {
        lifted["description"] = description.clone();
    }
    *member = lifted;
}
