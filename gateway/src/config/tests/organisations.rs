//! What switches organisations on, and what they may write.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{CANARY, mistake, read};
use crate::config::{Config, Mistakes, Role, Terms, each_secret, organisation, organisation_key};

fn of_acme(document: Json) -> Result<Config, Mistakes> {
    let shared = ["common".to_owned()];
    organisation(&document, Terms { organisation: "acme", allow_private: false, max_in_flight: 7, shared: &shared })
}

fn told(document: Json) -> String {
    of_acme(document).unwrap_err().to_string()
}

#[test]
fn a_block_or_a_token_switches_organisations_on() {
    assert!(read("").control_plane.is_none());
    assert!(read("control_plane: {}").control_plane.is_some());
    let config = read("admin: {token: '${SECRET}', listen: '127.0.0.1:9090'}\nsecurity: {master_key_file: k}");
    let control_plane = config.control_plane.unwrap();
    assert_eq!(control_plane.admin_token.unwrap().expose(), CANARY);
    assert_eq!(control_plane.listen, Some("127.0.0.1:9090".parse().unwrap()));
    assert_eq!(control_plane.master_key_file.as_deref(), Some(Path::new("conf/k")));
    assert!(!control_plane.allow_private);
    // where there is an owner's key nothing is open to everybody
    read("server: {host: 0.0.0.0}\ncontrol_plane: {}");
}

#[test]
fn no_key_of_the_file_is_named_as_one_of_an_organisation() {
    let keys = "auth: {keys: [{name: acme/app, key: k}]}\n";
    read(keys);
    let message = mistake(&format!("{keys}control_plane: {{}}"));
    assert!(message.contains("auth.keys: the key `acme/app` needs a name without `/`"), "{message}");
}

#[test]
fn what_would_switch_nothing_on_is_a_mistake() {
    assert!(mistake("admin: {listen: '127.0.0.1:9090'}").contains("admin.listen: means nothing without organisations"));
    assert!(mistake("security: {master_key_file: k}").contains("means nothing without organisations"));
    let short = mistake("admin: {token: short-canary}");
    assert!(
        short.contains("admin.token: an admin token has at least 16 characters") && !short.contains("canary"),
        "{short}"
    );
    assert!(mistake("control_plane: {}\nadmin: {listen: localhost}").contains("an IP address with a port"));
}

#[test]
fn a_bucket_is_shared_over_nats() {
    let shared = |text: &str| read(text).control_plane.unwrap().shared;
    assert_eq!(shared("control_plane: {}"), None);
    let nats = "nats: {url: 'nats://127.0.0.1:4222'}\n";
    let found = shared(&format!("{nats}control_plane: {{kv_bucket: PRISM_CONFIG}}")).unwrap();
    assert_eq!((found.bucket.as_str(), found.max_staleness.as_secs()), ("PRISM_CONFIG", 24 * 3600));
    let found = shared(&format!("{nats}control_plane: {{kv_bucket: A, max_staleness: 5m}}")).unwrap();
    assert_eq!(found.max_staleness.as_secs(), 300);
    assert!(mistake("control_plane: {kv_bucket: A}").contains("control_plane.kv_bucket: needs NATS"));
    assert!(mistake("control_plane: {max_staleness: 5m}").contains("means nothing without `control_plane.kv_bucket`"));
    assert!(mistake(&format!("{nats}control_plane: {{kv_bucket: a.b}}")).contains("letters, digits"));
    assert!(mistake(&format!("{nats}control_plane: {{kv_bucket: A, max_staleness: 0s}}")).contains("max_staleness"));
}

#[test]
fn an_organisation_is_read_as_a_file_is() {
    let config = of_acme(json!({
        "providers": {
            "openai": {"api_key": CANARY, "models": ["gpt-4o"], "timeouts": {"request": "30s"}, "weight": 3},
            "house": {"base_url": "https://llm.example.com", "allow_private": true},
            "bedrock": {"region": "eu-central-1", "access_key_id": "AKIA", "secret_access_key": "s"},
        },
        "model_map": {"fast": "gpt-4o"},
        "routing": {"default_strategy": "least-latency", "targets": {"gpt-4o": ["openai", "common"]}},
        "rate_limiting": {"global_rpm": 60},
    }))
    .unwrap();
    let [openai, house, bedrock] = &config.providers[..] else { panic!("{:?}", config.providers) };
    assert_eq!((openai.base_url.as_str(), openai.weight, openai.max_concurrent), ("https://api.openai.com/v1", 3, 7));
    assert_eq!(openai.organisation.as_deref(), Some("acme"));
    assert!(openai.guarded && bedrock.guarded && !house.guarded);
    assert!(config.routing.targets.contains_key("gpt-4o") && config.rate_limits.global.requests.is_some());
    assert_eq!(of_acme(json!({})).unwrap().providers, []);
}

#[test]
fn mistakes_are_named_by_their_paths_and_quote_nothing() {
    let told = told(json!({
        "providers": {"openai": {"api_kye": CANARY}, "x": {"base_url": CANARY, "weight": -1}},
        "auth": {},
        "routing": {"targets": {"m": ["nobody"]}},
    }));
    for path in
        ["providers.openai.api_kye", "providers.x.base_url", "providers.x.weight", "auth", "routing.targets.m[0]"]
    {
        assert!(told.contains(&format!(": {path}: ")), "{path}: {told}");
    }
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn nothing_of_the_gateways_own_is_lent_out() {
    for (provider, path) in [
        (json!({"type": "bedrock", "region": "r"}), "access_key_id"),
        (json!({"type": "bedrock", "region": "r", "profile": "p"}), "profile"),
        (json!({"type": "vertexai", "project": "p"}), "service_account"),
        (json!({"type": "vertexai", "project": "p", "credentials_file": "f"}), "credentials_file"),
        (json!({"base_url": "https://x.example.com", "ca_file": "f"}), "ca_file"),
        (json!({"base_url": "https://x.example.com", "shared": true}), "shared"),
    ] {
        let told = told(json!({"providers": {"x": provider}}));
        assert!(told.contains(&format!("providers.x.{path}: ")), "{path}: {told}");
    }
    // a reference to the environment is a text
    let config = of_acme(json!({"providers": {"openai": {"api_key": "${SECRET}"}}})).unwrap();
    assert_eq!(config.providers[0].key.as_ref().unwrap().expose(), "${SECRET}");
}

#[test]
fn every_secret_is_found_by_the_schema_wherever_it_stands() {
    let mut document = json!({
        "providers": {
            "a": {
                "api_key": "1", "api_keys": ["2", {"key": "3", "weight": 2}], "client_secret": "4", "access_token": "5",
                "access_key_id": "6", "aws_secret_access_key": "7", "session_token": "8", "headers": {"x-a": "9"},
                "proxy": "10", "base_url": "not one", "models": ["nor these", {"id": "x"}],
            },
            "b": {"api_key": {"set": true}},
        },
        "model_map": {"api_key": "nor this"},
        "nonsense": {"api_key": "nor that"},
    });
    let mut found = Vec::new();
    each_secret(&mut document, &mut |place, value| {
        found.push(format!("{}={value}", place.join(".")));
    });
    assert_eq!(found.len(), 11, "{found:?}");
    assert!(found.contains(&"providers.a.api_keys.1.key=\"3\"".to_owned()), "{found:?}");
    assert!(found.contains(&"providers.b.api_key={\"set\":true}".to_owned()), "{found:?}");
}

#[test]
fn a_key_is_described_as_in_the_file() {
    let key =
        organisation_key(&json!({"name": "app", "role": "admin", "models": ["gpt-*"], "allowed_ips": ["10.0.0.0/8"]}));
    let key = key.unwrap();
    assert_eq!((key.name.as_str(), key.role, key.models.len(), key.allowed_ips.len()), ("app", Role::Admin, 1, 1));
    for (wrong, path) in [
        (json!({}), "name"),
        (json!({"name": " "}), "name"),
        (json!({"name": "a", "key": "sk-mine"}), "key"),
        (json!({"name": "a", "models": ["", "b"]}), "models[0]"),
    ] {
        let mistakes = organisation_key(&wrong).unwrap_err();
        assert_eq!(mistakes.0[0].path, path, "{mistakes}");
    }
}
