//! Where organisations are kept, and how they are administered.

use std::time::Duration;

use super::{ControlPlane, SharedPlane, file, resolve::Context, tree::Trail};
use crate::secret::Secret;

/// Shorter tokens could be guessed.
const SHORTEST_TOKEN: usize = 16;
const MAX_STALENESS: Duration = Duration::from_secs(24 * 3600);

/// `None` when nothing in the file asks for organisations.
pub(super) fn control_plane(
    written: Option<file::ControlPlane>,
    admin: Option<file::Admin>,
    security: &file::Security,
    has_nats: bool,
    context: &mut Context<'_>,
) -> Option<ControlPlane> {
    let file::Admin { token, listen } = admin.unwrap_or_default();
    let given = token.filter(|token| !token.expose().is_empty());
    if let Some(Err(message)) = given.as_ref().map(admin_token) {
        context.mistake(&Trail::of(["admin", "token"]), message);
    }
    if written.is_none() && given.is_none() {
        let alone = [
            (listen.is_some(), Trail::of(["admin", "listen"])),
            (security.master_key_file.is_some(), Trail::of(["security", "master_key_file"])),
        ];
        for (_, at) in alone.iter().filter(|(given, _)| *given) {
            context.mistake(
                at,
                "means nothing without organisations: `control_plane: {}` or `admin.token` switches them on",
            );
        }
        return None;
    }
    let written = written.unwrap_or_default();
    Some(ControlPlane {
        allow_private: written.allow_private.unwrap_or(false),
        shared: shared(&written, has_nats, context),
        admin_token: given,
        listen: listen.map(|address| address.0),
        master_key_file: security.master_key_file.as_ref().map(|path| context.folder.join(path)),
    })
}

fn shared(written: &file::ControlPlane, has_nats: bool, context: &mut Context<'_>) -> Option<SharedPlane> {
    let at = |key: &str| Trail::of(["control_plane", key]);
    let Some(bucket) = &written.kv_bucket else {
        if written.max_staleness.is_some() {
            context.mistake(&at("max_staleness"), "means nothing without `control_plane.kv_bucket`");
        }
        return None;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if bucket.is_empty() || !bucket.chars().all(plain) {
        context.mistake(&at("kv_bucket"), "a bucket's name has letters, digits, `-` and `_`");
    }
    if !has_nats && (context.around.env)("PRISM_NATS_URL").is_none() {
        let message = "needs NATS: `nats: {url: …}` says where it is, or the environment's PRISM_NATS_URL";
        context.mistake(&at("kv_bucket"), message);
    }
    let max_staleness = context.positive(&at("max_staleness"), written.max_staleness, MAX_STALENESS);
    Some(SharedPlane { bucket: bucket.clone(), max_staleness })
}

/// A token that has come otherwise than in the file.
///
/// # Errors
/// When it can be none.
pub fn admin_token(token: &Secret) -> Result<(), String> {
    if token.expose().len() >= SHORTEST_TOKEN && token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(format!("an admin token has at least {SHORTEST_TOKEN} characters that can be sent in a header"))
}

impl ControlPlane {
    /// Switched on without a file.
    pub fn plain() -> Self {
        Self { allow_private: false, admin_token: None, listen: None, master_key_file: None, shared: None }
    }
}
