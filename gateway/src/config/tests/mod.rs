//! Whole files: what they become, and what is said about them.

mod clouds;
mod costs;
mod limits;
mod mistakes;
mod nats;
mod organisations;
mod reading;
mod request;
mod routing;

use super::{Config, parse};

const CANARY: &str = "sk-canary-0123456789";

fn env(name: &str) -> Option<String> {
    match name {
        "SECRET" => Some(CANARY.to_owned()),
        "PORT" => Some("9090".to_owned()),
        "ON" => Some("true".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn read(text: &str) -> Config {
    parse(text, "conf/prism.yaml", &env).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = parse(text, "prism.yaml", &env).expect_err("the file is wrong");
    mistakes.to_string().lines().map(str::to_owned).collect()
}

/// The one mistake in a file.
fn mistake(text: &str) -> String {
    let all = mistakes(text);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.into_iter().next().unwrap()
}
