//! What is said about wrong files.

use proptest::prelude::*;

use super::{CANARY, env, mistake, mistakes, read};
use crate::config::{check::Report, tree::Trail, *};

#[test]
fn all_mistakes_are_told_at_once_each_with_its_line() {
    let told = mistakes(
        "server:
  prot: 8080
  port: many
  max_in_flight: 0
  tls: {cert_file: a.pem}
  port: 1
providers:
  openai:
    api_kye: x
  anyscale: {api_key: k}
  groq:
  house: {base_url: localhost:8000}
  replicate: {api_key: k, api_format: replicat}
  opnai: {api_key: '${NOPE}'}
  mistral:
    api_key: k
    models:
      - a
      - {id: b, upstrem: c}
      - a
  a b: {base_url: http://x, headers: {Host: x, 'a b': c}, timeouts: {idle: 0s}}
model_map: {a: b, b: a, gpt-4.1: gpt-4.1}
routing:
  circuit_breaker: {enabeld: true}
  failover: {on_status_codes: [200], max_attempts: 0}
hedge: 1
logging: {level: infoo, format: jsn}
auth:
  keys:
    - {name: app}
    - {name: app, key: k, providers: [opena], role: owner, allowed_ips: [10.0.0.0/99]}
    - {name: b, key: k}
",
    );
    let expected = [
        "prism.yaml:2: server.prot: unknown key (did you mean `port`?)",
        "prism.yaml:3: server.port: expected a whole number from 0 to 65535",
        "prism.yaml:4: server.max_in_flight: expected a whole number from 1 to 10000000",
        "prism.yaml:5: server.tls.key_file: needed and missing",
        "prism.yaml:6: server.port: duplicate key (the first is on line 3)",
        "prism.yaml:9: providers.openai.api_kye: unknown key (did you mean `api_key`?)",
        "prism.yaml:10: providers.anyscale.base_url: needed and missing: the URL of your own Anyscale service: the shared \
         endpoint (api.endpoints.anyscale.com) closed on 2024-08-01",
        "prism.yaml:11: providers.groq.api_key: needed and missing: write `api_key: \"${GROQ_API_KEY}\"`, or `auth: none` if \
         it takes no key",
        "prism.yaml:12: providers.house.base_url: expected an absolute URL that starts with `http://` or `https://`",
        "prism.yaml:13: providers.replicate.api_format: unknown format (did you mean `replicate`?)",
        "prism.yaml:14: providers.opnai.api_key: the environment variable `NOPE` is not set (`${NOPE:-}` would make it optional)",
        "prism.yaml:14: providers.opnai.base_url: needed and missing: the root of its OpenAI-compatible API, such as \
         `https://llm.example.com/v1` (or did you mean `type: openai`?)",
        "prism.yaml:19: providers.mistral.models[1].upstrem: unknown key (did you mean `upstream`?)",
        "prism.yaml:20: providers.mistral.models[2]: the same model as `providers.mistral.models[0]`",
        "prism.yaml:21: providers.\"a b\": a provider's name has up to 64 letters, digits, `-`, `_` and `.`",
        "prism.yaml:21: providers.\"a b\".headers.Host: this header is Prism's to set",
        "prism.yaml:21: providers.\"a b\".headers.\"a b\": is no header: its name or value holds a character that cannot be sent",
        "prism.yaml:21: providers.\"a b\".timeouts.idle: has to be longer than 0",
        "prism.yaml:22: model_map.a: leads back to itself",
        "prism.yaml:22: model_map.b: leads back to itself",
        "prism.yaml:22: model_map.\"gpt-4.1\": leads back to itself",
        "prism.yaml:24: routing.circuit_breaker.enabeld: unknown key (did you mean `enabled`?)",
        "prism.yaml:25: routing.failover.max_attempts: expected a whole number from 1 to 100",
        "prism.yaml:25: routing.failover.on_status_codes[0]: expected a whole number from 400 to 599",
        "prism.yaml:26: hedge: unknown key (known: server, providers, model_map, auth, routing, rate_limiting, budgets, cost_tracking, logging, prometheus, cors, security, usage, store, otel, nats, control_plane, admin)",
        "prism.yaml:27: logging.format: unknown word (did you mean `json`?)",
        "prism.yaml:27: logging.level: expected trace, debug, info, warn, error, off, or a filter such as `prism=debug,warn`",
        "prism.yaml:30: auth.keys[0].key: needed and missing",
        "prism.yaml:31: auth.keys[1].allowed_ips[0]: expected an IP address or a network such as `10.0.0.0/8`",
    ];
    let mut sorted = told.clone();
    sorted.sort_by_key(|line| line.split(':').nth(1).and_then(|line| line.parse::<usize>().ok()));
    assert_eq!(told, sorted, "in the order of the lines");
    for line in expected {
        assert!(told.contains(&line.to_owned()), "missing: {line}\nin: {told:#?}");
    }
}

#[test]
fn the_memory_for_bodies_has_room_for_one() {
    let told = mistakes("server:\n  max_request_body_size: 8MiB\n  max_body_memory: 4MiB\n");
    let expected = "prism.yaml:3: server.max_body_memory: has no room for one body of the largest size \
                    (`server.max_request_body_size`)";
    assert_eq!(told, [expected]);
}

#[test]
fn keys_of_clients_are_compared_with_each_other_and_with_the_providers() {
    let told = mistakes(
        "providers: {openai: {api_key: k}}
auth:
  keys:
    - {name: app, key: k, providers: [opena]}
    - {name: app, key: k2, role: owner}
    - {name: c, key: k}
    - {name: d, key: 'a b'}
    - {name: e, key: '${EMPTY}'}
",
    );
    assert_eq!(
        told,
        [
            "prism.yaml:4: auth.keys[0].providers[0]: no such provider (did you mean `openai`?)",
            "prism.yaml:5: auth.keys[1].name: the same name as `auth.keys[0]`",
            "prism.yaml:6: auth.keys[2].key: the same key as `auth.keys[0]`",
            "prism.yaml:7: auth.keys[3].key: holds a character that cannot be sent in a header (a space or line break?)",
            "prism.yaml:8: auth.keys[4].key: needed and missing",
        ]
    );
}

#[test]
fn an_open_gateway_has_to_be_asked_for() {
    assert!(mistake("server: {host: 0.0.0.0}").contains("auth.enabled: false"));
    assert!(mistake("server: {host: '::'}\nauth: {keys: []}").starts_with("prism.yaml:1: server.host: "));
    read("server: {host: 0.0.0.0}\nauth: {enabled: false}");
    read("server: {host: 0.0.0.0}\nauth: {keys: [{name: a, key: k}]}");
    read("server: {host: localhost}");
    assert!(mistake("auth: {enabled: true}").contains("would let nobody in"));
    let open = Auth { enabled: true, keys: Vec::new() };
    assert!(exposure("192.168.0.1".parse().unwrap(), &open, false).is_err());
    assert!(exposure("::ffff:127.0.0.1".parse().unwrap(), &open, false).is_ok());
}

#[test]
fn hosts_of_remote_media_have_a_port() {
    for host in ["images.internal", "https://images.internal:443", "a@images.internal:443", ":443", ""] {
        let told = mistake(&format!("security: {{remote_media_hosts: [a:1, '{host}']}}"));
        assert!(told.contains("security.remote_media_hosts[1]: expected a host and its port"), "{host}: {told}");
    }
    assert!(mistake("security: {remote_media_timeout: 0s}").contains("longer than 0"));
    assert!(mistake("security: {remote_media_max_total: 0}").contains("larger than 0"));
}

#[test]
fn every_feature_that_is_not_built_is_refused_by_name() {
    for pattern in unbuilt::patterns() {
        let mut steps: Vec<&str> = pattern.split('.').collect();
        let key = steps.pop().unwrap();
        let mut text = format!("{{{key}: {{}}}}");
        for step in steps.iter().rev() {
            text = match (*step, steps[0]) {
                ("*", "auth") => format!("[{text}]"),
                ("*", _) => format!("{{simulator: {text}}}"),
                (step, _) => format!("{{{step}: {text}}}"),
            };
        }
        let told = mistakes(&text);
        assert!(told.iter().any(|line| line.contains(": not built yet: ")), "{text}: {told:?}");
        assert!(told.iter().all(|line| !line.contains("unknown key")), "{text}: {told:?}");
    }
}

#[test]
fn what_is_no_configuration_is_told_with_its_line() {
    assert!(mistake("server: {port: 1\nauth: [").starts_with("prism.yaml:"));
    assert_eq!(mistake("- a\n"), "prism.yaml:1: expected a mapping, found a list");
    assert!(mistake("server: {}\n---\nserver: {}\n").starts_with("prism.yaml:2: a second YAML document"));
    assert!(
        load(std::path::Path::new("/nowhere/prism.yaml"))
            .unwrap_err()
            .to_string()
            .starts_with("/nowhere/prism.yaml: cannot be read: ")
    );
}

#[test]
fn two_spellings_of_one_thing_are_not_given_at_once() {
    assert!(mistake("routing: {failover: {failover_on: [500], on_status_codes: [500]}}").contains("given twice"));
    assert!(mistake("providers: {ollama: {default_timeout: 1s, timeouts: {request: 2s}}}").contains("given twice"));
    read("providers: {ollama: {default_timeout: 1s, timeouts: {idle: 2s}}}");
    assert!(mistake("providers: {ollama: {local: true, auth: bearer}}").contains("contradicts"));
}

#[test]
fn no_message_quotes_a_value() {
    let files = [
        "server: {port: ${X}, host: ${X}, workers: [${X}], tls: ${X}, max_request_body_size: ${X}, header_timeout: ${X}}",
        "server: ${X}\nproviders: ${X}\nauth: ${X}",
        "providers: {openai: {api_key: [${X}], auth: ${X}, type: ${X}, api_format: ${X}, discover: ${X}, headers: {a: {b: ${X}}}}}",
        "providers: {openai: {api_key: {${X}}}}",
        "providers: {openai: {api_key: '${X} '}, house: {base_url: 'https://u:${X}@x', proxy: 'http://u:${X}@x'}}",
        "providers: {house: {base_url: 'https://x?key=${X}', models: ['${X}', '${X}'], type: '${X}'}}",
        "providers: {house: {base_url: '${X}', headers: {Host: '${X}', a: \"x\\n${X}\"}}}",
        "auth: {keys: [{name: '${X}', key: '${X}', role: '${X}'}, {name: '${X}', key: '${X}', allowed_ips: ['${X}'], expires_at: '${X}'}]}",
        "auth: {enabled: ${X}, keys: [{name: a, key: k, providers: ['${X}']}]}",
        "model_map: {a: '${X}', a: '${X}'}\nlogging: {level: '${X}', format: '${X}'}\nprometheus: {path: '${X}', enabled: '${X}'}",
        "providers: {openai: {api_key: \"${X}\n",
        "providers: {openai: {api_key: *${X}}}",
        "providers:\n\t${X}: ${X}\n",
        "providers: @${X}",
        "server: {${X}: 1}\n${X}: 2",
        "providers: {simulator: {models: ['${X}'], proxy: '${X}', conn_pool_size: '${X}'}}",
        "${X}",
    ];
    for file in files {
        for text in [file.replace("${X}", CANARY), file.replace("${X}", "${SECRET}")] {
            let told = match parse(&text, "prism.yaml", &env) {
                Err(mistakes) => format!("{mistakes} {mistakes:?}"),
                Ok(config) => format!("{config:?}"),
            };
            assert!(!told.contains("canary"), "{text}\n{told}");
        }
    }
    let config = read(&format!(
        "providers: {{openai: {{api_key: {CANARY}, headers: {{a: {CANARY}}}}}}}\nauth: {{keys: [{{name: a, key: {CANARY}}}]}}"
    ));
    assert!(!format!("{config:?}").contains("canary"));
}

#[test]
fn what_follows_from_a_mistake_is_not_told_again() {
    assert_eq!(mistakes("server: {host: 0.0.0.0}\nauth: {keys: [{name: a, key: k, allowed_ips: [x]}]}").len(), 1);
    let mut report = Report::new("f");
    let tree = tree::read("a: {b: 1}").unwrap();
    report.structural(&Trail::of(["a", "b"]), 1, "wrong");
    report.semantic(&tree, &Trail::of(["a", "b"]), "and missing");
    report.semantic(&tree, &Trail::of(["a", "c"]), "other");
    assert_eq!(report.finish(()).unwrap_err().0.len(), 2);
}

proptest! {
    /// Whatever is written, there is an answer and it tells no secret.
    #[test]
    fn any_text_is_answered(text in "[a-z:{}\\[\\]\"'\\n \\-#&*!|>%@$<0-9]{0,80}") {
        let _ = parse(&text, "prism.yaml", &env);
    }
}
