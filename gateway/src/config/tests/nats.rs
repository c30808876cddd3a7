//! What is read and said of `nats`.

use std::path::PathBuf;

use super::{CANARY, mistake, mistakes, read};
use crate::{config::*, secret::Secret};

fn nats(text: &str) -> Nats {
    read(&format!("nats: {text}")).nats.unwrap()
}

fn hosts(text: &str) -> Vec<(String, u16)> {
    nats(text).servers.into_iter().map(|server| (server.host, server.port)).collect()
}

#[test]
fn one_server_or_several_with_or_without_a_port() {
    let one = [("nats.example.com".to_owned(), 4222)];
    for text in ["nats.example.com", "nats://nats.example.com:4222/", "nats://nats.example.com"] {
        assert_eq!(hosts(&format!("{{url: '{text}'}}")), one, "{text}");
    }
    let two = [("a".to_owned(), 4222), ("::1".to_owned(), 4333)];
    assert_eq!(hosts("{url: 'nats://a, nats://[::1]:4333'}"), two);
    assert_eq!(hosts("{url: ['a', 'nats://[::1]:4333']}"), two);
    assert!(read("").nats.is_none());
    assert!(!nats("{url: a}").tls.required);
    assert!(nats("{url: 'tls://a'}").tls.required);
    assert!(nats("{url: a, tls: {}}").tls.required);
}

#[test]
fn every_way_to_log_in_is_read() {
    let file = |name: &str| PathBuf::from("conf").join(name);
    let seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    for (text, login) in [
        ("credentials_file: a.creds", NatsLogin::Credentials(file("a.creds"))),
        ("nkey_file: a.nk", NatsLogin::NkeyFile(file("a.nk"))),
        (&*format!("nkey: {seed}"), NatsLogin::Nkey(Secret::new(seed))),
        ("token: '${SECRET}'", NatsLogin::Token(Secret::new(CANARY))),
        ("user: a, password: '${SECRET}'", NatsLogin::User { name: "a".into(), password: Secret::new(CANARY) }),
    ] {
        assert_eq!(nats(&format!("{{url: a, {text}}}")).login, login, "{text}");
    }
    let tls = nats("{url: a, tls: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, handshake_first: true}}").tls;
    assert_eq!(tls.certificate, Some((file("c.pem"), file("k.pem"))));
    assert!(tls.first && tls.ca_file == Some(file("ca.pem")));
}

#[test]
fn what_cannot_be_meant_is_told() {
    for (text, told) in [
        ("{}", "nats.url: needed and missing"),
        ("{url: ''}", "nats.url: names no server"),
        ("{url: 'http://a'}", "nats.url: expected a URL such as `nats://nats.example.com:4222`"),
        ("{url: 'wss://a'}", "nats.url: WebSocket is not spoken"),
        ("{url: 'nats://a:'}", "nats.url: expected a "),
        ("{url: 'nats://:4222'}", "nats.url: expected a "),
        ("{url: 'nats://u:p@a'}", "nats.url: has to be without user, password and token"),
        ("{url: a, user: b}", "nats.user: needs its `password`"),
        ("{url: a, password: b}", "nats.password: needs its `user`"),
        ("{url: a, token: b, nkey_file: c}", "nats.token: given beside `nkey_file`: one of them is the credential"),
        ("{url: a, nkey: b}", "nats.nkey: expected the seed of a user's NKey"),
        ("{url: a, tls: {cert_file: b}}", "nats.tls.cert_file: needs its `key_file`"),
        ("{url: a, tls: {key_file: b}}", "nats.tls.key_file: needs its `cert_file`"),
        ("{url: a, credential_file: b}", "nats.credential_file: unknown key (did you mean `credentials_file`?)"),
    ] {
        let said = mistake(&format!("nats: {text}"));
        assert!(said.starts_with(&format!("prism.yaml:1: {told}")), "{text}: {said}");
    }
    let told = mistakes(&format!("nats: {{url: 'nats://u:{CANARY}@a', nkey: {CANARY}, token: [{CANARY}]}}"));
    assert!(!told.join("").contains("canary"), "{told:?}");
}

#[test]
fn a_url_from_outside_goes_before_the_files_and_leaves_the_rest() {
    let moved = nats("{url: a, token: b}").moved_to("tls://c:1").unwrap();
    assert_eq!(moved.servers, [NatsServer { host: "c".into(), port: 1 }]);
    assert!(moved.tls.required && moved.login == NatsLogin::Token(Secret::new("b")));
    assert!(Nats::at("").is_err());
}
