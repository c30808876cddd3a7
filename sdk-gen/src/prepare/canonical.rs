//! The same bytes every time: utoipa keeps extensions in a hash map, so their order differs from run to run.

use serde_json::Value;

pub fn sort(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.shift_remove("propertyNames"); // says only that keys are strings; generators stumble over it
            let mut extensions: Vec<String> = members.keys().filter(|name| name.starts_with("x-")).cloned().collect();
            extensions.sort();
            for name in extensions {
                if let Some(extension) = members.shift_remove(&name) {
                    members.insert(name, extension);
                }
            }
            for (name, member) in members.iter_mut() {
                match member.as_object_mut().filter(|_| name == "properties") {
                    Some(properties) => properties.values_mut().for_each(sort), // whose names are data
                    None => sort(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}
