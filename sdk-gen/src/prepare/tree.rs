//! The client's tree of resources: `chat.completions.create` makes `chat` a namespace and `chat.completions` a resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::names::{camel, pascal};
use crate::document::operations;

pub fn grow(document: &mut Value) {
    let tags: BTreeMap<String, Value> = operations(document)
        .iter()
        .filter_map(|operation| Some((operation.sdk_method()?.0.to_owned(), operation.value["tags"][0].clone())))
        .collect();
    let nodes: BTreeSet<&str> = tags.keys().flat_map(|path| prefixes(path)).collect();
    let children = |parent: Option<&str>| -> Value {
        let child = |path: &&&str| path.rsplit_once('.').map(|(parent, _)| parent) == parent;
        nodes.iter().filter(child).map(|path| node(path)).collect()
    };
    let with_children = |path: &str| {
        let mut node = node(path);
        node["children"] = children(Some(path));
        node
    };
    let namespaces: Value =
        nodes.iter().rev().filter(|path| !tags.contains_key(**path)).map(|path| with_children(path)).collect();
    let roots = children(None);
    let resources: Vec<(Value, Value)> = tags.iter().map(|(path, tag)| (tag.clone(), with_children(path))).collect();

    document["x-sdk-roots"] = roots;
    document["x-sdk-namespaces"] = namespaces;
    if !document["tags"].is_array() {
        document["tags"] = json!([]);
    }
    let Some(known) = document["tags"].as_array_mut() else { return };
    for (name, resource) in resources {
        match known.iter_mut().find(|tag| tag["name"] == name) {
            Some(tag) => tag["x-sdk-resource"] = resource,
            None => known.push(json!({ "name": name, "x-sdk-resource": resource })),
        }
    }
}

/// `a.b.c` has the nodes `a`, `a.b` and itself.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('.').map(|(end, _)| &path[..end]).chain([path])
}

fn node(path: &str) -> Value {
    let leaf = path.rsplit('.').next().unwrap_or(path);
    json!({ "class": pascal(path), "path": path, "py": leaf, "ts": camel(leaf) })
}
