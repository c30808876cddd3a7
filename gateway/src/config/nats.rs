//! `nats`: where events are published, and who the gateway is there.

use std::path::PathBuf;

use super::{resolve::Context, tree::Trail};
use crate::secret::Secret;

/// NATS listens here when a URL names no port.
const PORT: u16 = 4222;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nats {
    /// Any of them will do; those of its cluster are learned from it.
    pub servers: Vec<NatsServer>,
    pub login: NatsLogin,
    pub tls: NatsTls,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NatsServer {
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
}

/// Who the gateway says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NatsLogin {
    Nobody,
    Token(Secret),
    User {
        name: String,
        password: Secret,
    },
    /// The seed itself.
    Nkey(Secret),
    NkeyFile(PathBuf),
    /// A user's JWT and seed, as `nsc` writes them.
    Credentials(PathBuf),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NatsTls {
    /// Whether a server that does not offer TLS is turned down.
    pub required: bool,
    /// TLS from the first byte, before the server has said anything.
    pub first: bool,
    /// Authorities beside Mozilla's.
    pub ca_file: Option<PathBuf>,
    /// The gateway's own certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// What may be written.
pub(super) mod written {
    use std::path::PathBuf;

    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::Secret;

    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    #[schemars(extend("required" = ["url"]))]
    pub(in crate::config) struct Nats {
        /// `nats://host:4222`, or `tls://…`; several servers as a list, or with commas. The environment's `PRISM_NATS_URL` goes
        /// before it.
        pub url: Option<Urls>,
        /// File with a user's JWT and seed, as `nsc` writes it; read again for each connection.
        pub credentials_file: Option<PathBuf>,
        /// Seed of a user's NKey (`SU…`).
        pub nkey: Option<Secret>,
        /// File with the seed.
        pub nkey_file: Option<PathBuf>,
        /// Token.
        pub token: Option<Secret>,
        /// User's name.
        pub user: Option<String>,
        /// The user's password.
        pub password: Option<Secret>,
        /// TLS. Where it is given, a server that does not offer it is turned down.
        pub tls: Option<Tls>,
    }

    /// One URL, or several.
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(untagged)]
    #[schemars(rename = "NatsUrls")]
    pub(in crate::config) enum Urls {
        One(String),
        Several(Vec<String>),
    }

    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    #[schemars(rename = "NatsTls")]
    pub(in crate::config) struct Tls {
        /// PEM file with authorities that are trusted beside Mozilla's; relative to the configuration file.
        pub ca_file: Option<PathBuf>,
        /// PEM file with the gateway's certificate and its chain, for servers that ask for one.
        pub cert_file: Option<PathBuf>,
        /// PEM file with that certificate's key.
        pub key_file: Option<PathBuf>,
        /// TLS from the first byte, for servers with `handshake_first`; by default false.
        pub handshake_first: Option<bool>,
    }
}

/// The servers in a text such as `nats://a:4222,tls://b`, and whether one of them wants TLS.
///
/// # Errors
/// What is wrong with it, without quoting it: it may hold a password.
pub fn nats_servers(text: &str) -> Result<(Vec<NatsServer>, bool), &'static str> {
    let mut servers = Vec::new();
    let mut tls = false;
    for url in text.split(',').map(str::trim).filter(|url| !url.is_empty()) {
        let (scheme, authority) = url.split_once("://").unwrap_or(("nats", url));
        match scheme {
            "nats" => {}
            "tls" => tls = true,
            "ws" | "wss" => return Err("WebSocket is not spoken: expected `nats://` or `tls://`"),
            _ => return Err("expected a URL such as `nats://nats.example.com:4222`"),
        }
        servers.push(server(authority.trim_end_matches('/'))?);
    }
    if servers.is_empty() { Err("names no server") } else { Ok((servers, tls)) }
}

fn server(authority: &str) -> Result<NatsServer, &'static str> {
    if authority.contains('@') {
        return Err(
            "has to be without user, password and token: they have keys of their own (`nats.user`, `nats.password`, `nats.token`)",
        );
    }
    let uri: http::uri::Authority =
        authority.parse().map_err(|_| "expected a URL such as `nats://nats.example.com:4222`")?;
    let port = match uri.port_u16() {
        Some(port) => port,
        None if authority.ends_with(':') || uri.port().is_some() => return Err("expected a port after the colon"),
        None => PORT,
    };
    let host = uri.host().trim_matches(['[', ']']).to_owned();
    if host.is_empty() { Err("expected a host in the URL") } else { Ok(NatsServer { host, port }) }
}

impl Nats {
    /// The servers of a URL in place of those of the file, whose other settings stay.
    ///
    /// # Errors
    /// See [`nats_servers`].
    pub fn over(of_file: Option<Self>, url: &str) -> Result<Self, &'static str> {
        of_file.map_or_else(|| Self::at(url), |nats| nats.moved_to(url))
    }

    /// What a URL alone says.
    ///
    /// # Errors
    /// See [`nats_servers`].
    pub fn at(url: &str) -> Result<Self, &'static str> {
        let (servers, required) = nats_servers(url)?;
        Ok(Self { servers, login: NatsLogin::Nobody, tls: NatsTls { required, ..NatsTls::default() } })
    }

    /// The same with other servers.
    ///
    /// # Errors
    /// See [`nats_servers`].
    pub fn moved_to(self, url: &str) -> Result<Self, &'static str> {
        let (servers, tls) = nats_servers(url)?;
        Ok(Self { servers, tls: NatsTls { required: self.tls.required || tls, ..self.tls }, ..self })
    }
}

pub(super) fn nats(written: written::Nats, context: &mut Context<'_>) -> Nats {
    let at = |key: &str| Trail::of(["nats", key]);
    let text = match &written.url {
        Some(written::Urls::One(url)) => url.clone(),
        Some(written::Urls::Several(urls)) => urls.join(","),
        None => String::new(),
    };
    // without one `shape` has said so
    let found = if written.url.is_some() { nats_servers(&text) } else { Ok((Vec::new(), false)) };
    let (servers, secure) = found.unwrap_or_else(|message| {
        context.mistake(&at("url"), message);
        (Vec::new(), false)
    });
    let tls = written.tls.as_ref();
    let certificate = match tls.map(|tls| (&tls.cert_file, &tls.key_file)) {
        Some((Some(cert), Some(key))) => Some((context.folder.join(cert), context.folder.join(key))),
        Some((Some(_), None)) => {
            context.mistake(&at("tls").key("cert_file"), "needs its `key_file`");
            None
        }
        Some((None, Some(_))) => {
            context.mistake(&at("tls").key("key_file"), "needs its `cert_file`");
            None
        }
        _ => None,
    };
    let tls = NatsTls {
        required: secure || tls.is_some(),
        first: tls.and_then(|tls| tls.handshake_first).unwrap_or(false),
        ca_file: tls.and_then(|tls| tls.ca_file.as_ref()).map(|path| context.folder.join(path)),
        certificate,
    };
    Nats { servers, login: login(written, context), tls }
}

fn login(written: written::Nats, context: &mut Context<'_>) -> NatsLogin {
    let at = |key: &str| Trail::of(["nats", key]);
    let mut given = Vec::new();
    if let Some(path) = written.credentials_file {
        given.push(("credentials_file", NatsLogin::Credentials(context.folder.join(path))));
    }
    if let Some(seed) = written.nkey {
        if !is_user_seed(seed.expose()) {
            context
                .mistake(&at("nkey"), "expected the seed of a user's NKey: 58 letters and digits that begin with `SU`");
        }
        given.push(("nkey", NatsLogin::Nkey(seed)));
    }
    if let Some(path) = written.nkey_file {
        given.push(("nkey_file", NatsLogin::NkeyFile(context.folder.join(path))));
    }
    if let Some(token) = written.token {
        given.push(("token", NatsLogin::Token(token)));
    }
    match (written.user, written.password) {
        (Some(name), Some(password)) => given.push(("user", NatsLogin::User { name, password })),
        (Some(_), None) => context.mistake(&at("user"), "needs its `password`"),
        (None, Some(_)) => context.mistake(&at("password"), "needs its `user`"),
        (None, None) => {}
    }
    if let [(first, _), (second, _), ..] = given.as_slice() {
        context.mistake(&at(second), format!("given beside `{first}`: one of them is the credential"));
    }
    given.into_iter().next().map_or(NatsLogin::Nobody, |(_, login)| login)
}

/// https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth
fn is_user_seed(text: &str) -> bool {
    let text = text.trim();
    text.len() == 58 && text.starts_with("SU") && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
}
