//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::prompt::Prompt;

const MAX_SECONDS: f64 = 300.0;
const MAX_REQUESTS: u64 = 5_000_000;

pub struct Options {
    pub addr: SocketAddr,
    pub host: String,
    pub path: String,
    /// Connections of the closed loop; cap on requests in flight of the open loop.
    pub concurrency: usize,
    /// Requests per second of the open loop; 0 is the closed loop.
    pub rate: f64,
    pub seconds: f64,
    pub max_requests: u64,
    pub stream: bool,
    pub anthropic: bool,
    pub timeout: Duration,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub workers: usize,
    /// Content chunks that every stream must bring; 0 does not check.
    pub expect_chunks: u64,
    /// The closed loop's connections start spread over so long.
    pub ramp_ms: u64,
}

impl Options {
    pub fn from_args() -> Options {
        let mut options = Options {
            addr: SocketAddr::from(([127, 0, 0, 1], 9100)),
            host: String::new(),
            path: "/v1/chat/completions".into(),
            concurrency: 1,
            rate: 0.0,
            seconds: 5.0,
            max_requests: MAX_REQUESTS,
            stream: false,
            anthropic: false,
            timeout: Duration::from_secs(60),
            headers: Vec::new(),
            body: Bytes::new(),
            workers: 1,
            expect_chunks: 0,
            ramp_ms: 0,
        };
        let mut prompt = Prompt::default();
        let mut body_file = None;
        let mut args = std::env::args().skip(1);
        while let Some(flag) = args.next() {
            let mut text = || args.next().unwrap_or_else(|| die(&format!("{flag} needs a value")));
            match flag.as_str() {
                "--url" => options.aim(&text()),
                "-c" | "--concurrency" => options.concurrency = number(text()) as usize,
                "-r" | "--rate" => options.rate = number(text()),
                "-d" | "--duration" => options.seconds = number(text()).min(MAX_SECONDS),
                "-n" | "--requests" => options.max_requests = (number(text()) as u64).min(MAX_REQUESTS),
                "--timeout" => options.timeout = Duration::from_secs_f64(number(text())),
                "--workers" => options.workers = number(text()) as usize,
                "--ramp-ms" => options.ramp_ms = number(text()) as u64,
                "--expect-chunks" => options.expect_chunks = number(text()) as u64,
                "--model" => prompt.model = text(),
                "--prompt-bytes" => prompt.bytes = number(text()) as usize,
                "--body-file" => body_file = Some(text()),
                "-H" | "--header" => options.add_header(&text()),
                "--stream" => options.stream = true,
                "--anthropic" => options.anthropic = true,
                "--no-include-usage" => prompt.include_usage = false,
                _ => die(&format!("unknown flag {flag}")),
            }
        }
        if !options.addr.ip().is_loopback() {
            die("refused: the target must be a loopback address");
        }
        if options.concurrency == 0 {
            die("concurrency 0");
        }
        if options.rate > 0.0 && options.concurrency == 1 {
            options.concurrency = 2000;
        }
        options.body = match body_file {
            Some(file) => std::fs::read(file).unwrap_or_else(|why| die(&why.to_string())).into(),
            None => prompt.body(options.stream, options.anthropic).into(),
        };
        options
    }

    fn aim(&mut self, url: &str) {
        let Some(rest) = url.strip_prefix("http://") else { die("http:// only") };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        self.addr = host.parse().unwrap_or_else(|_| die("url needs IP:PORT"));
        self.path = format!("/{path}");
        self.host = host.to_string();
    }

    fn add_header(&mut self, header: &str) {
        let (name, value) = header.split_once(':').unwrap_or_else(|| die("header needs 'k: v'"));
        self.headers.push((name.trim().into(), value.trim().into()));
    }
}

fn number(text: String) -> f64 {
    text.parse().unwrap_or_else(|_| die("not a number"))
}

fn die(why: &str) -> ! {
    eprintln!("load: {why}");
    std::process::exit(2)
}
