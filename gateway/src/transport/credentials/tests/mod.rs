//! Credentials against local stand-ins of every service that gives them out.

mod aws;
mod keeper;
mod signature;
mod tokens;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use http::HeaderMap;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{Authoriser, made, surroundings::Surroundings};
use crate::{
    config::{self, Credentials},
    refusal::Refusal,
    wire::Payload,
};

/// 2026-11-22T12:00:00Z.
pub(super) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_348_800)
}

/// Head and body of what was asked, in order.
type Asked = Arc<Mutex<Vec<String>>>;

/// A server that answers by the beginning of the request line; what it does not know is 404.
pub(super) struct StandIn {
    pub host: String,
    pub asked: Asked,
}

impl StandIn {
    pub(super) async fn new(answers: Vec<(&'static str, u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Asked::default();
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, answers.clone(), log.clone()));
            }
        });
        Self { host, asked }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    pub(super) fn log(&self) -> String {
        self.asked.lock().unwrap().join("\n\n")
    }
}

async fn serve(mut socket: TcpStream, answers: Vec<(&'static str, u16, String)>, log: Asked) {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let Ok(read @ 1..) = socket.read(&mut piece).await else { return };
        text.push_str(&String::from_utf8_lossy(&piece[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.to_lowercase().split("content-length: ").nth(1).map(|rest| rest.lines().next().unwrap().parse());
        if body.len() < length.map_or(0, Result::unwrap) {
            continue;
        }
        let found = answers.iter().find(|(start, ..)| head.starts_with(start));
        let (status, answer) = found.map_or((404, ""), |(_, status, answer)| (*status, answer));
        log.lock().unwrap().push(std::mem::take(&mut text));
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        if socket.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

pub(super) fn around(variables: &[(&str, &str)]) -> Surroundings {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let file = "providers: {it: {base_url: 'http://127.0.0.1:1/v1'}}";
    let provider = config::parse(file, "test.yaml", &|_| None).unwrap().providers.remove(0);
    let env = Arc::new(move |name: &str| variables.get(name).cloned());
    Surroundings { env, clock: Arc::new(noon), ..Surroundings::of(&provider).unwrap() }
}

/// The headers of a request after it was authorised.
pub(super) async fn authorised(authoriser: &dyn Authoriser) -> Result<HeaderMap, Refusal> {
    let mut request = http::Request::post("https://llm.example.com/x").body(Payload::default()).unwrap();
    authoriser.authorise(&mut request).await?;
    Ok(request.headers().clone())
}

pub(super) async fn with(credentials: &Credentials, around: &Surroundings) -> Result<HeaderMap, Refusal> {
    authorised(&*made(credentials, around)).await
}
