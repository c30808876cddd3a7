//! Administration from the command line: `prism org`, `prism key` and `prism provider` ask a running gateway over its own
//! API; `prism audit`, `prism master-key` and `prism store` work on the store.

mod client;
mod cupboard;
mod table;

use std::{io::Read, path::PathBuf};

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Number, Value as Json, json};

pub use cupboard::{AuditCommand, Cupboard, MasterKeyCommand, StoreCommand, audit, master_key, store};

use client::Client;
use table::Column;

use crate::secret::Secret;

/// Whom to ask, and how to show the answer.
#[derive(Debug, Args)]
pub struct Asking {
    /// Address of the gateway.
    #[arg(long, global = true, env = "PRISM_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// An owner's or admin's key, or the admin token; by default also taken from PRISM_ADMIN_TOKEN.
    #[arg(long, global = true, env = "PRISM_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// As JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
pub enum OrgCommand {
    /// List organisations.
    List,
    /// Show what an organisation has configured.
    Get { org: String },
    /// Make an organisation with a configuration.
    Create {
        org: String,
        #[command(flatten)]
        document: Document,
    },
    /// Change a configuration with a merge patch.
    Update {
        org: String,
        #[command(flatten)]
        document: Document,
    },
    /// Replace a configuration as a whole.
    Replace {
        org: String,
        #[command(flatten)]
        document: Document,
        /// The `etag` of the configuration that was read.
        #[arg(long, default_value = "*")]
        if_match: String,
    },
    /// Say what is wrong with a configuration; nothing changes.
    Validate {
        org: String,
        #[command(flatten)]
        document: Document,
    },
    /// End an organisation, with its keys.
    Delete { org: String },
    /// List the versions of a configuration.
    Versions { org: String },
    /// Show what two versions differ in; by default the last two.
    Diff { org: String, from: Option<u64>, to: Option<u64> },
    /// Bring an earlier version back.
    Rollback { org: String, version: u64 },
}

#[derive(Debug, Args)]
pub struct Document {
    /// File with the JSON; `-` is standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// List an organisation's keys.
    List { org: String },
    /// Show a key.
    Get { org: String, id: String },
    /// Make a key; it is shown this once.
    Create {
        org: String,
        name: String,
        #[command(flatten)]
        described: Described,
    },
    /// Change what a key may be used for.
    Update {
        org: String,
        id: String,
        /// Another name.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        described: Described,
    },
    /// Keep a key without letting it in.
    Disable { org: String, id: String },
    /// Let a key in again.
    Enable { org: String, id: String },
    /// Replace a key; the new one is shown this once.
    Rotate {
        org: String,
        id: String,
        /// Seconds for which the old one works beside it.
        #[arg(long, default_value_t = 0)]
        overlap: u64,
    },
    /// Take a key back.
    Delete { org: String, id: String },
}

#[derive(Debug, Args)]
pub struct Described {
    /// `viewer`, `member`, `admin` or `owner`.
    #[arg(long)]
    role: Option<String>,
    /// Models it may use, with `*` as wildcard, separated by commas.
    #[arg(long, value_delimiter = ',')]
    models: Vec<String>,
    /// Providers it may use.
    #[arg(long, value_delimiter = ',')]
    providers: Vec<String>,
    /// Addresses and networks it may come from.
    #[arg(long, value_delimiter = ',')]
    allowed_ips: Vec<String>,
    /// Tools that its requests may offer to a model.
    #[arg(long, value_delimiter = ',')]
    allowed_tools: Vec<String>,
    /// Tools that they may not offer.
    #[arg(long, value_delimiter = ',')]
    denied_tools: Vec<String>,
    /// Requests a minute; 0 for any number.
    #[arg(long, value_name = "NUMBER")]
    rpm: Option<u64>,
    /// Tokens a minute; 0 for any number.
    #[arg(long, value_name = "NUMBER")]
    tpm: Option<u64>,
    /// Requests in progress at once; 0 for any number.
    #[arg(long, value_name = "NUMBER")]
    max_concurrent: Option<u64>,
    /// US dollars that it may spend in a period; 0 for any number.
    #[arg(long, value_name = "USD")]
    budget: Option<Number>,
    /// When the budget begins anew: `daily`, `weekly`, `monthly` or `total`.
    #[arg(long)]
    budget_period: Option<String>,
    /// What there is to say of it, as `NAME=VALUE`; more than once for more.
    #[arg(long, value_name = "NAME=VALUE", value_parser = entry)]
    metadata: Vec<(String, String)>,
    /// When it stops working, as `2027-01-01T00:00:00Z`.
    #[arg(long)]
    expires_at: Option<String>,
}

fn entry(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
    /// List every type of provider and what it needs.
    Types,
    /// List the providers that an organisation may use.
    List { org: String },
    /// See whether a provider answers; nothing is billed.
    Test { org: String, provider: String },
}

/// What to show: the answer as it came, or a table of it.
pub struct Shown {
    answer: Json,
    columns: &'static [Column],
    json: bool,
}

impl Shown {
    /// The text for standard output.
    pub fn text(&self) -> String {
        if self.json || self.columns.is_empty() {
            return serde_json::to_string_pretty(&self.answer).expect("a value serialises") + "\n";
        }
        table::table(&self.answer, self.columns)
    }
}

const ORGS: &[Column] = &[
    ("ORG", "org_id"),
    ("VERSION", "version"),
    ("PROVIDERS", "providers"),
    ("UPDATED", "updated_at"),
    ("BY", "updated_by"),
];
const VERSIONS: &[Column] = &[("VERSION", "version"), ("ACTION", "action"), ("AT", "at"), ("BY", "author")];
const CHANGES: &[Column] = &[("PATH", "path"), ("BEFORE", "before"), ("AFTER", "after")];
const MISTAKES: &[Column] = &[("PATH", "path"), ("MISTAKE", "message")];
const KEYS: &[Column] = &[
    ("ID", "id"),
    ("NAME", "name"),
    ("KEY", "prefix"),
    ("ROLE", "role"),
    ("MODELS", "models"),
    ("RPM", "rate_limit_rpm"),
    ("BUDGET", "budget.limit"),
    ("EXPIRES", "expires_at"),
    ("DISABLED", "disabled"),
];
const MADE: &[Column] = &[("ID", "id"), ("NAME", "name"), ("ROLE", "role"), ("KEY (SHOWN ONCE)", "key")];
const PROVIDERS: &[Column] =
    &[("PROVIDER", "name"), ("TYPE", "type"), ("STATE", "health.0.state"), ("SHARED", "shared"), ("MODELS", "models")];
const TYPES: &[Column] =
    &[("TYPE", "name"), ("FORMAT", "api_format"), ("BASE URL", "base_url"), ("NEEDS", "fields.required")];
const TESTED: &[Column] =
    &[("PROVIDER", "provider"), ("OK", "ok"), ("MS", "took_ms"), ("MODELS", "models"), ("ERROR", "error")];

/// Asks about organisations.
///
/// # Errors
/// What the gateway said, or why it could not be asked.
pub fn org(asking: &Asking, command: OrgCommand) -> Result<Shown, String> {
    let client = asking.client()?;
    let path = |org: &str, then: &str| format!("/v1/orgs/{}/config{then}", escaped(org));
    let put = |method: Method, org: &str, then: &str, document: &Document| {
        client.send(method, &path(org, then), Some(document.read()?), None)
    };
    let (answer, columns) = match command {
        OrgCommand::List => (client.pages("/v1/orgs")?, ORGS),
        OrgCommand::Get { org } => (client.get(&path(&org, ""))?, &[][..]),
        OrgCommand::Create { org, document } => (put(Method::POST, &org, "", &document)?, &[][..]),
        OrgCommand::Update { org, document } => (put(Method::PATCH, &org, "", &document)?, &[][..]),
        OrgCommand::Replace { org, document, if_match } => {
            (client.send(Method::PUT, &path(&org, ""), Some(document.read()?), Some(&if_match))?, &[][..])
        }
        OrgCommand::Validate { org, document } => {
            let judged = put(Method::POST, &org, "/validate", &document)?;
            if judged["valid"] != true {
                return Err(table::table(&judged["mistakes"], MISTAKES).trim_end().to_owned());
            }
            (judged, &[][..])
        }
        OrgCommand::Delete { org } => (client.send(Method::DELETE, &path(&org, ""), None, None)?, &[][..]),
        OrgCommand::Versions { org } => (client.get(&path(&org, "/versions"))?, VERSIONS),
        OrgCommand::Diff { org, from, to } => {
            let numbers = [("from_version", from), ("to_version", to)];
            let query = numbers.iter().filter_map(|(name, number)| Some(format!("{name}={}", (*number)?)));
            let path = path(&org, &format!("/diff?{}", query.collect::<Vec<_>>().join("&")));
            let answer = client.get(&path)?;
            let shown = if asking.json { answer } else { answer["changes"].clone() };
            (shown, CHANGES)
        }
        OrgCommand::Rollback { org, version } => {
            let body = json!({ "version": version });
            (client.send(Method::POST, &path(&org, "/rollback"), Some(body), None)?, &[][..])
        }
    };
    Ok(Shown { answer, columns, json: asking.json })
}

/// Asks about keys.
///
/// # Errors
/// What the gateway said, or why it could not be asked.
pub fn key(asking: &Asking, command: KeyCommand) -> Result<Shown, String> {
    let client = asking.client()?;
    let path = |org: &str, then: &str| format!("/v1/orgs/{}/keys{then}", escaped(org));
    let one = |org: &str, id: &str, then: &str| path(org, &format!("/{}{then}", escaped(id)));
    let patch = |org: &str, id: &str, body: Json| client.send(Method::PATCH, &one(org, id, ""), Some(body), None);
    let (answer, columns) = match command {
        KeyCommand::List { org } => (client.pages(&path(&org, ""))?, KEYS),
        KeyCommand::Get { org, id } => (client.get(&one(&org, &id, ""))?, KEYS),
        KeyCommand::Create { org, name, described } => {
            let body = described.json(Some(name));
            (client.send(Method::POST, &path(&org, ""), Some(body), None)?, MADE)
        }
        KeyCommand::Update { org, id, name, described } => (patch(&org, &id, described.json(name))?, KEYS),
        KeyCommand::Disable { org, id } => (patch(&org, &id, json!({ "disabled": true }))?, KEYS),
        KeyCommand::Enable { org, id } => (patch(&org, &id, json!({ "disabled": false }))?, KEYS),
        KeyCommand::Rotate { org, id, overlap } => {
            let body = json!({ "overlap_seconds": overlap });
            (client.send(Method::POST, &one(&org, &id, "/rotate"), Some(body), None)?, MADE)
        }
        KeyCommand::Delete { org, id } => (client.send(Method::DELETE, &one(&org, &id, ""), None, None)?, &[][..]),
    };
    Ok(Shown { answer, columns, json: asking.json })
}

/// Asks about providers.
///
/// # Errors
/// What the gateway said, or why it could not be asked.
pub fn provider(asking: &Asking, command: ProviderCommand) -> Result<Shown, String> {
    let client = asking.client()?;
    let (answer, columns) = match command {
        ProviderCommand::Types => (client.get("/v1/provider-types")?, TYPES),
        ProviderCommand::List { org } => (client.get(&format!("/v1/orgs/{}/providers", escaped(&org)))?, PROVIDERS),
        ProviderCommand::Test { org, provider } => {
            let path = format!("/v1/orgs/{}/providers/{}/test", escaped(&org), escaped(&provider));
            (client.send(Method::POST, &path, None, None)?, TESTED)
        }
    };
    Ok(Shown { answer, columns, json: asking.json })
}

impl Asking {
    fn client(&self) -> Result<Client, String> {
        let key = self.key.clone().filter(|key| !key.is_empty()).or_else(|| std::env::var("PRISM_ADMIN_TOKEN").ok());
        let key = key.ok_or("a key is needed: `--key`, or PRISM_API_KEY or PRISM_ADMIN_TOKEN in the environment")?;
        Client::new(&self.url, Secret::new(key))
    }
}

impl Document {
    fn read(&self) -> Result<Json, String> {
        let name = self.file.display();
        let mut text = String::new();
        let read = if self.file.as_os_str() == "-" {
            std::io::stdin().read_to_string(&mut text)
        } else {
            std::fs::File::open(&self.file).and_then(|mut file| file.read_to_string(&mut text))
        };
        read.map_err(|error| format!("cannot read `{name}`: {error}"))?;
        serde_json::from_str(&text)
            .map_err(|error| format!("`{name}` is not JSON (line {}, column {})", error.line(), error.column()))
    }
}

impl Described {
    fn json(self, name: Option<String>) -> Json {
        let mut body = Map::new();
        for (key, text) in [("name", name), ("role", self.role), ("expires_at", self.expires_at)] {
            body.extend(text.map(|text| (key.to_owned(), json!(text))));
        }
        for (key, list) in [
            ("models", self.models),
            ("providers", self.providers),
            ("allowed_ips", self.allowed_ips),
            ("allowed_tools", self.allowed_tools),
            ("denied_tools", self.denied_tools),
        ] {
            body.extend((!list.is_empty()).then(|| (key.to_owned(), json!(list))));
        }
        for (key, number) in
            [("rate_limit_rpm", self.rpm), ("rate_limit_tpm", self.tpm), ("max_concurrent", self.max_concurrent)]
        {
            body.extend(number.map(|number| (key.to_owned(), json!(number))));
        }
        let mut budget = Map::new();
        budget.extend(self.budget.map(|limit| ("limit".to_owned(), json!(limit))));
        budget.extend(self.budget_period.map(|period| ("period".to_owned(), json!(period))));
        for (key, entries) in [
            ("budget", budget),
            ("metadata", self.metadata.into_iter().map(|(name, value)| (name, json!(value))).collect()),
        ] {
            body.extend((!entries.is_empty()).then(|| (key.to_owned(), json!(entries))));
        }
        body.into()
    }
}

/// As one segment of a path.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
