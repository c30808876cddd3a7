//! Providers with credentials and addresses of their own, every format taken as built.

use std::path::PathBuf;

use super::CANARY;
use crate::{
    config::{resolve::Around, *},
    secret::Secret,
};

const ALL: &[&str] = &["openai", "anthropic", "gemini", "bedrock", "azure", "cohere"];

fn env(name: &str) -> Option<String> {
    (name == "SECRET").then(|| CANARY.to_owned())
}

fn tried(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Provider>, String> {
    let around = Around { env, formats: ALL };
    let read = resolve::read(&format!("providers: {{{text}}}"), "conf/prism.yaml", around);
    let told = |mistakes: Mistakes| mistakes.to_string();
    read.map(|(config, _)| config.providers)
        .map_err(told)
        .inspect_err(|told| assert!(!told.contains("canary"), "{told}"))
}

fn one(text: &str) -> Provider {
    tried(text, &env).unwrap_or_else(|told| panic!("{text}: {told}")).remove(0)
}

fn mistake(text: &str) -> String {
    let told = tried(text, &env).expect_err(text);
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

#[test]
fn keys_go_where_each_format_wants_them() {
    use AuthScheme::*;
    for (text, auth, url) in [
        ("anthropic: {api_key: k}", XApiKey, "https://api.anthropic.com"),
        ("anthropic: {api_key: k, auth: bearer}", Bearer, "https://api.anthropic.com"),
        ("anthropic: {api_key: k, auth: api-key}", XApiKey, "https://api.anthropic.com"),
        ("gemini: {api_key: k}", XGoogApiKey, "https://generativelanguage.googleapis.com"),
        ("cohere: {api_key: k}", Bearer, "https://api.cohere.com"),
        ("azure: {api_key: k, base_url: 'https://r.openai.azure.com/openai/v1'}", ApiKey, "https://r.openai.azure.com"),
        (
            "azure: {api_key: k, auth: bearer, base_url: 'https://r.openai.azure.com'}",
            Bearer,
            "https://r.openai.azure.com",
        ),
        ("house: {api_format: anthropic, api_key: k, base_url: 'http://h/v1'}", XApiKey, "http://h"),
        ("bedrock: {api_key: k, region: us-west-2}", Bearer, "https://bedrock-runtime.us-west-2.amazonaws.com"),
        ("vertexai: {access_token: t, project: p}", Bearer, "https://aiplatform.googleapis.com"),
        ("bedrock: {auth: none, region: us-east-1, base_url: 'http://127.0.0.1:9'}", None, "http://127.0.0.1:9"),
    ] {
        let provider = one(text);
        assert_eq!((provider.auth, provider.base_url.as_str()), (auth, url), "{text}");
        assert_eq!(provider.credentials, Option::None, "{text}");
    }
    for (text, discovers) in [
        ("anthropic: {api_key: k}", true),
        ("gemini: {api_key: k}", true),
        ("cohere: {api_key: k}", true),
        ("bedrock: {region: us-east-1}", false),
    ] {
        assert_eq!(one(text).discover.is_some(), discovers, "{text}");
    }
}

#[test]
fn versions_of_an_api() {
    let version = |text: &str| one(text).settings.api_version;
    assert_eq!(version("anthropic: {api_key: k}").as_deref(), Some("2023-06-01"));
    assert_eq!(version("anthropic: {api_key: k, api_version: 2026-10-21}").as_deref(), Some("2026-10-21"));
    assert_eq!(version("gemini: {api_key: k, api_version: v1}").as_deref(), Some("v1"));
    assert!(mistake("gemini: {api_key: k, api_version: 2023-06-01}").contains("such as `v1`"));
    let azure = |rest: &str| format!("azure: {{api_key: k, base_url: 'https://r.openai.azure.com', {rest}}}");
    assert_eq!(version(&azure("")), None);
    assert_eq!(version(&azure("api_version: v1")).as_deref(), Some("v1"));
    assert_eq!(version(&azure("api_version: 2025-04-01-preview")).as_deref(), Some("2025-04-01-preview"));
    let old = one(&azure("headers: {api-version: '2024-10-21', auth-type: bearer, X-Team: a}"));
    assert_eq!((old.settings.api_version.as_deref(), old.auth), (Some("2024-10-21"), AuthScheme::Bearer));
    assert_eq!(old.headers.len(), 1, "the spellings of fields are not sent: {:?}", old.headers);
    assert!(mistake("anthropic: {api_key: k, api_version: 2024-01-01}").contains("known: 2023-06-01, 2026-10-21"));
    assert!(mistake(&azure("api_version: newest")).contains("expected `v1`"));
    assert!(mistake(&azure("api_version: v1, headers: {api-version: v1}")).contains("given twice"));
    assert!(mistake(&azure("headers: {auth-type: canary}")).contains("unknown word"));
    assert!(mistake("azure: {api_key: k}").contains("endpoint of your Azure OpenAI resource"));
    assert!(mistake("openai: {api_key: k, api_version: v1}").contains("means nothing here"));
}

#[test]
fn aws_credentials_and_regions() {
    let source = |text: &str| match one(text).credentials {
        Some(Credentials::Aws { service: "bedrock", region, source }) => (region, source),
        other => panic!("{text}: {other:?}"),
    };
    let keys = AwsSource::Keys {
        access_key_id: Secret::new("AK"),
        secret_access_key: Secret::new(CANARY),
        session_token: Some(Secret::new("s")),
    };
    let region = "eu-west-1".to_owned();
    for text in [
        "bedrock: {region: eu-west-1, access_key_id: AK, secret_access_key: '${SECRET}', session_token: s}",
        "bedrock: {aws_region: eu-west-1, aws_access_key_id: AK, aws_secret_access_key: '${SECRET}', aws_session_token: s}",
        "bedrock: {headers: {X-AWS-Region: eu-west-1}, access_key_id: AK, secret_access_key: '${SECRET}', session_token: s}",
    ] {
        assert_eq!(source(text), (region.clone(), keys.clone()), "{text}");
        assert_eq!(one(text).settings.region.as_deref(), Some("eu-west-1"));
        assert!(one(text).headers.is_empty() && !format!("{:?}", one(text)).contains("canary"));
    }
    assert_eq!(
        source("bedrock: {region: eu-west-1, profile: work}"),
        (region.clone(), AwsSource::Profile("work".into()))
    );
    assert_eq!(source("bedrock: {region: eu-west-1}"), (region.clone(), AwsSource::Chain));
    let url = "bedrock: {base_url: 'https://bedrock-runtime.eu-west-1.amazonaws.com'}";
    assert_eq!(source(url), (region, AwsSource::Chain));
    assert_eq!(one("bedrock: {region: cn-north-1}").base_url, "https://bedrock-runtime.cn-north-1.amazonaws.com.cn");
    let variables = |name: &str| match name {
        "AWS_DEFAULT_REGION" => Some("us-west-2".to_owned()),
        "AWS_BEARER_TOKEN_BEDROCK" => Some("b".to_owned()),
        _ => None,
    };
    let found = tried("bedrock:", &variables).unwrap().remove(0);
    assert_eq!((found.settings.region.as_deref(), found.auth), (Some("us-west-2"), AuthScheme::Bearer));
    assert!(mistake("bedrock:").contains("region: needed and missing"));
    assert!(mistake("bedrock: {region: us/east}").contains("expected a region"));
    assert!(
        mistake("bedrock: {region: us-east-1, access_key_id: AK}").contains("secret_access_key: needed and missing")
    );
    assert!(mistake("bedrock: {region: us-east-1, session_token: s}").contains("access_key_id: needed and missing"));
    let both = "bedrock: {region: us-east-1, api_key: k, access_key_id: AK, secret_access_key: '${SECRET}'}";
    assert!(mistake(both).contains("one of them is the credential"));
    assert!(mistake("bedrock: {region: a, headers: {x-aws-region: b}}").contains("given twice"));
    assert!(mistake("bedrock: {region: a, aws_region: b}").contains("given twice"));
    assert!(mistake("bedrock: {region: a, headers: {Authorization: x}}").contains("carries the provider's credential"));
}

#[test]
fn google_projects_and_locations() {
    for (location, url) in [
        ("global", "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("us-central1", "https://us-central1-aiplatform.googleapis.com"),
    ] {
        let provider = one(&format!("vertexai: {{project: p-1, location: {location}, credentials_file: sa.json}}"));
        assert_eq!((provider.base_url.as_str(), provider.settings.location.as_deref()), (url, Some(location)));
        let file = GoogleSource::File(PathBuf::from("conf/sa.json"));
        assert_eq!(provider.credentials, Some(Credentials::Google(file)));
    }
    let old = one("vertexai: {headers: {x-gcp-project: p, X-GCP-Location: europe-west4}}");
    assert_eq!(old.settings.project.as_deref(), Some("p"));
    assert_eq!(old.base_url, "https://europe-west4-aiplatform.googleapis.com");
    assert_eq!((old.headers.len(), old.credentials), (0, Some(Credentials::Google(GoogleSource::Default))));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sa.json");
    std::fs::write(&path, r#"{"project_id":"of-file"}"#).unwrap();
    let named = one(&format!("vertexai: {{credentials_file: '{}'}}", path.display()));
    assert_eq!(named.settings.project.as_deref(), Some("of-file"));
    assert!(mistake("vertexai:").contains("project: needed and missing"));
    assert!(mistake("vertexai: {project: 'a/b'}").contains("expected the id"));
    assert!(mistake("vertexai: {project: p, location: 'x.evil.com/'}").contains("expected a location"));
    assert!(mistake("vertexai: {project: p, access_token: t, credentials_file: f}").contains("one of them"));
    assert!(mistake("gemini: {api_key: k, location: eu}").contains("only `vertexai` has it"));
}

#[test]
fn entra_applications() {
    let entra = |host: &str| {
        let text =
            format!("azure: {{base_url: 'https://{host}', tenant_id: t, client_id: c, client_secret: '${{SECRET}}'}}");
        match one(&text).credentials {
            Some(Credentials::Entra(entra)) => entra,
            other => panic!("{other:?}"),
        }
    };
    let public = entra("r.openai.azure.com");
    assert_eq!(public.authority, "https://login.microsoftonline.com");
    assert_eq!(public.scope, "https://cognitiveservices.azure.com/.default");
    assert_eq!(entra("r.openai.azure.us").authority, "https://login.microsoftonline.us");
    let given = "azure: {base_url: 'https://r', tenant_id: t, client_id: c, client_secret: s}";
    let variables = |name: &str| (name == "AZURE_AUTHORITY_HOST").then(|| "login.example.com/".to_owned());
    let provider = tried(given, &variables).unwrap().remove(0);
    assert!(
        matches!(provider.credentials, Some(Credentials::Entra(entra)) if entra.authority == "https://login.example.com")
    );
    let told = tried("azure: {base_url: 'https://r', tenant_id: 'a/b'}", &env).unwrap_err();
    assert!(
        told.contains("client_id: needed") && told.contains("client_secret: needed") && told.contains("tenant_id: exp")
    );
    let both = "azure: {base_url: 'https://r', api_key: k, tenant_id: t, client_id: c, client_secret: s}";
    assert!(mistake(both).contains("an Entra application: one of them"));
}

#[test]
fn what_embeddings_are_for() {
    let provider = one("cohere: {api_key: k, embedding_input_type: search_query}");
    assert_eq!(provider.settings.embedding_input_type.as_deref(), Some("search_query"));
    assert!(mistake("cohere: {api_key: k, embedding_input_type: search}").contains("unknown word"));
}

#[test]
fn the_environment_brings_clouds() {
    let set = |variables: &'static [(&str, &str)]| {
        let env = move |name: &str| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        };
        let (config, notices) = environment::read(Around { env: &env, formats: ALL });
        (config.providers.into_iter().next().unwrap(), notices.join("\n"))
    };
    let (aws, notices) =
        set(&[("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "us-east-1")]);
    assert!(matches!(aws.credentials, Some(Credentials::Aws { source: AwsSource::Chain, .. })), "{notices}");
    let (_, notices) = set(&[("AWS_ACCESS_KEY_ID", "AK")]);
    assert!(
        notices.starts_with("AWS_ACCESS_KEY_ID is set and not used") && notices.contains("AWS_REGION"),
        "{notices}"
    );
    let (vertex, _) = set(&[("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere"), ("GOOGLE_CLOUD_PROJECT", "p")]);
    assert_eq!((vertex.name.as_str(), vertex.settings.project.as_deref()), ("vertexai", Some("p")));
    let (azure, _) = set(&[("AZURE_OPENAI_API_KEY", "k"), ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/")]);
    assert_eq!((azure.base_url.as_str(), azure.auth), ("https://r.openai.azure.com", AuthScheme::ApiKey));
    let (_, notices) = set(&[("AZURE_OPENAI_API_KEY", "k")]);
    assert!(notices.contains("AZURE_OPENAI_ENDPOINT is not"), "{notices}");
    for (name, provider) in [("ANTHROPIC_API_KEY", "anthropic"), ("GOOGLE_API_KEY", "gemini"), ("CO_API_KEY", "cohere")]
    {
        let env = |variable: &str| (variable == name).then(|| "k".to_owned());
        let (config, _) = environment::read(Around { env: &env, formats: ALL });
        assert_eq!(config.providers[0].name, provider);
    }
}
