//! What files become.

use std::{net::Ipv4Addr, path::PathBuf, time::Duration};

use ipnet::IpNet;

use super::{CANARY, mistake, read};
use crate::config::*;

#[test]
fn one_provider_is_a_complete_file() {
    let config = read("providers: {groq: {api_key: \"${SECRET}\"}}");
    let [groq] = config.providers.as_slice() else { panic!("{:?}", config.providers) };
    assert_eq!((groq.base_url.as_str(), groq.kind.as_str()), ("https://api.groq.com/openai/v1", "groq"));
    assert_eq!((groq.auth, groq.key.as_ref().unwrap().expose()), (AuthScheme::Bearer, CANARY));
    assert_eq!(groq.discover, Some(Duration::from_secs(3600)));
    assert_eq!(config.server.host, Ipv4Addr::LOCALHOST);
    assert_eq!((config.server.port, config.server.max_in_flight), (8080, 10_000));
}

#[test]
fn the_memory_for_bodies_is_what_is_said_or_a_share_of_what_there_is() {
    let said = read("server: {max_body_memory: 64MiB}");
    assert_eq!(said.server.body_memory(), 64 << 20);
    let large = read("server: {max_request_body_size: 1000GB}");
    assert_eq!(large.server.body_memory(), 1_000_000_000_000, "one body of the largest size always has room");
}

#[test]
fn nothing_and_empty_blocks_are_the_defaults() {
    let nothing = read("");
    assert_eq!(
        read("server:\nproviders:\nauth: ~\nrouting: {failover: , timeouts: {}}\nlogging: {}\n# end\n"),
        nothing
    );
    assert_eq!(read("---\n{}\n"), nothing);
    assert_eq!(nothing.routing.failover.on_status_codes, [408, 429, 500, 502, 503, 504, 529]);
    assert!(nothing.providers.is_empty());
}

/// Every block of CONFIG.md that is built, with the keys that are.
#[test]
fn the_example_of_the_manual_is_read() {
    let config = read(
        r#"
server:
  host: 127.0.0.1
  port: "${PORT}"
  tls: {cert_file: tls/cert.pem, key_file: /etc/key.pem}
  max_request_body_size: 32MiB
  max_body_memory: 1GiB
  header_timeout: 10s
  idle_timeout: 75s
  reuse_port: true
  body_timeout: 60s
  shutdown_timeout: 600s
  pre_stop: 0s
  workers: 2
  max_in_flight: 10000
  trusted_proxies: [10.0.0.0/8, "::1"]
providers:
  openai: {api_key: "${SECRET}"}
  openai-eu:
    type: openai
    base_url: https://eu.example.com/v1
    api_key: "${SECRET}"
    headers: {X-Title: "${EMPTY:-}", X-Version: 2}
    models: [gpt-4o, {id: gpt-4o-mini, upstream: my-deployment}]
    max_concurrent: 200
    timeouts: {connect: 5s, first_byte: 60s, idle: 60s, request: 30}
    priority: 1
    ca_file: ca.pem
    proxy: http://proxy:3128
  ollama: {local: true, auto_discover: 5m}
  old: {enabled: false, type: replicate, api_key: "${NOT_SET}"}
  simulator:
model_map: {fast: gpt-4o-mini, gpt-4o-mini: openai}
auth:
  enabled: true
  keys:
    - {name: app, key: "${SECRET}", role: member, models: ["gpt-*"], providers: [openai], allowed_ips: [10.0.0.1],
       expires_at: 2027-01-01T00:00:00Z}
routing:
  failover: {enabled: "${ON}", max_attempts: 3, failover_on: [500], on_timeout: true, per_attempt_timeout: 0s}
  timeouts: {request_timeout_seconds: 600, provider_timeout_seconds: 30}
  default_model: null
logging: {level: "prism=debug,warn", format: json, include_bodies: false}
prometheus: {enabled: true, path: /metrics}
"#,
    );
    assert_eq!(config.server.port, 9090);
    assert_eq!(config.server.tls.as_ref().unwrap().cert_file, PathBuf::from("conf/tls/cert.pem"));
    assert_eq!(config.server.tls.as_ref().unwrap().key_file, PathBuf::from("/etc/key.pem"));
    let names: Vec<_> = config.providers.iter().map(|provider| provider.name.as_str()).collect();
    assert_eq!(names, ["openai", "openai-eu", "ollama", "simulator"]);
    let eu = &config.providers[1];
    assert_eq!(eu.models[1], Model { id: "gpt-4o-mini".into(), upstream: "my-deployment".into(), base_model: None });
    assert_eq!(eu.timeouts.request, Duration::from_secs(30));
    assert_eq!(eu.discover, None);
    assert_eq!(eu.headers.len(), 1, "an optional header that is not set is not sent: {:?}", eu.headers);
    assert_eq!(eu.headers[0].1, "2");
    assert_eq!(eu.ca_file, Some(PathBuf::from("conf/ca.pem")));
    assert!(eu.quirks.strict_messages);
    let ollama = &config.providers[2];
    assert_eq!((ollama.auth, ollama.discover), (AuthScheme::None, Some(Duration::from_secs(300))));
    assert!(config.providers[3].simulated && config.providers[3].models.len() == SIMULATOR_MODELS.len());
    assert_eq!(config.routing.failover.on_status_codes, [500]);
    assert_eq!(config.routing.failover.per_attempt_timeout, Some(Duration::from_secs(30)));
    assert_eq!(config.auth.keys[0].allowed_ips[0], "10.0.0.1/32".parse::<IpNet>().unwrap());
}

#[test]
fn anchors_aliases_and_merges_work() {
    let config = read(
        "providers:
  one: &base {base_url: http://10.0.0.1/v1, models: &models [m], priority: 3}
  two: {<<: *base, base_url: http://10.0.0.2/v1}
  three: {base_url: http://10.0.0.3/v1, models: *models}
",
    );
    assert_eq!(config.providers[1].priority, 3);
    assert_eq!(config.providers[1].base_url, "http://10.0.0.2/v1");
    assert_eq!(config.providers[2].models, config.providers[0].models);
    let bomb = format!(
        "a: &a0 [x]\n{}",
        (1..30).map(|n| format!("b{n}: &a{n} [*a{0}, *a{0}, *a{0}]\n", n - 1)).collect::<String>()
    );
    assert!(mistake(&bomb).contains("aliases expand"));
    assert!(mistake(&"[".repeat(10_000)).starts_with("prism.yaml:1: "));
}

#[test]
fn a_file_is_loaded_and_its_paths_are_relative_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prism.yaml");
    std::fs::write(&path, "server: {tls: {cert_file: a.pem, key_file: b.pem}}\nproviders: {o: {auto_discover: false, base_url: http://x}}").unwrap();
    let (config, notes) = load_with_notes(&path).unwrap();
    assert_eq!(config.server.tls.unwrap().cert_file, folder.path().join("a.pem"));
    assert!(
        notes[0].to_string().ends_with("prism.yaml:2: providers.o.auto_discover: `discover` is the preferred spelling")
    );
}

#[test]
fn secrets_cannot_change_the_shape_of_the_file() {
    let wild = |name: &str| (name == "K").then(|| "a:[{#\"'&*!|>%@`,}".to_owned());
    for file in [
        "providers: {groq: {api_key: ${K}, headers: {x: ${NO:-a: b, [c]}}}}",
        "providers:\n  groq:\n    api_key: ${K}\n    headers: {x: '${NO:-a: b, [c]}'}",
        "providers:\n  groq: {api_key: \"${K}\", headers: {x: \"${NO:-a: b, [c]}\"}}",
    ] {
        let config = parse(file, "prism.yaml", &wild).unwrap();
        assert_eq!(config.providers[0].key.as_ref().unwrap().expose(), "a:[{#\"'&*!|>%@`,}");
        assert_eq!(config.providers[0].headers[0].1, "a: b, [c]");
    }
}

#[test]
fn keys_made_of_digits_stay_as_written() {
    let config = read("providers: {groq: {api_key: 00123}, house: {base_url: 'http://x', api_key: 0x10}}");
    let keys: Vec<_> = config.providers.iter().map(|provider| provider.key.as_ref().unwrap().expose()).collect();
    assert_eq!(keys, ["00123", "0x10"]);
}

#[test]
fn keys_are_sent_as_the_provider_wants_them() {
    let config = read(
        "providers:
  vllm:
  tgi: {base_url: 'http://x', api_key: k}
  ollama: {api_key: k, base_url: https://ollama.com}
  gateway: {base_url: 'http://x', api_key: k, auth: api-key}
  openai: {base_url: 'http://x', auth: none}
",
    );
    let schemes: Vec<_> = config.providers.iter().map(|provider| (provider.auth, provider.key.is_some())).collect();
    use AuthScheme::{ApiKey, Bearer, None};
    assert_eq!(schemes, [(None, false), (Bearer, true), (Bearer, true), (ApiKey, true), (None, false)]);
    assert!(mistake("providers: {openai: {auth: none, api_key: k}}").contains("would never be sent"));
    assert!(mistake("providers: {openai: {api_key: ''}}").contains("OPENAI_API_KEY"));
    assert!(mistake("providers: {x: {base_url: 'http://x', auth: bearer}}").contains("needed and missing"));
}

#[test]
fn another_format_takes_nothing_from_the_preset() {
    assert!(
        mistake("providers: {anthropic: {api_key: k, api_format: openai}}").contains("base_url: needed and missing")
    );
    let config = read(
        "providers:
  anthropic: {api_key: k, api_format: openai, base_url: 'https://api.anthropic.com/v1/'}
  replicate: {api_key: k, base_url: 'https://openai-proxy.example.com'}
",
    );
    assert_eq!(config.providers[0].base_url, "https://api.anthropic.com/v1");
    assert_eq!((config.providers[1].api_format.as_str(), config.providers[1].kind.as_str()), ("openai", "replicate"));
    let own = read("providers: {replicate: {api_key: k}}").providers.remove(0);
    assert_eq!((own.api_format.as_str(), own.base_url.as_str()), ("replicate", "https://api.replicate.com"));
    assert!(
        mistake("providers: {x: {api_format: antropic, base_url: 'http://x'}}").contains("did you mean `anthropic`?")
    );
}

#[test]
fn the_schema_describes_every_key_and_uses_only_what_is_checked() {
    fn walk(schema: &serde_json::Value, properties: &mut usize) {
        let known = [
            "$schema",
            "$defs",
            "$ref",
            "title",
            "description",
            "type",
            "properties",
            "additionalProperties",
            "required",
            "items",
            "anyOf",
            "oneOf",
            "enum",
            "const",
            "format",
            "minimum",
            "maximum",
            "default",
            "deprecated",
            "writeOnly",
            "x-prefer",
        ];
        let Some(object) = schema.as_object() else { return };
        for (key, value) in object {
            assert!(known.contains(&key.as_str()), "`shape` does not know `{key}`: {value}");
            match key.as_str() {
                "$defs" | "properties" => {
                    for (name, value) in value.as_object().unwrap() {
                        if key == "properties" {
                            *properties += 1;
                            assert!(value.get("description").is_some(), "{name} has no description");
                        }
                        walk(value, properties);
                    }
                }
                "anyOf" | "oneOf" => value.as_array().unwrap().iter().for_each(|value| walk(value, properties)),
                "items" | "additionalProperties" => walk(value, properties),
                _ => {}
            }
        }
    }
    let mut properties = 0;
    walk(&file::schema(), &mut properties);
    assert!(properties > 60, "{properties}");
}

#[test]
fn editors_accept_a_reference_where_a_number_belongs() {
    let schema = json_schema();
    let port = &schema["$defs"]["Server"]["properties"]["port"];
    assert_eq!(port["anyOf"][0]["maximum"], 65535);
    assert_eq!(port["anyOf"][1]["type"], "string");
    assert!(port["description"].as_str().unwrap().contains("8080"));
}

#[test]
fn remote_media_are_off_until_they_are_switched_on() {
    assert_eq!(read("security: {remote_media_max_size: 1MiB}").security.remote_media, None);
    let on = "security: {fetch_remote_media: true, remote_media_hosts: ['Images.internal:443', '[fd00::1]:8443']}";
    let media = read(on).security.remote_media.unwrap();
    assert_eq!(media.hosts, [("Images.internal".to_owned(), 443), ("fd00::1".to_owned(), 8443)]);
    assert_eq!((media.max_size, media.max_total, media.max_count), (20 << 20, 50 << 20, 20));
}
