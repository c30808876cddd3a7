//! Google Cloud tokens: a service account's key, a credentials file, or the application-default credentials (`GOOGLE_APPLICATION_CREDENTIALS`,
//! gcloud's own file, the metadata server of the machine).

mod external;
mod file;
mod service_account;

use std::path::PathBuf;

use http::HeaderValue;

use super::{
    Failure,
    bearer::Token,
    keeper::{Fetching, Fresh, Source},
    surroundings::Surroundings,
};
use crate::config::GoogleSource;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const WHO: &str = "Google's token endpoint";

pub(super) struct Google {
    source: GoogleSource,
    around: Surroundings,
}

impl Google {
    pub(super) fn new(source: &GoogleSource, around: &Surroundings) -> Self {
        Self { source: source.clone(), around: around.clone() }
    }

    async fn find(&self) -> Result<Fresh<HeaderValue>, Failure> {
        let around = &self.around;
        let named = match &self.source {
            GoogleSource::Key(key) => return file::of(key.expose().as_bytes(), around).await,
            GoogleSource::File(path) => Some(path.clone()),
            GoogleSource::Default => around.env("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from),
        };
        if let Some(path) = named {
            return file::fetch(&path, around).await;
        }
        let folder = around.env("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(|| around.home(".config/gcloud"));
        match folder.map(|folder| folder.join("application_default_credentials.json")) {
            Some(path) if path.is_file() => file::fetch(&path, around).await,
            _ => metadata(around).await,
        }
    }
}

impl Source<HeaderValue> for Google {
    /// Files are read anew every time: they may have been replaced.
    fn fetch(&self) -> Fetching<'_, HeaderValue> {
        Box::pin(self.find())
    }
}

async fn metadata(around: &Surroundings) -> Result<Fresh<HeaderValue>, Failure> {
    const SERVER: &str = "Google's metadata server";
    let host = around.env("GCE_METADATA_HOST").unwrap_or_else(|| "metadata.google.internal".to_owned());
    let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
    let body = around.machine.get(SERVER, &url, &[("metadata-flavor", "Google")]).await?;
    Token::read(SERVER, &body)?.fresh(around)
}
