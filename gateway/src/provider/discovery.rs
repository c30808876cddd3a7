//! Reading a provider's model list with its own credentials over its own connections.

use std::time::Duration;

use http::{Method, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Limited};

use super::{ProviderCore, call::unreachable};
use crate::{
    refusal::{Cause, Refusal},
    transport::UpstreamBody,
    wire::{ModelPage, Payload},
};

const TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes; OpenRouter's list, the largest known, is about 600 KB.
const MAX_LIST: usize = 16 << 20;
const MOST_PAGES: usize = 50;

/// The models that a provider says it has, asked of itself.
///
/// # Errors
/// When it does not say.
pub async fn read_models(core: &ProviderCore) -> Result<Vec<String>, Refusal> {
    tokio::time::timeout(TIMEOUT, read(core))
        .await
        .unwrap_or_else(|_| Err(Refusal::new(Cause::UpstreamTimeout, "the model list took too long")))
}

/// All pages of all lists, as far as they may sensibly go.
async fn read(core: &ProviderCore) -> Result<Vec<String>, Refusal> {
    let mut list = core.format.models_path(&core.config).into_owned();
    let mut place = list.clone();
    let mut ids = Vec::new();
    for _ in 0..MOST_PAGES {
        let page = match read_page(core, &place).await {
            // The credential may read one list and not the other.
            Err(_) if place == list && !ids.is_empty() => break,
            page => page?,
        };
        ids.extend(page.ids);
        place = match page.next {
            None => break,
            Some(beside) if beside.starts_with('/') => {
                list.truncate(list.rfind('/').unwrap_or_default());
                list.push_str(&beside);
                list.clone()
            }
            Some(query) => format!("{list}{query}"),
        };
    }
    Ok(ids)
}

/// Whether the provider answers at all, asked for what no provider bills: its model list, or its front page. Any answer
/// but a server's error shows that it is there; whether it serves is for real requests to find out.
pub(super) async fn is_there(core: &ProviderCore) -> bool {
    let path = core.format.models_path(&core.config);
    let answer = tokio::time::timeout(TIMEOUT, get(core, &path)).await;
    matches!(answer, Ok(Ok(response)) if !response.status().is_server_error())
}

async fn read_page(core: &ProviderCore, path: &str) -> Result<ModelPage, Refusal> {
    let (head, body) = get(core, path).await?.into_parts();
    let body = Limited::new(body, MAX_LIST).collect().await;
    let body = body.map_err(|_| Refusal::new(Cause::Upstream, "the model list could not be read"))?.to_bytes();
    if !head.status.is_success() {
        return Err(core.format.refusal(head.status, &head.headers, &body));
    }
    core.format.models(&body)
}

async fn get(core: &ProviderCore, path: &str) -> Result<http::Response<UpstreamBody>, Refusal> {
    let mut request = http::Request::new(Payload::default());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = core.list_uri(path)?;
    *request.headers_mut() = core.headers(core.keys.any());
    request.headers_mut().remove(CONTENT_TYPE);
    core.authorise(&mut request).await?;
    core.transport.send(request).await.map_err(|error| unreachable(&error))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{
        config,
        memory::BodyMemory,
        telemetry::Metrics,
        transport::{
            SendFuture, Transport, TransportError,
            credentials::{Authoriser, Authorising},
        },
        wire,
    };

    /// Remembers what was sent and answers nothing.
    #[derive(Default)]
    struct Listening(Mutex<Vec<String>>);

    impl Transport for Listening {
        fn send(&self, request: http::Request<Payload>) -> SendFuture {
            let token = request.headers().get("authorization").map(|value| value.to_str().unwrap());
            self.0.lock().unwrap().push(format!("{} {}", request.uri(), token.unwrap_or("-")));
            Box::pin(async { Err(TransportError::Broken("on purpose".into())) })
        }
    }

    /// Puts its word on a request, if it has one.
    struct Word(Option<&'static str>);

    impl Authoriser for Word {
        fn authorise<'a>(&'a self, request: &'a mut http::Request<Payload>) -> Authorising<'a> {
            Box::pin(async move {
                let word = self.0.ok_or_else(|| Refusal::new(Cause::Credential, "none"))?;
                request.headers_mut().insert("authorization", word.parse().unwrap());
                Ok(())
            })
        }
    }

    async fn asked(path: &'static str, word: Option<&'static str>) -> (Cause, Vec<String>) {
        let file = "providers: {it: {base_url: 'https://runtime.eu.llm.example.com/v1'}}";
        let provider = config::parse(file, "test.yaml", &|_| None).unwrap().providers.remove(0);
        let config = Arc::new(config::Provider { models_path: path, ..provider });
        let listening = Arc::new(Listening::default());
        let format = wire::format("openai").unwrap();
        let authoriser: Arc<dyn Authoriser> = Arc::new(Word(word));
        let (transport, memory) = (listening.clone(), BodyMemory::unbounded());
        let core = ProviderCore::authorised(config, format, transport, Some(authoriser), &Metrics::new(), memory);
        let refusal = read_models(&core).await.unwrap_err();
        let sent = listening.0.lock().unwrap().clone();
        (refusal.cause, sent)
    }

    #[tokio::test]
    async fn a_list_elsewhere_gets_the_credential_only_where_it_belongs() {
        let (_, sent) = asked("/models", Some("w")).await;
        assert_eq!(sent, ["https://runtime.eu.llm.example.com/v1/models w"]);
        let (_, sent) = asked("https://control.eu.llm.example.com/list?x=1", Some("w")).await;
        assert_eq!(sent, ["https://control.eu.llm.example.com/list?x=1 w"]);
        for far in ["https://evil.example/list", "http://control.eu.llm.example.com/list", "//evil.example/list"] {
            let (_, sent) = asked(far, Some("w")).await;
            assert!(sent.iter().all(|sent| sent.starts_with("https://runtime.eu.llm.example.com/v1//")), "{sent:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_without_its_credential() {
        assert_eq!(asked("/models", None).await, (Cause::Credential, Vec::new()));
    }
}
