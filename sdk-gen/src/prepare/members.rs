//! A member's description is found on the member, wherever utoipa wrote it.

use serde_json::Value;

use crate::document::{members_mut, reference, schemas_mut};

/// `oneOf: [{$ref, description}, null]` says it one level too deep.
pub fn describe(document: &mut Value) {
    schemas_mut(document).flat_map(members_mut).for_each(lift);
}

fn lift(member: &mut Value) {
    let inner = ["oneOf", "anyOf"].into_iter().find_map(|kind| {
        let variants = member.get_mut(kind)?.as_array_mut()?;
        let described = variants.iter_mut().find(|variant| reference(variant).is_some())?;
        described.as_object_mut()?.shift_remove("description")
    });
    if let Some(description) = inner
        && member.get("description").is_none()
    {
        member["description"] = description;
    }
}
