//! One connection to one server, from its greeting to its end.

use std::{
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use rustls::pki_types::{PrivateKeyDer, ServerName, pem::PemObject};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    net::TcpStream,
    time::{sleep_until, timeout, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{
    Trouble, login,
    protocol::{self, Message, Said},
};
use crate::{
    config::{Nats, NatsServer, NatsTls},
    transport,
};

/// From the first packet to the answer of the first `PING`.
const GREETING: Duration = Duration::from_secs(5);
/// After so long without a word from the server it is asked whether it is there; after as long again it is not.
const SILENCE: Duration = Duration::from_secs(5);
/// A request of ours is answered in this time, or never.
const ANSWER: Duration = Duration::from_secs(5);
const READ: usize = 32 << 10;

trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Socket for T {}

/// A connection. What is published waits in a buffer until [`Connection::next`] or [`Connection::flush`] drives it; when the
/// connection is dropped, it is gone.
pub struct Connection {
    reader: ReadHalf<Box<dyn Socket>>,
    writer: WriteHalf<Box<dyn Socket>>,
    input: BytesMut,
    output: BytesMut,
    /// Something was written that the TLS layer may still hold.
    unflushed: bool,
    heard: Instant,
    asked: bool,
    info: Info,
    /// Where answers come to; a number follows.
    inbox: Box<str>,
    requests: u64,
    subscriptions: u64,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("info", &self.info).finish_non_exhaustive()
    }
}

/// What a server says of itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Info {
    server_name: String,
    version: String,
    headers: bool,
    max_payload: usize,
    tls_required: bool,
    tls_available: bool,
    nonce: String,
    /// Other servers of the cluster.
    connect_urls: Vec<String>,
    /// It is about to leave.
    ldm: bool,
}

impl Connection {
    /// Connects, encrypts, logs in, and waits until the server has taken it.
    ///
    /// # Errors
    /// What has kept it.
    pub async fn open(server: &NatsServer, options: &Nats, name: &str) -> Result<Self, Trouble> {
        timeout(GREETING, Self::greet(server, options, name)).await.unwrap_or(Err(Trouble::Silent))
    }

    async fn greet(server: &NatsServer, options: &Nats, name: &str) -> Result<Self, Trouble> {
        let tcp = TcpStream::connect((&*server.host, server.port)).await.map_err(Trouble::Unreachable)?;
        tcp.set_nodelay(true)?;
        let mut socket: Box<dyn Socket> = Box::new(tcp);
        let mut input = BytesMut::with_capacity(READ);
        if options.tls.first {
            socket = encrypt(socket, server, &options.tls).await?;
        }
        let info = loop {
            match protocol::read(&mut input).map_err(Trouble::Foreign)? {
                Some(Said::Info(text)) => break info(&text)?,
                Some(Said::Error(text)) => return Err(Trouble::Refused(text)),
                Some(_) => return Err(Trouble::Foreign("it begins with something else than `INFO`")),
                None if socket.read_buf(&mut input).await? == 0 => return Err(Trouble::Closed),
                None => {}
            }
        };
        let wants_tls = options.tls.required || info.tls_required;
        if wants_tls && !options.tls.first {
            if !info.tls_required && !info.tls_available {
                return Err(Trouble::NoTls);
            }
            if !input.is_empty() {
                return Err(Trouble::Foreign("it talks on where the encryption begins"));
            }
            socket = encrypt(socket, server, &options.tls).await?;
        }
        if !info.headers {
            return Err(Trouble::Foreign("its version is too old: it knows no headers"));
        }
        let mut connect = login::members(&options.login, &info.nonce)?;
        let ours = json!({
            "verbose": false, "pedantic": false, "tls_required": wants_tls, "name": name, "lang": "prism",
            "version": env!("CARGO_PKG_VERSION"), "protocol": 1, "echo": false, "headers": true, "no_responders": true,
        });
        connect.extend(ours.as_object().cloned().unwrap_or_default());
        let inbox = format!("_INBOX.{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let connect = serde_json::Value::Object(connect);
        let (reader, writer) = tokio::io::split(socket);
        let mut connection = Self {
            reader,
            writer,
            input,
            output: BytesMut::from(format!("CONNECT {connect}\r\nSUB {inbox}.* 1\r\nPING\r\n").as_bytes()),
            unflushed: false,
            heard: Instant::now(),
            asked: false,
            info,
            inbox: inbox.into(),
            requests: 0,
            subscriptions: 0,
        };
        while connection.word().await? != Said::Pong {}
        Ok(connection)
    }

    /// The server's name and version, for people.
    pub fn server(&self) -> String {
        format!("{} {}", self.info.server_name, self.info.version)
    }

    /// The server's version: its first two numbers.
    pub fn version(&self) -> (u32, u32) {
        let mut numbers = self.info.version.split(['.', '-']).map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    /// Other servers of its cluster.
    pub fn others(&self) -> impl Iterator<Item = NatsServer> + '_ {
        self.info.connect_urls.iter().filter_map(|url| {
            if let Ok(address) = url.parse::<SocketAddr>() {
                return Some(NatsServer { host: address.ip().to_string(), port: address.port() });
            }
            let (host, port) = url.rsplit_once(':')?;
            Some(NatsServer { host: host.to_owned(), port: port.parse().ok()? })
        })
    }

    /// The server is about to leave: whoever can goes to another one.
    pub fn is_leaving(&self) -> bool {
        self.info.ldm
    }

    /// Bytes of the largest message it takes.
    pub fn max_payload(&self) -> usize {
        if self.info.max_payload == 0 { usize::MAX } else { self.info.max_payload }
    }

    /// Bytes that wait to be written.
    pub fn unwritten(&self) -> usize {
        self.output.len()
    }

    /// Publishes with headers. The answer to it has this number (see [`Connection::number`]).
    pub fn publish(&mut self, subject: &str, headers: &[(&str, &str)], payload: &[u8]) -> u64 {
        self.requests += 1;
        let reply = Some((&*self.inbox, self.requests));
        protocol::publish(&mut self.output, subject, reply, headers, payload);
        self.requests
    }

    /// Publishes what nobody acknowledges.
    pub fn tell(&mut self, subject: &str, payload: &[u8]) {
        protocol::publish(&mut self.output, subject, None, &[], payload);
    }

    /// From now on what others publish there comes, too; not what this connection does.
    pub fn subscribe(&mut self, subject: &str) {
        self.subscriptions += 1;
        // the first is the inbox
        self.output.extend_from_slice(format!("SUB {subject} {}\r\n", 1 + self.subscriptions).as_bytes());
    }

    /// Which request of ours a message answers.
    pub fn number(&self, message: &Message) -> Option<u64> {
        let subject = std::str::from_utf8(&message.subject).ok()?;
        subject.strip_prefix(&*self.inbox)?.strip_prefix('.')?.parse().ok()
    }

    /// The next message. Answers the server's own questions meanwhile and writes what waits. Cancel safe.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn next(&mut self) -> Result<Message, Trouble> {
        loop {
            if let Said::Message(message) = self.word().await? {
                return Ok(message);
            }
        }
    }

    /// The next message, if it is there already.
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn ready(&mut self) -> Result<Option<Message>, Trouble> {
        while let Some(said) = self.take()? {
            if let Said::Message(message) = said {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Asks, and waits for the answer; what comes meanwhile for others is dropped.
    ///
    /// # Errors
    /// When there is none.
    pub async fn request(&mut self, subject: &str, payload: &[u8]) -> Result<Message, Trouble> {
        let number = self.ask(subject, payload);
        let until = tokio::time::Instant::now() + ANSWER;
        loop {
            let message = timeout_at(until, self.next()).await.unwrap_or(Err(Trouble::Silent))?;
            if self.number(&message) == Some(number) {
                return if message.status() == Some(503) { Err(Trouble::NobodyAnswers) } else { Ok(message) };
            }
        }
    }

    /// Asks for what may come in several messages; see [`Connection::soon`].
    pub fn ask(&mut self, subject: &str, payload: &[u8]) -> u64 {
        self.requests += 1;
        protocol::publish(&mut self.output, subject, Some((&*self.inbox, self.requests)), &[], payload);
        self.requests
    }

    /// The next message, which has been asked for.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn soon(&mut self) -> Result<Message, Trouble> {
        timeout(ANSWER, self.next()).await.unwrap_or(Err(Trouble::Silent))
    }

    /// The next word, driven by the socket.
    async fn word(&mut self) -> Result<Said, Trouble> {
        loop {
            if let Some(said) = self.take()? {
                return Ok(said);
            }
            self.drive().await?;
        }
    }

    /// The next word that has arrived.
    fn take(&mut self) -> Result<Option<Said>, Trouble> {
        let said = protocol::read(&mut self.input).map_err(Trouble::Foreign)?;
        match &said {
            Some(Said::Ping) => self.output.extend_from_slice(b"PONG\r\n"),
            Some(Said::Info(text)) => self.info = info(text)?,
            Some(Said::Error(text)) => return Err(Trouble::Refused(text.clone())),
            _ => {}
        }
        Ok(said)
    }

    /// Reads or writes once. Cancel safe: what was read is in the buffer, what was written is out of it.
    async fn drive(&mut self) -> Result<(), Trouble> {
        let Self { reader, writer, input, output, unflushed, heard, asked, .. } = self;
        let has_output = !output.is_empty();
        let owes = has_output || *unflushed;
        let write =
            async { if has_output { writer.write_buf(output).await } else { writer.flush().await.map(|()| 1) } };
        input.reserve(READ);
        tokio::select! {
            read = reader.read_buf(input) => {
                (*heard, *asked) = (Instant::now(), false);
                if read? == 0 {
                    return Err(Trouble::Closed);
                }
            }
            written = write, if owes => {
                *unflushed = has_output;
                if written? == 0 {
                    return Err(Trouble::Closed);
                }
            }
            () = sleep_until((*heard + SILENCE).into()) => {
                if std::mem::replace(asked, true) {
                    return Err(Trouble::Silent);
                }
                *heard = Instant::now();
                self.output.extend_from_slice(b"PING\r\n");
            }
        }
        Ok(())
    }
}

fn info(text: &Bytes) -> Result<Info, Trouble> {
    serde_json::from_slice(text).map_err(|_| Trouble::Foreign("its `INFO` is no JSON"))
}

async fn encrypt(socket: Box<dyn Socket>, server: &NatsServer, tls: &NatsTls) -> Result<Box<dyn Socket>, Trouble> {
    let setup = |error: &dyn fmt::Display| Trouble::Setup(format!("nats.tls: {error}"));
    let roots = transport::roots(tls.ca_file.as_deref()).map_err(|error| setup(&error))?;
    let builder = transport::tls_builder().with_root_certificates(roots);
    let config = match &tls.certificate {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = transport::certificates(cert).map_err(|error| setup(&error))?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| setup(&format!("cannot read `{}`: {error}", key.display())))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| setup(&error))?
        }
    };
    let name = ServerName::try_from(server.host.clone()).map_err(|error| setup(&error))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await?;
    Ok(Box::new(stream))
}
