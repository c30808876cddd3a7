//! How to start: the command line's answers over the environment's over the file's.

use std::{net::IpAddr, path::PathBuf};

use crate::{
    config::{self, Config, ControlPlane, Nats},
    secret::Secret,
};

/// What the command line and the environment say.
#[derive(Debug, Default)]
pub struct Options {
    /// Without one the gateway configures itself from the environment.
    pub config: Option<PathBuf>,
    pub host: Option<IpAddr>,
    pub port: Option<u16>,
    pub log_level: Option<String>,
    /// The NATS servers, in place of the file's.
    pub nats_url: Option<String>,
    /// Organisations are on, whatever the file says.
    pub control_plane: bool,
    /// What administers every organisation; it switches them on too.
    pub admin_token: Option<Secret>,
}

impl Options {
    /// The configuration with the options laid over it, and what is worth telling the operator.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn configuration(&self) -> Result<(Config, Vec<String>), String> {
        let (mut config, notices) = match &self.config {
            Some(path) => (config::load(path).map_err(|mistakes| mistakes.to_string())?, Vec::new()),
            None => config::from_environment(&|name| std::env::var(name).ok()),
        };
        if let Some(host) = self.host {
            config.server.host = host;
        }
        if let Some(port) = self.port {
            config.server.port = port;
        }
        if let Some(level) = &self.log_level {
            config.logging.level.clone_from(level);
        }
        if let Some(url) = &self.nats_url {
            let nats = Nats::over(config.nats.take(), url);
            config.nats = Some(nats.map_err(|message| format!("PRISM_NATS_URL: {message}"))?);
        }
        let token = self.admin_token.as_ref().filter(|token| !token.expose().is_empty());
        if self.control_plane || token.is_some() {
            let control_plane = config.control_plane.get_or_insert_with(ControlPlane::plain);
            if let Some(token) = token {
                config::admin_token(token)?;
                control_plane.admin_token = Some(token.clone());
            }
        }
        let names: Vec<_> = config::names(&config.auth, config.control_plane.is_some()).collect();
        if !names.is_empty() {
            return Err(names.join("\n"));
        }
        config::exposure(config.server.host, &config.auth, config.control_plane.is_some())?;
        Ok((config, notices))
    }
}
