//! A provider's words made fit for the caller: no key, no internal address, no end in sight.
//!
//! Whole words go, since half a key is still a hint. Where a word only looks like a key it goes too.

/// What stands in the place of what was taken out.
const REDACTED: &str = "[redacted]";
/// Longest message, in characters.
const MAX_CHARS: usize = 2_000;
/// What is looked at, in bytes.
const MAX_BYTES: usize = 16 << 10;

/// How the keys of known providers begin, and other things that name an account.
const KEY_PREFIXES: &[&str] = &[
    "sk-", "sk_", "pk-", "pk_", "rk-", "rk_", "gsk_", "hf_", "AIza", "xai-", "pplx-", "r8_", "csk-", "fw_", "nvapi-",
    "AKIA", "ASIA", "ya29", "eyJ", "esecret_", "ghp_", "org-", "proj_", "sess-", "key_", "key-",
];
/// Shorter words with such a prefix are words.
const MIN_KEY: usize = 8;
/// Names of internal hosts end so.
const INTERNAL: &[&str] = &[".internal", ".local", ".svc", ".lan", ".intranet", ".corp"];

/// The text without anything that could be a key or an address, in one line and bounded.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(MAX_BYTES));
    // What the words before promise: `key:`, `provided:`, `Bearer`.
    let mut promised = false;
    let mut about_a_key = false;
    for piece in bounded(text).split_inclusive(is_delimiter) {
        let delimiter = piece.chars().next_back().filter(|&last| is_delimiter(last));
        let word = delimiter.map_or(piece, |delimiter| &piece[..piece.len() - delimiter.len_utf8()]);
        if !word.is_empty() {
            let core = word.trim_end_matches(['.', ':', '!', '?', '=']);
            let sensitive = (promised && core.len() > 3) || is_sensitive(core);
            clean.push_str(if sensitive { REDACTED } else { core });
            clean.push_str(&word[core.len()..]);
            let lower = word.to_ascii_lowercase();
            about_a_key = names_a_key(&lower) || (about_a_key && !sensitive && lower.len() > 2);
            promised = lower == "bearer" || lower == "basic" || (about_a_key && lower.ends_with([':', '=']));
            about_a_key &= !promised;
        }
        if let Some(delimiter) = delimiter {
            clean.push(if delimiter.is_control() { ' ' } else { delimiter });
        }
    }
    match clean.char_indices().nth(MAX_CHARS) {
        None => clean,
        Some((end, _)) => {
            clean.truncate(end);
            clean.push('…');
            clean
        }
    }
}

/// Whether a word is, or holds, something that does not go out.
pub fn is_sensitive(word: &str) -> bool {
    word.contains("://")
        || word.contains("***")
        || assigns_a_secret(word)
        || is_address(word)
        || word.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).any(is_key)
}

/// No more than [`MAX_BYTES`], and no half word at the end.
fn bounded(text: &str) -> &str {
    if text.len() <= MAX_BYTES {
        return text;
    }
    let text = &text[..text.floor_char_boundary(MAX_BYTES)];
    text.rfind(is_delimiter).map_or("", |end| &text[..end])
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';')
}

fn names_a_key(lower: &str) -> bool {
    let word = lower.trim_end_matches([':', '=', '.']);
    matches!(word, "key" | "apikey" | "authorization" | "secret" | "password")
        || word.ends_with("key") && word.contains("api")
}

/// `key=…`, `x-api-key:…`, `token=…`, `sig=…`, as in a query.
fn assigns_a_secret(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.split(['?', '&']).filter_map(|pair| pair.split_once(['=', ':'])).any(|(name, value)| {
        let secret = ["key", "token", "secret", "password", "sig", "signature", "authorization", "bearer"];
        value.len() > 3 && secret.iter().any(|end| name.ends_with(end))
    })
}

/// An IPv4 or IPv6 address, a host with a port, the name of an internal host.
fn is_address(word: &str) -> bool {
    let word = word.rsplit('@').next().unwrap_or(word);
    let colons = word.bytes().filter(|&byte| byte == b':').count();
    if colons >= 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'%')) {
        return colons >= 5 || word.contains("::");
    }
    word.split(['/', '=', '|']).any(|part| {
        let (host, port) = part.split_once(':').unwrap_or((part, ""));
        let has_port = (2..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = host == "localhost" || (host.contains('.') && host.contains(|c: char| c.is_ascii_alphabetic()));
        let lower = host.to_ascii_lowercase();
        is_ipv4(host) || (has_port && is_name) || INTERNAL.iter().any(|end| lower.ends_with(end))
    })
}

fn is_ipv4(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// A run of key characters that is a key by its beginning, or opaque: long, and not made of words and numbers.
fn is_key(run: &str) -> bool {
    if run.len() >= MIN_KEY && KEY_PREFIXES.iter().any(|prefix| run.starts_with(prefix)) {
        return true;
    }
    run.len() >= 32 && !run.split(['-', '_']).all(is_wordlike)
}

/// Part of a name such as `gpt-4o-mini-realtime-preview-2024-12-17`, unlike part of a key.
fn is_wordlike(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    match digits {
        0 => segment.len() <= 24,
        all if all == segment.len() => segment.len() <= 12,
        _ => segment.len() <= 7,
    }
}
