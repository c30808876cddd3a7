//! Entra: an application's own token (client credentials).

use http::HeaderValue;

use super::{
    bearer::Token,
    keeper::{Fetching, Source},
    surroundings::Surroundings,
};
use crate::config::Entra;

const WHO: &str = "the Entra token endpoint";

pub(super) struct Application {
    entra: Entra,
    around: Surroundings,
}

impl Application {
    pub(super) fn new(entra: &Entra, around: &Surroundings) -> Self {
        Self { entra: entra.clone(), around: around.clone() }
    }
}

impl Source<HeaderValue> for Application {
    fn fetch(&self) -> Fetching<'_, HeaderValue> {
        Box::pin(async {
            let Entra { tenant_id, client_id, client_secret, authority, scope } = &self.entra;
            let url = format!("{authority}/{tenant_id}/oauth2/v2.0/token");
            let form = [
                ("grant_type", "client_credentials"),
                ("client_id", client_id),
                ("client_secret", client_secret.expose()),
                ("scope", scope),
            ];
            let body = self.around.web.post_form(WHO, &url, &form).await?;
            Token::read(WHO, &body)?.fresh(&self.around)
        })
    }
}
