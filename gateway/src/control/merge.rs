//! Changes of JSON: a merge patch applied (RFC 7396), and what two documents differ in.

use serde_json::{Map, Value as Json};

/// What is null in the patch goes, what is an object is merged, everything else is replaced.
pub fn merge(target: &mut Json, patch: Json) {
    let Json::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Json::Object(Map::new());
    }
    let Some(object) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            object.shift_remove(&key);
        } else {
            merge(object.entry(key).or_insert(Json::Null), value);
        }
    }
}

/// One place at which two documents differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// As in `providers.openai.base_url`.
    pub path: String,
    /// `None` where there was nothing.
    pub before: Option<Json>,
    pub after: Option<Json>,
}

/// Where two documents differ; lists as wholes.
pub fn differences(before: &Json, after: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut String::new(), Some(before), Some(after), &mut found);
    found
}

fn compare(path: &mut String, before: Option<&Json>, after: Option<&Json>, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    let (Some(Json::Object(one)), Some(Json::Object(other))) = (before, after) else {
        found.push(Difference { path: path.clone(), before: before.cloned(), after: after.cloned() });
        return;
    };
    let added = other.keys().filter(|key| !one.contains_key(*key));
    for key in one.keys().chain(added) {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(key);
        compare(path, one.get(key), other.get(key), found);
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn the_rfcs_examples() {
        for (target, patch, expected) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, patch.clone());
            assert_eq!(merged, expected, "{target} + {patch}");
        }
    }

    #[test]
    fn differences_name_their_places() {
        let before = json!({"providers": {"a": {"weight": 1, "models": ["x"]}, "b": {}}, "same": {"x": 1}});
        let after = json!({"providers": {"a": {"weight": 2, "models": ["y"]}, "c": {}}, "same": {"x": 1}});
        let found: Vec<_> = differences(&before, &after).into_iter().map(|one| one.path).collect();
        assert_eq!(found, ["providers.a.weight", "providers.a.models", "providers.b", "providers.c"]);
        assert!(differences(&before, &before).is_empty());
    }
}
